//! [`Certificate`], a certificate and its private key.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::error::Error;
use crate::pem;

/// A certificate, those between it and its authority, and its private key. Clones share them.
#[derive(Clone)]
pub struct Certificate(Arc<Parts>);

struct Parts {
    certificate_pem: String,
    key_pem: String,
    common_name: String,
    organizations: Vec<String>,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    not_before: Time,
    not_after: Time,
    is_authority: bool,
    /// The DER of the names.
    subject: Vec<u8>,
    issuer: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate and its key from PEM, which may be the same text. The key is PKCS#8, PKCS#1 or SEC 1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Certificate`](crate::ErrorKind::Certificate) if one of them is missing, incomplete or no PEM, or if
    /// the key is not that of the certificate.
    pub fn from_pem(certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::parse(certificate.as_ref(), key.as_ref())
            .map_err(|problem| Error::certificate("certificate", problem))
    }

    pub(crate) fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        let certificates =
            pem::blocks(certificate).map_err(|problem| format!("the certificate: {problem}"))?;
        let certificates = certificates.into_iter().filter(|block| block.label == pem::CERTIFICATE);
        let certificate_pem: String = certificates.map(|block| block.text).collect();
        if certificate_pem.is_empty() {
            return Err("there is no certificate in the PEM text".to_owned());
        }
        let mut keys = pem::blocks(key).map_err(|problem| format!("the private key: {problem}"))?.into_iter();
        let key = keys.find(|block| block.label.ends_with("PRIVATE KEY"));
        let key_pem = key.ok_or("there is no private key in the PEM text")?.text;

        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| "the certificate is not base64")?;
        check_pair(&chain, &key_pem)?;
        let malformed = |error| format!("the certificate cannot be read: {error}");
        let leaf = chain.first().ok_or("there is no certificate in the PEM text")?;
        let (_, leaf) = parse_x509_certificate(leaf).map_err(malformed)?;
        Ok(Self::of(&leaf, certificate_pem, key_pem))
    }

    fn of(leaf: &X509Certificate<'_>, certificate_pem: String, key_pem: String) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let subject = leaf.subject();
        let names = leaf.subject_alternative_name().ok().flatten();
        let names = names.map_or(&[][..], |names| &names.value.general_names[..]);
        let dns_name = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        };
        let ip_address = |name: &GeneralName<'_>| match name {
            GeneralName::IPAddress(octets) => ip_address(octets),
            _ => None,
        };
        Certificate(Arc::new(Parts {
            // As Go, which takes the last one.
            common_name: subject
                .iter_common_name()
                .last()
                .map(|name| text(name.as_slice()))
                .unwrap_or_default(),
            organizations: subject.iter_organization().map(|name| text(name.as_slice())).collect(),
            dns_names: names.iter().filter_map(dns_name).collect(),
            ip_addresses: names.iter().filter_map(ip_address).collect(),
            not_before: Time::from_unix(leaf.validity().not_before.timestamp()),
            not_after: Time::from_unix(leaf.validity().not_after.timestamp()),
            is_authority: leaf.is_ca(),
            subject: subject.as_raw().to_vec(),
            issuer: leaf.issuer().as_raw().to_vec(),
            certificate_pem,
            key_pem,
        }))
    }

    /// Returns true for the certificate of an authority.
    pub(crate) fn is_authority(&self) -> bool {
        self.0.is_authority
    }

    /// Returns true if the issuer has the name of an authority.
    pub(crate) fn names_as_issuer(&self, authority: &Certificate) -> bool {
        self.0.issuer == authority.0.subject
    }

    /// The certificate and those between it and its authority, in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// The private key in PEM. It is secret.
    pub fn key_pem(&self) -> &str {
        &self.0.key_pem
    }

    /// The certificate and its key in one text, as a [`FileStore`](crate::FileStore) writes it. It is secret.
    pub fn to_pem(&self) -> String {
        [self.certificate_pem(), self.key_pem()].concat()
    }

    /// The common name: of a client, its user name.
    pub fn common_name(&self) -> &str {
        &self.0.common_name
    }

    /// The organizations: of a client, its groups.
    pub fn organizations(&self) -> &[String] {
        &self.0.organizations
    }

    /// The DNS names of a server.
    pub fn dns_names(&self) -> &[String] {
        &self.0.dns_names
    }

    /// The IP addresses of a server.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.0.ip_addresses
    }

    /// The time from which it is valid.
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The time until which it is valid.
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// Returns true if it is not valid any more.
    pub fn is_expired(&self) -> bool {
        self.0.not_after.unix() < Time::now().unix()
    }
}

/// The same certificate with the same key.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.certificate_pem == other.0.certificate_pem && self.0.key_pem == other.0.key_pem
    }
}

impl Eq for Certificate {}

/// The names and the expiry; the key is secret.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common_name = quoted(&self.0.common_name);
        write!(f, "Certificate({common_name}, until {})", self.0.not_after)
    }
}

/// Checks that a key is that of a certificate.
fn check_pair(chain: &[CertificateDer<'static>], key_pem: &str) -> Result<(), String> {
    // The parser may quote a part of the key.
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
        .map_err(|_| "the private key is no base64, or of an unknown form")?;
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain.to_vec(), key, &provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("the private key is not that of the certificate".to_owned())
        }
        Err(rustls::Error::InvalidCertificate(error)) => {
            Err(format!("the certificate cannot be read: {error}"))
        }
        Err(_) => {
            Err("the private key cannot be read, or is of an algorithm that is not supported".to_owned())
        }
    }
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(octets).map(IpAddr::from).ok())
}
