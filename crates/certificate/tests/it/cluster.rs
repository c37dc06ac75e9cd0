//! A server with a client of it, and the approval of requests.

use std::sync::Arc;
use std::time::Duration;

use klient_api::authentication::v1::SelfSubjectReview;
use klient_api::certificates::v1::CertificateSigningRequest;
use klient_apimachinery::{ListOptions, WatchEvent, WatchOptions};
use klient_apiserver::TestServer;
use klient_certificate::{
    CertificateManager, CertificateManagerOptions, CertificateRequest, CertificateStore, CertificateTemplate,
    Error, signers,
};
use klient_client::{Client, ClientIdentity, Config, Credentials};
use klient_workqueue::Backoff;
use tokio::task::JoinHandle;

/// The time after which a test fails that waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

pub(crate) struct Cluster {
    pub(crate) server: Arc<TestServer>,
    pub(crate) client: Client,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let server = TestServer::start().await.unwrap();
        let client = Client::new(config(&server)).unwrap();
        Cluster { server: Arc::new(server), client }
    }

    pub(crate) async fn manager(
        &self,
        options: CertificateManagerOptions,
        store: impl CertificateStore,
    ) -> Result<CertificateManager, Error> {
        CertificateManager::start(self.client.clone(), options, store).await
    }

    /// All requests so far.
    pub(crate) async fn requests(&self) -> Vec<CertificateSigningRequest> {
        self.client.api().list(&ListOptions::default()).await.unwrap().items
    }

    /// Waits for a request that nobody has decided on.
    pub(crate) async fn pending(&self) -> CertificateSigningRequest {
        soon("a request", next_pending(&self.client)).await
    }

    pub(crate) async fn approve(&self, request: &CertificateSigningRequest) {
        let name = request.metadata.name.as_deref().unwrap();
        let requests = self.client.api::<CertificateSigningRequest>();
        requests.approve(name, "ByTest", "approved by the test").await.unwrap();
    }

    /// Approves all requests, until the task is dropped.
    pub(crate) fn approver(&self) -> Approver {
        approver(&self.client)
    }

    /// The configuration of a client that authenticates with a certificate alone.
    pub(crate) fn config_with(&self, identity: ClientIdentity) -> Config {
        let mut config = Config { credentials: Credentials::None, ..config(&self.server) };
        config.tls.client = Some(identity);
        config
    }
}

/// A task that approves requests. It ends when this is dropped.
pub(crate) struct Approver(JoinHandle<()>);

impl Drop for Approver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Approves all requests, until the task is dropped.
pub(crate) fn approver(client: &Client) -> Approver {
    let client = client.clone();
    Approver(tokio::spawn(async move {
        loop {
            let request = next_pending(&client).await;
            let requests = client.api::<CertificateSigningRequest>();
            requests.approve(request.metadata.name.as_deref().unwrap(), "ByTest", "").await.unwrap();
        }
    }))
}

async fn next_pending(client: &Client) -> CertificateSigningRequest {
    let options = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut watch = client.api::<CertificateSigningRequest>().watch(&options).await.unwrap();
    while let Some(event) = watch.next().await {
        if let WatchEvent::Added(request) = event.unwrap()
            && request.status.conditions.is_empty()
        {
            return request;
        }
    }
    panic!("the watch has ended");
}

pub(crate) fn config(server: &TestServer) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

/// The user that a client is.
pub(crate) async fn who(client: &Client) -> Result<String, klient_client::Error> {
    let review = client.api().create(&SelfSubjectReview::default()).await?;
    Ok(review.status.user_info.unwrap().username.unwrap_or_default().to_string())
}

/// Options for a client certificate of a user in a group, with attempts that follow each other at once.
pub(crate) fn options(user: &str) -> CertificateManagerOptions {
    let request = CertificateRequest {
        signer_name: signers::KUBE_APISERVER_CLIENT.into(),
        template: CertificateTemplate {
            common_name: user.into(),
            organizations: vec!["devs".into(), "ops".into(), "qa".into()],
            ..Default::default()
        },
        ..Default::default()
    };
    CertificateManagerOptions {
        request,
        retry: Backoff { duration: Duration::from_millis(5), ..Default::default() },
        ..Default::default()
    }
}

/// As [`options`], with certificates that are due for renewal less than a second after they are issued: the server signs
/// for ten minutes at least, from five minutes before on.
pub(crate) fn short_lived(user: &str) -> CertificateManagerOptions {
    let mut options = options(user);
    options.request.duration = Some(Duration::from_secs(600));
    options.renew_at = 0.334..=0.334;
    options
}
