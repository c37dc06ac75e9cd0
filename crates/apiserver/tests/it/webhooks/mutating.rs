//! Webhooks that change objects.

use http::Method;
use serde_json::{Value, json};

use crate::hook::{Hook, MUTATING, Posted, Reply, configuration, webhook};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, anything, gadget, gadgets, named};

/// Appends the path of the webhook to the value `seen` of a ConfigMap.
fn append(posted: &Posted) -> Reply {
    let seen = posted.request()["object"]["data"]["seen"].as_str().unwrap_or_default();
    let name = posted.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    Reply::patch(&json!([
        {"op": "add", "path": "/data", "value": {"seen": format!("{seen}{name}")}},
    ]))
}

#[tokio::test]
async fn webhooks_change_an_object_in_the_order_of_their_configurations() {
    let hook = Hook::start(append).await;
    let (_server, admin) = hook.server().await;
    let webhooks = ["a", "b"]
        .map(|path| webhook(&format!("{path}.shop.example"), hook.at_url(&format!("/{path}")), &Value::Null));
    admin.post(MUTATING, &configuration("second", &webhooks)).await.expect(201);
    let first = webhook("c.shop.example", hook.at_service("/c"), &Value::Null);
    admin.post(MUTATING, &configuration("first", &[first])).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &named("m")).await.expect(201);
    assert_eq!(created["data"], json!({"seen": "cab"}));
    // Fields that admission sets have no manager.
    assert_eq!(created["metadata"]["managedFields"], Value::Null);
    let applied =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"seen": "-"}});
    let path = format!("{CONFIG_MAPS}/m?fieldManager=me&force=true");
    let media = [("content-type", "application/apply-patch+yaml")];
    let applied = admin.send(Method::PATCH, &path, &media, applied.to_string()).await.expect(200);
    assert_eq!(applied["data"], json!({"seen": "-cab"}));
    let owned = &applied["metadata"]["managedFields"][0]["fieldsV1"]["f:data"];
    assert_eq!(owned, &json!({"f:seen": {}}));
}

#[tokio::test]
async fn a_webhook_is_called_again_after_later_changes_if_it_says_so() {
    let hook = Hook::start(append).await;
    let (_server, admin) = hook.server().await;
    let webhooks = [("a", "IfNeeded"), ("b", "Never"), ("c", "IfNeeded")].map(|(path, policy)| {
        let others = json!({"reinvocationPolicy": policy});
        webhook(&format!("{path}.shop.example"), hook.at_url(&format!("/{path}")), &others)
    });
    admin.post(MUTATING, &configuration("all", &webhooks)).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &named("m")).await.expect(201);
    // The change of `c` in the first run lets `a` be called again, and that of `a` lets `c`.
    assert_eq!(created["data"], json!({"seen": "abcac"}));
}

#[tokio::test]
async fn an_object_whose_name_is_generated_has_none_yet() {
    let hook = Hook::start(|posted| {
        assert_eq!(posted.request()["name"], Value::Null);
        Reply::patch(&json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let webhook = webhook("a.shop.example", hook.at_url("/"), &Value::Null);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let created = admin.post(CONFIG_MAPS, &json!({"metadata": {"generateName": "g-"}})).await.expect(201);
    assert_eq!(created["metadata"]["labels"], json!({"a": "b"}));
}

#[tokio::test]
async fn a_changed_object_is_defaulted_and_validated() {
    let hook = Hook::start(|posted| {
        let name = posted.request()["name"].as_str().unwrap_or_default();
        Reply::patch(&match name {
            "port" => json!([{"op": "replace", "path": "/spec/ports", "value": [{"port": 80}]}]),
            _ => json!([{"op": "replace", "path": "/spec/ports", "value": [{"port": 0}]}]),
        })
    })
    .await;
    let (_server, admin) = hook.server().await;
    let rules = json!({ "rules": [{
        "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"],
    }] });
    let webhook = webhook("a.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let services = "/api/v1/namespaces/default/services";
    let service = |name: &str| json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 1}]}});
    let created = admin.post(services, &service("port")).await.expect(201);
    assert_eq!(created["spec"]["ports"], json!([{"protocol": "TCP", "port": 80, "targetPort": 80}]));
    let refused = admin.post(services, &service("none")).await.refusal();
    assert!(refused.starts_with(r#"422 Service "none" is invalid: "#), "{refused}");
}

#[tokio::test]
async fn a_custom_resource_is_pruned_and_its_scale_is_changed() {
    let hook = Hook::start(|posted| {
        Reply::patch(&match posted.request()["subResource"].as_str() {
            Some("scale") => json!([{"op": "replace", "path": "/spec/replicas", "value": 7}]),
            _ => json!([
                {"op": "add", "path": "/spec/size", "value": 5},
                {"op": "add", "path": "/unknown", "value": 1},
            ]),
        })
    })
    .await;
    let (_server, admin) = hook.server().await;
    let mut definition = gadgets(json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "replicas": {"type": "integer"},
    }}));
    definition["spec"]["versions"][0]["subresources"] =
        json!({"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}});
    admin.post(DEFINITIONS, &definition).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["*"], "apiGroups": ["a.example"], "apiVersions": ["v1"],
        "resources": ["gadgets", "gadgets/scale"],
    }] });
    let webhook = webhook("a.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let created = admin.post(GADGETS, &gadget("g", json!({"replicas": 1}))).await.expect(201);
    assert_eq!(created["spec"], json!({"replicas": 1, "size": 5}));
    assert_eq!(created["unknown"], Value::Null);
    let scaled = admin.patch(&format!("{GADGETS}/g/scale"), "merge", &json!({"spec": {"replicas": 2}})).await;
    assert_eq!(scaled.expect(200)["spec"]["replicas"], 7);
}

#[tokio::test]
async fn managed_fields_that_a_webhook_spoils_are_restored() {
    let hook = Hook::start(|_| {
        let managed = json!([{"manager": "x", "operation": "Nonsense", "apiVersion": "v1"}]);
        Reply::patch(&json!([{"op": "add", "path": "/metadata/managedFields", "value": managed}]))
    })
    .await;
    let (_server, admin) = hook.server().await;
    let webhook = webhook("a.shop.example", hook.at_url("/"), &Value::Null);
    admin.post(MUTATING, &configuration("a", &[webhook])).await.expect(201);
    let answer = admin
        .post(
            &format!("{CONFIG_MAPS}?fieldManager=me"),
            &json!({"metadata": {"name": "m"}, "data": {"a": "b"}}),
        )
        .await;
    assert_eq!(answer.expect(201)["metadata"]["managedFields"][0]["manager"], "me");
    let [warning] = &answer.warnings()[..] else { panic!("{:?}", answer.warnings()) };
    assert!(
        warning.starts_with(".metadata.managedFields was in an invalid state after admission"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_webhook_gives_a_new_object_no_status() {
    let hook = Hook::start(|_| Reply::patch(&json!([{"op": "add", "path": "/status", "value": {}}]))).await;
    let (_server, admin) = hook.server().await;
    admin.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["CREATE"], "apiGroups": ["a.example"], "apiVersions": ["v1"], "resources": ["gadgets"],
    }] });
    let webhook = webhook("w.shop.example", hook.at_url("/"), &rules);
    admin.post(MUTATING, &configuration("w", &[webhook])).await.expect(201);
    let created = admin.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
    assert_eq!((created.get("status"), hook.posted().len()), (None, 1));
}
