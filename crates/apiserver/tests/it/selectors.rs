//! Field selectors: the fields that kinds know, and those that they do not.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::json;

use crate::client::Client;
use crate::events::brief;
use crate::objects::{DEFINITIONS, PODS, anything, gadgets, names, pod};

const CORE_EVENTS: &str = "/api/v1/namespaces/default/events";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events";

#[tokio::test]
async fn events_of_both_groups_are_selected_by_their_own_names() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (name, pod) in [("a.1", "a"), ("b.1", "b")] {
        let event = json!({
            "metadata": {"name": name},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": pod, "uid": format!("uid-{pod}")},
            "reportingComponent": format!("reporter-{pod}"),
            "source": {"component": "kubelet"},
            "reason": "Started",
            "type": "Normal",
        });
        client.post(CORE_EVENTS, &event).await.expect(201);
    }
    let from = server.resource_version();
    for (path, selector) in [
        (EVENTS, "regarding.name=a"),
        (EVENTS, "regarding.uid=uid-a,regarding.kind=Pod,regarding.namespace=default,type=Normal"),
        (EVENTS, "regarding.name!=b,reason=Started"),
        (EVENTS, "reportingController=reporter-a"),
        (CORE_EVENTS, "involvedObject.name=a"),
        (CORE_EVENTS, "reportingComponent=reporter-a,source=kubelet"),
    ] {
        let query = format!("fieldSelector={}", selector.replace('=', "%3D"));
        let list = client.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(names(&list), ["a.1"], "{selector}");
        let mut events = client.watch(&format!("{path}?watch=1&{query}")).await;
        let event = events.next().await.expect("the object there is is told first");
        assert!(brief(&event).starts_with("ADDED a.1@"), "{event}");
    }
    let path = format!("{EVENTS}?fieldSelector=regarding.name%3Da");
    client.delete(&path).await.expect(200);
    assert_eq!(names(&client.get(EVENTS).await.expect(200)), ["b.1"]);
    let mut events = client.watch(&format!("{EVENTS}?watch=1&resourceVersion={from}")).await;
    assert!(events.brief().await.starts_with("DELETED a.1@"));
}

#[tokio::test]
async fn pods_are_selected_by_their_former_host_too() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("a")).await.expect(201);
    let mut placed = pod("b");
    placed["spec"]["nodeName"] = "n1".into();
    client.post(PODS, &placed).await.expect(201);
    let list = client.get(&format!("{PODS}?fieldSelector=spec.host%3Dn1")).await.expect(200);
    assert_eq!(names(&list), ["b"]);
}

#[tokio::test]
async fn a_field_that_a_kind_does_not_know_is_refused_everywhere() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let default = |field: &str| {
        format!(r#"{field:?} is not a known field selector: only "metadata.name", "metadata.namespace""#)
    };
    let unsupported = |field: &str| format!("field label not supported: {field}");
    for (path, field, problem) in [
        ("/api/v1/configmaps", "data.a", default("data.a")),
        ("/apis/apps/v1/deployments", "spec.replicas", default("spec.replicas")),
        ("/apis/apps/v1/replicasets", "status.replicas", default("status.replicas")),
        ("/api/v1/pods", "spec.containers", unsupported("spec.containers")),
        ("/api/v1/nodes", "metadata.namespace", unsupported("metadata.namespace")),
        ("/api/v1/namespaces", "metadata.namespace", unsupported("metadata.namespace")),
        ("/api/v1/events", "regarding.name", unsupported("regarding.name")),
        ("/apis/events.k8s.io/v1/events", "involvedObject.name", unsupported("involvedObject.name")),
        (
            "/apis/batch/v1/jobs",
            "status.active",
            r#"field label "status.active" not supported for Job"#.to_owned(),
        ),
        (
            "/apis/resource.k8s.io/v1/resourceslices",
            "spec.foo",
            "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.foo".to_owned(),
        ),
        ("/apis/a.example/v1/gadgets", "spec.size", unsupported("spec.size")),
    ] {
        let in_namespace = match path.rsplit_once('/') {
            Some((_, "nodes" | "namespaces" | "resourceslices")) | None => path.to_owned(),
            Some((group, plural)) => format!("{group}/namespaces/default/{plural}"),
        };
        let query = format!("fieldSelector={field}%3Dx");
        for path in [path, &in_namespace] {
            for query in [query.clone(), format!("watch=1&{query}")] {
                let refusal = client.get(&format!("{path}?{query}")).await.refusal();
                assert_eq!(refusal, format!("400 {problem}"), "{path}?{query}");
            }
        }
        if !matches!(path, "/api/v1/namespaces") {
            let answer = client.send(Method::DELETE, &format!("{in_namespace}?{query}"), &[], "").await;
            assert_eq!(answer.refusal(), format!("400 {problem}"), "{in_namespace}");
        }
    }
}
