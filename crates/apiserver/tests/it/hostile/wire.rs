//! Input that is not valid TLS or HTTP, or never ends.

use klient_apiserver::{Server, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{impatient, last_words, raw, say, still_serves};
use crate::client::{Client, Protocol, soon};

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

#[tokio::test]
async fn what_is_no_tls_is_refused() {
    let server = TestServer::start().await.unwrap();
    for words in [&b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0; 100], &[0x16, 3, 1, 255, 255]] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(words).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        let _ = soon("the end of a connection", stream.read_to_end(&mut said)).await;
        assert!(said.len() < 20, "an alert at most: {said:?}");
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let server = impatient().await;
    let plain = async {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let _ = soon("the end of a connection", stream.read_to_end(&mut Vec::new())).await;
    };
    let [one, two] = BOTH.map(|protocol| say(&server, protocol, b""));
    tokio::join!(plain, one, two);
    still_serves(&server).await;
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = impatient().await;
    for protocol in BOTH {
        for words in [
            &b"\x00\xff\xfe\r\n\r\n"[..],
            b"HELO me\r\n\r\n",
            b"xxxxxxxxxxxxxxxx\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        ] {
            let said = say(&server, protocol, words).await;
            assert!(
                protocol == Protocol::Http2 || said.is_empty() || said.starts_with("HTTP/1.1 4"),
                "{said}"
            );
        }
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let server = impatient().await;
    let mut stream = raw(&server, Protocol::Http1).await;
    let (mut reader, mut writer) = tokio::io::split(&mut stream);
    let drip = async {
        let head = b"GET / HTTP/1.1\r\nx: ".iter().chain(std::iter::repeat(&b'y'));
        for byte in head {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            if writer.write_all(&[*byte]).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    };
    let mut said = Vec::new();
    tokio::select! {
        () = drip => {}
        _ = soon("the end of a connection", reader.read_to_end(&mut said)) => {}
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let server = impatient().await;
    let token = server.admin_token();
    let head = format!(
        "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n{{"
    );
    let said = say(&server, Protocol::Http1, head.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 504"), "{said}");
    assert!(said.contains("request did not complete within the allotted timeout"), "{said}");
    still_serves(&server).await;
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused() {
    let server = impatient().await;
    let long = "x".repeat(1 << 20);
    for head in [
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /?a={} HTTP/1.1\r\nHost: x\r\n\r\n", &long[..70_000]),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(1000)),
    ] {
        let said = say(&server, Protocol::Http1, head.as_bytes()).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{}", said.get(..100).unwrap_or(&said));
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_refused() {
    let server = impatient().await;
    for head in [
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n",
    ] {
        let said = say(&server, Protocol::Http1, head.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 4"), "{head}: {said}");
    }
    still_serves(&server).await;
}

async fn many(server: &Server, count: usize) -> Vec<Client> {
    let admin = Client::admin(server).await;
    let mut idle = Vec::new();
    for _ in 0..count {
        idle.push(admin.again().await);
    }
    idle
}

#[tokio::test]
async fn hundreds_may_be_connected_and_say_nothing() {
    let server = TestServer::start().await.unwrap();
    let idle = many(&server, 200).await;
    still_serves(&server).await;
    idle[0].get("/version").await.expect(200);
    idle[199].get("/version").await.expect(200);
    soon("the server's end", server.stop()).await;
}

#[tokio::test]
async fn connections_without_requests_are_closed_and_others_stay() {
    let server = impatient().await;
    let watcher = Client::admin(&server).await;
    let mut events = watcher
        .watch(&format!("/api/v1/namespaces?watch=1&resourceVersion={}", server.resource_version()))
        .await;
    last_words(&mut raw(&server, Protocol::Http2).await).await;
    let admin = Client::admin(&server).await;
    admin.post("/api/v1/namespaces", &crate::objects::named("n")).await.expect(201);
    assert_eq!(events.brief().await, format!("ADDED n@{}", server.resource_version()));
}
