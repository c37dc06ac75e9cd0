//! [`Renewal`], the task that renews certificates and authorities.

use std::sync::Arc;
use std::time::Duration;

use klient_api::core::v1::Secret;
use klient_apimachinery::Str;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_certificate::{Certificate, CertificateAuthority};
use klient_client::{Client, Error as ClientError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::WebhookCertificatesOptions;
use super::authorities::{Authorities, left};
use crate::error::{Error, ErrorKind};

/// The number of times that a Secret is read again that another replica has changed meanwhile.
const ATTEMPTS: usize = 10;

/// The longest time until the next attempt after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// The state of the task.
pub(super) struct Renewal {
    client: Client,
    options: WebhookCertificatesOptions,
    namespace: Str,
    certificate: watch::Sender<Option<Certificate>>,
    bundle: watch::Sender<Arc<str>>,
    /// The newest authority, since when it is in all bundles.
    propagated: Option<(Certificate, Instant)>,
    /// The authority of the certificate.
    signer: Option<Certificate>,
}

impl Renewal {
    pub(super) fn new(
        client: Client,
        options: WebhookCertificatesOptions,
        certificate: watch::Sender<Option<Certificate>>,
        bundle: watch::Sender<Arc<str>>,
    ) -> Self {
        let namespace = options.namespace.clone().unwrap_or_else(|| client.default_namespace().into());
        Renewal { client, options, namespace, certificate, bundle, propagated: None, signer: None }
    }

    pub(super) async fn run(mut self) {
        let mut pause = self.pause();
        loop {
            sleep(pause).await;
            pause = match self.step().await {
                Ok(()) => self.pause(),
                Err(error) => {
                    tracing::warn!("certificates of webhooks: {error}; trying again");
                    self.pause().min(RETRY)
                }
            };
        }
    }

    /// The time until the next step, up to a tenth shorter, so that replicas do not keep in step.
    fn pause(&self) -> Duration {
        let waits = self.propagated.as_ref().filter(|(newest, _)| self.signer.as_ref() != Some(newest));
        let wait = waits
            .map(|(_, since)| (*since + self.options.propagation).saturating_duration_since(Instant::now()));
        let resync = self.options.resync.mul_f64(0.9 + 0.1 * fastrand::f64());
        wait.map_or(resync, |wait| wait.min(resync))
    }

    /// Brings the Secret, the bundles and the certificate up to date. A bundle that cannot be written holds up neither the
    /// others nor the certificate, which an authority from before goes on to sign meanwhile.
    pub(super) async fn step(&mut self) -> Result<(), Error> {
        let authorities = self.authorities().await?;
        let bundle = authorities.bundle();
        let mut put = Ok(());
        for target in &self.options.ca_bundles {
            let of_target = target.put(&self.client, &bundle).await;
            put = put.and(of_target);
        }
        self.bundle.send_if_modified(|present| {
            let differs = **present != *bundle;
            if differs {
                *present = bundle.into();
            }
            differs
        });
        let newest = authorities.current.certificate();
        let known = self.propagated.as_ref().filter(|(known, _)| known == newest).map(|(_, since)| *since);
        let since = known.or_else(|| put.is_ok().then(Instant::now));
        if let Some(since) = since {
            self.propagated = Some((newest.clone(), since));
        }
        let is_propagated = since.is_some_and(|since| since.elapsed() >= self.options.propagation);
        let signer = match &authorities.previous {
            Some(previous) if !is_propagated => previous,
            _ => &authorities.current,
        };
        self.sign(signer)?;
        put
    }

    /// Signs a certificate, unless the present one is of this authority and valid for long enough.
    fn sign(&mut self, signer: &CertificateAuthority) -> Result<(), Error> {
        let max_age = self.options.certificate_max_age.min(left(signer.certificate()));
        let present = self.certificate.borrow().clone();
        let is_good = present.is_some_and(|present| left(&present) >= max_age / 3);
        if is_good && self.signer.as_ref() == Some(signer.certificate()) {
            return Ok(());
        }
        let hosts: Vec<&str> = self.options.hosts.iter().map(String::as_str).collect();
        let certificate = signer.serving_certificate(&hosts, max_age).map_err(|error| {
            Error::caused(ErrorKind::Certificate, "the certificate of the server of webhooks", error)
        })?;
        tracing::debug!(not_after = %certificate.not_after(), "a certificate for webhooks was signed");
        self.signer = Some(signer.certificate().clone());
        self.certificate.send_replace(Some(certificate));
        Ok(())
    }

    /// The authorities in the Secret. The first is made, and the next ahead of the expiry, by whichever replica is the first to
    /// write it.
    async fn authorities(&self) -> Result<Authorities, Error> {
        let max_age = self.options.authority_max_age;
        let (namespace, name) = (&self.namespace, &self.options.secret);
        let of_secret = || format!("Secret {namespace}/{name}");
        let not_made = |error| Error::caused(ErrorKind::Certificate, of_secret(), error);
        let failed = |error: ClientError| Error::caused(ErrorKind::Request, of_secret(), error);
        let secrets = self.client.api::<Secret>().namespace(namespace);
        let mut attempt = 1;
        loop {
            let written = match secrets.get_opt(name).await.map_err(failed)? {
                None => {
                    let authorities = Authorities::new(max_age).map_err(not_made)?;
                    let secret = Secret {
                        metadata: ObjectMeta::named(name.clone()),
                        data: authorities.data(),
                        ..Default::default()
                    };
                    secrets.create(&secret).await.map(|_| authorities)
                }
                Some(mut secret) => {
                    let authorities = match Authorities::read(&secret).map_err(not_made)? {
                        None => Authorities::new(max_age).map_err(not_made)?,
                        Some(authorities) if left(authorities.current.certificate()) >= max_age / 3 => {
                            return Ok(authorities);
                        }
                        Some(authorities) => authorities.next(max_age).map_err(not_made)?,
                    };
                    secret.data = authorities.data();
                    secrets.update(&secret).await.map(|_| authorities)
                }
            };
            match written {
                Ok(authorities) => {
                    tracing::info!("an authority of webhooks was made in {}", of_secret());
                    return Ok(authorities);
                }
                // Another replica was faster.
                Err(error)
                    if (error.is_conflict() || error.is_already_exists() || error.is_not_found())
                        && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }
}
