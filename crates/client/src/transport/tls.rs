//! TLS settings: trusted authorities and client certificates, from files that change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::BoxError;
use crate::config::{ClientIdentity, HttpVersion, Pem, Tls};
use crate::error::{Error, Problem};

/// The cryptography is named, never the process's default: other crates may have set that, or set none.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS settings as they are used: files are read again before each connection.
///
/// A session is resumed only with the settings it was made with, so that one does not outlive the certificate that it
/// was made with.
pub(super) struct TlsSettings {
    tls: Tls,
    http: HttpVersion,
    current: Mutex<(PemFiles, Arc<ClientConfig>)>,
}

/// The bytes of authorities, client certificate and key.
#[derive(Clone, PartialEq, Eq)]
struct PemFiles {
    ca: Option<Arc<[u8]>>,
    /// Certificate and key.
    client: Option<[Arc<[u8]>; 2]>,
}

impl PemFiles {
    fn read(tls: &Tls) -> Result<Self, Error> {
        let read = |pem: &Pem, what: &str| pem.read().map_err(|error| Error::config(pem.named(what), error));
        let client = |client: &ClientIdentity| {
            Ok::<_, Error>([
                read(&client.certificate, "client certificate")?,
                read(&client.key, "client key")?,
            ])
        };
        Ok(PemFiles {
            ca: tls.ca.as_ref().map(|pem| read(pem, "certificate authority")).transpose()?,
            client: tls.client.as_ref().map(client).transpose()?,
        })
    }
}

impl TlsSettings {
    pub(super) fn new(tls: &Tls, http: HttpVersion) -> Result<Self, Error> {
        let files = PemFiles::read(tls)?;
        let config = Arc::new(client_config(tls, http, &files)?);
        Ok(TlsSettings { tls: tls.clone(), http, current: Mutex::new((files, config)) })
    }

    /// The settings for the next connection.
    pub(super) async fn current(self: &Arc<Self>) -> Arc<ClientConfig> {
        let client = self.tls.client.iter().flat_map(|client| [&client.certificate, &client.key]);
        if client.chain(&self.tls.ca).any(Pem::is_file) {
            let settings = self.clone();
            // Reading blocks.
            let reloaded = tokio::task::spawn_blocking(move || settings.reload()).await;
            if let Ok(Err(error)) = reloaded {
                tracing::warn!("{error}; the certificates from before are used");
            }
        }
        self.lock().1.clone()
    }

    fn reload(&self) -> Result<(), Error> {
        let files = PemFiles::read(&self.tls)?;
        if self.lock().0 != files {
            let config = Arc::new(client_config(&self.tls, self.http, &files)?);
            *self.lock() = (files, config);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, (PemFiles, Arc<ClientConfig>)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client_config(tls: &Tls, http: HttpVersion, files: &PemFiles) -> Result<ClientConfig, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("TLS", error))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(NoCertificateVerification(provider)))
    } else {
        builder.with_root_certificates(roots(tls, files)?)
    };
    let mut config = match (&tls.client, &files.client) {
        (Some(identity), Some([certificate_pem, key_pem])) => {
            let what = identity.certificate.named("client certificate");
            let chain = certificates(certificate_pem).map_err(|problem| Error::config(&*what, problem))?;
            let key =
                key(key_pem).map_err(|problem| Error::config(identity.key.named("client key"), problem))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| Error::config(what, error))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = match http {
        HttpVersion::Negotiate => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http11 => vec![b"http/1.1".to_vec()],
    };
    Ok(config)
}

fn roots(tls: &Tls, files: &PemFiles) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match &files.ca {
        Some(pem) => {
            let what = || tls.ca.as_ref().map_or_else(String::new, |pem| pem.named("certificate authority"));
            let refuse = |problem| Error::config(what(), problem);
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

/// Checks that PEM data contains certificates.
pub(crate) fn check_certificates(pem: &[u8]) -> Result<(), BoxError> {
    certificates(pem).map(drop)
}

/// Checks that PEM data contains a private key.
pub(crate) fn check_key(pem: &[u8]) -> Result<(), BoxError> {
    key(pem).map(drop)
}

/// Accepts any certificate, but checks that the server holds its key.
#[derive(Debug)]
struct NoCertificateVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoCertificateVerification {
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
