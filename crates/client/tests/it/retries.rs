//! Requests that are retried, and those that are not.

use std::time::{Duration, Instant};

use http::Method;
use klient_api::core::v1::ConfigMap;
use klient_client::{Client, Config, ErrorKind};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::cluster::{cluster, config, config_map};
use crate::front::{Front, read_head};

const NAMESPACE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\
    {\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"default\"}}";
const TOO_MANY: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
const CUT: &str = "";

/// Sends a request to a front that says the texts, one after another, and tells how often it was sent and what came
/// of it.
async fn check(method: Method, texts: &[&str], sent: usize, outcome: &str) {
    let front = Front::saying(texts).await;
    let request = front.client().request(method.clone()).group_version("", "v1").resource("namespaces");
    let request = if method == Method::POST { request } else { request.name("default") };
    let told = match request.send().await {
        Ok(response) => response.status().to_string(),
        Err(error) => match error.code() {
            Some(code) => format!("{code} {error}"),
            None => format!("{:?} {error:?}", error.kind()),
        },
    };
    assert!(told.contains(outcome), "{told:?} is not {outcome:?}");
    assert_eq!(front.requests().len(), sent, "{method} {texts:?}: {told}");
}

#[tokio::test]
async fn what_the_server_refuses_for_now_is_sent_again_for_every_verb() {
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        check(method, &[TOO_MANY, TOO_MANY, NAMESPACE], 3, "200 OK").await;
    }
    let unavailable =
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-type: text/plain\r\n\r\nbusy";
    check(Method::POST, &[unavailable, NAMESPACE], 2, "200 OK").await;
}

#[tokio::test]
async fn the_server_is_asked_eleven_times_at_most() {
    check(Method::GET, &[TOO_MANY], 11, "429 ").await;
}

#[tokio::test]
async fn the_time_the_server_names_is_waited_for() {
    let slow = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    let began = Instant::now();
    check(Method::GET, &[slow, NAMESPACE], 2, "200 OK").await;
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_deadline_ends_the_waiting() {
    let slow = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n";
    let front = Front::saying(&[slow]).await;
    let request = front.client().request(Method::GET).absolute_path("/version");
    let error = request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(front.requests(), ["GET /version?timeout=100ms HTTP/1.1"]);
}

#[tokio::test]
async fn a_failure_without_a_time_is_told_at_once() {
    let broken = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\n\r\netcd is gone";
    for method in [Method::GET, Method::POST] {
        check(
            method,
            &[broken],
            1,
            r#"an error on the server ("etcd is gone") has prevented the request from succeeding"#,
        )
        .await;
    }
    check(Method::GET, &["HTTP/1.1 429 Too Many Requests\r\n\r\n"], 1, "429 ").await;
    check(Method::GET, &["HTTP/1.1 503 Service Unavailable\r\nretry-after: soon\r\n\r\n"], 1, "503 ").await;
    check(Method::GET, &["HTTP/1.1 404 Not Found\r\nretry-after: 0\r\n\r\n"], 1, "404 ").await;
    // A time that nobody waits for.
    for seconds in ["301", "9223372036854775807"] {
        let late =
            format!("HTTP/1.1 429 Too Many Requests\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n");
        check(Method::GET, &[&late], 1, "429 ").await;
    }
}

#[tokio::test]
async fn a_failure_without_an_end_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sending = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\n\r\n").await.unwrap();
        let mut sent = 0;
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {
            sent += 1 << 16;
        }
        sent
    });
    let client = Client::new(Config::from_url(&format!("http://{address}")).unwrap()).unwrap();
    let error = client.request(Method::GET).absolute_path("/version").send().await.unwrap_err();
    assert_eq!(error.code(), Some(500), "{error}");
    assert!(error.to_string().len() < 4096, "{}", error.to_string().len());
    // It stops there, but for what is in the buffers of the system.
    let sent = sending.await.unwrap();
    assert!(sent < 64 << 20, "{sent}");
}

#[tokio::test]
async fn what_was_cut_is_sent_again_only_if_it_reads() {
    check(Method::GET, &[CUT, NAMESPACE], 2, "200 OK").await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        check(method, &[CUT, NAMESPACE], 1, "Connection ").await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_told_at_once() {
    check(Method::GET, &["SSH-2.0-OpenSSH_9.7\r\n"], 1, "Decode ").await;
}

#[tokio::test]
async fn what_never_was_connected_is_told_at_once() {
    let (server, _client) = cluster().await;
    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Front::proxy(&server, |_| {}).await;
    let mut other_ca = config(&server);
    let (other, _) = cluster().await;
    other_ca.tls.ca = Some(other.ca_pem().into());
    let mut other_name = config(&server);
    other_name.tls.server_name = Some("api.example".to_owned());
    let url = |text: String| Config::from_url(&text).unwrap();
    for (config, problem) in [
        (url(format!("https://{down}")), "refused"),
        (url("https://no-such-host.invalid:6443".to_owned()), "lookup"),
        (url(format!("https://{}", plain.address)), "corrupt message"),
        (other_ca, "invalid peer certificate"),
        (other_name, "not valid for name \"api.example\""),
    ] {
        let client = Client::new(config).unwrap();
        let began = Instant::now();
        let error = client.api::<ConfigMap>().namespace("default").get("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
        assert!(error.subject().starts_with("GET https://"), "{error:?}");
        assert!(format!("{error:?}").contains(problem), "{error:?}");
        let writing = client.api::<ConfigMap>().namespace("default").create(&config_map("a", "red")).await;
        assert_eq!(writing.unwrap_err().kind(), ErrorKind::Connect);
        assert!(began.elapsed() < Duration::from_secs(5), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_before_tls_is_tried_again_to_read() {
    let front = Front::closing().await;
    let config = Config::from_url(&format!("https://{}", front.address)).unwrap();
    let client = Client::new(config).unwrap();
    let request = client.request(Method::GET).absolute_path("/version").timeout(Duration::from_millis(1500));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(front.connections(), 2);
    let error = client.request(Method::POST).absolute_path("/version").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(front.connections(), 3);
}
