//! [`Tls`], the certificate of a server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use klient_certificate::Certificate;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::{Mutex, watch};
use tokio_rustls::TlsAcceptor;

use crate::error::{Error, ErrorKind};

/// The time between two looks at files.
const INTERVAL: Duration = Duration::from_secs(1);

/// The certificate of a [`Server`](super::Server). Connections that begin after a change have the new one.
#[derive(Clone)]
pub struct Tls(Source);

#[derive(Clone)]
enum Source {
    Certificate(Certificate),
    Files { certificate: PathBuf, key: PathBuf },
    Watch(watch::Receiver<Option<Certificate>>),
}

impl Tls {
    /// A certificate that does not change.
    pub fn certificate(certificate: Certificate) -> Self {
        Tls(Source::Certificate(certificate))
    }

    /// Files in PEM, such as `tls.crt` and `tls.key` of a mounted Secret. They are read again when connections are opened, at
    /// most once in a second. While they cannot be used, the server goes on with the certificate from before.
    pub fn files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Tls(Source::Files { certificate: certificate.into(), key: key.into() })
    }

    /// The last certificate of a channel, such as that of
    /// [`CertificateManager::subscribe`](klient_certificate::CertificateManager::subscribe). Without one, handshakes fail.
    pub fn watch(certificates: watch::Receiver<Option<Certificate>>) -> Self {
        Tls(Source::Watch(certificates))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Certificate(certificate) => write!(f, "Tls({certificate:?})"),
            Source::Files { certificate, .. } => write!(f, "Tls({})", certificate.display()),
            Source::Watch(certificates) => write!(f, "Tls({:?})", certificates.borrow()),
        }
    }
}

/// The TLS settings of new connections.
pub(super) struct TlsSettings {
    source: Source,
    current: Mutex<Current>,
}

struct Current {
    /// The certificate in use, and the settings with it.
    used: Option<(Certificate, TlsAcceptor)>,
    /// The time of the last look at files.
    looked: Instant,
    /// The last problem of files, which is logged once.
    problem: Option<String>,
}

impl TlsSettings {
    /// # Errors
    ///
    /// If files cannot be read, or are no certificate with its key.
    pub(super) async fn new(tls: Tls) -> Result<Self, Error> {
        let source = tls.0;
        let mut current = Current { used: None, looked: Instant::now(), problem: None };
        match &source {
            Source::Certificate(certificate) => current.set(certificate.clone())?,
            Source::Files { certificate, key } => current.set(read(certificate, key).await?)?,
            Source::Watch(_) => {}
        }
        Ok(TlsSettings { source, current: Mutex::new(current) })
    }

    /// The settings for a new connection; `None` if there is no certificate yet.
    pub(super) async fn acceptor(&self) -> Option<TlsAcceptor> {
        let mut current = self.current.lock().await;
        match &self.source {
            Source::Certificate(_) => {}
            Source::Files { certificate, key } if current.looked.elapsed() >= INTERVAL => {
                let read = read(certificate, key).await;
                current.looked = Instant::now();
                current.replace(read);
            }
            Source::Files { .. } => {}
            Source::Watch(certificates) => {
                let certificate = certificates.borrow().clone();
                if let Some(certificate) = certificate {
                    current.replace(Ok(certificate));
                }
            }
        }
        current.used.as_ref().map(|(_, acceptor)| acceptor.clone())
    }
}

impl Current {
    fn set(&mut self, certificate: Certificate) -> Result<(), Error> {
        let config = server_config(&certificate)
            .map_err(|error| Error::caused(ErrorKind::Certificate, "the certificate of the server", error))?;
        self.used = Some((certificate, TlsAcceptor::from(Arc::new(config))));
        Ok(())
    }

    /// Takes another certificate, or keeps the present one.
    fn replace(&mut self, certificate: Result<Certificate, Error>) {
        let replaced = match certificate {
            Ok(new) if self.used.as_ref().is_some_and(|(present, _)| *present == new) => Ok(()),
            Ok(certificate) => self.set(certificate),
            Err(error) => Err(error),
        };
        let problem = replaced.err().map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|problem| self.problem.as_ref() != Some(problem)) {
            tracing::warn!("the server of webhooks goes on with its present certificate: {problem}");
        }
        self.problem = problem;
    }
}

/// Reads a certificate and its key from files.
async fn read(certificate: &Path, key: &Path) -> Result<Certificate, Error> {
    let failed = |path: &Path, error| {
        Error::caused(ErrorKind::Certificate, format!("cannot read {}", path.display()), error)
    };
    let bytes = async |path: &Path| {
        let file = path.to_owned();
        let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
        read.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(|error| failed(path, error))
    };
    let (certificate_pem, key_pem) = (bytes(certificate).await?, bytes(key).await?);
    Certificate::from_pem(certificate_pem, key_pem).map_err(|error| {
        let files = format!("{} and {}", certificate.display(), key.display());
        Error::caused(ErrorKind::Certificate, files, error)
    })
}

fn server_config(certificate: &Certificate) -> Result<ServerConfig, rustls::Error> {
    let pem = certificate.certificate_pem().as_bytes();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    // The error may quote the key.
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem().as_bytes())
        .map_err(|_| rustls::Error::General("the private key cannot be read".to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
