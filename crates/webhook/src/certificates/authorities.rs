//! [`Authorities`], the certificate authorities in a Secret.

use std::time::Duration;

use klient_api::core::v1::Secret;
use klient_apimachinery::{ByteString, Map, Time};
use klient_certificate::{Certificate, CertificateAuthority, Error};

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const PREVIOUS_CERTIFICATE: &str = "previous-ca.crt";
const PREVIOUS_KEY: &str = "previous-ca.key";

/// The present authority, and the one before it, whose certificates may be in use.
pub(super) struct Authorities {
    pub(super) current: CertificateAuthority,
    /// `None` if there is none, or if it has expired.
    pub(super) previous: Option<CertificateAuthority>,
}

impl Authorities {
    pub(super) fn new(max_age: Duration) -> Result<Self, Error> {
        Ok(Authorities { current: CertificateAuthority::new("webhook-ca", max_age)?, previous: None })
    }

    /// Reads the authorities of a Secret; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// If the Secret has something else.
    pub(super) fn read(secret: &Secret) -> Result<Option<Self>, Error> {
        if secret.data.is_empty() {
            return Ok(None);
        }
        let authority = |certificate, key| {
            let pair = Certificate::from_pem(bytes(secret, certificate), bytes(secret, key))?;
            CertificateAuthority::from_certificate(pair)
        };
        let current = authority(CERTIFICATE, KEY)?;
        let previous = match secret.data.get(PREVIOUS_CERTIFICATE) {
            Some(_) => Some(authority(PREVIOUS_CERTIFICATE, PREVIOUS_KEY)?),
            None => None,
        };
        let previous = previous.filter(|previous| !previous.certificate().is_expired());
        Ok(Some(Authorities { current, previous }))
    }

    /// The data of the Secret.
    pub(super) fn data(&self) -> Map<ByteString> {
        let mut data = Map::default();
        let mut insert = |authority: &CertificateAuthority, certificate, key| {
            let pair = authority.certificate();
            data.insert(certificate, ByteString::from(pair.certificate_pem()));
            data.insert(key, ByteString::from(pair.key_pem()));
        };
        insert(&self.current, CERTIFICATE, KEY);
        if let Some(previous) = &self.previous {
            insert(previous, PREVIOUS_CERTIFICATE, PREVIOUS_KEY);
        }
        data
    }

    /// A new authority, with the present one as the previous.
    pub(super) fn next(self, max_age: Duration) -> Result<Self, Error> {
        let previous = Some(self.current).filter(|previous| !previous.certificate().is_expired());
        Ok(Authorities { previous, ..Self::new(max_age)? })
    }

    /// The certificates of all, in PEM.
    pub(super) fn bundle(&self) -> String {
        let all = std::iter::once(&self.current).chain(&self.previous);
        all.map(|authority| authority.certificate().certificate_pem()).collect()
    }
}

fn bytes<'a>(secret: &'a Secret, key: &str) -> &'a [u8] {
    secret.data.get(key).map(AsRef::as_ref).unwrap_or_default()
}

/// The time for which a certificate is valid.
pub(super) fn left(certificate: &Certificate) -> Duration {
    let seconds = certificate.not_after().unix() - Time::now().unix();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
