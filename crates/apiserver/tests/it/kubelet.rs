//! Subresources of pods that a node's kubelet would answer.

use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::{PODS, pod};

fn two_containers(name: &str) -> Value {
    let container = |name: &str| json!({"name": name, "image": "nginx:1"});
    json!({
        "metadata": {"name": name},
        "spec": {"initContainers": [container("i")], "containers": [container("c"), container("d")]},
    })
}

#[tokio::test]
async fn the_log_of_a_pod_without_a_node_is_empty() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    client.post(PODS, &two_containers("two")).await.expect(201);
    for path in ["p/log", "p/log?container=c&tailLines=10&follow=true", "two/log?container=i"] {
        let answer = client.get(&format!("{PODS}/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (204, ""), "{path}");
    }
    for (path, refusal) in [
        ("nowhere/log", r#"404 pods "nowhere" not found"#),
        ("p/log?container=x", "400 container x is not valid for pod p"),
        ("two/log", "400 a container name must be specified for pod two, choose one of: [i c d]"),
        (
            "p/log?tailLines=-1",
            r#"422 PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"#,
        ),
        (
            "p/log?limitBytes=0",
            r#"422 PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0"#,
        ),
        (
            "p/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
            "422 PodLogOptions \"p\" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be \
             specified",
        ),
        (
            "p/log?sinceTime=x",
            r#"400 parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#,
        ),
    ] {
        assert_eq!(client.get(&format!("{PODS}/{path}")).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test]
async fn a_pod_without_a_node_is_not_executed_in_or_attached_to() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    for subresource in ["exec?command=ls", "attach?stdout=true", "portforward?ports=80"] {
        let path = format!("{PODS}/p/{subresource}");
        for answer in [client.get(&path).await, client.post(&path, &json!({})).await] {
            assert_eq!(answer.refusal(), "400 pod p does not have a host assigned", "{subresource}");
        }
    }
    let refusal = client.get(&format!("{PODS}/nowhere/exec?command=ls")).await.refusal();
    assert_eq!(refusal, r#"404 pods "nowhere" not found"#);
    let refusal = client.get(&format!("{PODS}/p/exec?command=ls&container=x")).await.refusal();
    assert_eq!(refusal, "400 container x is not valid for pod p");
}

#[tokio::test]
async fn a_node_that_is_not_there_has_no_logs() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut placed = pod("p");
    placed["spec"]["nodeName"] = "n1".into();
    client.post(PODS, &placed).await.expect(201);
    let log = format!("{PODS}/p/log");
    assert_eq!(client.get(&log).await.refusal(), r#"404 pods "n1" not found"#, "as upstream says it");
    client.post("/api/v1/nodes", &json!({"metadata": {"name": "n1"}})).await.expect(201);
    let problem = "500 no preferred addresses found; known addresses: []";
    assert_eq!(client.get(&log).await.refusal(), problem);
    let addresses = json!({"status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}});
    client.patch("/api/v1/nodes/n1/status", "merge", &addresses).await.expect(200);
    assert_eq!(
        client.get(&log).await.refusal(),
        "500 Get \"https://127.0.0.1:10250/containerLogs/default/p/c\": dial tcp 127.0.0.1:10250: connect: connection \
         refused"
    );
    let exec = format!("{PODS}/p/exec?command=ls");
    assert_eq!(client.get(&exec).await.refusal(), "400 Upgrade request required");
}

#[tokio::test]
async fn requests_to_pods_services_and_nodes_cannot_be_passed_on() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("web")).await.expect(201);
    let services = "/api/v1/namespaces/default/services";
    let service = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    client.post(services, &service).await.expect(201);
    for (path, refusal) in [
        (format!("{PODS}/none/proxy"), r#"404 pods "none" not found"#),
        (format!("{PODS}/web:80/proxy/metrics"), "400 address not allowed"),
        (format!("{PODS}/ftp:web:80/proxy/"), r#"400 invalid pod request "ftp:web:80""#),
        (format!("{services}/web/proxy/a/b"), r#"503 no endpoints available for service "web""#),
        (format!("{services}/http:web:81/proxy/"), r#"503 no service port 81 found for service "web""#),
        ("/api/v1/nodes/none/proxy/metrics".to_owned(), r#"404 nodes "none" not found"#),
    ] {
        assert_eq!(client.get(&path).await.refusal(), refusal, "{path}");
        assert_eq!(client.delete(&path).await.refusal(), refusal, "{path}");
    }
    let ip = json!({"status": {"podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}]}});
    client.patch(&format!("{PODS}/web/status"), "merge", &ip).await.expect(200);
    assert_eq!(
        client.get(&format!("{PODS}/web:80/proxy/metrics")).await.refusal(),
        "503 error trying to reach service: dial tcp 10.0.0.7:80: connect: connection refused"
    );
}
