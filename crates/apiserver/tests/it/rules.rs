//! Rules of definitions, `x-kubernetes-validations`.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, sends};
use crate::definition::defined;
use crate::objects::{DEFINITIONS, GADGETS, gadget, gadgets};

fn ruled() -> Value {
    json!({
        "type": "object",
        "properties": {
            "size": {"type": "integer", "x-kubernetes-validations": [
                {"rule": "self >= 0", "message": "size is negative", "reason": "FieldValueForbidden"},
            ]},
            "min": {"type": "integer", "default": 0},
            "ports": {
                "type": "array", "maxItems": 10, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object", "required": ["name"],
                    "properties": {"name": {"type": "string", "maxLength": 10}, "port": {"type": "integer"}},
                    "x-kubernetes-validations": [{"rule": "!has(oldSelf.port) || self.port == oldSelf.port"}],
                },
            },
        },
        "x-kubernetes-validations": [{
            "rule": "!has(self.size) || self.size >= self.min",
            "messageExpression": "'size %d is below %d'.format([self.size, self.min])",
            "fieldPath": ".size",
        }],
    })
}

fn refusal(name: &str, problem: &str) -> String {
    format!(r#"422 Gadget.a.example "{name}" is invalid: {problem}"#)
}

#[tokio::test]
async fn objects_that_break_a_rule_are_refused_on_every_write() {
    let (_server, client) = defined(&gadgets(ruled())).await;
    let created = client.post(GADGETS, &gadget("g", json!({"size": 1, "min": 2}))).await;
    assert_eq!(created.refusal(), refusal("g", r#"spec.size: Invalid value: size 1 is below 2"#));
    let created = client.post(GADGETS, &gadget("g", json!({"size": -1}))).await.refusal();
    assert!(created.contains("spec.size: Forbidden: size is negative"), "{created}");
    let dry = client.post(&format!("{GADGETS}?dryRun=All"), &gadget("g", json!({"size": 1, "min": 2}))).await;
    assert_eq!(dry.status, 422);

    let ports = json!([{"name": "a", "port": 1}]);
    client.post(GADGETS, &gadget("g", json!({"size": 3, "min": 2, "ports": ports}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    let problem = refusal("g", "spec.size: Invalid value: size 3 is below 4");
    assert_eq!(client.patch(&path, "merge", &json!({"spec": {"min": 4}})).await.refusal(), problem);
    let mut object = client.get(&path).await.expect(200);
    object["spec"]["min"] = 4.into();
    assert_eq!(client.put(&path, &object).await.refusal(), problem);
    let applied = format!("{path}?fieldManager=m&force=true");
    assert_eq!(
        client
            .send(
                Method::PATCH,
                &applied,
                &sends("application/apply-patch+yaml"),
                gadget("g", json!({"min": 4})).to_string()
            )
            .await
            .refusal(),
        problem
    );

    let moved = client.patch(&path, "merge", &json!({"spec": {"ports": [{"name": "a", "port": 2}]}})).await;
    let rule = "failed rule: !has(oldSelf.port) || self.port == oldSelf.port";
    assert_eq!(moved.refusal(), refusal("g", &format!("spec.ports[0]: Invalid value: {rule}")));
    let added = json!({"spec": {"ports": [{"name": "b", "port": 2}, {"name": "a", "port": 1}]}});
    client.patch(&path, "merge", &added).await.expect(200);
}

/// Ratcheting, KEP-4008.
#[tokio::test]
async fn values_that_break_a_new_rule_may_stay_with_a_warning() {
    let lax =
        json!({"type": "object", "properties": {"size": {"type": "integer"}, "other": {"type": "integer"}}});
    let (_server, client) = defined(&gadgets(lax)).await;
    client.post(GADGETS, &gadget("g", json!({"size": -1}))).await.expect(201);
    let definition = format!("{DEFINITIONS}/gadgets.a.example");
    let stricter = json!([{
        "op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/x-kubernetes-validations",
        "value": [{"rule": "self > 0"}],
    }]);
    client.patch(&definition, "json", &stricter).await.expect(200);
    let path = format!("{GADGETS}/g");
    let kept = client.patch(&path, "merge", &json!({"spec": {"other": 1}})).await;
    assert_eq!(kept.header("warning"), r#"299 - "spec.size: Invalid value: -1: failed rule: self > 0""#);
    kept.expect(200);
    let changed = client.patch(&path, "merge", &json!({"spec": {"size": -2}})).await;
    assert_eq!(changed.refusal(), refusal("g", "spec.size: Invalid value: -2: failed rule: self > 0"));
    let status = client.patch(&format!("{path}/status"), "merge", &json!({"status": {"ready": true}})).await;
    status.expect(200);
}

/// As kube-apiserver 1.37 answers.
#[tokio::test]
async fn rules_are_not_evaluated_where_the_metadata_is_wrong() {
    const UNCHECKED: &str = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    let (_server, client) = defined(&gadgets(ruled())).await;
    let owned_by = |kind: &str, name: &str| {
        let owner = json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": "u"});
        json!({"ownerReferences": [owner]})
    };
    let mut created = gadget("g", json!({"size": -1}));
    created["metadata"]["ownerReferences"] = owned_by("", "n")["ownerReferences"].clone();
    let problem = "metadata.ownerReferences[0].kind: Required value: must not be empty";
    let expected = refusal("g", &format!("[{problem}, {UNCHECKED}]"));
    assert_eq!(client.post(GADGETS, &created).await.refusal(), expected);

    client.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    let patch = json!({"metadata": owned_by("ConfigMap", ""), "spec": {"size": -1}});
    let problem = "metadata.ownerReferences[0].name: Required value: must not be empty";
    let expected = refusal("g", &format!("[{problem}, {UNCHECKED}]"));
    assert_eq!(client.patch(&format!("{GADGETS}/g"), "merge", &patch).await.refusal(), expected);
    // A status is written without metadata.
    let patch = json!({"metadata": owned_by("ConfigMap", ""), "status": {"ready": true}});
    client.patch(&format!("{GADGETS}/g/status"), "merge", &patch).await.expect(200);
}

#[tokio::test]
async fn definitions_with_wrong_or_dear_rules_are_refused() {
    let server = klient_apiserver::TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let with_rule = |rule: &str| {
        let size = json!({"type": "integer", "x-kubernetes-validations": [{"rule": rule}]});
        gadgets(json!({"type": "object", "properties": {"size": size}}))
    };
    let refusal = client.post(DEFINITIONS, &with_rule("self > 'a'")).await.refusal();
    let expected = "compilation failed: ERROR: <input>:1:6: found no matching overload for '_>_' applied to '(int, string)'\n | self > 'a'\n | .....^";
    assert!(refusal.contains(expected), "{refusal}");
    let lists = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-validations": [
        {"rule": "self.all(x, self.all(y, x == y))"},
    ]});
    let dear = gadgets(json!({"type": "object", "properties": {"list": lists}}));
    let refusal = client.post(DEFINITIONS, &dear).await.refusal();
    assert!(refusal.contains("estimated rule cost exceeds budget by factor of more than 100x"), "{refusal}");
    client.post(DEFINITIONS, &with_rule("self > 0")).await.expect(201);
}

#[tokio::test]
async fn rules_of_the_status_are_evaluated_when_it_is_written() {
    let mut definition = gadgets(json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = json!({
        "type": "object", "properties": {"n": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 3"}]}},
    });
    let (_server, client) = defined(&definition).await;
    client.post(GADGETS, &gadget("g", json!({"n": 1}))).await.expect(201);
    let path = format!("{GADGETS}/g/status");
    let refused = client.patch(&path, "merge", &json!({"status": {"n": 3}})).await;
    assert_eq!(refused.refusal(), refusal("g", "status.n: Invalid value: 3: failed rule: self < 3"));
    client.patch(&path, "merge", &json!({"status": {"n": 2}})).await.expect(200);
}
