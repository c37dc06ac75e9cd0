//! The task that renews the certificate of a manager.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use klient_client::{Client, ClientIdentity, Credentials};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::CertificateManagerOptions;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::store::CertificateStore;
use crate::template::CertificateTemplate;

/// The longest time between two looks at the clock, which may be set, and goes on while the machine is suspended.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);

/// The shortest time between two certificates, of a signer whose certificates are due when they are issued.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// A request to the task.
pub(super) enum Command {
    Rotate(oneshot::Sender<Result<Certificate, Error>>),
    Template(CertificateTemplate),
}

/// The state of the task. Methods return `None` when the last handle is gone.
pub(super) struct Rotation {
    pub(super) client: Client,
    /// The client with the manager's own certificate, once there is one.
    pub(super) own_client: Option<Client>,
    pub(super) identity: ClientIdentity,
    pub(super) options: CertificateManagerOptions,
    pub(super) store: Box<dyn CertificateStore>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) certificate: watch::Sender<Option<Certificate>>,
    pub(super) pem: watch::Sender<Arc<[u8]>>,
    pub(super) failure: watch::Sender<Option<Error>>,
    pub(super) is_server_healthy: Arc<AtomicBool>,
    /// The time at which the present certificate is renewed.
    pub(super) deadline: Option<SystemTime>,
    /// The time of the last certificate.
    pub(super) last: Option<Instant>,
    /// True for the bootstrap certificate.
    pub(super) is_forced: bool,
    /// The callers that wait for the next certificate.
    pub(super) waiting: Vec<oneshot::Sender<Result<Certificate, Error>>>,
}

impl Rotation {
    pub(super) async fn run(mut self) {
        while let Some(()) = self.until_due().await {
            if self.rotate().await.is_none() {
                return;
            }
        }
    }

    /// Waits until the certificate is to be renewed.
    async fn until_due(&mut self) -> Option<()> {
        loop {
            let left = self.time_left();
            if left.is_zero() {
                break;
            }
            tokio::select! {
                command = self.commands.recv() => match command? {
                    Command::Rotate(waiting) => {
                        self.waiting.push(waiting);
                        return Some(());
                    }
                    Command::Template(template) => self.options.request.template = template,
                },
                () = sleep(left.min(CLOCK_INTERVAL)) => {}
            }
        }
        if let Some(last) = self.last {
            sleep_until(last + MIN_INTERVAL).await;
        }
        Some(())
    }

    /// The time until the certificate is to be renewed.
    fn time_left(&mut self) -> Duration {
        let certificate = self.certificate.borrow();
        let template = &self.options.request.template;
        let Some(certificate) = certificate.as_ref().filter(|current| template.is_satisfied_by(current))
        else {
            return Duration::ZERO;
        };
        if self.is_forced {
            return Duration::ZERO;
        }
        let renew_at = &self.options.renew_at;
        let deadline = *self.deadline.get_or_insert_with(|| deadline(certificate, renew_at));
        deadline.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// Requests certificates until there is one.
    async fn rotate(&mut self) -> Option<()> {
        let mut backoff = self.options.retry.clone();
        loop {
            match self.attempt().await? {
                Ok(certificate) => {
                    self.publish(certificate);
                    return Some(());
                }
                Err(error) => self.fail(error),
            }
            let next = Instant::now() + backoff.step();
            tokio::select! {
                command = self.commands.recv() => match command? {
                    Command::Rotate(waiting) => self.waiting.push(waiting),
                    Command::Template(template) => {
                        self.options.request.template = template;
                        if !self.time_left().is_zero() {
                            return Some(());
                        }
                    }
                },
                () = sleep_until(next) => {}
            }
        }
    }

    /// Requests a certificate and stores it; again if the names change meanwhile.
    async fn attempt(&mut self) -> Option<Result<Certificate, Error>> {
        loop {
            let client = match self.client() {
                Ok(client) => client,
                Err(error) => return Some(Err(error)),
            };
            let request = self.options.request.clone();
            let attempt = async {
                let certificate = request.send(&client).await?;
                self.store.update(certificate.clone()).await?;
                Ok(certificate)
            };
            tokio::pin!(attempt);
            let template = loop {
                tokio::select! {
                    outcome = &mut attempt => return Some(outcome),
                    command = self.commands.recv() => match command? {
                        Command::Rotate(waiting) => self.waiting.push(waiting),
                        Command::Template(template) if template != request.template => break template,
                        Command::Template(_) => {}
                    },
                }
            };
            self.options.request.template = template;
        }
    }

    /// The client for the next request.
    fn client(&mut self) -> Result<Client, Error> {
        let Some(config) = &self.options.renew_with else { return Ok(self.client.clone()) };
        if self.certificate.borrow().as_ref().is_none_or(Certificate::is_expired) {
            return Ok(self.client.clone());
        }
        if let Some(client) = &self.own_client {
            return Ok(client.clone());
        }
        let mut config = config.clone();
        config.credentials = Credentials::None;
        config.tls.client = Some(self.identity.clone());
        let client = Client::new(config)
            .map_err(|error| Error::request("the configuration to renew certificates with", error))?;
        Ok(self.own_client.insert(client).clone())
    }

    fn publish(&mut self, certificate: Certificate) {
        tracing::debug!(
            signer = self.options.request.signer_name,
            not_after = %certificate.not_after(),
            "a certificate was issued"
        );
        self.is_server_healthy.store(true, Ordering::Relaxed);
        self.deadline = None;
        self.is_forced = false;
        self.last = Some(Instant::now());
        self.failure.send_replace(None);
        self.pem.send_replace(certificate.to_pem().into_bytes().into());
        self.certificate.send_replace(Some(certificate.clone()));
        for waiting in self.waiting.drain(..) {
            // It may have been dropped.
            let _ = waiting.send(Ok(certificate.clone()));
        }
    }

    fn fail(&mut self, error: Error) {
        tracing::warn!("the certificate was not renewed: {error}");
        if let Some(error) = error.request_error() {
            // A refusal of its own shows that it works; a proxy in front of it may answer 401 too.
            let is_healthy = error.is_unauthorized() || error.is_forbidden() || error.is_not_found();
            self.is_server_healthy.store(is_healthy, Ordering::Relaxed);
        }
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(Err(error.clone()));
        }
        self.failure.send_replace(Some(error));
    }
}

/// The time at which a certificate is renewed: a part of its validity, at random in a range.
fn deadline(certificate: &Certificate, renew_at: &RangeInclusive<f64>) -> SystemTime {
    let (start, end) = (*renew_at.start(), *renew_at.end());
    let part = start + fastrand::f64() * (end - start).max(0.0);
    let seconds = |time: klient_apimachinery::Time| u64::try_from(time.unix()).unwrap_or_default();
    let not_before = seconds(certificate.not_before());
    let validity = seconds(certificate.not_after()).saturating_sub(not_before);
    let after = Duration::try_from_secs_f64(validity as f64 * part).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(not_before) + after
}
