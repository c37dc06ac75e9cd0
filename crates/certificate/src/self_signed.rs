//! [`CertificateAuthority`] and [`self_signed_certificate`]: serving certificates without a cluster.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use klient_apimachinery::go::quoted;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::certificate::Certificate;
use crate::error::Error;
use crate::template::CertificateTemplate;

/// The time before now from which certificates are valid, for clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(60 * 60);

/// A certificate authority of a program, such as that of a webhook: its certificate is the `caBundle` of the webhook's
/// configuration, and it signs the certificates of the servers.
///
/// ```
/// use std::time::Duration;
/// use klient_certificate::{Certificate, CertificateAuthority};
///
/// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// let authority = CertificateAuthority::new("webhook-ca", 3650 * DAY)?;
/// let serving = authority.serving_certificate(&["webhook.shop.svc", "10.0.0.1"], 90 * DAY)?;
/// assert_eq!(serving.dns_names(), ["webhook.shop.svc"]);
///
/// // It is kept, such as in a Secret, and read again.
/// let kept = authority.certificate().to_pem();
/// let authority = CertificateAuthority::from_certificate(Certificate::from_pem(&kept, &kept)?)?;
/// assert_eq!(authority.certificate().common_name(), "webhook-ca");
/// # Ok::<(), klient_certificate::Error>(())
/// ```
#[doc(alias = "NewSelfSignedCACert")]
pub struct CertificateAuthority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Creates an authority with a new key and a certificate signed by itself, which is valid for `max_age` from now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Certificate`](crate::ErrorKind::Certificate) if the system has no randomness.
    pub fn new(common_name: &str, max_age: Duration) -> Result<Self, Error> {
        let mut params = params(common_name, max_age);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(|error| failed(common_name, error))?;
        let certificate = params.self_signed(&key).map_err(|error| failed(common_name, error))?;
        Self::from_certificate(Certificate::from_pem(certificate.pem(), key.serialize_pem())?)
    }

    /// An authority that was made before, of its certificate and key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Certificate`](crate::ErrorKind::Certificate) if the certificate is not one of an authority, or its
    /// key is not PKCS#8.
    pub fn from_certificate(certificate: Certificate) -> Result<Self, Error> {
        let name = certificate.common_name();
        if !certificate.is_authority() {
            return Err(failed(name, "it is not the certificate of an authority"));
        }
        // The error may quote the key.
        let key = KeyPair::from_pem(certificate.key_pem()).map_err(|_| {
            failed(name, "the private key is of a form that cannot sign: convert it to PKCS#8, with `openssl pkcs8 -topk8 -nocrypt`")
        })?;
        let issuer = Issuer::from_ca_cert_pem(certificate.certificate_pem(), key);
        let issuer = issuer.map_err(|error| failed(name, error))?;
        Ok(CertificateAuthority { issuer, certificate })
    }

    /// The certificate of the authority, with its key.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues a certificate for a server with a new key: `hosts` are DNS names and IP addresses, of which the first is
    /// the common name too. The chain has the authority's certificate at its end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) if there is no host, or a DNS name is empty or not ASCII;
    /// [`Certificate`](crate::ErrorKind::Certificate) if the subject of the authority has an attribute several times.
    pub fn serving_certificate(&self, hosts: &[&str], max_age: Duration) -> Result<Certificate, Error> {
        let template = serving_template(hosts)?;
        let mut params = params(&template.common_name, max_age);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        for name in &template.dns_names {
            let ascii = name.as_str().try_into().map_err(|error: rcgen::Error| failed(name, error))?;
            params.subject_alt_names.push(SanType::DnsName(ascii));
        }
        params.subject_alt_names.extend(template.ip_addresses.iter().copied().map(SanType::IpAddress));
        let name = &template.common_name;
        let key = KeyPair::generate().map_err(|error| failed(name, error))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| failed(name, error))?;
        let chain = certificate.pem() + self.certificate.certificate_pem();
        let certificate = Certificate::from_pem(chain, key.serialize_pem())?;
        // An attribute of a subject that is there several times is written once.
        if !certificate.names_as_issuer(&self.certificate) {
            let problem =
                "the subject of the authority has an attribute several times, which cannot be signed with";
            return Err(failed(self.certificate.common_name(), problem));
        }
        Ok(certificate)
    }
}

/// The certificate; the key is secret.
impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CertificateAuthority").field(&self.certificate).finish()
    }
}

/// A serving certificate for DNS names and IP addresses, of an authority of its own: the second certificate of its chain,
/// which clients are to trust (client-go's `GenerateSelfSignedCertKey`). Nothing else is signed by that authority, whose
/// key is dropped.
///
/// ```
/// let certificate = klient_certificate::self_signed_certificate(&["localhost", "127.0.0.1"], std::time::Duration::from_secs(3600))?;
/// assert_eq!(certificate.certificate_pem().matches("BEGIN CERTIFICATE").count(), 2);
/// # Ok::<(), klient_certificate::Error>(())
/// ```
///
/// # Errors
///
/// As [`CertificateAuthority::serving_certificate`].
#[doc(alias = "GenerateSelfSignedCertKey")]
pub fn self_signed_certificate(hosts: &[&str], max_age: Duration) -> Result<Certificate, Error> {
    let name = serving_template(hosts)?.common_name;
    CertificateAuthority::new(&format!("{name}-ca"), max_age)?.serving_certificate(hosts, max_age)
}

/// The names of a serving certificate.
fn serving_template(hosts: &[&str]) -> Result<CertificateTemplate, Error> {
    let Some(first) = hosts.first() else {
        return Err(Error::template(
            "a serving certificate without a host: give a DNS name or an IP address",
        ));
    };
    let mut template = CertificateTemplate { common_name: (*first).to_owned(), ..Default::default() };
    for host in hosts {
        match host.parse::<IpAddr>() {
            Ok(address) => template.ip_addresses.push(address),
            Err(_) => template.dns_names.push((*host).to_owned()),
        }
    }
    template.check()?;
    Ok(template)
}

/// The parameters that all certificates have: the common name, and the validity from an hour ago on.
fn params(common_name: &str, max_age: Duration) -> CertificateParams {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // The last second that a certificate can name is in the year 9999.
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = epoch + now.saturating_sub(BACKDATE);
    params.not_after = epoch + now.saturating_add(max_age).min(LAST);
    params.use_authority_key_identifier_extension = true;
    params
}

fn failed(name: &str, error: impl Into<klient_client::BoxError>) -> Error {
    Error::certificate(format!("certificate {}", quoted(name)), error)
}
