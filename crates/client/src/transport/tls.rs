//! TLS settings: trusted authorities and client certificates, from files that change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use klient_apimachinery::Time;
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::time::Instant;

use super::BoxError;
pub(crate) use super::validity::Validity;
use crate::auth::{Credentials, Identity};
use crate::config::{ClientIdentity, HttpVersion, Pem, Tls};
use crate::error::{Error, Problem};

/// The cryptography is named, never the process's default: other crates may have set that, or set none.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The interval in which files are read while connections are in use.
const RELOAD_INTERVAL: Duration = Duration::from_secs(60);

/// TLS settings as they are used: files are read again before each connection, and each minute while connections are in
/// use. The client certificate of a credential plugin or of a channel is taken as soon as there is one.
///
/// A session is resumed only with the settings it was made with, so that one does not outlive the certificate that it
/// was made with.
pub(super) struct TlsSettings {
    tls: Tls,
    credentials: Credentials,
    http: HttpVersion,
    /// The files as they were last read, and the settings of the last that could be used. Without files the settings
    /// trust nobody, and are made at the first connection.
    current: Mutex<(Option<PemFiles>, Arc<ClientConfig>)>,
    /// The number of changes of the files.
    generation: AtomicU64,
    created: Instant,
    /// The time at which the files are next read while connections are in use, in milliseconds after `created`.
    next_reload: AtomicU64,
}

/// The bytes of authorities, client certificate and key.
#[derive(Clone, PartialEq, Eq)]
struct PemFiles {
    ca: Option<Arc<[u8]>>,
    client: Option<Identity>,
}

impl PemFiles {
    fn read(tls: &Tls, credentials: &Credentials) -> Result<Self, Error> {
        let read = |pem: &Pem, what: &str| pem.read().map_err(|error| Error::config(pem.named(what), error));
        let client = |client: &ClientIdentity| {
            let certificate = read(&client.certificate, "client certificate")?;
            // A file or channel with both is read once, since it may change meanwhile.
            let is_same = client.key == client.certificate;
            let key = if is_same { certificate.clone() } else { read(&client.key, "client key")? };
            Ok::<_, Error>([certificate, key])
        };
        let client = tls.client.as_ref().map(client).transpose()?;
        Ok(PemFiles {
            ca: tls.ca.as_ref().map(|pem| read(pem, "certificate authority")).transpose()?,
            client: client.or_else(|| credentials.identity()),
        })
    }
}

impl TlsSettings {
    /// The settings of a client. `is_plain` is true for a server without TLS: the system's authorities, which take
    /// milliseconds to read, are then read only if a request goes to another server.
    ///
    /// # Errors
    ///
    /// If a certificate or key cannot be used.
    pub(super) fn new(
        tls: &Tls,
        credentials: &Credentials,
        http: HttpVersion,
        is_plain: bool,
    ) -> Result<Self, Error> {
        let files = PemFiles::read(tls, credentials)?;
        let is_deferred = is_plain && files.ca.is_none();
        let config = client_config(tls, http, &files, || match is_deferred {
            true => Ok(RootCertStore::empty()),
            false => roots(tls, &files),
        });
        let config = Arc::new(config?);
        let files = (!is_deferred).then_some(files);
        Ok(TlsSettings {
            tls: tls.clone(),
            credentials: credentials.clone(),
            http,
            current: Mutex::new((files, config)),
            generation: AtomicU64::new(0),
            created: Instant::now(),
            next_reload: AtomicU64::new(millis(RELOAD_INTERVAL)),
        })
    }

    /// The number of changes so far. Connections of an earlier generation have certificates that were replaced.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Reads the files again in the background, if a minute has passed since the last time. It must be called on a
    /// runtime.
    pub(super) fn reload_if_due(self: &Arc<Self>) {
        if self.has_other_identity() || self.has_other_watched() {
            // The request that follows needs it.
            self.reload();
        }
        if !self.has_files() {
            return;
        }
        let (now, next) = (millis(self.created.elapsed()), self.next_reload.load(Ordering::Relaxed));
        let later = now + millis(RELOAD_INTERVAL);
        let is_due = now >= next;
        if is_due
            && self.next_reload.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            let settings = self.clone();
            tokio::task::spawn_blocking(move || settings.reload());
        }
    }

    fn has_files(&self) -> bool {
        let client = self.tls.client.iter().flat_map(|client| [&client.certificate, &client.key]);
        client.chain(&self.tls.ca).any(Pem::is_file)
    }

    /// Returns true if the plugin has given another client certificate.
    fn has_other_identity(&self) -> bool {
        let is_plugin = matches!(self.credentials, Credentials::Exec(_));
        is_plugin
            && self.tls.client.is_none()
            && self.credentials.identity() != self.lock().0.as_ref().and_then(|files| files.client.clone())
    }

    /// Returns true if a channel has given other bytes.
    fn has_other_watched(&self) -> bool {
        let Tls { ca, client, .. } = &self.tls;
        let is_other = |pem: &Pem, used: fn(&PemFiles) -> Option<&Arc<[u8]>>| {
            pem.watched().is_some_and(|watched| self.lock().0.as_ref().and_then(used) != Some(&watched))
        };
        ca.as_ref().is_some_and(|pem| is_other(pem, |files| files.ca.as_ref()))
            || client.as_ref().is_some_and(|client| {
                is_other(&client.certificate, |files| {
                    files.client.as_ref().map(|[certificate, _]| certificate)
                }) || is_other(&client.key, |files| files.client.as_ref().map(|[_, key]| key))
            })
    }

    /// The settings for the next connection.
    pub(super) async fn current(self: &Arc<Self>) -> Arc<ClientConfig> {
        if self.has_files() || self.lock().0.is_none() {
            let settings = self.clone();
            // Reading blocks. A task that was cancelled leaves the settings as they are.
            let _ = tokio::task::spawn_blocking(move || settings.reload()).await;
        }
        self.lock().1.clone()
    }

    /// Reads the files. If they cannot be used, the settings stay as they are.
    fn reload(&self) {
        if let Err(error) = self.try_reload() {
            tracing::warn!("{error}; the certificates from before are used");
        }
    }

    fn try_reload(&self) -> Result<(), Error> {
        let files = PemFiles::read(&self.tls, &self.credentials)?;
        // It is held until the settings are made, for requests at the same time that need them too.
        let mut current = self.lock();
        if current.0.as_ref() != Some(&files) {
            // Those that cannot be used are not tried again, and are one warning.
            let before = current.0.replace(files.clone());
            current.1 = Arc::new(client_config(&self.tls, self.http, &files, || roots(&self.tls, &files))?);
            if before.is_some() {
                self.generation.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, (Option<PemFiles>, Arc<ClientConfig>)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// TLS settings for an `https` proxy: its certificate may be from an authority of the system or from one of the
/// configuration. It gets no client certificate.
///
/// # Errors
///
/// If the certificate authorities cannot be read.
pub(super) fn proxy_config(tls: &Tls) -> Result<ClientConfig, Error> {
    let tls = Tls { client: None, ..tls.clone() };
    let files = PemFiles::read(&tls, &Credentials::None)?;
    let trusted = || {
        let mut trusted = roots(&tls, &files)?;
        if files.ca.is_some() {
            add_native_roots(&mut trusted);
        }
        Ok(trusted)
    };
    Ok(verified(&tls, trusted)?.with_no_client_auth())
}

fn client_config(
    tls: &Tls,
    http: HttpVersion,
    files: &PemFiles,
    roots: impl FnOnce() -> Result<RootCertStore, Error>,
) -> Result<ClientConfig, Error> {
    let builder = verified(tls, roots)?;
    let mut config = match &files.client {
        Some([certificate_pem, key_pem]) => {
            // Those of a plugin are in no file.
            let named = |pem: Option<&Pem>, what: &str| pem.map_or(what.to_owned(), |pem| pem.named(what));
            let identity = tls.client.as_ref();
            let what = named(identity.map(|identity| &identity.certificate), "client certificate");
            let chain = certificates(certificate_pem).map_err(|problem| Error::config(&*what, problem))?;
            let expiry = chain.first().and_then(|certificate| Validity::of(certificate));
            let expiry = expiry.map(|validity| validity.not_after);
            if let Some(expiry) = expiry.filter(|expiry| *expiry < SystemTime::now()) {
                tracing::warn!("the {what} has expired at {}: the server will refuse it", Time::from(expiry));
            }
            let key_name = named(identity.map(|identity| &identity.key), "client key");
            let key = key(key_pem).map_err(|problem| Error::config(key_name, problem))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| Error::config(what, error))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = match http {
        HttpVersion::Negotiate => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        HttpVersion::Http11 => vec![b"http/1.1".to_vec()],
    };
    Ok(config)
}

/// A configuration in which the server is verified as the settings say.
fn verified(
    tls: &Tls,
    roots: impl FnOnce() -> Result<RootCertStore, Error>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("TLS", error))?;
    Ok(if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(NoCertificateVerification(provider)))
    } else {
        builder.with_root_certificates(roots()?)
    })
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
        None => add_native_roots(&mut roots),
    }
    Ok(roots)
}

fn add_native_roots(roots: &mut RootCertStore) {
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    tracing::debug!(added, "trusting the system's certificate authorities");
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

/// Checks that PEM data contains certificates and a key that belong together.
pub(crate) fn check_pair(certificate: &[u8], key_pem: &[u8]) -> Result<(), BoxError> {
    let pair = CertifiedKey::from_der(certificates(certificate)?, key(key_pem)?, &provider());
    pair.map(drop).map_err(Into::into)
}

/// The validity of the first certificate of PEM data, if it can be read.
pub(crate) fn validity(pem: &[u8]) -> Option<Validity> {
    Validity::of(certificates(pem).ok()?.first()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_without_tls_reads_the_system_s_authorities_when_it_needs_them() {
        let settings = |is_plain| {
            let http = HttpVersion::Negotiate;
            Arc::new(TlsSettings::new(&Tls::default(), &Credentials::None, http, is_plain).unwrap())
        };
        let (plain, tls) = (settings(true), settings(false));
        let at_start = [&plain, &tls].map(|settings| settings.lock().1.clone());
        let [of_plain, of_tls] = [plain.current().await, tls.current().await];
        assert!(!Arc::ptr_eq(&of_plain, &at_start[0]) && Arc::ptr_eq(&of_tls, &at_start[1]));
        // They are read once, and connections from before go on.
        assert!(Arc::ptr_eq(&of_plain, &plain.current().await));
        assert_eq!(plain.generation(), 0);
    }
}
