//! [`WebhookCertificates`], certificates that a program makes itself.

mod authorities;
mod bundle;
mod renewal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Str;
use klient_certificate::{Certificate, Tls};
use klient_client::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use bundle::CaBundle;
use renewal::Renewal;

use crate::error::Error;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of [`WebhookCertificates`].
#[derive(Clone, Debug)]
pub struct WebhookCertificatesOptions {
    /// The namespace of the Secret; by default that of the client, which in a pod is the pod's.
    pub namespace: Option<Str>,
    /// The name of the Secret with the authority, which all replicas share; by default `webhook-authority`.
    pub secret: Str,
    /// The names of the server: those of [`WebhookAddress::hosts`](crate::WebhookAddress::hosts).
    pub hosts: Vec<String>,
    /// The configurations and definitions whose `caBundle` is kept. One that does not exist yet gets it later.
    pub ca_bundles: Vec<CaBundle>,
    /// The validity of an authority; by default ten years. It is replaced when a third is left.
    pub authority_max_age: Duration,
    /// The validity of a certificate; by default 90 days. It is replaced when a third is left.
    pub certificate_max_age: Duration,
    /// The time for which a new authority is in all bundles before it signs, so that every API server has seen it; by default
    /// a minute.
    pub propagation: Duration,
    /// The interval in which the Secret and the bundles are read; by default 30 s.
    pub resync: Duration,
}

impl Default for WebhookCertificatesOptions {
    fn default() -> Self {
        WebhookCertificatesOptions {
            namespace: None,
            secret: "webhook-authority".into(),
            hosts: Vec::new(),
            ca_bundles: Vec::new(),
            authority_max_age: 3650 * DAY,
            certificate_max_age: 90 * DAY,
            propagation: Duration::from_secs(60),
            resync: Duration::from_secs(30),
        }
    }
}

/// Certificates of a server of webhooks that the program makes itself, for clusters without cert-manager.
///
/// An authority is in a Secret, which replicas share; each signs its own certificate with it. Its certificate is put into the
/// `caBundle` of configurations and definitions, and put back if somebody removes it; all else of these is left alone. A new
/// authority is made before the present one expires: both are in the bundles from then on, and it signs when API servers have
/// had the time to see it. So no call fails at any time.
///
/// The program needs the verbs `get`, `create` and `update` for the Secret, and `get` and `patch` for the others.
///
/// The certificates are renewed until the last clone is dropped.
///
/// ```no_run
/// # async fn f(webhooks: klient_webhook::Webhooks, client: klient_client::Client) -> Result<(), klient_webhook::Error> {
/// use klient_webhook::{CaBundle, Server, WebhookAddress, WebhookCertificates, WebhookCertificatesOptions};
///
/// let address = WebhookAddress::service("shop", "webhook");
/// let options = WebhookCertificatesOptions {
///     hosts: address.hosts(),
///     ca_bundles: vec![CaBundle::Validating("websites".into()), CaBundle::Definition("websites.shop.example".into())],
///     ..Default::default()
/// };
/// let certificates = WebhookCertificates::start(&client, options).await?;
/// let server = Server::start(webhooks.clone(), certificates.tls(), Default::default()).await?;
/// let address = address.ca_bundle(certificates.ca_bundle());
/// webhooks.install(&client, "websites", &address, &Default::default()).await?;
/// # Ok(()) }
/// ```
#[doc(alias = "CertRotator")]
#[derive(Clone)]
pub struct WebhookCertificates(Arc<Shared>);

struct Shared {
    certificate: watch::Receiver<Option<Certificate>>,
    bundle: watch::Receiver<Arc<str>>,
    task: JoinHandle<()>,
}

impl WebhookCertificates {
    /// Reads the authority from the Secret, or makes one; puts it into the bundles, and signs a certificate.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) if a request fails. [`Certificate`](crate::ErrorKind::Certificate) if there
    /// is no host, one cannot be used, or the Secret has something else: it is not overwritten.
    pub async fn start(client: &Client, options: WebhookCertificatesOptions) -> Result<Self, Error> {
        let (certificate, certificates) = watch::channel(None);
        let (bundle, bundles) = watch::channel("".into());
        let mut renewal = Renewal::new(client.clone(), options, certificate, bundle);
        renewal.step().await?;
        let task = tokio::spawn(renewal.run());
        Ok(WebhookCertificates(Arc::new(Shared { certificate: certificates, bundle: bundles, task })))
    }

    /// The certificate for a server, which has each new one.
    pub fn tls(&self) -> Tls {
        Tls::watch(self.0.certificate.clone())
    }

    /// The certificate as it changes.
    pub fn subscribe(&self) -> watch::Receiver<Option<Certificate>> {
        self.0.certificate.clone()
    }

    /// The certificates of the authorities, in PEM, as they are in the bundles now.
    pub fn ca_bundle(&self) -> String {
        self.0.bundle.borrow().to_string()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for WebhookCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookCertificates").field(&*self.0.certificate.borrow()).finish()
    }
}
