//! client-go for Rust.
//!
//! klient is everything a Rust program needs to work with Kubernetes: clients typed and dynamic, Kubernetes' own
//! types, informers, work queues, and an API server that runs inside a test.
//!
//! ```
//! use klient::api::core::v1::ConfigMap;
//! use klient::{DeleteOptions, ListOptions, ObjectMeta, TestClient as _, TestServer};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A cluster of your own: `let client = Client::infer()?;`
//!     let server = TestServer::start().await?;
//!     let client = server.client();
//!     let config_maps = client.api::<ConfigMap>().namespace("default");
//!
//!     let colors = ConfigMap {
//!         metadata: ObjectMeta::named("colors"),
//!         data: [("sky", "blue")].into(),
//!         ..Default::default()
//!     };
//!     config_maps.create(&colors).await?;
//!     for config_map in config_maps.list(&ListOptions::default()).await? {
//!         println!("{:?} holds {:?}", config_map.metadata.name, config_map.data);
//!     }
//!     config_maps.delete("colors", &DeleteOptions::default()).await?;
//!     Ok(())
//! }
//! ```
//!
//! # By name, by type, or found out at run time
//!
//! [`Client::api`] takes a type; [`Clientset`] has every built-in resource by name, as client-go's; and
//! [`Client::dynamic`] takes what [`Discovery`] found, custom resources among it. All three give an [`Api`], and what
//! the API does not offer for a kind does not compile, or is refused before anything is sent.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Node;
//! use klient::{Clientset, ListOptions, RestMapper};
//!
//! let all = ListOptions::default();
//! let by_type = client.api::<Node>().list(&all).await?;
//!
//! let clientset = Clientset::new(client.clone());
//! let by_name = clientset.core_v1().nodes().list(&all).await?;
//!
//! let mapper = RestMapper::new(client.discovery().resources().await?);
//! let found_out = client.dynamic(mapper.resource("no")?).list(&all).await?;
//! assert!([by_type.items.len(), by_name.items.len()] == [found_out.items.len(); 2]);
//! # Ok(()) }
//! ```
//!
//! # Saying what one wants
//!
//! Server-side apply takes the fields one cares for and leaves the others to others. [`apply`] has a type for each
//! kind in which nothing is set that was not said.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::ConfigMap;
//! use klient::{ApplyOptions, apply};
//!
//! let config_maps = client.api::<ConfigMap>().namespace("default");
//! let colors = apply::core::v1::ConfigMap::new("colors", "default").data([("sky", "blue")]);
//! let applied = config_maps.apply(&colors, &ApplyOptions::new("painter")).await?;
//! assert_eq!(applied.data["sky"], "blue");
//!
//! // What somebody else says otherwise is a conflict, until it is taken from them.
//! let colors = apply::core::v1::ConfigMap::new("colors", "default").data([("sky", "grey")]);
//! let weather = ApplyOptions::new("weather");
//! assert!(config_maps.apply(&colors, &weather).await.unwrap_err().is_conflict());
//! config_maps.apply(&colors, &weather.force()).await?;
//! # Ok(()) }
//! ```
//!
//! # Changes as they are made
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Namespace;
//! use klient::{Object, WatchEvent, WatchOptions};
//!
//! // What is there comes first, and then a bookmark that says so.
//! let options = WatchOptions { send_initial_events: true, ..Default::default() };
//! let mut watch = client.api::<Namespace>().watch(&options).await?;
//! let mut names = Vec::new();
//! while let Some(event) = watch.next().await {
//!     match event? {
//!         WatchEvent::Added(namespace) => names.push(namespace.name().to_owned()),
//!         WatchEvent::Bookmark(bookmark) if bookmark.initial_events_end => break,
//!         WatchEvent::Error(status) => return Err(klient::Error::from(*status).into()),
//!         _ => {}
//!     }
//! }
//! assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
//! # Ok(()) }
//! ```
//!
//! # Caches that follow, and queues for what they tell
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Namespace;
//! use klient::workqueue::Queue;
//! use klient::{Event, InformerFactory};
//!
//! let factory = InformerFactory::new(client);
//! let namespaces = factory.informer::<Namespace>();
//! let queue = Queue::new();
//! let keys = queue.clone();
//! let handler = namespaces.add_event_handler(move |event: Event<Namespace>| keys.add(event.key()));
//! factory.start();
//! handler.wait_for_sync().await?;
//!
//! assert_eq!(queue.len(), 4);
//! while let Some(key) = queue.try_get() {
//!     let namespace = namespaces.store().get(&key);
//!     println!("{:?}", namespace.map(|namespace| namespace.status.clone()));
//! } // Here the key is done.
//! factory.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Kinds of a program's own
//!
//! [`custom_resource!`] declares a struct to be the objects of a custom resource: see [`custom_resources`].
//!
//! # Errors say what to do
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Pod;
//!
//! let error = client.api::<Pod>().namespace("shop").get("web-0").await.unwrap_err();
//! assert!(error.is_not_found());
//! assert!(error.to_string().ends_with(r#"/api/v1/namespaces/shop/pods/web-0: pods "web-0" not found"#));
//! # Ok(()) }
//! ```

pub mod custom_resources;
#[cfg(feature = "apiserver")]
mod test_server;

pub use http;
pub use klient_api as api;
pub use klient_apimachinery as apimachinery;
pub use klient_apimachinery::codec::{ManagedFields, Wire};
pub use klient_apimachinery::labels::Selector;
pub use klient_apimachinery::meta::v1::{
    LabelSelector, ListMeta, ObjectMeta, OwnerReference, PartialObjectMetadata, Status,
};
pub use klient_apimachinery::meta::{PropagationPolicy, Reason};
pub use klient_apimachinery::{
    Bookmark, ByteString, IntOrString, Kind, Map, Metadata, MicroTime, Object, Quantity, Resource,
    ResourceInfo, Str, Time, Unstructured, WholeCluster, custom_resource, yaml,
};
#[cfg(feature = "apiserver")]
pub use klient_apiserver::{self as apiserver, TestServer};
pub use klient_applyconfigurations as apply;
pub use klient_cache::{
    self as cache, Cached, Event, FilteringResourceEventHandler, HandlerOptions, Indexer, Informer,
    InformerOptions, Keep, Lister, ObjectKey, Overflow, ResourceEventHandler,
    ResourceEventHandlerRegistration, Store, Undecodable,
};
// By name: a glob would give way to a name of another crate without a word. Names that say little alone are reached
// by their crate: `client::Request`, `client::Cluster` of a kubeconfig, `cache::Deleted`.
pub use klient_client::{
    self as client, AllNamespaces, Api, ApiResource, ApplyConfiguration, ApplyOptions, AuthProvider,
    BoxError, ByteStream, Client, ClientIdentity, Config, Credentials, DeleteOptions, Deleted, Discovery,
    DynamicKind, DynamicPlace, Encoding, Error, ErrorKind, FieldValidation, HttpVersion, Impersonation,
    InNamespace, IntoPlace, Items, Kubeconfig, List, ListOptions, NoMatch, Overrides, Patch, Pem,
    RequestBody, ResponseBody, RestMapper, Timeouts, Tls, Transport, VersionMatch, WarningHandler, Watch,
    WatchEvent, WatchOptions, WriteOptions, retry_on_conflict,
};
pub use klient_clientset::{self as clientset, Clientset};
pub use klient_structured_merge as structured_merge;
pub use klient_workqueue as workqueue;
#[cfg(feature = "apiserver")]
pub use test_server::TestClient;

/// One informer for each resource, however many ask for it: see [`cache::InformerFactory`].
pub type InformerFactory = cache::InformerFactory<Client>;

/// The informer of every built-in resource by name: see [`clientset::Informers`].
pub type Informers = clientset::Informers<Client>;

/// The program in README.md is one.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
