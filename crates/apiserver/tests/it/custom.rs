//! Custom resources: the objects that a definition allows.

use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::definition::defined;
use crate::events::brief;
use crate::objects::{
    CONFIG_MAPS, DEFINITIONS, GADGETS, anything, gadget, gadgets, names, text, two_versions, version,
};

fn typed() -> Value {
    json!({
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1},
            "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "code": {"type": "string", "pattern": "^[a-z]+$"},
        },
    })
}

#[tokio::test]
async fn objects_are_pruned_defaulted_and_validated() {
    let (_server, client) = defined(&gadgets(typed())).await;
    let created = client.post(GADGETS, &gadget("g", json!({"size": 1, "unknown": 2}))).await;
    assert_eq!(created.header("warning"), r#"299 - "unknown field \"spec.unknown\"""#);
    assert_eq!(created.expect(201)["spec"], json!({"size": 1, "color": "red"}));
    for (spec, problem) in [
        (json!({}), "spec.size: Required value"),
        (
            json!({"size": "1"}),
            r#"spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#,
        ),
        (
            json!({"size": 0}),
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            json!({"size": 1, "color": "green"}),
            r#"spec.color: Unsupported value: "green": supported values: "red", "blue""#,
        ),
        (json!({"size": 1, "tags": ["a", "a"]}), r#"spec.tags[1]: Duplicate value: "a""#),
        (
            json!({"size": 1, "code": "A"}),
            r#"spec.code: Invalid value: "A": spec.code in body should match '^[a-z]+$'"#,
        ),
    ] {
        let answer = client.post(GADGETS, &gadget("bad", spec)).await;
        assert_eq!(answer.refusal(), format!(r#"422 Gadget.a.example "bad" is invalid: {problem}"#));
    }
    let strict = format!("{GADGETS}?fieldValidation=Strict");
    let refusal = client.post(&strict, &gadget("bad", json!({"size": 1, "unknown": 2}))).await.refusal();
    assert!(refusal.ends_with(r#"strict decoding error: unknown field "spec.unknown""#), "{refusal}");
    let path = format!("{GADGETS}/g");
    assert_eq!(client.patch(&path, "merge", &json!({"spec": {"size": -1}})).await.status, 422);
}

#[tokio::test]
async fn objects_must_say_what_they_are() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let mut other = gadget("g", json!({}));
    other["kind"] = "Gizmo".into();
    let refusal = client.post(GADGETS, &other).await.refusal();
    assert_eq!(
        refusal,
        r#"422 Gizmo.a.example "g" is invalid: kind: Invalid value: "Gizmo": must be Gadget"#
    );
    for version in [Value::Null, "".into()] {
        let mut unversioned = gadget("g", json!({}));
        unversioned["apiVersion"] = version;
        assert_eq!(
            client.post(GADGETS, &unversioned).await.refusal(),
            "400 the API version in the data () does not match the expected API version (a.example/v1)"
        );
    }
    let mut nowhere = gadget("g", json!({}));
    nowhere["metadata"]["namespace"] = "kube-system".into();
    assert_eq!(client.post(GADGETS, &nowhere).await.status, 400);
    let unversioned = gadget("g", json!({}));
    client.post(GADGETS, &unversioned).await.expect(201);
    let refusal = client.put(&format!("{GADGETS}/g"), &unversioned).await.refusal();
    assert!(refusal.ends_with("metadata.resourceVersion: Invalid value: 0: must be specified for an update"));
}

#[tokio::test]
async fn status_and_spec_are_written_apart() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let path = format!("{GADGETS}/g");
    let mut object = gadget("g", json!({"n": 1}));
    object["status"] = json!({"ready": true});
    let created = client.post(GADGETS, &object).await.expect(201);
    assert_eq!([&created["status"], &created["metadata"]["generation"]], [&Value::Null, &json!(1)]);
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"n": 2}, "status": {"ready": true}});
    let of_status = client.patch(&format!("{path}/status"), "merge", &patch).await.expect(200);
    assert_eq!([&of_status["spec"]["n"], &of_status["status"]], [&json!(1), &json!({"ready": true})]);
    assert_eq!(of_status["metadata"]["labels"], Value::Null, "a status brings no labels");
    assert_eq!(of_status["metadata"]["generation"], 1);
    let patch = json!({"spec": {"n": 2}, "status": {"ready": false}});
    let of_spec = client.patch(&path, "merge", &patch).await.expect(200);
    assert_eq!([&of_spec["spec"]["n"], &of_spec["status"]], [&json!(2), &json!({"ready": true})]);
    assert_eq!(of_spec["metadata"]["generation"], 2);
}

#[tokio::test]
async fn objects_without_a_status_subresource_are_one_whole() {
    let mut definition = gadgets(anything());
    definition["spec"]["versions"][0]["subresources"] = Value::Null;
    let (_server, client) = defined(&definition).await;
    let mut object = gadget("g", json!({}));
    object["status"] = json!({"ready": true});
    assert_eq!(client.post(GADGETS, &object).await.expect(201)["status"], json!({"ready": true}));
    assert_eq!(client.get(&format!("{GADGETS}/g/status")).await.status, 404);
}

#[tokio::test]
async fn objects_have_a_scale() {
    let mut definition = gadgets(anything());
    definition["spec"]["versions"][0]["subresources"]["scale"] = json!({
        "specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count", "labelSelectorPath": ".status.selector",
    });
    let (_server, client) = defined(&definition).await;
    client.post(GADGETS, &gadget("g", json!({"count": 2}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    let status = json!({"status": {"count": 1, "selector": "app=g"}});
    client.patch(&format!("{path}/status"), "merge", &status).await.expect(200);
    let mut scale = client.get(&format!("{path}/scale")).await.expect(200);
    assert_eq!(scale["spec"], json!({"replicas": 2}));
    assert_eq!(scale["status"], json!({"replicas": 1, "selector": "app=g"}));
    scale["spec"]["replicas"] = 3.into();
    client.put(&format!("{path}/scale"), &scale).await.expect(200);
    assert_eq!(client.get(&path).await.expect(200)["spec"]["count"], 3);
    assert_eq!(client.put(&format!("{path}/scale"), &scale).await.status, 409);
}

#[tokio::test]
async fn versions_show_the_same_objects_each_in_its_own_form() {
    let (_server, client) = defined(&two_versions()).await;
    let in_v2 = GADGETS.replace("v1", "v2");
    let mut events = client.watch(&format!("{in_v2}?watch=1")).await;
    let created = client.post(GADGETS, &gadget("g", json!({"size": 1, "old": "o"}))).await.expect(201);
    assert_eq!(created["spec"], json!({"size": 1, "old": "o"}));
    let read = client.get(&format!("{in_v2}/g")).await.expect(200);
    assert_eq!(read["apiVersion"], "a.example/v2");
    // Only the version that is stored gives defaults to what is read.
    assert_eq!(read["spec"], json!({"size": 1}));
    assert_eq!(version(&read), version(&created));
    let listed = client.get(&in_v2).await.expect(200);
    assert_eq!([&listed["apiVersion"], &listed["items"][0]["apiVersion"]], ["a.example/v2"; 2]);
    assert_eq!(listed["items"][0]["spec"], read["spec"]);
    let told = events.next().await.unwrap();
    assert_eq!(brief(&told), format!("ADDED g@{}", version(&created)));
    assert_eq!(told["object"], read);
}

#[tokio::test]
async fn a_default_that_comes_later_is_there_when_objects_are_read() {
    let (_server, client) = defined(&gadgets(typed())).await;
    client.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let shape = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/shape";
    let patch = json!([{"op": "add", "path": shape, "value": {"type": "string", "default": "round"}}]);
    client.patch(&path, "json", &patch).await.expect(200);
    let expected = json!({"size": 1, "color": "red", "shape": "round"});
    assert_eq!(client.get(&format!("{GADGETS}/g")).await.expect(200)["spec"], expected);
    assert_eq!(client.get(GADGETS).await.expect(200)["items"][0]["spec"], expected);
}

#[tokio::test]
async fn an_object_with_finalizers_in_its_spec_is_held_by_nothing() {
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(GADGETS, &gadget("g", json!({"finalizers": ["its own affair"]}))).await.expect(201);
    client.delete(&format!("{GADGETS}/g")).await.expect(200);
    assert_eq!(client.get(&format!("{GADGETS}/g")).await.status, 404);
}

#[tokio::test]
async fn objects_are_selected_by_the_fields_of_their_definition() {
    let mut definition = gadgets(typed());
    definition["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.color"}]);
    let (_server, client) = defined(&definition).await;
    client.post(GADGETS, &gadget("a", json!({"size": 1, "color": "blue"}))).await.expect(201);
    client.post(GADGETS, &gadget("b", json!({"size": 1}))).await.expect(201);
    let mut events = client.watch(&format!("{GADGETS}?watch=1&fieldSelector=spec.color%3Dblue")).await;
    assert_eq!(text(&events.next().await.unwrap(), "/object/metadata/name"), "a");
    let list = client.get(&format!("{GADGETS}?fieldSelector=spec.color%3Dred")).await.expect(200);
    assert_eq!(names(&list), ["b"]);
    let refusal = client.get(&format!("{GADGETS}?fieldSelector=spec.size%3D1")).await.refusal();
    assert_eq!(refusal, "400 field label not supported: spec.size");
    client.patch(&format!("{GADGETS}/a"), "merge", &json!({"spec": {"color": "red"}})).await.expect(200);
    assert_eq!(events.next().await.unwrap()["type"], "DELETED");
}

#[tokio::test]
async fn what_the_stored_version_does_not_know_is_not_kept() {
    let (_server, client) = defined(&two_versions()).await;
    let in_v2 = GADGETS.replace("v1", "v2");
    let mut written = gadget("g", json!({"size": 1, "new": "x"}));
    written["apiVersion"] = "a.example/v2".into();
    // v1 is stored, and knows `size` alone of these.
    let created = client.post(&in_v2, &written).await;
    assert_eq!(created.expect(201)["spec"], json!({"size": 1}));
    let path = format!("{in_v2}/g");
    assert_eq!(client.get(&path).await.expect(200)["spec"], json!({"size": 1}));
    assert_eq!(client.get(&format!("{GADGETS}/g")).await.expect(200)["spec"], json!({"size": 1}));
    let patched = client.patch(&path, "merge", &json!({"spec": {"size": 2, "new": "y"}})).await.expect(200);
    assert_eq!(patched["spec"], json!({"size": 2}));
    let dry = client.patch(&format!("{path}?dryRun=All"), "merge", &json!({"spec": {"new": "y"}})).await;
    assert_eq!(dry.expect(200)["spec"], json!({"size": 2}));
    // A write in v2 is given its default, which is a change of the spec, and then not kept.
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    for (collection, generation) in [(&*in_v2, 3), (GADGETS, 3)] {
        let labelled = client.patch(&format!("{collection}/g"), "merge", &labels).await.expect(200);
        assert_eq!(labelled["metadata"]["generation"], generation, "{collection}");
    }
    assert_eq!(client.get(&format!("{GADGETS}/g")).await.expect(200)["spec"], json!({"size": 2}));
}

#[tokio::test]
async fn an_apply_that_changes_nothing_gives_no_defaults() {
    let (_server, client) = defined(&two_versions()).await;
    client.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    // v2 has a default for a field that v1, which is stored, does not know.
    let path = format!("{}/g?fieldManager=a", GADGETS.replace("v1", "v2"));
    let config = json!({"apiVersion": "a.example/v2", "kind": "Gadget", "metadata": {"name": "g"}});
    let apply = [("content-type", "application/apply-patch+yaml")];
    let applied = client.send(Method::PATCH, &path, &apply, config.to_string()).await.expect(200);
    assert_eq!(applied["spec"], json!({"size": 1}));
    assert_eq!(applied["metadata"]["generation"], 1);
}

/// Of built-in kinds upstream drops such owners; of custom resources it cannot convert to their versions, and leaves all
/// as they were.
#[tokio::test]
async fn owners_in_an_unknown_version_change_nothing_about_who_owns_what() {
    let (_server, client) = defined(&gadgets(anything())).await;
    for (collection, object, unknown, is_kept) in [
        (GADGETS, gadget("g", json!({"a": 1})), "a.example/v9", true),
        (CONFIG_MAPS, json!({"metadata": {"name": "g"}, "data": {"a": "1"}}), "a/b/c", true),
        (CONFIG_MAPS, json!({"metadata": {"name": "h"}, "data": {"a": "1"}}), "v9", false),
    ] {
        let mut object = client.post(collection, &object).await.expect(201);
        let before = object["metadata"]["managedFields"].clone();
        assert_eq!(before.as_array().map(Vec::len), Some(1));
        object["metadata"]["managedFields"][0]["apiVersion"] = unknown.into();
        let path = format!("{collection}/{}", text(&object, "/metadata/name"));
        let updated = client.put(&path, &object).await.expect(200);
        let expected = if is_kept { before } else { Value::Null };
        assert_eq!(updated["metadata"]["managedFields"], expected, "{unknown}");
    }
}

#[tokio::test]
async fn a_patch_cannot_make_another_kind_of_an_object() {
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(GADGETS, &gadget("g", json!({"a": 1}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    for (patch, problem) in [
        (
            json!({"apiVersion": "a.example/v9"}),
            r#"apiVersion: Invalid value: "a.example/v9": must be a.example/v1"#,
        ),
        (json!({"kind": "Foo"}), r#"kind: Invalid value: "Foo": must be Gadget"#),
    ] {
        let refusal = client.patch(&path, "merge", &patch).await.refusal();
        let kind = patch["kind"].as_str().unwrap_or("Gadget");
        assert_eq!(refusal, format!(r#"422 {kind}.a.example "g" is invalid: {problem}"#));
    }
    let refusal = client.patch(&path, "merge", &json!({"kind": null})).await.refusal();
    assert!(refusal.starts_with(r#"422  "" is invalid: patch: Invalid value: "#), "{refusal}");
    assert!(refusal.contains("Object 'Kind' is missing in '{"), "{refusal}");
}

#[tokio::test]
async fn a_body_without_a_kind_is_refused_in_the_words_of_its_decoder() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let body = json!({"apiVersion": "a.example/v1", "metadata": {"name": "g"}});
    let missing = format!("Object 'Kind' is missing in '{body}'");
    let refused = client.put(&format!("{GADGETS}/g?fieldValidation=Ignore"), &body).await.refusal();
    assert_eq!(refused, format!("400 Gadget in version \"v1\" cannot be handled as a Gadget: {missing}"));
    let refused = client.put(&format!("{GADGETS}/g"), &body).await.refusal();
    assert!(refused.contains(&format!("unrecognized (must be of type Gadget): {missing}")), "{refused}");
}

/// Reads a custom resource in all ways, writes it back and deletes it.
pub(crate) async fn lives(client: &Client, path: &str) {
    let object = client.get(path).await.expect(200);
    let (collection, name) = path.rsplit_once('/').expect("it has a name");
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    client.get_as(collection, table).await.expect(200);
    client.get_as(path, table).await.expect(200);
    for path in [collection, path] {
        let yaml = client.get_as(path, "application/yaml").await;
        assert!(yaml.text().contains(&format!("name: {name}\n")), "{}", yaml.text());
    }
    client.put(path, &object).await.expect(200);
    client.patch(path, "merge", &json!({"metadata": {"labels": {"a": "b"}}})).await.expect(200);
    let label = json!([{"op": "add", "path": "/metadata/labels/a", "value": "c"}]);
    client.patch(path, "json", &label).await.expect(200);
    client.delete(path).await.expect(200);
    client.get(path).await.expect(404);
}

#[tokio::test]
async fn an_object_that_is_stored_is_read_written_back_and_deleted_however_deep_it_is() {
    let (_server, client) = defined(&gadgets(anything())).await;
    for depth in 90..=130 {
        let nested = (2..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        let created = client.post(GADGETS, &gadget("g", nested)).await;
        assert_eq!(created.status, if depth <= 100 { 201 } else { 400 }, "{depth}: {}", created.text());
        if depth <= 100 {
            lives(&client, &format!("{GADGETS}/g")).await;
        }
    }
}
