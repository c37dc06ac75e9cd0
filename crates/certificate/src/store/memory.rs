//! [`MemoryStore`], a certificate that ends with the program.

use std::sync::{Mutex, PoisonError};

use klient_apimachinery::BoxFuture;

use super::CertificateStore;
use crate::certificate::Certificate;
use crate::error::Error;

/// Keeps the certificate in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Option<Certificate>>);

impl MemoryStore {
    /// A store without a certificate.
    pub fn new() -> Self {
        Self::default()
    }
}

impl CertificateStore for MemoryStore {
    fn current(&self) -> BoxFuture<'_, Result<Option<Certificate>, Error>> {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { Ok(current) })
    }

    fn update(&self, certificate: Certificate) -> BoxFuture<'_, Result<(), Error>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
        Box::pin(async { Ok(()) })
    }
}
