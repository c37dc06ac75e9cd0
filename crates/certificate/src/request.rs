//! [`CertificateRequest`], one certificate from a signer.

use std::time::Duration;

use klient_api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use klient_apimachinery::fields::Selector;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_cache::{Event, Informer, InformerOptions, ReflectorOptions, until_with_sync};
use klient_client::Client;
use rcgen::KeyPair;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::pkcs10;
use crate::signers;
use crate::template::CertificateTemplate;

/// A certificate to be requested from a signer of the cluster, by a CertificateSigningRequest.
///
/// ```
/// use std::time::Duration;
/// use klient_certificate::{CertificateRequest, CertificateTemplate, signers};
///
/// let serving = CertificateRequest {
///     signer_name: signers::KUBELET_SERVING.into(),
///     template: CertificateTemplate {
///         common_name: "system:node:n1".into(),
///         organizations: vec!["system:nodes".into()],
///         dns_names: vec!["n1.example.com".into()],
///         ip_addresses: vec![[10, 0, 0, 1].into()],
///     },
///     duration: Some(Duration::from_secs(24 * 60 * 60)),
///     ..Default::default()
/// };
/// # assert!(serving.usages.is_empty());
/// ```
#[doc(alias = "RequestCertificate")]
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    /// The signer, such as those of [`signers`].
    pub signer_name: String,
    /// The usages of the key, such as `client auth`; by default those that a signer of `kubernetes.io` requires.
    pub usages: Vec<String>,
    /// The names of the certificate.
    pub template: CertificateTemplate,
    /// The requested lifetime, in seconds at least 600; by default the signer's, which may issue another one than is
    /// requested.
    pub duration: Option<Duration>,
    /// The time limit of the approval and the signature; 15 minutes by default.
    pub approval_timeout: Duration,
}

impl Default for CertificateRequest {
    fn default() -> Self {
        CertificateRequest {
            signer_name: String::new(),
            usages: Vec::new(),
            template: CertificateTemplate::default(),
            duration: None,
            approval_timeout: Duration::from_secs(15 * 60),
        }
    }
}

impl CertificateRequest {
    /// Creates a key and a CertificateSigningRequest, and waits for the certificate.
    ///
    /// The key is for ECDSA with the curve P-256, and does not leave the program. The name of the
    /// CertificateSigningRequest begins with `csr-`. If the future is dropped, the request stays in the cluster.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) if the server refuses the request or cannot be reached,
    /// [`Denied`](crate::ErrorKind::Denied), [`Failed`](crate::ErrorKind::Failed),
    /// [`Deleted`](crate::ErrorKind::Deleted) and [`Timeout`](crate::ErrorKind::Timeout) if no certificate is issued,
    /// [`Template`](crate::ErrorKind::Template) if the usages or names cannot be used.
    pub async fn send(&self, client: &Client) -> Result<Certificate, Error> {
        let usages = self.check()?;
        let failed = |error: rcgen::Error| Error::certificate("a new private key", error);
        let key = KeyPair::generate().map_err(failed)?;
        let pkcs10 = pkcs10::request(&self.template, &key).map_err(failed)?;
        let pending = self.create(client, usages, pkcs10).await?;
        tracing::debug!(signer = self.signer_name, request = pending.name, "requested a certificate");
        let pem = pending.wait(client, self.approval_timeout).await?;
        Certificate::parse(&pem, key.serialize_pem().as_bytes()).map_err(|problem| {
            Error::certificate(format!("the certificate of {}", pending.described()), problem)
        })
    }

    /// Checks the names and usages, and returns the latter.
    pub(crate) fn check(&self) -> Result<Vec<&str>, Error> {
        self.template.check()?;
        if self.signer_name.is_empty() {
            return Err(Error::template("a request for a certificate without a signer: set `signer_name`"));
        }
        if !self.usages.is_empty() {
            return Ok(self.usages.iter().map(String::as_str).collect());
        }
        signers::default_usages(&self.signer_name).map(Vec::from).ok_or_else(|| {
            let signer = quoted(&self.signer_name);
            Error::template(format!(
                "the usages of certificates of signer {signer} are not known: set `usages`"
            ))
        })
    }

    async fn create(&self, client: &Client, usages: Vec<&str>, pkcs10: String) -> Result<Pending<'_>, Error> {
        let request = CertificateSigningRequest {
            metadata: ObjectMeta { generate_name: Some("csr-".into()), ..Default::default() },
            spec: CertificateSigningRequestSpec {
                request: pkcs10.into(),
                signer_name: self.signer_name.as_str().into(),
                expiration_seconds: self.duration.map(|time| time.as_secs().try_into().unwrap_or(i32::MAX)),
                usages: usages.into_iter().map(Into::into).collect(),
                ..Default::default()
            },
            ..Default::default()
        };
        let created = client.api::<CertificateSigningRequest>().create(&request).await.map_err(|error| {
            let signer = quoted(&self.signer_name);
            Error::request(format!("cannot request a certificate from signer {signer}"), error)
        })?;
        Ok(Pending {
            name: created.metadata.name.unwrap_or_default().to_string(),
            uid: created.metadata.uid.unwrap_or_default().to_string(),
            signer_name: &self.signer_name,
        })
    }
}

/// A CertificateSigningRequest without a certificate.
struct Pending<'a> {
    name: String,
    uid: String,
    signer_name: &'a str,
}

/// The state of a CertificateSigningRequest that has come to an end.
type Outcome = Result<Vec<u8>, Error>;

impl Pending<'_> {
    fn described(&self) -> String {
        format!("CertificateSigningRequest {} to signer {}", quoted(&self.name), quoted(self.signer_name))
    }

    /// Waits for the certificate, through losses of the connection.
    async fn wait(&self, client: &Client, limit: Duration) -> Outcome {
        let reflector = ReflectorOptions {
            field_selector: Some(Selector::one("metadata.name", &self.name).to_string().into()),
            ..Default::default()
        };
        let options = InformerOptions { reflector, ..Default::default() };
        let informer = Informer::new(client.api::<CertificateSigningRequest>(), options);
        let (mut outcome, mut is_approved) = (None, false);
        let condition = |event: &Event<CertificateSigningRequest>| {
            outcome = match (event, event.object()) {
                (Event::Deleted(_), _) => Some(Err(Error::deleted(&self.described()))),
                (_, Some(request)) => self.outcome(request, &mut is_approved),
                (_, None) => None,
            };
            Ok(outcome.is_some())
        };
        // A request that was deleted before the first list has no event.
        let is_gone = |store: &klient_cache::Store<_>| Ok(store.is_empty());
        let waiting = tokio::time::timeout(limit, until_with_sync(informer, is_gone, condition)).await;
        match (outcome, waiting) {
            (Some(outcome), _) => outcome,
            (None, Ok(Ok(_))) => Err(Error::deleted(&self.described())),
            (None, Ok(Err(error))) => Err(Error::request(self.described(), error)),
            (None, Err(_)) if is_approved => Err(Error::not_signed(&self.described(), limit)),
            (None, Err(_)) => Err(Error::not_approved(&self.described(), &self.name, limit)),
        }
    }

    /// The outcome of a request, if it has one.
    fn outcome(&self, request: &CertificateSigningRequest, is_approved: &mut bool) -> Option<Outcome> {
        if request.metadata.uid.as_deref() != Some(&self.uid) {
            return Some(Err(Error::deleted(&self.described())));
        }
        for condition in &request.status.conditions {
            let reason = condition.reason.as_deref().unwrap_or_default();
            let message = condition.message.as_deref().unwrap_or_default();
            match &*condition.type_ {
                "Denied" => return Some(Err(Error::denied(&self.described(), reason, message))),
                "Failed" => return Some(Err(Error::failed(&self.described(), reason, message))),
                "Approved" => *is_approved = true,
                _ => {}
            }
        }
        let certificate = request.status.certificate.as_ref().filter(|pem| !pem.0.is_empty() && *is_approved);
        certificate.map(|pem| Ok(pem.0.clone()))
    }
}
