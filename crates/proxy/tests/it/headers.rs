//! The headers that the server and the client see of each other.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Empty;
use klient_proxy::{PeerAddress, ReverseProxy, ReverseProxyOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service as _;

use crate::cluster::serve;
use crate::origin::{Origin, sent};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nkeep-alive: 5\r\nconnection: x-own\r\nx-own: 1\r\nx-kept: 2\r\n\
     location: /here\r\n\r\n";

#[tokio::test]
async fn headers_of_one_connection_are_not_passed_on() {
    let origin = Origin::answering(OK).await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let request = "GET /a%2Fb/?c=%20d HTTP/1.1\r\nHost: other.example\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\n\
         Proxy-Authorization: Basic s3cret\r\nTE: trailers, deflate\r\nX-Kept: 2\r\nUpgrade: h2c\r\n\r\n";
    let (_, answer) = sent(address, request).await;
    let head = origin.heads().remove(0);
    assert!(head.starts_with("get /a%2fb/?c=%20d http/1.1\r\n"), "{head}");
    for kept in ["x-kept: 2\r\n", "te: trailers\r\n", &format!("host: {}\r\n", origin.address)] {
        assert!(head.contains(kept), "{kept} is not in {head}");
    }
    for removed in ["x-mine", "s3cret", "keep-alive", "upgrade", "other.example"] {
        assert!(!head.contains(removed), "{removed} is in {head}");
    }
    assert!(
        answer.contains("x-kept: 2") && !answer.contains("x-own") && !answer.contains("keep-alive"),
        "{answer}"
    );
    assert!(answer.contains("location: /here\r\n"), "{answer}");
}

#[tokio::test]
async fn no_client_takes_away_the_user_that_a_layer_in_front_has_set() {
    let origin = Origin::answering(OK).await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let request = "GET /a HTTP/1.1\r\nHost: h\r\nImpersonate-User: bob\r\nImpersonate-Group: devs\r\n\
         Impersonate-Uid: 1\r\nImpersonate-Extra-Scope: read\r\nAuthorization: Bearer b\r\nX-Mine: 1\r\n\
         Connection: Impersonate-User, impersonate-group, Impersonate-Uid, Impersonate-Extra-Scope, Authorization, X-Mine\r\n\r\n";
    sent(address, request).await;
    let head = origin.heads().remove(0);
    for kept in ["user: bob", "group: devs", "uid: 1", "extra-scope: read"] {
        assert!(head.contains(&format!("\r\nimpersonate-{kept}\r\n")), "{kept} is not in {head}");
    }
    assert!(head.contains("\r\nauthorization: bearer b\r\n"), "{head}");
    assert!(!head.contains("x-mine"), "{head}");
}

#[tokio::test]
async fn no_path_leads_out_of_that_of_the_server() {
    let origin = Origin::answering(OK).await;
    let proxy = ReverseProxy::new(origin.client("/k8s/clusters/c-1"), Default::default());
    let (address, _serving) = serve(proxy).await;
    for path in [
        "/../c-2/api",
        "/api/../../c-2",
        "/a/..",
        "/%2e%2E/c-2",
        "/.%2e/c-2",
        "/./api",
        "/a/%2e?b",
        "/..%2fc-2",
    ] {
        let (_, answer) = sent(address, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert!(answer.starts_with("http/1.1 400 "), "{path}: {answer}");
    }
    assert!(origin.heads().is_empty());
    for path in ["/a..b/...?c=/../d", "/.well-known/x", "/%2e%2ea"] {
        let (_, answer) = sent(address, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert!(answer.starts_with("http/1.1 200 "), "{path}: {answer}");
    }
    // Without a path of the server there is nothing to leave.
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let (_, answer) = sent(address, "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn no_request_leads_to_another_host() {
    let origin = Origin::answering(OK).await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client("/base/"), Default::default())).await;
    for (target, path) in [
        ("http://other.example/a", "/base/a"),
        ("//other.example/a", "/base//other.example/a"),
        ("/http://other.example/a", "/base/http://other.example/a"),
    ] {
        sent(address, &format!("GET {target} HTTP/1.1\r\nHost: other.example\r\n\r\n")).await;
        let head = origin.heads().pop().unwrap();
        assert!(head.starts_with(&format!("get {path} http/1.1\r\n")), "{head}");
        assert!(head.contains(&format!("host: {}\r\n", origin.address)), "{head}");
    }
    let before = origin.heads().len();
    for target in ["CONNECT other.example:443", "OPTIONS *"] {
        let (_, answer) = sent(address, &format!("{target} HTTP/1.1\r\nHost: other.example\r\n\r\n")).await;
        assert!(answer.starts_with("http/1.1 400 "), "{answer}");
    }
    assert_eq!(origin.heads().len(), before);
}

#[tokio::test]
async fn an_upgrade_is_bridged_byte_for_byte() {
    let origin = Origin::answering(
        "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Kept: 1\r\n\r\n",
    )
    .await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let request = "POST /x HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, upgrade\r\nUpgrade: echo\r\n\r\n";
    let (mut stream, answer) = sent(address, request).await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for header in ["connection: upgrade\r\n", "upgrade: echo\r\n", "x-kept: 1\r\n"] {
        assert!(answer.contains(header), "{answer}");
    }
    let head = origin.heads().remove(0);
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: echo\r\n"), "{head}");
    let bytes: Vec<u8> = (0..200_000u32).map(|at| at.to_le_bytes()[0]).collect();
    let (mut read, mut write) = stream.split();
    let write = async {
        write.write_all(&bytes).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut echo = Vec::new();
    let (_, read) = tokio::join!(write, read.read_to_end(&mut echo));
    read.unwrap();
    assert!(echo == bytes);
}

#[tokio::test]
async fn a_server_that_does_not_switch_is_an_error() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let request = "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let (mut stream, answer) = sent(address, request).await;
    assert!(answer.starts_with("http/1.1 500 "), "{answer}");
    let mut body = [0; 200];
    let length = stream.read(&mut body).await.unwrap();
    let body = String::from_utf8_lossy(&body[..length]);
    assert!(body.contains(r#""message":"invalid upgrade response: status code 200""#), "{body}");
}

#[tokio::test]
async fn a_server_that_switches_without_a_request_for_it_is_an_error() {
    let origin =
        Origin::answering("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let (_, answer) = sent(address, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("http/1.1 500 "), "{answer}");
}

#[tokio::test]
async fn a_length_beside_a_transfer_encoding_cuts_no_body() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nall of i\r\n1\r\nt\r\n0\r\n\r\n",
    )
    .await;
    let (address, _serving) = serve(ReverseProxy::new(origin.client(""), Default::default())).await;
    let (mut stream, answer) = sent(address, "GET /x HTTP/1.0\r\nHost: h\r\n\r\n").await;
    assert!(!answer.contains("content-length"), "{answer}");
    let mut body = String::new();
    stream.read_to_string(&mut body).await.unwrap();
    assert_eq!(body, "all of it");
}

/// The head that the server gets, and the headers of its answer.
async fn forwarded(answer: &'static str, options: ReverseProxyOptions, before: &str) -> (String, HeaderMap) {
    let origin = Origin::answering(answer).await;
    let mut request = Request::get("/a/b?c").body(Empty::<Bytes>::new()).unwrap();
    request.extensions_mut().insert(PeerAddress(IpAddr::from([10, 0, 0, 7])));
    if !before.is_empty() {
        request.headers_mut().insert("x-forwarded-for", before.parse().unwrap());
    }
    let response = ReverseProxy::new(origin.client(""), options).call(request).await.unwrap();
    (origin.heads().remove(0), response.headers().clone())
}

#[tokio::test]
async fn the_server_learns_the_address_of_the_client() {
    let (head, _) = forwarded(OK, Default::default(), "").await;
    assert!(head.contains("x-forwarded-for: 10.0.0.7\r\n"), "{head}");
    assert!(!head.contains("x-forwarded-uri"), "{head}");
    let (head, _) = forwarded(OK, Default::default(), "10.0.0.1").await;
    assert!(head.contains("x-forwarded-for: 10.0.0.1, 10.0.0.7\r\n"), "{head}");
}

#[tokio::test]
async fn a_proxy_that_knows_its_url_tells_it_and_rewrites_locations() {
    let options = || ReverseProxyOptions {
        public_url: Some("https://p.example/k8s/".parse().unwrap()),
        ..Default::default()
    };
    let (head, headers) = forwarded(OK, options(), "").await;
    for header in ["uri: /k8s/a/b\r\n", "host: p.example\r\n", "proto: https\r\n"] {
        assert!(head.contains(&format!("x-forwarded-{header}")), "{head}");
    }
    assert_eq!(headers["location"], "https://p.example/k8s/here");
    for (location, rewritten) in [
        ("//other.example/a", "//other.example/a"),
        ("https://other.example/a", "https://other.example/a"),
        ("a", "a"),
        ("/k8s/a?b", "https://p.example/k8s/a?b"),
        ("/k8sa", "https://p.example/k8s/k8sa"),
    ] {
        let answer = format!("HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: {location}\r\n\r\n");
        let (_, headers) = forwarded(answer.leak(), options(), "").await;
        assert_eq!(headers["location"], rewritten);
    }
}
