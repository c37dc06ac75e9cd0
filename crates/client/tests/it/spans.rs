//! The `tracing` spans of requests.

use klient_api::core::v1::{ConfigMap, Namespace};
use klient_client::{ListOptions, WatchOptions};

use crate::cluster::{cluster, config_map};
use crate::front::Front;
use crate::log::Log;

const TARGET: &str = "klient::request";

/// Checks that lines were recorded.
#[track_caller]
fn check(log: &Log, lines: &[&str]) {
    let text = log.text();
    for line in lines {
        assert!(text.lines().any(|recorded| recorded == *line), "no {line} in\n{text}");
    }
}

#[tokio::test]
async fn a_span_has_the_names_of_opentelemetry_and_kubernetes() {
    let (server, client) = cluster().await;
    let log = Log::of(TARGET);
    let _logging = tracing::subscriber::set_default(log.clone());
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let address = server.address();
    check(
        &log,
        &[
            r#"otel.name: "POST /api/v1/namespaces/{namespace}/configmaps""#,
            r#"otel.kind: "client""#,
            r#"http.request.method: "POST""#,
            r#"http.response.status_code: 201"#,
            &format!(r#"url.full: "https://{address}/api/v1/namespaces/default/configmaps""#),
            r#"url.template: "/api/v1/namespaces/{namespace}/configmaps""#,
            r#"server.address: "127.0.0.1""#,
            &format!("server.port: {}", address.port()),
            r#"k8s.api.verb: "create""#,
            r#"k8s.api.group: """#,
            r#"k8s.api.version: "v1""#,
            r#"k8s.api.resource: "configmaps""#,
            r#"k8s.namespace.name: "default""#,
        ],
    );
    assert!(!log.text().contains("error.type") && !log.text().contains("k8s.object.name"), "{}", log.text());
}

#[tokio::test]
async fn a_span_names_the_verb_and_the_failure() {
    let (_server, client) = cluster().await;
    let log = Log::of(TARGET);
    let _logging = tracing::subscriber::set_default(log.clone());
    let namespaces = client.api::<Namespace>();
    namespaces.list(&ListOptions::default()).await.unwrap();
    namespaces.watch(&WatchOptions::default()).await.unwrap();
    namespaces.get("missing").await.unwrap_err();
    check(
        &log,
        &[
            r#"k8s.api.verb: "list""#,
            r#"k8s.api.verb: "watch""#,
            r#"k8s.api.verb: "get""#,
            r#"k8s.object.name: "missing""#,
            r#"otel.name: "GET /api/v1/namespaces/{name}""#,
            "http.response.status_code: 404",
            r#"error.type: "404""#,
            r#"otel.status_code: "ERROR""#,
        ],
    );
}

#[tokio::test]
async fn a_span_counts_retries_and_names_an_error_without_a_response() {
    let too_many = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let front = Front::saying(&[too_many, too_many, "SSH-2.0-OpenSSH_9.7\r\n"]).await;
    let log = Log::of(TARGET);
    let _logging = tracing::subscriber::set_default(log.clone());
    front.client().discovery().version().await.err().unwrap();
    check(&log, &["http.request.resend_count: 2", r#"error.type: "decode""#, r#"otel.name: "GET /version""#]);
    assert!(!log.text().contains("k8s."), "{}", log.text());
}
