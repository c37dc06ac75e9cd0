//! Webhooks of a cluster: servers that the API server asks before it writes an object, and to convert the objects of a
//! custom resource between versions (controller-runtime's `webhook`, `admission` and `conversion`).
//!
//! - [`AdmissionWebhook`]: an async function that [allows](Allowed), changes or [denies](Denied) writes of a kind;
//! - [`Conversion`]: conversions between the versions of a custom resource, through one of them;
//! - [`Webhooks`]: several of them, as a service for a router such as axum's;
//! - [`Server`]: serves them by HTTPS, with [certificates](Tls) from files, from the cluster's signers, or
//!   [of its own](WebhookCertificates);
//! - [`Webhooks::install`]: the configurations by which the API server calls them.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_api::core::v1::ConfigMap;
//! use klient_apimachinery::meta::v1::ObjectMeta;
//! use klient_client::{Client, Config};
//! use klient_webhook::{AdmissionWebhook, Allowed, Denied, Request, Server, Tls, WebhookAddress, Webhooks};
//!
//! /// State that handlers share, such as a client or the listers of informers.
//! #[derive(Clone)]
//! struct Rules {
//!     most: usize,
//! }
//!
//! async fn check(request: Request<ConfigMap>, rules: Rules) -> Result<Allowed, Denied> {
//!     let Some(config_map) = &request.object else { return Ok(Allowed::new()) };
//!     match config_map.data.len() {
//!         count if count > rules.most => Err(Denied::new(format!("{count} keys are too many"))),
//!         0 => Ok(Allowed::new().warning("it is empty")),
//!         _ => Ok(Allowed::new()),
//!     }
//! }
//!
//! let webhooks = Webhooks::builder()
//!     .admission(AdmissionWebhook::defaulting("default.configmaps.example.com", |config_map: &mut ConfigMap| {
//!         config_map.metadata.labels.insert("checked", "yes".into());
//!     }))
//!     .admission(AdmissionWebhook::validating("check.configmaps.example.com", Rules { most: 1 }, check))
//!     .build()?;
//!
//! // In a pod: `WebhookCertificates::start(…).await?.tls()`, and `WebhookAddress::service("shop", "webhook")`.
//! let certificate = klient_certificate::self_signed_certificate(&["127.0.0.1"], std::time::Duration::from_secs(3600))?;
//! let options = klient_webhook::ServerOptions { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
//! let server = Server::start(webhooks.clone(), Tls::certificate(certificate.clone()), options).await?;
//! let address = WebhookAddress::url(format!("https://127.0.0.1:{}", server.address().port()))
//!     .ca_bundle(certificate.certificate_pem());
//!
//! let cluster = klient_apiserver::TestServer::start().await?;
//! let client = Client::new(Config::from_kubeconfig(&cluster.kubeconfig())?)?;
//! webhooks.install(&client, "configmaps.example.com", &address, &Default::default()).await?;
//!
//! let config_maps = client.api::<ConfigMap>().namespace("default");
//! let mut colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
//! let created = config_maps.create(&colors).await?;
//! assert_eq!(created.metadata.labels["checked"], "yes");
//! colors.data = [("sky", "blue"), ("sea", "green")].into();
//! let error = config_maps.update(&colors).await.unwrap_err();
//! assert!(error.is_forbidden() && error.to_string().ends_with("denied the request: 2 keys are too many"));
//! # Ok(()) }
//! ```
//!
//! # Coming from controller-runtime or kube
//!
//! | controller-runtime | kube | klient |
//! |---|---|---|
//! | `admission.Validator` | `AdmissionRequest` and `AdmissionResponse`, in a server of the program's own | [`AdmissionWebhook::validating`] |
//! | `admission.Defaulter` | | [`AdmissionWebhook::defaulting`] |
//! | `admission.Handler`, `PatchResponseFromRaw` | `AdmissionResponse::with_patch` | [`AdmissionWebhook::mutating`], [`Allowed::changed`] |
//! | `admission.Denied`, `Errored` | `AdmissionResponse::deny`, `invalid` | [`Denied`], or `?` |
//! | `WithWarnings` | `warnings` | [`Allowed::warning`] |
//! | `RequestFromContext` | `AdmissionRequest` | [`Request`] |
//! | `unstructured.Unstructured` | `DynamicObject` | [`AdmissionWebhook::validating_dynamic`] |
//! | `conversion.Hub`, `Convertible` | `ConversionReview` | [`Conversion`], with `From` or `TryFrom` |
//! | `webhook.Server`, `certwatcher` | | [`Server`], [`Tls::files`] |
//! | `StandaloneWebhook` | | [`Webhooks`] |
//! | cert-manager, or `CertRotator` of cert-controller | | [`WebhookCertificates`] |
//! | `+kubebuilder:webhook` | | [`WebhookOptions`], [`Webhooks::install`] |
//!
//! # In the router of a server that there is already
//!
//! [`Webhooks`] are a `tower` service of `http` requests, as `nest_service` and `route_service` of axum take it:
//!
//! ```
//! # fn router(webhooks: klient_webhook::Webhooks) -> axum::Router {
//! axum::Router::new()
//!     .route("/hello", axum::routing::get(|| async { "hello" }))
//!     // The address of the webhooks then ends with `/webhooks`.
//!     .nest_service("/webhooks", webhooks)
//! # }
//! ```
//!
//! # Observing
//!
//! Each request has a span of the target `klient::webhook` at the level `DEBUG`. [`Webhooks::metrics`] has counters; with
//! the feature `metrics` they have controller-runtime's names: see `describe_metrics`.

mod address;
mod admission;
mod certificates;
mod configuration;
mod conversion;
mod error;
mod meters;
mod server;
mod webhooks;

pub use address::WebhookAddress;
pub use admission::{
    AdmissionWebhook, Allowed, Denied, FailurePolicy, MatchPolicy, Operation, ReinvocationPolicy, Request,
    SideEffects, Unchanged, WebhookOptions,
};
pub use certificates::{CaBundle, WebhookCertificates, WebhookCertificatesOptions};
pub use configuration::InstallOptions;
pub use conversion::Conversion;
pub use error::{Error, ErrorKind};
pub use klient_certificate::Tls;
pub use meters::WebhookMetrics;
#[cfg(feature = "metrics")]
pub use meters::describe_metrics;
pub use server::{Server, ServerOptions};
pub use webhooks::{ResponseBody, Webhooks, WebhooksBuilder};
