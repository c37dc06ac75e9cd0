//! Warnings beside answers.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::json;

use crate::client::{Client, sends};
use crate::definition::defined;
use crate::objects::{CONFIG_MAPS, GADGETS, PODS, anything, deployment, gadget, gadgets, pod};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    (server, client)
}

#[tokio::test]
async fn a_variable_that_hides_another_is_warned_of() {
    let (_server, client) = server().await;
    let mut twice = deployment("d");
    twice["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let hides = r#"spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply"#;
    let created = client.post(DEPLOYMENTS, &twice).await;
    assert_eq!(created.warnings(), [hides]);
    created.expect(201);
    let path = format!("{DEPLOYMENTS}/d");
    let labelled = client.patch(&path, "merge", &json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(labelled.warnings(), [""; 0], "the template is what it was");
    let scaled = client.patch(&format!("{path}/scale"), "merge", &json!({"spec": {"replicas": 2}})).await;
    assert_eq!(scaled.warnings(), [hides], "another state is wished for");
    let apply = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"minReadySeconds": 1}});
    let path = format!("{path}?fieldManager=m");
    let applied =
        client.send(Method::PATCH, &path, &sends("application/apply-patch+yaml"), apply.to_string()).await;
    assert_eq!(applied.warnings(), [hides]);
}

#[tokio::test]
async fn the_deprecated_ingress_class_annotation_is_warned_of() {
    let (_server, client) = server().await;
    let ingress = json!({
        "metadata": {"name": "i", "annotations": {"kubernetes.io/ingress.class": "nginx"}},
        "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}},
    });
    let created = client.post(INGRESSES, &ingress).await;
    created.expect(201);
    assert_eq!(
        created.warnings(),
        [
            r#"annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead"#
        ]
    );
    assert_eq!(client.put(&format!("{INGRESSES}/i"), &ingress).await.warnings(), [""; 0]);
}

#[tokio::test]
async fn warnings_stand_beside_error_answers() {
    let (_server, client) = server().await;
    let misspelt = client.post(CONFIG_MAPS, &json!({"metadata": {"Name": "x"}})).await;
    assert_eq!(misspelt.status, 422);
    assert_eq!(misspelt.warnings(), [r#"unknown field "metadata.Name""#]);
    let missing = client.get("/api/v1/namespaces/default/endpoints/nothing").await;
    assert_eq!(missing.status, 404);
    assert_eq!(
        missing.warnings(),
        ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]
    );
    // Objects that fail validation get no warnings.
    let mut refused = pod("A");
    refused["spec"]["nodeSelector"] = json!({"beta.kubernetes.io/os": "linux"});
    assert_eq!(client.post(PODS, &refused).await.warnings(), [""; 0]);
    refused["metadata"]["name"] = "a".into();
    client.post(PODS, &refused).await.expect(201);
    let exists = client.post(PODS, &refused).await;
    assert_eq!(exists.status, 409);
    assert_eq!(
        exists.warnings(),
        [
            r#"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead"#
        ]
    );
}

#[tokio::test]
async fn jobs_that_leave_their_pods_are_warned_of() {
    let (_server, client) = server().await;
    let preserved = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    assert_eq!(client.delete(jobs).await.warnings(), [preserved]);
    assert_eq!(client.delete(&format!("{jobs}/nothing")).await.warnings(), [preserved]);
    assert_eq!(client.delete(&format!("{jobs}?propagationPolicy=Orphan")).await.warnings(), [""; 0]);
}

#[tokio::test]
async fn finalizers_of_custom_resources_that_name_no_domain_are_warned_of() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let mut held = gadget("g", json!({}));
    held["metadata"]["finalizers"] = json!(["hold", "a.example/hold"]);
    let created = client.post(GADGETS, &held).await;
    created.expect(201);
    assert_eq!(
        created.warnings(),
        [
            r#"metadata.finalizers: "hold": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"#
        ]
    );
    let path = format!("{GADGETS}/g");
    assert_eq!(client.patch(&path, "merge", &json!({"spec": {"a": 1}})).await.warnings(), [""; 0]);
}

#[tokio::test]
async fn addresses_in_a_status_are_warned_of() {
    let (_server, client) = server().await;
    client.post(PODS, &pod("p")).await.expect(201);
    let status = json!({"status": {"podIPs": [{"ip": "FD00::1"}]}});
    let patched = client.patch(&format!("{PODS}/p/status"), "merge", &status).await;
    assert_eq!(
        patched.warnings(),
        [r#"status.podIPs[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")"#]
    );
}
