//! Servers of webhooks, their clients, and an API server that calls them.

use std::time::Duration;

use http::Method;
use klient_apiserver::TestServer;
use klient_certificate::{Certificate, self_signed_certificate};
use klient_client::{Client, Config, Error, HttpVersion};
use klient_webhook::{Server, ServerOptions, Tls, WebhookAddress, Webhooks, WebhooksBuilder};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

/// A server of webhooks with its certificate.
pub(crate) struct Hooks {
    pub(crate) webhooks: Webhooks,
    pub(crate) server: Server,
    pub(crate) certificate: Certificate,
}

impl Hooks {
    pub(crate) async fn start(webhooks: WebhooksBuilder) -> Self {
        Self::with(webhooks, any_port()).await
    }

    pub(crate) async fn with(webhooks: WebhooksBuilder, options: ServerOptions) -> Self {
        let webhooks = webhooks.build().unwrap();
        let certificate = certificate();
        let tls = Tls::certificate(certificate.clone());
        let server = Server::start(webhooks.clone(), tls, options).await.unwrap();
        Hooks { webhooks, server, certificate }
    }

    /// A client that posts to the webhooks.
    pub(crate) fn client(&self, http: HttpVersion) -> Client {
        client(&self.server, &self.certificate, http)
    }

    pub(crate) fn address(&self) -> WebhookAddress {
        WebhookAddress::url(url(&self.server)).ca_bundle(self.certificate.certificate_pem())
    }

    /// An API server that calls the webhooks.
    pub(crate) async fn cluster(&self) -> (TestServer, Client) {
        let (server, client) = cluster().await;
        self.webhooks.install(&client, "hooks", &self.address(), &Default::default()).await.unwrap();
        (server, client)
    }
}

pub(crate) fn any_port() -> ServerOptions {
    ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() }
}

/// A certificate of an authority of its own.
pub(crate) fn certificate() -> Certificate {
    self_signed_certificate(&["127.0.0.1"], HOUR).unwrap()
}

pub(crate) fn url(server: &Server) -> String {
    format!("https://127.0.0.1:{}", server.address().port())
}

/// A client that trusts the authority of a certificate.
pub(crate) fn client(server: &Server, certificate: &Certificate, http: HttpVersion) -> Client {
    let mut config = Config::from_url(&url(server)).unwrap();
    config.tls.ca = Some(certificate.certificate_pem().into());
    config.http = http;
    Client::new(config).unwrap()
}

pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    (server, client)
}

/// Posts a review, and returns its response.
pub(crate) async fn post(client: &Client, uri: &str, review: &Value) -> Result<Value, Error> {
    let request = client.request(Method::POST).request_uri(uri);
    let answer = request.body("application/json", review.to_string()).send().await?;
    Ok(serde_json::from_slice(answer.bytes()).unwrap())
}

/// The review of the creation of an object.
pub(crate) fn review(object: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u1",
            "operation": "CREATE",
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "resource": {"group": "", "version": "v1", "resource": "configmaps"},
            "name": object["metadata"]["name"],
            "namespace": "default",
            "userInfo": {"username": "ann"},
            "object": object,
            "oldObject": null,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

pub(crate) fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}
