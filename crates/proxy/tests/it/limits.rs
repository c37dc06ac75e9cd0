//! Limits of headers, bodies and upgraded connections.

use klient_api::core::v1::{ConfigMap, Pod};
use klient_client::ExecOptions;
use klient_proxy::ReverseProxyOptions;
use serde_json::json;

use crate::cluster::Cluster;
use crate::origin::sent;

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let cluster = Cluster::start(ReverseProxyOptions { max_header_bytes: 500, ..Default::default() }).await;
    let request =
        |length: usize| format!("GET /healthz HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(length));
    let (_, answer) = sent(cluster.address, &request(400)).await;
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    let (_, answer) = sent(cluster.address, &request(600)).await;
    assert!(answer.starts_with("http/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_or_without_a_length() {
    let cluster =
        Cluster::start(ReverseProxyOptions { max_body_bytes: Some(1000), ..Default::default() }).await;
    let maps = cluster.through.api::<ConfigMap>().namespace("shop");
    let map = |length| {
        let map = json!({"metadata": {"name": "m"}, "data": {"text": "x".repeat(length)}});
        serde_json::from_value::<ConfigMap>(map).unwrap()
    };
    let error = maps.create(&map(2000)).await.unwrap_err();
    assert_eq!(error.as_status().unwrap().code, Some(413), "{error}");
    assert!(error.to_string().contains("Request entity too large: limit is 1000"), "{error}");
    maps.create(&map(100)).await.unwrap();

    let chunk = format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000));
    let head = "POST /api/v1/namespaces/shop/configmaps HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n";
    let (_, answer) = sent(cluster.address, &format!("{head}{chunk}")).await;
    assert!(answer.starts_with("http/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn upgraded_connections_are_limited_and_given_back() {
    let options = ReverseProxyOptions { max_upgraded_connections: 1, ..Default::default() };
    let cluster = Cluster::start(options).await;
    let pods = cluster.through.api::<Pod>().namespace("shop");
    let exec = || pods.exec("web", ["sleep"], &ExecOptions::default());
    let process = exec().await.unwrap();
    let error = exec().await.unwrap_err();
    assert_eq!(error.as_status().unwrap().code, Some(429), "{error}");
    drop(process);
    // The proxy sees the end of the connection a little later.
    loop {
        match exec().await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.as_status().unwrap().code, Some(429), "{error}"),
        }
        tokio::task::yield_now().await;
    }
}
