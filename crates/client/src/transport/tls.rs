//! Whom to believe, and how to prove who one is.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::BoxError;
use crate::config::{ClientIdentity, Tls};
use crate::error::{Error, Problem};

/// The cryptography is named, never the process's default: other crates may have set that, or set none.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(super) fn client_config(tls: &Tls) -> Result<ClientConfig, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("TLS", error))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(BelieveAnyone(provider)))
    } else {
        builder.with_root_certificates(roots(tls)?)
    };
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let ClientIdentity { certificate_pem, key_pem } = identity;
            let chain = certificates(certificate_pem)
                .map_err(|problem| Error::config("client certificate", problem))?;
            let key = key(key_pem).map_err(|problem| Error::config("client key", problem))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::config("client certificate", error))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(tls: &Tls) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match &tls.ca_pem {
        Some(pem) => {
            let refuse = |problem| Error::config("certificate authority", problem);
            for certificate in certificates(pem).map_err(refuse)? {
                roots.add(certificate).map_err(|error| refuse(error.into()))?;
            }
        }
        None => {
            let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            tracing::debug!(added, "trusting the system's certificate authorities");
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err(Problem("there is no certificate in the PEM text".to_owned()).into());
    }
    Ok(all)
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, BoxError> {
    // What the parser quotes may be of the key.
    let problem = |_| Problem("there is no private key in the PEM text".to_owned());
    Ok(PrivateKeyDer::from_pem_slice(pem).map_err(problem)?)
}

/// Whether PEM text holds certificates.
pub(crate) fn check_certificates(pem: &[u8]) -> Result<(), BoxError> {
    certificates(pem).map(drop)
}

/// Whether PEM text holds a private key.
pub(crate) fn check_key(pem: &[u8]) -> Result<(), BoxError> {
    key(pem).map(drop)
}

/// Believes any certificate, but not that its holder is another than who signs.
#[derive(Debug)]
struct BelieveAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for BelieveAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
