//! [`CertificateStore`], the place where a manager keeps its certificate.

mod file;
mod memory;

use klient_apimachinery::BoxFuture;

pub use file::FileStore;
pub use memory::MemoryStore;

use crate::certificate::Certificate;
use crate::error::Error;

/// The place where a [`CertificateManager`](crate::CertificateManager) keeps its certificate, so that a program that
/// starts again does not request another. A store of your own can be an object of the cluster, such as a Secret.
#[doc(alias = "Store")]
pub trait CertificateStore: Send + Sync + 'static {
    /// Reads the current certificate; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// [`Error::store`] if it cannot be read or used. A manager does not start then, so that it does not replace what
    /// might be repaired.
    fn current(&self) -> BoxFuture<'_, Result<Option<Certificate>, Error>>;

    /// Makes a certificate the current one.
    ///
    /// # Errors
    ///
    /// [`Error::store`] if it cannot be written. The manager goes on with the one from before, and tries again with a
    /// new request.
    fn update(&self, certificate: Certificate) -> BoxFuture<'_, Result<(), Error>>;
}
