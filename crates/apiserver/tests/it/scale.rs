//! Writes to the scale of objects that are refused.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::{Client, sends};
use crate::custom::lives;
use crate::definition::{defined, delete};
use crate::objects::{DEFINITIONS, GADGETS, anything, deployment, gadget, gadgets};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[tokio::test]
async fn a_scale_is_refused_as_other_objects_are() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let path = format!("{DEPLOYMENTS}/d/scale");
    let replicas = |replicas: Value| json!({"spec": {"replicas": replicas}});
    let unmarshal = "Go struct field ScaleSpec.spec.replicas of type int32";
    for (value, shown) in [(json!(3.5), "number 3.5"), (json!("3"), "string")] {
        let refusal = client.patch(&path, "merge", &replicas(value)).await.refusal();
        assert!(
            refusal.starts_with(r#"422  "" is invalid: patch: Invalid value: "{\"apiVersion\""#),
            "{refusal}"
        );
        assert!(refusal.ends_with(&format!("json: cannot unmarshal {shown} into {unmarshal}")), "{refusal}");
    }
    assert_eq!(
        client.patch(&path, "strategic-merge", &replicas(json!(3.5))).await.refusal(),
        r#"422  "" is invalid: patch: Invalid value: "map[spec:map[replicas:3.5]]": cannot convert float64 to int32"#
    );
    let config = r#"{"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 3.5}}"#;
    let headers = sends("application/apply-patch+yaml");
    let url = format!("{path}?fieldManager=m&force=true");
    assert_eq!(
        client.send(Method::PATCH, &url, &headers, config).await.refusal(),
        "500 failed to convert new object (/d; autoscaling/v1, Kind=Scale) to proper version: unable to convert \
         unstructured object to autoscaling/v1, Kind=Scale: cannot convert float64 to int32"
    );
    let of = |field: &str, value: &str| {
        let mut scale = replicas(1.into());
        scale["metadata"] = json!({"name": "d", field: value});
        scale
    };
    for (field, value, refusal) in [
        (
            "namespace",
            "other",
            "400 the namespace of the provided object does not match the namespace sent on the request",
        ),
        ("resourceVersion", "abc", r#"500 strconv.ParseUint: parsing "abc": invalid syntax"#),
    ] {
        assert_eq!(client.put(&path, &of(field, value)).await.refusal(), refusal);
        assert_eq!(client.patch(&path, "merge", &of(field, value)).await.refusal(), refusal);
    }
    client.put(&path, &of("resourceVersion", "0")).await.expect(200);
    let refusal = client.put(&path, &of("uid", "other")).await.refusal();
    assert!(refusal.contains("Precondition failed: UID in precondition: other"), "{refusal}");
    let start = r#"409 Operation cannot be fulfilled on deployments/scale.apps "d": Precondition failed: UID in precondition: other, "#;
    for kind in ["merge", "strategic-merge"] {
        let refusal = client.patch(&path, kind, &of("uid", "other")).await.refusal();
        assert!(refusal.starts_with(start), "{kind}: {refusal}");
    }
    let config = r#"{"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d", "uid": "other"}, "spec": {"replicas": 3}}"#;
    let refusal = client.send(Method::PATCH, &url, &headers, config).await.refusal();
    assert!(refusal.starts_with(start), "{refusal}");
    assert_eq!(client.get(&path).await.expect(200)["spec"]["replicas"], 1);
}

#[tokio::test]
async fn a_scale_of_a_custom_resource_is_refused_in_its_own_words() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut definition = gadgets(anything());
    definition["spec"]["versions"][0]["subresources"]["scale"] =
        json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    client.post(DEFINITIONS, &definition).await.expect(201);
    client.post(GADGETS, &gadget("g", json!({"replicas": 1}))).await.expect(201);
    let path = format!("{GADGETS}/g/scale");
    let of = |replicas: Value| json!({"metadata": {"name": "g"}, "spec": {"replicas": replicas}});
    assert_eq!(
        client.put(&path, &of(json!("3"))).await.refusal(),
        r#"400 no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:111""#
    );
    let negative = of(json!(-1));
    for answer in [client.put(&path, &negative).await, client.patch(&path, "merge", &negative).await] {
        assert_eq!(
            answer.refusal(),
            r#"422 Gadget.a.example "g" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer"#
        );
    }
    let mut unversioned = of(json!(1));
    unversioned["metadata"]["resourceVersion"] = "0".into();
    let refusal = client.put(&path, &unversioned).await.refusal();
    assert!(refusal.ends_with("must be specified for an update"), "{refusal}");
}

/// A path of a definition can be longer than objects are nested.
#[tokio::test]
async fn replicas_deeper_than_an_object_can_be_are_not_written() {
    for (names, code) in [(95, 200), (100, 200), (101, 400), (150, 400), (40_000, 400)] {
        let mut definition = gadgets(anything());
        let path = format!(".spec{}", ".a".repeat(names - 1));
        definition["spec"]["versions"][0]["subresources"]["scale"] =
            json!({"specReplicasPath": path, "statusReplicasPath": format!(".status{}", ".a".repeat(names))});
        let (_server, client) = defined(&definition).await;
        client.post(GADGETS, &gadget("g", json!({}))).await.expect(201);
        let (path, object) = (format!("{GADGETS}/g/scale"), format!("{GADGETS}/g"));
        let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "g"}, "spec": {"replicas": 3}});
        let applies = sends("application/apply-patch+yaml");
        let dry = format!("{path}?dryRun=All");
        let apply = format!("{path}?fieldManager=m&force=true");
        for answer in [
            client.patch(&dry, "merge", &scale).await,
            client.put(&path, &scale).await,
            client.patch(&path, "merge", &json!({"spec": {"replicas": 4}})).await,
            client.send(Method::PATCH, &apply, &applies, scale.to_string()).await,
        ] {
            assert_eq!(answer.status, code, "{names}: {}", answer.text());
            if code == 400 {
                let problem = format!("specReplicasPath of the definition has {names} names");
                assert!(answer.refusal().contains(&problem), "{}", answer.text());
            }
        }
        let read = client.get(&path).await;
        assert_eq!(read.status, if code == 200 { 200 } else { 500 }, "{names}: {}", read.text());
        lives(&client, &object).await;
        delete(&client, "gadgets.a.example").await;
    }
}
