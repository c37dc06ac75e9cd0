//! [`CertificateManager`], a certificate that is renewed before it expires.

mod options;
mod rotation;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use klient_client::{Client, ClientIdentity, Pem};
use tokio::sync::{mpsc, oneshot, watch};

pub use options::CertificateManagerOptions;
use rotation::{Command, Rotation};

use crate::certificate::Certificate;
use crate::error::Error;
use crate::store::CertificateStore;
use crate::template::CertificateTemplate;

/// A certificate from a signer of the cluster that is renewed before it expires (client-go's `certificate.Manager`).
///
/// - The certificate of the store is used as long as it is valid and has the names of the template; a program that
///   starts again requests none.
/// - It is renewed after 70 to 90 % of its validity, at random, and at once if it is missing or expired, if the template
///   has names that it does not have, or on request ([`rotate_now`](Self::rotate_now)). Each certificate has a new key.
/// - A request that fails is made again after 2, 4, 8, 16 and then each 32 seconds, with a warning in the log.
/// - The store has a certificate before anyone gets it.
///
/// Clones share the certificate. Renewal ends when the last of them is dropped, or with the runtime that the manager was
/// started on; clients and servers go on with the last certificate then.
///
/// The crate's documentation has an example.
#[doc(alias = "Manager")]
#[derive(Clone)]
pub struct CertificateManager(Arc<Shared>);

struct Shared {
    commands: mpsc::UnboundedSender<Command>,
    certificate: watch::Receiver<Option<Certificate>>,
    pem: watch::Receiver<Arc<[u8]>>,
    failure: watch::Receiver<Option<Error>>,
    is_server_healthy: Arc<AtomicBool>,
}

impl CertificateManager {
    /// Reads the certificate of a store, and starts the task that renews it, on the present runtime.
    ///
    /// It does not wait for a certificate: see [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) if the store cannot be read, or has a file that is not a certificate
    /// with its key; [`Template`](crate::ErrorKind::Template) if the names or usages of the request cannot be used.
    pub async fn start(
        client: Client,
        options: CertificateManagerOptions,
        store: impl CertificateStore,
    ) -> Result<Self, Error> {
        options.request.check()?;
        let mut current = store.current().await?.filter(|certificate| !certificate.is_expired());
        let mut is_bootstrap = false;
        if let (None, Some(bootstrap)) = (&current, &options.bootstrap) {
            if let Err(error) = store.update(bootstrap.clone()).await {
                tracing::warn!("the bootstrap certificate was not stored: {error}");
            }
            (current, is_bootstrap) = (Some(bootstrap.clone()), true);
        }
        let (commands, received) = mpsc::unbounded_channel();
        let pem = current.as_ref().map(Certificate::to_pem).unwrap_or_default();
        let (pem, watched_pem) = watch::channel(pem.into_bytes().into());
        let (certificate, watched) = watch::channel(current);
        let (failure, failures) = watch::channel(None);
        let is_server_healthy = Arc::new(AtomicBool::new(false));
        let manager = CertificateManager(Arc::new(Shared {
            commands,
            certificate: watched,
            pem: watched_pem,
            failure: failures,
            is_server_healthy: is_server_healthy.clone(),
        }));
        let rotation = Rotation {
            identity: manager.identity(),
            client,
            own_client: None,
            deadline: None,
            last: None,
            is_forced: is_bootstrap,
            waiting: Vec::new(),
            options,
            store: Box::new(store),
            commands: received,
            certificate,
            pem,
            failure,
            is_server_healthy,
        };
        tokio::spawn(rotation.run());
        Ok(manager)
    }

    /// The certificate; `None` if there is none yet, or if it has expired.
    pub fn current(&self) -> Option<Certificate> {
        self.0.certificate.borrow().clone().filter(|certificate| !certificate.is_expired())
    }

    /// Waits until there is a certificate, and returns it.
    ///
    /// # Errors
    ///
    /// The failure of a request that is [permanent](Error::is_permanent), if there is no certificate: the manager goes on
    /// with its attempts, and a later call succeeds once the cause is removed.
    pub async fn ready(&self) -> Result<Certificate, Error> {
        let (mut certificate, mut failure) = (self.0.certificate.clone(), self.0.failure.clone());
        loop {
            certificate.mark_unchanged();
            if let Some(current) = self.current() {
                return Ok(current);
            }
            if let Some(error) = failure.borrow_and_update().clone().filter(Error::is_permanent) {
                return Err(error);
            }
            tokio::select! {
                changed = certificate.changed() => changed,
                changed = failure.changed() => changed,
            }
            .map_err(|_| Error::stopped())?;
        }
    }

    /// The certificate as it changes, for a server that makes its TLS settings of it. The value is the present one.
    /// The receiver does not keep the manager running.
    ///
    /// ```
    /// # async fn serve(manager: klient_certificate::CertificateManager) -> Result<(), klient_certificate::Error> {
    /// let mut certificates = manager.subscribe();
    /// let mut settings = tls_settings(&manager.ready().await?);
    /// while certificates.changed().await.is_ok() {
    ///     let certificate = certificates.borrow_and_update().clone();
    ///     settings = certificate.as_ref().map_or(settings, tls_settings);
    /// }
    /// # Ok(()) }
    /// # fn tls_settings(_: &klient_certificate::Certificate) {}
    /// ```
    pub fn subscribe(&self) -> watch::Receiver<Option<Certificate>> {
        let mut certificate = self.0.certificate.clone();
        certificate.mark_unchanged();
        certificate
    }

    /// Waits until there is a certificate, and returns the identity of a client whose certificate it is: requests that
    /// follow a renewal use the new certificate, and those in progress end with the one from before. The identity does
    /// not keep the manager running.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    pub async fn client_identity(&self) -> Result<ClientIdentity, Error> {
        self.ready().await?;
        Ok(self.identity())
    }

    fn identity(&self) -> ClientIdentity {
        let pem = Pem::watch(self.0.pem.clone());
        ClientIdentity { certificate: pem.clone(), key: pem }
    }

    /// Renews the certificate now, and returns the new one. Calls during a request for a certificate wait for that one.
    ///
    /// # Errors
    ///
    /// The failure of the request: the manager goes on with its attempts.
    pub async fn rotate_now(&self) -> Result<Certificate, Error> {
        let (sender, receiver) = oneshot::channel();
        self.0.commands.send(Command::Rotate(sender)).map_err(|_| Error::stopped())?;
        receiver.await.unwrap_or_else(|_| Err(Error::stopped()))
    }

    /// Replaces the names of the certificate, such as the addresses of a node that changed. If the certificate does not
    /// have all of them, it is renewed at once; a request for other names is abandoned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) if a DNS name is empty or not ASCII.
    pub fn set_template(&self, template: CertificateTemplate) -> Result<(), Error> {
        template.check()?;
        self.0.commands.send(Command::Template(template)).map_err(|_| Error::stopped())
    }

    /// Returns true if the server answered the last request for a certificate, be it with a refusal of its own (401, 403,
    /// 404); false before the first one.
    pub fn is_server_healthy(&self) -> bool {
        self.0.is_server_healthy.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for CertificateManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CertificateManager").field(&self.current()).finish()
    }
}
