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
//! # Typed and dynamic clients
//!
//! [`Client::api`] takes a type; [`Clientset`] has an accessor for every built-in resource, as client-go's; and
//! [`Client::dynamic`] takes a resource that [`Discovery`] found, such as a custom resource. All three give an [`Api`].
//! A call that the API does not offer for a kind does not compile; for a dynamic kind it fails before anything is sent.
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
//! let dynamic = client.dynamic(mapper.resource("no")?).list(&all).await?;
//! assert!([by_type.items.len(), by_name.items.len()] == [dynamic.items.len(); 2]);
//! # Ok(()) }
//! ```
//!
//! # Server-side apply
//!
//! A configuration holds the fields that a program manages, and leaves the others to other managers. [`apply`] has a type
//! of configurations for each kind, in which only those fields are set that the program has set.
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
//! // Another manager that sets the field to another value has a conflict, or forces it.
//! let colors = apply::core::v1::ConfigMap::new("colors", "default").data([("sky", "grey")]);
//! let weather = ApplyOptions::new("weather");
//! assert!(config_maps.apply(&colors, &weather).await.unwrap_err().is_conflict());
//! config_maps.apply(&colors, &weather.force()).await?;
//! # Ok(()) }
//! ```
//!
//! # Watches
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Namespace;
//! use klient::{Object, WatchEvent, WatchOptions};
//!
//! // The objects that exist come first, and then a bookmark that ends them.
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
//! # Informers and work queues
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = klient::TestServer::start().await?;
//! # let client = klient::TestClient::client(&server);
//! use klient::api::core::v1::Namespace;
//! use klient::InformerFactory;
//! use klient::cache::Event;
//! use klient::workqueue::Queue;
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
//! } // The key is done when it is dropped.
//! factory.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Custom resources
//!
//! [`custom_resource!`] declares the struct of a custom resource: see [`custom_resources`].
//!
//! With the feature `derive`, `#[derive(CustomResource)]` writes its CustomResourceDefinition, too, which
//! `definitions::Definitions::install` brings to the cluster; [the page of `definitions`](https://docs.rs/klient-definitions) has
//! a table for those who come from kube-derive or kubebuilder. `webhook` serves its admission and conversion webhooks.
//! `klient generate`, or the crate `klient-generate` in a build script, makes such structs from definitions.
//!
//! # Names in the documentation
//!
//! This crate re-exports its member crates: [`api`], [`apimachinery`], [`apply`], [`cache`], [`client`], [`clientset`],
//! [`workqueue`], [`controller`], [`apiserver`], and by their features `certificate`, `definitions`, `gateway`, `klog`,
//! `proxy`, `streams`, `testing` and `webhook`.
//! Examples on items of a member name that crate, such as `klient_client::Api`; a program
//! that depends on `klient` writes `klient::Api` or `klient::client::Api`. The names of client-go and kube-rs, such as
//! `SharedInformerFactory` and `DynamicObject`, lead to klient's in the search of this documentation.
//!
//! # Containers
//!
//! With the feature `streams`, an [`Api`] of pods has `exec` and `attach`, which return a `Process` with its standard streams,
//! `port_forward`, also of services and workloads, `copy_to` and `copy_from`. `pod_logs` needs no feature. In a test the
//! containers are functions, or the built-in ones, which have a small shell and files in memory: see
//! `apiserver::Containers` and `TestServer::start_with`. The examples `exec`, `shell`, `port_forward`, `cp` and `pod_logs` are
//! programs with them.
//!
//! # Clusters in the cloud
//!
//! [`Client::infer`] takes the kubeconfig that kubectl uses, and runs the credential plugins of the clouds: see
//! [`credentials`].
//!
//! # Features
//!
//! Every API group is a feature: its types, [apply configurations](apply) and accessors of the [`Clientset`]. A program
//! that needs few of them compiles in less time:
//!
//! ```toml
//! [dependencies]
//! klient = { version = "0.1", default-features = false, features = ["apps", "core"] }
//!
//! [dev-dependencies]
//! klient = { version = "0.1", default-features = false, features = ["apiserver"] }
//! ```
//!
//! A name of a group whose feature is off, such as `klient::api::batch::v1::Job` with these two, is an error of the compiler
//! that names the feature.
//!
//! - `all-groups` (default): every API group;
//! - `apiserver` (default): the embedded API server, which most programs need in their tests only;
//! - `controller` (default): leader election, events and reconcile loops: see [`controller`];
//! - `derive`: custom resources, their definitions and their apply configurations from structs: see `CustomResource`;
//! - `apply-derive`: their apply configurations only: see `ApplyConfiguration`;
//! - `certificate-manager`: certificates from the signers of a cluster, renewed before they expire, and self-signed ones:
//!   see `certificate`;
//! - `config-flags`: kubectl's connection flags for a command line of clap: see `ConfigFlags`;
//! - `gateway`: a web service in front of a cluster, with live tables of any kind, a guarded proxy and a page: see `gateway`;
//! - `metrics`: metrics of the client under client-go's names, and of controllers and webhooks under controller-runtime's,
//!   through the crate `metrics`: see `client::describe_metrics`, `controller::describe_metrics` and
//!   `webhook::describe_metrics`;
//! - `klog`: klog on `tracing`: the lines, flags and verbosity of Kubernetes' logs: see `klog`;
//! - `proxy`: an upgrade-aware reverse proxy in front of an API server, as a `tower` service: see `proxy`;
//! - `streams`: commands in containers, attaching to them, port-forwards and copies, by methods of [`Api`], and both ends
//!   of their protocols: see `streams`;
//! - `testing`: tests that crash a controller at every step: see `testing`;
//! - `webhook`: admission and conversion webhooks with typed handlers, a server, and certificates of its own: see `webhook`;
//! - `k8s-openapi`: the types of the crate k8s-openapi work with [`Api`], in the Kubernetes version that the program
//!   chooses there.
//!
//! # Errors
//!
//! An [`Error`] prints its request and all its causes; its predicates say what can be done about it.
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
//!
//! # Observing requests
//!
//! - the HTTP trace is `tracing` events of the target [`HttpTrace::TARGET`] with the fields of `kubectl -v=6` to `-v=10`:
//!   `klient::klog` (feature `klog`) selects their detail by its verbosity, for others [`Config::http_trace`] does;
//! - each request has a span of the target `klient::request`: see [`client::Request`];
//! - the feature `metrics` adds client-go's `rest_client_*` metrics;
//! - [`Config::warnings`] takes the warnings of the server.
//!
//! The trace and the spans are at the level `DEBUG`, and cost a check of their target unless a subscriber takes them.

pub mod credentials;
pub mod custom_resources;
#[cfg(feature = "apiserver")]
mod test_server;

pub use http;
pub use klient_api as api;
pub use klient_apimachinery as apimachinery;
pub use klient_apimachinery::codec::{ManagedFields, Wire};
pub use klient_apimachinery::labels::Selector;
pub use klient_apimachinery::meta::v1::{
    Condition, LabelSelector, ListMeta, ObjectMeta, OwnerReference, PartialObjectMetadata, Status,
};
pub use klient_apimachinery::meta::{PropagationPolicy, Reason};
pub use klient_apimachinery::{
    Bookmark, BoxFuture, ByteString, IntOrString, Kind, Map, Metadata, MicroTime, Object, ObjectKey,
    Quantity, Resource, ResourceInfo, Str, Time, Unstructured, WholeCluster, custom_fields, custom_resource,
    string_enum, yaml,
};
#[cfg(feature = "apiserver")]
pub use klient_apiserver::{self as apiserver, TestServer};
pub use klient_applyconfigurations as apply;
pub use klient_cache::{
    self as cache, Cached, FilteringResourceEventHandler, HandlerOptions, Indexer, Informer, InformerOptions,
    Keep, Lister, Overflow, ResourceEventHandler, ResourceEventHandlerRegistration, Store, StoreWriter,
    Undecodable,
};
#[cfg(feature = "certificate-manager")]
pub use klient_certificate as certificate;
// By name: a glob would give way to a name of another crate without a word. Names that say little alone are reached
// by their crate: `client::Request`, `client::Cluster` of a kubeconfig, `cache::Event` beside the `Event` of core/v1.
pub use klient_client::{
    self as client, AllNamespaces, Api, ApiGroup, ApiResource, ApiSubresource, ApplyConfiguration,
    ApplyOptions, AuthProvider, BoxError, ByteStream, CachedDiscovery, Client, ClientIdentity, Config,
    Credentials, DeferredRestMapper, DeleteOptions, Deleted, Dialer, Discovery, DiskCache, DynamicKind,
    DynamicPlace, Encoding, Error, ErrorKind, FieldValidation, GroupDiscoveryFailed, GroupVersionError,
    HttpTrace, HttpVersion, IgnoreErrors, Impersonation, InNamespace, IntoPlace, Items, Kubeconfig, List,
    ListOptions, LoadingRules, LogLine, LogOptions, NoMatch, OpenApiV3, OpenApiV3GroupVersion, Overrides,
    Patch, Pem, PodLogs, PodLogsOptions, PriorityAndFairness, Proxy, ProxyOptions, RateLimiter, RequestBody,
    ResponseBody, RestMapper, Timeouts, Tls, Transport, VersionMatch, Warning, WarningHandler,
    WarningWriterOptions, Warnings, Watch, WatchEvent, WatchOptions, WriteOptions, retry_on_conflict,
    user_agent,
};
#[cfg(feature = "streams")]
pub use klient_client::{
    CopiedEntry, CopyOptions, CopyProgress, CopySummary, ExecOptions, LocalAddress, PortForwardEvent,
    PortForwardOptions, PortForwarder, PortListener, PortListeners, PortMapping, RemotePort,
};
pub use klient_clientset::{self as clientset, Clientset};
#[cfg(feature = "config-flags")]
pub use klient_config_flags::ConfigFlags;
#[cfg(feature = "controller")]
pub use klient_controller as controller;
#[cfg(feature = "derive")]
pub use klient_definitions as definitions;
#[cfg(feature = "apply-derive")]
pub use klient_derive::ApplyConfiguration;
#[cfg(feature = "derive")]
pub use klient_derive::{CustomResource, ResourceSchema};
#[cfg(feature = "gateway")]
pub use klient_gateway as gateway;
#[cfg(feature = "klog")]
pub use klient_klog as klog;
#[cfg(feature = "proxy")]
pub use klient_proxy as proxy;
#[cfg(feature = "streams")]
pub use klient_streams as streams;
#[cfg(feature = "streams")]
pub use klient_streams::port_forward::PortConnection;
#[cfg(feature = "streams")]
pub use klient_streams::remote_command::{Output, Process, TerminalSize};
pub use klient_structured_merge as structured_merge;
#[cfg(feature = "testing")]
pub use klient_testing as testing;
#[cfg(feature = "webhook")]
pub use klient_webhook as webhook;
pub use klient_workqueue as workqueue;
pub use serde_json::{self, json};
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
