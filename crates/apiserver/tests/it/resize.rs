//! Changing the resources of a Pod while it runs.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::{PODS, pod};

fn with_resources(name: &str, resources: Value) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["resources"] = resources;
    pod
}

/// A patch of a container's resources.
fn resources(resources: Value) -> Value {
    json!({"spec": {"containers": [{"name": "c", "resources": resources}]}})
}

#[tokio::test]
async fn cpu_and_memory_of_a_pod_change() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &with_resources("p", json!({"requests": {"cpu": "100m"}}))).await.expect(201);
    let mut change = resources(json!({"requests": {"cpu": "200m"}}));
    change["spec"]["containers"][0]["image"] = "nginx:2".into();
    let path = format!("{PODS}/p/resize");
    let resized = client.patch(&path, "strategic-merge", &change).await.expect(200);
    let container = &resized["spec"]["containers"][0];
    assert_eq!(container["resources"], json!({"requests": {"cpu": "200m"}}));
    assert_eq!(container["image"], "nginx:1", "nothing else changes");
    assert_eq!(resized["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_resize_that_changes_the_quality_of_service_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    let path = format!("{PODS}/p/resize");
    let change = resources(json!({"requests": {"cpu": "200m"}}));
    assert_eq!(
        client.patch(&path, "strategic-merge", &change).await.refusal(),
        r#"422 Pod "p" is invalid: spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing"#
    );
    let guaranteed = json!({"cpu": "1", "memory": "1Gi"});
    let guaranteed = json!({"limits": guaranteed, "requests": guaranteed});
    client.post(PODS, &with_resources("g", guaranteed)).await.expect(201);
    let change = resources(json!({"requests": {"cpu": "500m"}}));
    assert_eq!(
        client.patch(&format!("{PODS}/g/resize"), "strategic-merge", &change).await.refusal(),
        r#"422 Pod "g" is invalid: spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing"#
    );
}

#[tokio::test]
async fn a_resize_takes_nothing_away_and_adds_nothing_else() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let start = json!({"requests": {"cpu": "100m", "memory": "1Mi"}, "limits": {"cpu": "1"}});
    client.post(PODS, &with_resources("p", start)).await.expect(201);
    let path = format!("{PODS}/p/resize");
    for (change, refusal) in [
        (
            resources(json!({"requests": {"memory": null}})),
            "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
        ),
        (
            resources(json!({"requests": {"ephemeral-storage": "1Mi"}})),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            json!({"spec": {"containers": [{"name": "d", "image": "nginx:1"}]}}),
            "spec.containers: Forbidden: containers may not be added or removed on resize",
        ),
    ] {
        let answer = client.patch(&path, "strategic-merge", &change).await.refusal();
        assert_eq!(answer, format!(r#"422 Pod "p" is invalid: {refusal}"#));
    }
}
