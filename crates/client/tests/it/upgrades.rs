//! Requests that switch their connection to another protocol.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use klient_api::core::v1::{Namespace, Pod};
use klient_apimachinery::BoxFuture;
use klient_apiserver::TestServer;
use klient_client::{
    AuthProvider, BoxError, Client, Config, Credentials, Dialer, ErrorKind, ListOptions, Proxy, RequestBody,
    Upgraded,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::cluster::{config, pod, soon};
use crate::front::{Front, self_signed};
use crate::log::Log;
use crate::test_proxy::{Rules, TestProxy};

const EXEC: &str = "/api/v1/namespaces/shop/pods/web/exec";
const STATUS: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods \"web\" is forbidden: no",
    "reason":"Forbidden","code":403}"#;

/// A server of HTTP/2 and HTTP/1.1 over TLS. It echoes what comes on connections that are upgraded to `echo`.
struct EchoServer {
    url: String,
    certificate: String,
    address: std::net::SocketAddr,
    connections: Arc<AtomicUsize>,
    /// The version, path and credentials of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

impl EchoServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tls, certificate) = self_signed("h2");
        let mut settings = (**tls.config()).clone();
        settings.alpn_protocols = vec!["h2".into(), "http/1.1".into()];
        let tls = tokio_rustls::TlsAcceptor::from(Arc::new(settings));
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (opened, seen) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::Relaxed);
                let (tls, seen) = (tls.clone(), seen.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(request, seen.clone()));
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        EchoServer { url: format!("https://{address}"), certificate, address, connections, requests }
    }

    fn config(&self) -> Config {
        let mut config = Config::from_url(&self.url).unwrap();
        config.tls.ca = Some(self.certificate.as_str().into());
        config.credentials = Credentials::token("ada");
        config
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

async fn answer(
    mut request: Request<Incoming>,
    seen: Arc<Mutex<Vec<String>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let header = |name: HeaderName| {
        let value = request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_else(|| "-".to_owned())
    };
    let (protocol, authorization) = (header(UPGRADE), header(http::header::AUTHORIZATION));
    let line = format!("{:?} {} {authorization} {protocol}", request.version(), request.uri().path());
    seen.lock().unwrap().push(line);
    let answer = |code: u16, body: &'static str| {
        let response = Response::builder().status(code).header("content-type", "application/json");
        Ok(response.body(Full::from(body)).unwrap())
    };
    match protocol.as_str() {
        _ if authorization == "Bearer stale" => return answer(401, "{}"),
        "-" => return answer(200, r#"{"kind":"NamespaceList","apiVersion":"v1","metadata":{},"items":[]}"#),
        "refused" => return answer(403, STATUS),
        "ignored" => return answer(200, "{}"),
        _ => {}
    }
    assert_eq!(request.version(), Version::HTTP_11);
    assert_eq!(request.headers()[CONNECTION], "Upgrade");
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..read]).await.unwrap();
        }
        let _ = stream.shutdown().await;
    });
    let chosen = if protocol == "other" { "echo" } else { &protocol };
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let response = response.header(CONNECTION, "Upgrade").header(UPGRADE, chosen).header("x-chosen", "v4");
    Ok(response.body(Full::default()).unwrap())
}

fn exec(client: &Client) -> klient_client::Request {
    client.request(Method::POST).absolute_path(EXEC)
}

/// Sends some bytes and gets them back, then ends the connection.
async fn assert_echo(mut connection: Upgraded) {
    assert_eq!(connection.headers()["x-chosen"], "v4");
    for text in ["one", "two", "three"] {
        connection.write_all(text.as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
        let mut back = vec![0; text.len()];
        soon("the echo", connection.read_exact(&mut back)).await.unwrap();
        assert_eq!(back, text.as_bytes());
    }
    connection.shutdown().await.unwrap();
    assert_eq!(soon("the end", connection.read_to_end(&mut Vec::new())).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_is_upgraded_over_http_1_beside_requests_over_http_2() {
    let server = EchoServer::start().await;
    let client = Client::new(server.config()).unwrap();
    client.api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    assert_echo(exec(&client).upgrade("echo").await.unwrap()).await;
    client.api::<Namespace>().list(&ListOptions::default()).await.unwrap();
    let list = "HTTP/2.0 /api/v1/namespaces Bearer ada -".to_owned();
    assert_eq!(server.requests(), [list.clone(), format!("HTTP/1.1 {EXEC} Bearer ada echo"), list]);
    assert_eq!(server.connections(), 2);
    // An upgraded connection is not used again.
    assert_echo(exec(&client).upgrade("ECHO").await.unwrap()).await;
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_refusal_is_the_status_of_the_server_and_keeps_the_connection() {
    let server = EchoServer::start().await;
    let client = Client::new(server.config()).unwrap();
    for _ in 0..3 {
        let refused = exec(&client).upgrade("refused").await.unwrap_err();
        assert!(refused.is_forbidden(), "{refused}");
        let expected = format!("POST {}{EXEC}: pods \"web\" is forbidden: no", server.url);
        assert!(refused.to_string().starts_with(&expected), "{refused}");
    }
    assert_eq!(server.connections(), 1);
    let ignored = exec(&client).upgrade("ignored").await.unwrap_err();
    assert_eq!(ignored.kind(), ErrorKind::Connection);
    let expected =
        "unable to upgrade connection: the server answered 200 OK in place of 101 Switching Protocols";
    assert!(ignored.to_string().ends_with(expected), "{ignored}");
    let other = exec(&client).upgrade("other").await.unwrap_err();
    let expected = r#"the server switched to the protocol "echo" in place of "other""#;
    assert!(other.to_string().ends_with(expected), "{other}");
    assert_echo(exec(&client).upgrade("echo").await.unwrap()).await;
}

#[tokio::test]
async fn many_connections_are_upgraded_at_once() {
    let server = EchoServer::start().await;
    let client = Client::new(server.config()).unwrap();
    let upgrades: Vec<_> = (0..120).map(|_| tokio::spawn(exec(&client).upgrade("echo"))).collect();
    let mut connections = Vec::new();
    for upgraded in upgrades {
        connections.push(upgraded.await.unwrap().unwrap());
    }
    for connection in connections {
        assert_echo(connection).await;
    }
    assert_eq!(server.connections(), 120);
}

#[tokio::test]
async fn connections_are_upgraded_through_proxies_dialers_and_layers() {
    let server = EchoServer::start().await;
    for scheme in ["http", "socks5"] {
        let proxy = TestProxy::start(scheme, server.address, Rules::default()).await;
        let client = Client::new(Config { proxy: Proxy::url(&proxy.url("")).unwrap(), ..server.config() });
        assert_echo(exec(&client.unwrap()).upgrade("echo").await.unwrap()).await;
        assert_eq!(proxy.requests().len(), 1, "{scheme}");
    }

    let address = server.address;
    let dialed = Arc::new(AtomicUsize::new(0));
    let dials = dialed.clone();
    let dialer = Dialer::new(move |_, _| {
        dials.fetch_add(1, Ordering::Relaxed);
        tokio::net::TcpStream::connect(address)
    });
    let layer = tower::util::MapRequestLayer::new(|request: Request<RequestBody>| request);
    let client = Client::with_layer(Config { dialer: Some(dialer), ..server.config() }, layer).unwrap();
    assert_echo(exec(&client).upgrade("echo").await.unwrap()).await;
    assert_eq!(dialed.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_in_memory_refuses_to_exec_in_a_pod_without_a_node() {
    let server = Arc::new(TestServer::start_in_memory().await.unwrap());
    let (mut config, connecting) = (config(&server), server.clone());
    let dialed = Arc::new(AtomicUsize::new(0));
    let dials = dialed.clone();
    config.dialer = Some(Dialer::new(move |_, _| {
        dials.fetch_add(1, Ordering::Relaxed);
        let server = connecting.clone();
        async move { server.connect().await }
    }));
    let client = Client::new(config).unwrap();
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("web", "web")).await.unwrap();
    let exec = |name: &str| {
        let request = client.request(Method::GET).group_version("", "v1").namespace("default");
        let request = request.resource("pods").name(name).subresource("exec").query("command", "ls");
        request.header(HeaderName::from_static("sec-websocket-version"), "13").upgrade("websocket")
    };
    let missing = exec("other").await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    let pending = exec("web").await.unwrap_err();
    assert!(pending.is_bad_request(), "{pending}");
    assert!(pending.to_string().contains("pod web does not have a host assigned"), "{pending}");
    assert_eq!(dialed.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_upgrade_whose_connection_breaks_is_not_sent_again() {
    let front = Front::saying(&[""]).await;
    let exec = front.client().request(Method::GET).absolute_path(EXEC);
    let error = exec.upgrade("websocket").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(front.requests(), [format!("GET {EXEC} HTTP/1.1")]);
}

/// Gives a token that the server refuses, and then others.
struct Renewed(AtomicUsize);

impl AuthProvider for Renewed {
    fn name(&self) -> &str {
        "tokens of the test"
    }

    fn authorization(&self) -> BoxFuture<'_, Result<Option<HeaderValue>, BoxError>> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let token = if number == 0 { "stale".to_owned() } else { format!("fresh-{number}") };
        Box::pin(async move { Ok(Some(HeaderValue::try_from(format!("Bearer {token}"))?)) })
    }
}

#[tokio::test]
async fn an_upgrade_has_the_credentials_and_spans_of_other_requests() {
    let server = EchoServer::start().await;
    let credentials = Credentials::provider(Renewed(AtomicUsize::new(0)));
    let client = Client::new(Config { credentials, ..server.config() }).unwrap();
    let log = Log::of("klient::request");
    let _logging = tracing::subscriber::set_default(log.clone());
    let request = client.request(Method::POST).group_version("", "v1").namespace("shop").resource("pods");
    assert_echo(request.name("web").subresource("exec").upgrade("echo").await.unwrap()).await;
    let requests = ["stale", "fresh-1"].map(|token| format!("HTTP/1.1 {EXEC} Bearer {token} echo"));
    assert_eq!(server.requests(), requests);
    assert_eq!(server.connections(), 1);
    let text = log.text();
    for line in [
        r#"otel.name: "POST /api/v1/namespaces/{namespace}/pods/{name}/exec""#,
        "http.response.status_code: 101",
        r#"k8s.api.subresource: "exec""#,
    ] {
        assert!(text.lines().any(|recorded| recorded == line), "no {line} in\n{text}");
    }
    assert!(!text.contains("error.type"), "{text}");
}
