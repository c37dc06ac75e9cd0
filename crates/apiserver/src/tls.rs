//! The server's certificates, and its own certificate authority.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::auth::User;

/// The DNS names of a Kubernetes API server inside its cluster.
const NAMES: [&str; 5] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// A certificate authority with the lifetime of its server.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate_pem: String,
    /// The private key.
    pub key_pem: String,
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// A failure to create certificates.
pub(crate) type TlsError = Box<dyn std::error::Error + Send + Sync>;

impl Authority {
    pub(crate) fn new() -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "klient-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Authority {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A client certificate, for authentication.
    pub(crate) fn sign_client(&self, user: &str, groups: &[String]) -> Result<ClientCertificate, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        // rcgen has one entry for each attribute type; an organization can be written as either of these two.
        let places = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        if groups.len() > places.len() {
            return Err(format!(
                "a certificate can name {} groups, not {}: use a token",
                places.len(),
                groups.len()
            )
            .into());
        }
        for (place, group) in places.into_iter().zip(groups) {
            params.distinguished_name.push(place, group.as_str());
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ClientCertificate { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// The server's TLS configuration: its own certificate, and verification of client certificates signed by this
    /// authority.
    pub(crate) fn server_config(&self, address: SocketAddr) -> Result<ServerConfig, TlsError> {
        let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
        let mut ips: Vec<IpAddr> = vec!["127.0.0.1".parse()?, "::1".parse()?, "10.0.0.1".parse()?];
        if !address.ip().is_unspecified() && !ips.contains(&address.ip()) {
            ips.push(address.ip());
        }
        params.subject_alt_names.extend(ips.into_iter().map(SanType::IpAddress));
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone())?;
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The user of a verified client certificate: its common name, with its organizations as groups.
pub(crate) fn user_of(certificate: &CertificateDer<'_>) -> Option<User> {
    let subject = Subject::read(certificate)?;
    Some(User::new(&subject.common_name, &subject.organizations))
}

/// The parts of a certificate's subject that identify a user.
#[derive(Default)]
struct Subject {
    common_name: String,
    organizations: Vec<String>,
}

/// One DER element: its tag and content.
type Element<'a> = (u8, &'a [u8]);

/// Takes the first element of DER.
fn element<'a>(der: &mut &'a [u8]) -> Option<Element<'a>> {
    let (&[tag, first], mut rest) = der.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (bytes, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
        length = bytes
            .iter()
            .try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(byte.into()))?;
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    *der = behind;
    Some((tag, content))
}

impl Subject {
    /// Reads RFC 5280's `tbsCertificate.subject`.
    fn read(certificate: &[u8]) -> Option<Subject> {
        const COMMON_NAME: &[u8] = &[0x55, 4, 3];
        const ORGANIZATION: &[u8] = &[0x55, 4, 10];
        const EXPLICIT_VERSION: u8 = 0xa0;
        let mut der = certificate;
        let (_, mut der) = element(&mut der)?;
        let (_, mut tbs) = element(&mut der)?;
        if tbs.first() == Some(&EXPLICIT_VERSION) {
            element(&mut tbs)?;
        }
        // Serial number, signature, issuer and validity precede the subject.
        for _ in 0..4 {
            element(&mut tbs)?;
        }
        let (_, mut names) = element(&mut tbs)?;
        let mut subject = Subject::default();
        while !names.is_empty() {
            let (_, mut set) = element(&mut names)?;
            let (_, mut pair) = element(&mut set)?;
            let (_, kind) = element(&mut pair)?;
            let (_, text) = element(&mut pair)?;
            let text = String::from_utf8_lossy(text).into_owned();
            match kind {
                COMMON_NAME => subject.common_name = text,
                ORGANIZATION => subject.organizations.push(text),
                _ => {}
            }
        }
        Some(subject)
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn a_certificate_says_who_it_belongs_to() {
        let authority = Authority::new().unwrap();
        let groups = ["system:masters".to_owned(), "devs".to_owned()];
        let signed = authority.sign_client("ann", &groups).unwrap();
        let der = CertificateDer::from_pem_slice(signed.certificate_pem.as_bytes()).unwrap();
        assert_eq!(user_of(&der), Some(User::new("ann", &groups)));
        assert_eq!(user_of(&CertificateDer::from(der[..40].to_vec())), None);
    }
}
