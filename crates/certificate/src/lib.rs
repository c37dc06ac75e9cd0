//! Certificates from the signers of a cluster, kept fresh through CertificateSigningRequests, and self-signed ones:
//! client-go's `util/certificate`, `util/cert` and `util/keyutil`.
//!
//! - [`CertificateManager`]: a certificate that is renewed before it expires, for clients and servers;
//! - [`CertificateRequest`]: one certificate from a signer;
//! - [`CertificateStore`]: keeps the certificate of a manager, in files ([`FileStore`]) or in memory ([`MemoryStore`]);
//! - [`Certificate`], [`CertificateTemplate`]: a certificate with its key, and the names that it is to have;
//! - [`CertificateAuthority`], [`self_signed_certificate`]: serving certificates without a cluster, such as those of
//!   webhooks.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_api::authentication::v1::SelfSubjectReview;
//! use klient_api::certificates::v1::CertificateSigningRequest;
//! use klient_apimachinery::ListOptions;
//! use klient_certificate::{
//!     CertificateManager, CertificateManagerOptions, CertificateRequest, CertificateTemplate, FileStore, signers,
//! };
//! use klient_client::{Client, Config, Credentials};
//!
//! let server = klient_apiserver::TestServer::start().await?;
//! let config = Config::from_kubeconfig(&server.kubeconfig())?;
//! let client = Client::new(config.clone())?;
//!
//! let folder = tempfile::tempdir()?;
//! let request = CertificateRequest {
//!     signer_name: signers::KUBE_APISERVER_CLIENT.into(),
//!     template: CertificateTemplate {
//!         common_name: "ann".into(),
//!         organizations: vec!["devs".into()],
//!         ..Default::default()
//!     },
//!     ..Default::default()
//! };
//! let options = CertificateManagerOptions { request, ..Default::default() };
//! let store = FileStore::new(folder.path(), "ann");
//! let manager = CertificateManager::start(client.clone(), options, store).await?;
//!
//! // Another program or user approves the request.
//! let requests = client.api::<CertificateSigningRequest>();
//! let name = loop {
//!     if let [request] = &requests.list(&ListOptions::default()).await?.items[..] {
//!         break request.metadata.name.clone().unwrap_or_default();
//!     }
//! };
//! requests.approve(&name, "PolicyPassed", "Ann is on the team.").await?;
//!
//! // Each client with this identity uses the latest certificate.
//! let identity = manager.client_identity().await?;
//! let mut config = Config { credentials: Credentials::None, ..config };
//! config.tls.client = Some(identity);
//! let review = Client::new(config)?.api().create(&SelfSubjectReview::default()).await?;
//! assert_eq!(review.status.user_info.unwrap_or_default().username.as_deref(), Some("ann"));
//! # Ok(()) }
//! ```
//!
//! # Servers
//!
//! [`CertificateManager::subscribe`] gives a server each new certificate. A rustls server makes its configuration of
//! [`Certificate::certificate_pem`] and [`Certificate::key_pem`].

mod certificate;
mod error;
mod manager;
mod pem;
mod pkcs10;
mod request;
mod self_signed;
pub mod signers;
mod store;
mod template;
mod tls;

pub use certificate::Certificate;
pub use error::{Error, ErrorKind};
pub use manager::{CertificateManager, CertificateManagerOptions};
pub use request::CertificateRequest;
pub use self_signed::{CertificateAuthority, self_signed_certificate};
pub use store::{CertificateStore, FileStore, MemoryStore};
pub use template::CertificateTemplate;
pub use tls::{Tls, TlsAcceptor, TlsStream};
