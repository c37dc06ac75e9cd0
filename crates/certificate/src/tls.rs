//! [`Tls`], the certificate of a server, and [`TlsAcceptor`], its handshakes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Mutex, watch};

use crate::certificate::Certificate;
use crate::error::Error;

/// The time between two looks at files.
const INTERVAL: Duration = Duration::from_secs(1);

/// The certificate of a server. Connections that begin after a change have the new one.
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
    /// [`CertificateManager::subscribe`](crate::CertificateManager::subscribe). Without one, handshakes fail.
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

/// The TLS handshakes of a server, over HTTP/2 or HTTP/1.1.
pub struct TlsAcceptor {
    source: Source,
    current: Mutex<Current>,
}

struct Current {
    /// The certificate in use, and the settings with it.
    used: Option<(Certificate, tokio_rustls::TlsAcceptor)>,
    /// The time of the last look at files.
    looked: Instant,
    /// The last problem of files, which is logged once.
    problem: Option<String>,
}

impl TlsAcceptor {
    /// Reads the certificate, if it is in files.
    ///
    /// # Errors
    ///
    /// If files cannot be read, or are no certificate with its key.
    pub async fn new(tls: Tls) -> Result<Self, Error> {
        let source = tls.0;
        let mut current = Current { used: None, looked: Instant::now(), problem: None };
        match &source {
            Source::Certificate(certificate) => current.set(certificate.clone())?,
            Source::Files { certificate, key } => current.set(read(certificate, key).await?)?,
            Source::Watch(_) => {}
        }
        Ok(TlsAcceptor { source, current: Mutex::new(current) })
    }

    /// Takes the server's part in the handshake of a connection. There is no time limit.
    ///
    /// # Errors
    ///
    /// If the handshake fails, or there is no certificate yet.
    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let settings = self.settings().await;
        let settings = settings.ok_or_else(|| io::Error::other("there is no certificate yet"))?;
        settings.accept(stream).await.map(TlsStream)
    }

    /// The settings for a new connection; `None` if there is no certificate yet.
    async fn settings(&self) -> Option<tokio_rustls::TlsAcceptor> {
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
            .map_err(|error| Error::certificate("the certificate of the server", error))?;
        self.used = Some((certificate, Arc::new(config).into()));
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
            tracing::warn!("the server goes on with its present certificate: {problem}");
        }
        self.problem = problem;
    }
}

/// Reads a certificate and its key from files.
async fn read(certificate: &Path, key: &Path) -> Result<Certificate, Error> {
    let failed = |path: &Path, error| Error::certificate(format!("cannot read {}", path.display()), error);
    let bytes = async |path: &Path| {
        let file = path.to_owned();
        let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
        read.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| failed(path, error))
    };
    let (certificate_pem, key_pem) = (bytes(certificate).await?, bytes(key).await?);
    Certificate::from_pem(certificate_pem, key_pem).map_err(|error| {
        let files = format!("{} and {}", certificate.display(), key.display());
        Error::certificate(files, error)
    })
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsAcceptor").field(&Tls(self.source.clone())).finish()
    }
}

/// A connection of a client over TLS.
#[derive(Debug)]
pub struct TlsStream<S>(tokio_rustls::server::TlsStream<S>);

impl<S> TlsStream<S> {
    /// Returns true if the client speaks HTTP/2, as was agreed in the handshake.
    pub fn is_http2(&self) -> bool {
        self.0.get_ref().1.alpn_protocol() == Some(b"h2")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
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
