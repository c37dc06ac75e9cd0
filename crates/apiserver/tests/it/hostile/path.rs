//! Paths, queries and headers that make no sense, or too much.

use http::Method;
use klient_apiserver::TestServer;

use super::still_serves;
use crate::client::{Client, sends};
use crate::objects::CONFIG_MAPS;

#[tokio::test]
async fn paths_that_climb_or_hide_slashes_lead_nowhere() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (path, code) in [
        ("/api/v1/namespaces/../pods", 400),
        ("/api/v1/namespaces/../nodes", 404),
        ("/api/v1/namespaces/%2e%2e/pods", 400),
        ("/api/v1/namespaces/default%2Fpods/configmaps", 404),
        ("/api/v1/namespaces/default%2Fconfigmaps", 200),
        ("/api%2Fv1/namespaces", 200),
        ("/api/v1/namespaces/default/configmaps/..", 400),
        ("/api/v1/namespaces/default/configmaps/a%2Fb", 404),
        ("/api/v1/namespaces/default/configmaps/../configmaps", 404),
        ("/api/v1/namespaces/default/configmaps//kube-root-ca.crt", 404),
        ("/api/v1/namespaces/default/configmaps/%00", 404),
        ("/api/v1/namespaces/default/configmaps/%ff%fe", 404),
        ("/api/v1/namespaces/default/configmaps/%", 400),
        ("/api/v1/namespaces/default/configmaps/%zz", 400),
        ("/api/v1/namespaces/default/configmaps/a/b/c/d/e", 404),
        ("/api//v1/namespaces", 404),
        ("/api/v1//namespaces", 404),
        ("/api/v1/namespaces//configmaps/a", 400),
        ("/apis/../api/v1/namespaces", 404),
        ("//", 404),
        ("//api/v1/namespaces", 404),
        ("//healthz", 404),
        ("/healthz/", 404),
        ("/apis/apps/v1/namespaces/default/deployments/d/scale/x", 404),
        ("/apis/apps/v1/namespaces/default/deployments/d/status/extra", 404),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status.as_u16(), code, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn queries_may_be_long_and_wild() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let many: String = (0..8000).map(|index| format!("k{index}=&")).collect();
    client.get(&format!("{CONFIG_MAPS}?{many}")).await.expect(200);
    let selector: String = (0..4000).map(|index| format!("k{index}!%3Dv,")).collect();
    client.get(&format!("{CONFIG_MAPS}?labelSelector={}", selector.trim_end_matches(','))).await.expect(200);
    for query in ["&&&&=&=&", "%&%zz=%zz", "watch=%", "a;b=c;d", "%F0%9F%98%80=%ff"] {
        let (status, _) = client.stream(&format!("{CONFIG_MAPS}?{query}"), &[]).await;
        assert_eq!(status, 200, "{query}");
    }
    for query in [
        format!("labelSelector={}", "(".repeat(30_000)),
        format!("labelSelector={}", "a+in+(".repeat(5_000)),
        format!("fieldSelector={}", "%5C".repeat(10_000)),
        format!("limit={}", "9".repeat(1000)),
        "timeoutSeconds=1e3&watch=1".to_owned(),
        format!("resourceVersion={}", "9".repeat(100)),
    ] {
        let answer = client.get(&format!("{CONFIG_MAPS}?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.text());
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn numbers_may_be_as_large_as_they_are() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for query in [
        format!("limit={}", i64::MAX),
        format!("limit={}", i64::MIN),
        "limit=-1".to_owned(),
        format!("timeoutSeconds={}", i64::MIN),
    ] {
        client.get(&format!("{CONFIG_MAPS}?{query}")).await.expect(200);
    }
    for query in [format!("resourceVersion={}", u64::MAX), format!("resourceVersion={}", i64::MAX)] {
        let (status, mut events) = client.stream(&format!("{CONFIG_MAPS}?watch=1&{query}"), &[]).await;
        assert_eq!(status, 200);
        assert!(events.is_silent().await);
    }
}

#[tokio::test]
async fn headers_may_be_wild() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let many = "text/plain;q=0.1,".repeat(1000) + "application/json";
    for accept in
        [&*many, "application/json;q=nan", ";;;,,,;q=1,*/*", "application/json;as=;g=;v=", "*/*;q=-1"]
    {
        let answer = client.get_as("/api/v1/namespaces/default", accept).await;
        assert_eq!(answer.status, 200, "{accept}");
    }
    let body = r#"{"metadata": {"name": "a"}}"#;
    client.send(Method::POST, CONFIG_MAPS, &sends("application/json;;;"), body).await.expect(201);
    still_serves(&server).await;
}
