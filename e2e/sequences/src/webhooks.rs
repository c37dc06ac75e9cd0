//! [`Webhooks`], which change, refuse and convert the objects of sequences.

mod review;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The label of namespaces in which the webhooks are called.
pub(crate) const LABEL: &str = "webhooks.e2e.klient.example";

/// Webhooks over HTTPS, which several servers can call. What they answer follows from the review alone. They end when
/// dropped.
#[derive(Debug)]
pub struct Webhooks {
    port: u16,
    ca_pem: String,
    task: JoinHandle<()>,
}

impl Webhooks {
    /// Starts them on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If there is no port, or no certificate can be made.
    pub async fn start() -> io::Result<Webhooks> {
        let (config, ca_pem) = tls().map_err(io::Error::other)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(acceptor.clone(), stream));
            }
        });
        Ok(Webhooks { port, ca_pem, task })
    }

    /// The `clientConfig` of a webhook.
    pub(crate) fn client_config(&self, path: &str) -> Value {
        let url = format!("https://127.0.0.1:{}{path}", self.port);
        json!({"url": url, "caBundle": BASE64.encode(&self.ca_pem)})
    }

    /// The configurations of the admission webhooks, with their plural.
    pub(crate) fn configurations(&self) -> [(&'static str, Value); 2] {
        let hook = |name: &str, versions: Value, others: Value| {
            let mut hook = json!({
                "name": format!("{name}.e2e.klient.example"),
                "clientConfig": self.client_config(&format!("/{name}")),
                "rules": [{
                    "apiGroups": ["", "apps", "e2e.klient.example"],
                    "apiVersions": versions,
                    "operations": ["CREATE", "UPDATE"],
                    "resources": [
                        "configmaps", "pods", "pods/status", "services", "services/status", "deployments",
                        "deployments/status", "deployments/scale", "widgets", "widgets/status", "widgets/scale",
                        "meters", "meters/status", "gauges", "gauges/status",
                    ],
                }],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {"matchLabels": {LABEL: "yes"}},
            });
            for (name, value) in others.as_object().into_iter().flatten() {
                hook[name] = value.clone();
            }
            hook
        };
        let is_second = "has(object.metadata.labels) && 'app' in object.metadata.labels && object.metadata.labels['app'] == '2'";
        let conditions = json!([{"name": "is-second", "expression": is_second}]);
        let mutating = [
            // Requests in other versions are converted for it, and it sees what others have changed.
            hook("mutate", json!(["v1"]), json!({"reinvocationPolicy": "IfNeeded"})),
            hook("mutate-again", json!(["*"]), json!({"matchPolicy": "Exact"})),
            hook("mutate-some", json!(["*"]), json!({"matchConditions": conditions})),
        ];
        let validating = [hook("validate", json!(["v1"]), Value::Null)];
        let configuration = |kind: &str, webhooks: &[Value]| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": {"name": "e2e.klient.example"}, "webhooks": webhooks,
            })
        };
        [
            ("mutatingwebhookconfigurations", configuration("MutatingWebhookConfiguration", &mutating)),
            ("validatingwebhookconfigurations", configuration("ValidatingWebhookConfiguration", &validating)),
        ]
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The configuration of a server for 127.0.0.1, with the certificate of its authority.
fn tls() -> Result<(ServerConfig, String), Box<dyn std::error::Error + Send + Sync>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((config, authority.pem()))
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream) {
    // A server that goes away has nothing more to ask.
    if let Ok(stream) = acceptor.accept(stream).await {
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let sent = request.into_body().collect().await.ok();
    let review = sent.and_then(|body| serde_json::from_slice::<Value>(&body.to_bytes()).ok());
    let answered = review.and_then(|review| {
        let mut response = review::response(&path, &review["request"])?;
        response["uid"] = review["request"]["uid"].clone();
        Some(json!({"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response}))
    });
    let mut response = Response::new(Full::default());
    match answered {
        Some(review) => *response.body_mut() = review.to_string().into(),
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    Ok(response)
}
