//! The server's certificates, and its own certificate authority.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use klient_apimachinery::Time;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use ring::digest;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::parse_x509_certificate;

use crate::auth::User;
use crate::certificates::{Subject, Template, Usages, distinguished_name, to_pem};

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

    /// Signs a certificate, and returns it as PEM.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub(crate) fn sign(&self, template: &Template) -> Result<String, TlsError> {
        let (_, own) = parse_x509_certificate(&self.der)?;
        Ok(to_pem(&template.sign(own.subject().as_raw(), self.issuer.key())?))
    }

    /// A client certificate, for authentication.
    pub(crate) fn sign_client(&self, user: &str, groups: &[String]) -> Result<ClientCertificate, TlsError> {
        const DAY: i64 = 24 * 60 * 60;
        let (key, now) = (KeyPair::generate()?, Time::now().unix());
        let template = Template {
            subject: distinguished_name(user, groups),
            public_key: key.subject_public_key_info(),
            not_before: Time::from_unix(now - DAY),
            not_after: Time::from_unix(now + 3650 * DAY),
            usages: Usages::of(&["digital signature", "client auth"]),
            alt_names: Vec::new(),
        };
        Ok(ClientCertificate { certificate_pem: self.sign(&template)?, key_pem: key.serialize_pem() })
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

/// The user of a verified client certificate: its common name, with its organizations as groups. `None` if it has no
/// name, or more than one UID.
pub(crate) fn user_of(certificate: &CertificateDer<'_>) -> Option<User> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    let Subject { common_name, organizations, uids } = Subject::of(parsed.subject());
    let uid = match &uids[..] {
        [] => String::new(),
        [uid] if !uid.is_empty() => uid.clone(),
        _ => return None,
    };
    if common_name.is_empty() {
        return None;
    }
    let hash = digest::digest(&digest::SHA256, certificate);
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let user = User { uid, ..User::new(&common_name, &organizations) };
    Some(user.with_credential_id(format!("X509SHA256={hash}")))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn a_certificate_says_who_it_belongs_to() {
        let authority = Authority::new().unwrap();
        let groups: Vec<String> = (0..300).map(|group| format!("group {group}")).collect();
        let signed = authority.sign_client("ann", &groups).unwrap();
        let der = CertificateDer::from_pem_slice(signed.certificate_pem.as_bytes()).unwrap();
        let user = user_of(&der).unwrap();
        assert_eq!((user.name.as_str(), &user.groups[..300]), ("ann", &groups[..]));
        let [id] = &user.extra["authentication.kubernetes.io/credential-id"][..] else { panic!("{user:?}") };
        assert!(id.starts_with("X509SHA256="), "{id}");
        assert_eq!(user_of(&CertificateDer::from(der[..40].to_vec())), None);
    }
}
