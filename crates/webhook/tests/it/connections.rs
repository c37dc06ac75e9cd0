//! The limits of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use klient_api::core::v1::ConfigMap;
use klient_client::HttpVersion;
use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, ServerOptions, Webhooks, WebhooksBuilder};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::cluster::{Hooks, any_port, config_map, post, review};

const REVIEW: &str = "/validate--v1-configmap?timeout=30s";

fn allowing() -> WebhooksBuilder {
    let allow = async |_: Request<ConfigMap>, ()| Ok::<_, Denied>(Allowed::new());
    Webhooks::builder().admission(AdmissionWebhook::validating("allow.hooks.example", (), allow))
}

/// A connection whose client sends what it is told.
async fn secured(hooks: &Hooks) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let pem = hooks.certificate.certificate_pem();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(hooks.server.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn a_hundred_idle_connections_do_not_hold_up_a_review() {
    let options = ServerOptions { max_connections: 100, ..any_port() };
    let hooks = Hooks::with(allowing(), options).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(hooks.server.address()).await.unwrap());
    }
    let mut halves = Vec::new();
    for _ in 0..20 {
        let mut half = secured(&hooks).await;
        half.write_all(b"POST /validate HTTP/1.1\r\nhost: 127").await.unwrap();
        halves.push(half);
    }
    // Their clients keep them for more requests.
    let mut clients = Vec::new();
    for http in [HttpVersion::Http11, HttpVersion::Negotiate].repeat(20) {
        let client = hooks.client(http);
        client.request(Method::GET).request_uri("/healthz").send().await.unwrap();
        clients.push(client);
    }
    for http in [HttpVersion::Http11, HttpVersion::Negotiate] {
        let client = hooks.client(http);
        let answer = post(&client, REVIEW, &review(&config_map("a"))).await.unwrap();
        assert_eq!(answer["response"]["allowed"], true);
    }
    // Those that were closed for them connect again.
    for client in clients {
        let answer = post(&client, REVIEW, &review(&config_map("a"))).await.unwrap();
        assert_eq!(answer["response"]["allowed"], true);
    }
}

#[derive(Clone)]
struct Counts {
    present: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    all: Arc<Barrier>,
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_while_all_are_busy() {
    const LIMIT: usize = 4;
    let counts = Counts { present: Arc::default(), most: Arc::default(), all: Arc::new(Barrier::new(LIMIT)) };
    let count = async |_: Request<ConfigMap>, counts: Counts| {
        let present = counts.present.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(present, Ordering::SeqCst);
        // As many as the limit are in progress at once.
        counts.all.wait().await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        counts.present.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, Denied>(Allowed::new())
    };
    let webhook = AdmissionWebhook::validating("count.hooks.example", counts.clone(), count);
    let options = ServerOptions { max_connections: LIMIT, ..any_port() };
    let hooks = Hooks::with(Webhooks::builder().admission(webhook), options).await;
    let mut requests = JoinSet::new();
    for number in 0..5 * LIMIT {
        let client = hooks.client(HttpVersion::Http11);
        requests.spawn(async move {
            post(&client, REVIEW, &review(&config_map(&format!("m{number}")))).await.unwrap()
        });
    }
    while let Some(answer) = requests.join_next().await {
        assert_eq!(answer.unwrap()["response"]["allowed"], true);
    }
    assert_eq!(counts.most.load(Ordering::SeqCst), LIMIT);
}

#[tokio::test]
async fn a_connection_that_is_idle_too_long_is_closed() {
    let options = ServerOptions { idle_timeout: Duration::from_millis(50), ..any_port() };
    let hooks = Hooks::with(allowing(), options).await;
    let mut silent = TcpStream::connect(hooks.server.address()).await.unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0);
    for sent in
        ["", "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"]
    {
        let mut connection = secured(&hooks).await;
        connection.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // With or without the end of TLS.
        let _ = connection.read_to_end(&mut answer).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 200 OK"), sent.ends_with("\r\n\r\n"));
    }
}
