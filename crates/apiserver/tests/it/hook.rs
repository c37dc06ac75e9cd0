//! [`Hook`], a webhook over HTTPS.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use klient_apiserver::{Options, Server, ServiceAddress};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::client::Client;

pub(crate) const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
pub(crate) const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// The answer of a webhook to a review.
pub(crate) enum Reply {
    /// A review with this response, whose uid is that of the request.
    Response(Value),
    /// A whole review.
    Review(Value),
    /// A body with its code.
    Raw(u16, Vec<u8>),
    /// A code with a header.
    Head(u16, &'static str, String),
    /// The beginning of a body, whose end does not come: the connection ends, or nothing happens.
    Begun { is_cut: bool },
    /// None, ever.
    Never,
}

impl Reply {
    pub(crate) fn allow() -> Reply {
        Reply::Response(json!({ "allowed": true }))
    }

    pub(crate) fn patch(operations: &Value) -> Reply {
        let patch = BASE64.encode(operations.to_string());
        Reply::Response(json!({ "allowed": true, "patchType": "JSONPatch", "patch": patch }))
    }
}

/// A review, with the path and query that it was posted to.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) review: Value,
}

impl Posted {
    pub(crate) fn request(&self) -> &Value {
        &self.review["request"]
    }
}

/// A webhook that runs on the runtime of the test.
pub(crate) struct Hook {
    pub(crate) port: u16,
    ca_pem: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    connections: Arc<AtomicUsize>,
}

impl Hook {
    /// Starts a webhook whose certificate is for 127.0.0.1 and `hook.shop.svc`.
    pub(crate) async fn start(reply: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> Hook {
        Hook::start_as(&["127.0.0.1", "hook.shop.svc"], reply).await
    }

    /// Starts a webhook with a certificate for these names.
    pub(crate) async fn start_as(
        names: &[&str],
        reply: impl Fn(&Posted) -> Reply + Send + Sync + 'static,
    ) -> Hook {
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("it is signed");
        let issuer = Issuer::new(params, key);
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let key = KeyPair::generate().expect("there is randomness");
        let params = CertificateParams::new(names).expect("the names are valid");
        let certificate = params.signed_by(&key, &issuer).expect("it is signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key is that of the certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let port = listener.local_addr().expect("it listens").port();
        let (posted, connections) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let hook = Hook { port, ca_pem: authority.pem(), posted, connections };
        let (posted, connections) = (hook.posted.clone(), hook.connections.clone());
        let (acceptor, reply) = (TlsAcceptor::from(Arc::new(config)), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, reply, posted) = (acceptor.clone(), reply.clone(), posted.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(request, reply.clone(), posted.clone()));
                    let connection = hyper::server::conn::http1::Builder::new();
                    // The server closes it when it likes.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        hook
    }

    /// The certificate authority, as a configuration has it.
    pub(crate) fn ca_bundle(&self) -> String {
        BASE64.encode(&self.ca_pem)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    /// A `clientConfig` with a URL.
    pub(crate) fn at_url(&self, path: &str) -> Value {
        json!({ "url": self.url(path), "caBundle": self.ca_bundle() })
    }

    /// A `clientConfig` with the service `shop/hook`.
    pub(crate) fn at_service(&self, path: &str) -> Value {
        json!({ "service": { "namespace": "shop", "name": "hook", "path": path }, "caBundle": self.ca_bundle() })
    }

    /// Starts a server that reaches this webhook as the service `shop/hook`.
    pub(crate) async fn server(&self) -> (Server, Client) {
        let address = ServiceAddress {
            namespace: "shop".to_owned(),
            name: "hook".to_owned(),
            port: 443,
            address: format!("127.0.0.1:{}", self.port),
        };
        let options = Options { service_addresses: vec![address], ..Options::default() };
        let server = Server::start(options).await.expect("a server starts");
        let admin = Client::admin(&server).await;
        (server, admin)
    }

    /// The reviews until now.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().expect("no panics while held").clone()
    }

    /// The connections until now.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn answer(
    request: Request<Incoming>,
    reply: Arc<impl Fn(&Posted) -> Reply>,
    posted: Arc<Mutex<Vec<Posted>>>,
) -> Result<Response<Sent>, Infallible> {
    let path = request.uri().to_string();
    let body = request.into_body().collect().await.expect("the server sends all of it").to_bytes();
    // A request that is redirected may have none.
    let review = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let review = review.expect("the server sends JSON");
    let post = Posted { path, review };
    posted.lock().expect("no panics while held").push(post.clone());
    let review = &post.review;
    let mut headers = HeaderMap::new();
    let mut end = End::Whole;
    let (code, body) = match reply(&post) {
        Reply::Response(mut response) => {
            response["uid"] = review["request"]["uid"].clone();
            let review = json!({
                "kind": review["kind"], "apiVersion": review["apiVersion"], "response": response,
            });
            (200, review.to_string().into_bytes())
        }
        Reply::Review(review) => (200, review.to_string().into_bytes()),
        Reply::Raw(code, body) => (code, body),
        Reply::Head(code, name, value) => {
            headers.insert(name, value.parse().expect("it is a value"));
            (code, Vec::new())
        }
        Reply::Begun { is_cut } => {
            end = if is_cut { End::Cut } else { End::Never };
            (200, b"{".to_vec())
        }
        Reply::Never => std::future::pending().await,
    };
    let mut response = Response::new(Sent { body: Some(Bytes::from(body)), end });
    *response.status_mut() = code.try_into().expect("it is a code");
    *response.headers_mut() = headers;
    Ok(response)
}

/// A body, and what comes after it.
struct Sent {
    body: Option<Bytes>,
    end: End,
}

enum End {
    Whole,
    Cut,
    Broken,
    Never,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match (self.body.take(), &self.end) {
            (Some(body), _) => Poll::Ready(Some(Ok(Frame::data(body)))),
            (None, End::Whole) => Poll::Ready(None),
            (None, End::Cut) => {
                // The beginning is sent before the connection ends.
                self.end = End::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, End::Broken) => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
            (None, End::Never) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.end, &self.body) {
            (End::Whole, body) => SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            _ => SizeHint::default(),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Whole) && self.body.as_ref().is_none_or(Bytes::is_empty)
    }
}

/// A webhook of a configuration for writes of ConfigMaps, which is completed by other fields.
pub(crate) fn webhook(name: &str, client: Value, others: &Value) -> Value {
    let mut webhook = json!({
        "name": name,
        "clientConfig": client,
        "rules": [{
            "operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
        }],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    });
    for (name, value) in others.as_object().into_iter().flatten() {
        webhook[name] = value.clone();
    }
    webhook
}

pub(crate) fn configuration(name: &str, webhooks: &[Value]) -> Value {
    json!({ "metadata": { "name": name }, "webhooks": webhooks })
}
