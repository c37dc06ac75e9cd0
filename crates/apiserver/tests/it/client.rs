//! A client for the tests: HTTPS and nothing more, so that they see what is on the wire.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use klient_apiserver::{ClientCertificate, Server};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::answer::Answer;
use crate::events::Events;

/// The timeout for events that must happen, after which a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen.
///
/// # Panics
///
/// If it does not.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// The credentials of a client.
#[derive(Clone)]
pub(crate) enum Identity {
    Nobody,
    Token(String),
    Certificate(ClientCertificate),
}

/// A connection to a server on which requests are sent.
pub(crate) struct Client {
    address: String,
    tls: Arc<ClientConfig>,
    token: Option<String>,
    sender: Sender,
}

enum Sender {
    One(tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Connects as a superuser.
    pub(crate) async fn admin(server: &Server) -> Client {
        let identity = Identity::Token(server.admin_token().to_owned());
        Client::connect(server, Protocol::Http2, identity).await
    }

    pub(crate) async fn connect(server: &Server, protocol: Protocol, identity: Identity) -> Client {
        let (token, certificate) = match identity {
            Identity::Nobody => (None, None),
            Identity::Token(token) => (Some(token), None),
            Identity::Certificate(certificate) => (None, Some(certificate)),
        };
        let tls = tls(server, protocol, certificate);
        let address = server.address().to_string();
        let sender = Sender::new(&address, &tls, protocol).await;
        Client { address, tls, token, sender }
    }

    /// Connects as a kubeconfig says: to a server with an authority, as the bearer of a token.
    pub(crate) async fn of_kubeconfig(path: &str) -> Client {
        let text = std::fs::read_to_string(path).expect("the kubeconfig can be read");
        let config: Value = klient_apimachinery::yaml::from_str(&text).expect("the kubeconfig is YAML");
        let cluster = &config["clusters"][0]["cluster"];
        let text = |value: &Value| value.as_str().expect("the kubeconfig says it").to_owned();
        let ca = Path::new(path).with_file_name(text(&cluster["certificate-authority"]));
        let ca = std::fs::read(ca).expect("the authority can be read");
        let tls = tls_to(str::from_utf8(&ca).expect("PEM is text"), Protocol::Http2, None);
        let address = text(&cluster["server"]).trim_start_matches("https://").to_owned();
        let sender = Sender::new(&address, &tls, Protocol::Http2).await;
        let token = Some(text(&config["users"][0]["user"]["token"]));
        Client { address, tls, token, sender }
    }

    /// A connection of its own for the same user.
    pub(crate) async fn again(&self) -> Client {
        let protocol = match self.sender {
            Sender::One(_) => Protocol::Http1,
            Sender::Two(_) => Protocol::Http2,
        };
        let sender = Sender::new(&self.address, &self.tls, protocol).await;
        Client { address: self.address.clone(), tls: self.tls.clone(), token: self.token.clone(), sender }
    }

    /// The same connection for another task; it must be one that carries many requests at once.
    pub(crate) fn share(&self) -> Client {
        let Sender::Two(sender) = &self.sender else { panic!("HTTP/1.1 carries one request at a time") };
        Client {
            address: self.address.clone(),
            tls: self.tls.clone(),
            token: self.token.clone(),
            sender: Sender::Two(sender.clone()),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Patches; `kind` is `json`, `merge` or `strategic-merge`.
    pub(crate) async fn patch(&self, path: &str, kind: &str, body: &Value) -> Answer {
        let media = format!("application/{kind}-patch+json");
        self.send(Method::PATCH, path, &[("content-type", &media)], body.to_string()).await
    }

    /// The response to a request with this `Accept` header.
    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", accept)], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let request = self.request(method, path, headers, body.into());
        let what = format!("the answer to {} {}", request.method(), request.uri());
        soon(&what, async { Answer::read(self.sender.send(request).await).await }).await
    }

    /// Opens a watch; on HTTP/1.1 it takes the connection.
    pub(crate) async fn watch(&self, path: &str) -> Events {
        let (status, events) = self.stream(path, &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        events
    }

    /// The answer as it comes.
    pub(crate) async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Events) {
        let request = self.request(Method::GET, path, headers, Bytes::new());
        let response = soon("the head of an answer", self.sender.send(request)).await;
        let (parts, body) = response.into_parts();
        (parts.status, Events::new(parts.headers, body))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let uri = match self.sender {
            Sender::One(_) => path.to_owned(),
            Sender::Two(_) => format!("https://{}{path}", self.address),
        };
        let mut request = Request::builder().method(method).uri(uri);
        if matches!(self.sender, Sender::One(_)) {
            request = request.header(HOST, &self.address);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).expect("the parts of a request are valid")
    }
}

impl Sender {
    async fn new(address: &str, tls: &Arc<ClientConfig>, protocol: Protocol) -> Sender {
        let stream = soon("a connection", TcpStream::connect(address)).await.expect("the server listens");
        stream.set_nodelay(true).expect("it is connected");
        let stream = soon("a TLS handshake", handshake(tls, stream)).await;
        match protocol {
            Protocol::Http1 => {
                let (sender, connection) =
                    http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1 begins");
                tokio::spawn(connection);
                Sender::One(sender.into())
            }
            Protocol::Http2 => {
                let new = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
                let (sender, connection) = new.await.expect("HTTP/2 begins");
                tokio::spawn(connection);
                Sender::Two(sender)
            }
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let response = match self {
            Sender::One(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await.expect("the connection stays");
                sender.send_request(request).await
            }
            Sender::Two(sender) => {
                let mut sender = sender.clone();
                sender.ready().await.expect("the connection stays");
                sender.send_request(request).await
            }
        };
        response.expect("the server answers")
    }
}

/// A TLS session with the server.
pub(crate) async fn handshake(tls: &Arc<ClientConfig>, stream: TcpStream) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("127.0.0.1").expect("it is an address");
    TlsConnector::from(tls.clone()).connect(name, stream).await.expect("the server's certificate is good")
}

/// The TLS configuration of a client: the trusted authority, and its certificate.
pub(crate) fn tls(
    server: &Server,
    protocol: Protocol,
    certificate: Option<ClientCertificate>,
) -> Arc<ClientConfig> {
    tls_to(server.ca_pem(), protocol, certificate)
}

fn tls_to(ca_pem: &str, protocol: Protocol, certificate: Option<ClientCertificate>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(authority.expect("the server wrote it")).expect("it is an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder =
        builder.with_safe_default_protocol_versions().expect("ring has them").with_root_certificates(roots);
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate_pem, key_pem }) => {
            let chain =
                CertificateDer::from_pem_slice(certificate_pem.as_bytes()).expect("the server wrote it");
            let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("the server wrote it");
            builder.with_client_auth_cert(vec![chain], key).expect("they belong together")
        }
    };
    config.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    Arc::new(config)
}

/// Says what a body is.
pub(crate) fn sends(media: &str) -> [(&'static str, &str); 1] {
    [(CONTENT_TYPE.as_str(), media)]
}
