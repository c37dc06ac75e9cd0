//! [`Pem`], certificates or a key.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

/// Certificates or a key in PEM, or the file or the channel that they come from.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Source);

#[derive(Clone)]
enum Source {
    Bytes(Arc<[u8]>),
    File(PathBuf),
    Watch(watch::Receiver<Arc<[u8]>>),
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Source::Bytes(bytes), Source::Bytes(others)) => bytes == others,
            (Source::File(path), Source::File(other)) => path == other,
            (Source::Watch(receiver), Source::Watch(other)) => receiver.same_channel(other),
            _ => false,
        }
    }
}

impl Eq for Source {}

impl Pem {
    /// A file, which is read when it is needed.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Pem(Source::File(path.into()))
    }

    /// The last value of a channel. Requests that follow a change use it; those in progress end with the value from
    /// before. A certificate and its key that change together are one value of one channel, in any order.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    /// use klient_client::{Client, ClientIdentity, Config, Credentials, Pem};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let identity = |user: &str| {
    ///     let identity = server.client_certificate(user, &["system:masters"])?;
    ///     Ok::<Arc<[u8]>, Box<dyn std::error::Error>>((identity.certificate_pem + &identity.key_pem).into_bytes().into())
    /// };
    /// let (sender, receiver) = tokio::sync::watch::channel(identity("ann")?);
    /// let pem = Pem::watch(receiver);
    /// let mut config = Config::from_kubeconfig(&server.kubeconfig())?;
    /// config.credentials = Credentials::None;
    /// config.tls.client = Some(ClientIdentity { certificate: pem.clone(), key: pem });
    /// let client = Client::new(config)?;
    /// client.discovery().version().await?;
    /// sender.send_replace(identity("bob")?);
    /// client.discovery().version().await?;
    /// # Ok(()) }
    /// ```
    pub fn watch(receiver: watch::Receiver<Arc<[u8]>>) -> Self {
        Pem(Source::Watch(receiver))
    }

    /// Replaces the path of a file.
    pub(crate) fn resolve(&mut self, path: impl FnOnce(&Path) -> PathBuf) {
        if let Source::File(file) = &mut self.0 {
            *file = path(file);
        }
    }

    /// Returns true for a file, whose contents may change.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.0, Source::File(_))
    }

    /// The last value of a channel; `None` if it is not from one.
    pub(crate) fn watched(&self) -> Option<Arc<[u8]>> {
        match &self.0 {
            Source::Watch(receiver) => Some(receiver.borrow().clone()),
            _ => None,
        }
    }

    /// The bytes. Files are read, which blocks.
    pub(crate) fn read(&self) -> io::Result<Arc<[u8]>> {
        match &self.0 {
            Source::Bytes(bytes) => Ok(bytes.clone()),
            Source::File(path) => Ok(std::fs::read(path)?.into()),
            Source::Watch(receiver) => Ok(receiver.borrow().clone()),
        }
    }

    /// The name of it in errors: `certificate authority PATH`.
    pub(crate) fn named(&self, what: &str) -> String {
        match &self.0 {
            Source::Bytes(_) | Source::Watch(_) => what.to_owned(),
            Source::File(path) => format!("{what} {}", path.display()),
        }
    }
}

impl<T: Into<Vec<u8>>> From<T> for Pem {
    fn from(bytes: T) -> Self {
        Pem(Source::Bytes(bytes.into().into()))
    }
}

/// Keys are secret.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Watch(receiver) => write!(f, "{} bytes of a channel", receiver.borrow().len()),
        }
    }
}
