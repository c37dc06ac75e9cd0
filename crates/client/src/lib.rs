//! A client of the Kubernetes API.
//!
//! - [`Config`]: how to reach a cluster, from a kubeconfig, from inside a pod, or by URL;
//! - [`Client`]: a connection, shared by all clones;
//! - [`Api`]: a handle to the objects of one kind, typed or found out at run time;
//! - [`Discovery`] and [`RestMapper`]: what a server serves, and under which names; [`CachedDiscovery`] and
//!   [`DeferredRestMapper`]: the same from a cache in memory or on disk;
//! - [`Request`]: a request to any URL of the API;
//! - [`WriteLog`]: the versions that one's own writes were answered with;
//! - [`retry_on_conflict`]: a change that is made again when somebody else was faster;
//! - [`Error`]: why something came to nothing, and what can be done about it.

mod api;
mod auth;
mod call;
mod clean_path;
mod client;
mod config;
mod conflict;
mod connection;
mod discovery;
mod error;
mod http_trace;
mod impersonation;
mod json_only_groups;
mod metrics;
mod null;
mod port;
mod priority_and_fairness;
mod rate_limiter;
mod rest;
#[cfg(feature = "streams")]
mod stream_protocols;
mod transport;
mod upgraded;
mod warning;
mod write_log;

#[cfg(feature = "metrics")]
pub use self::metrics::describe_metrics;
pub use api::{
    Api, ApplyOptions, Change, Changes, Deleted, DynamicKind, DynamicPlace, Items, LogLine, LogOptions,
    LogStream, Patch, PodLogs, PodLogsOptions, ProxyOptions, Watch,
};
#[cfg(feature = "streams")]
pub use api::{
    CopiedEntry, CopyOptions, CopyProgress, CopySummary, ExecOptions, LocalAddress, PortForwardEvent,
    PortForwardOptions, PortForwarder, PortListener, PortListeners, PortMapping, RemotePort,
};
pub use auth::exec::{ExecCluster, ExecConfig, ExecEnvVar, ExecPlugin, InteractiveMode, PluginPolicy};
pub use auth::{AuthProvider, Credentials, Provider, Secret};
pub use client::Client;
pub use config::{
    AuthInfo, ClientIdentity, Cluster, Config, ConfigurationInvalid, Context, Dialer, Encoding, HttpVersion,
    Kubeconfig, LoadErrors, LoadingRules, Named, Overrides, Pem, Preferences, Proxy, ProxyUrl, Timeouts, Tls,
    user_agent,
};
pub use conflict::retry_on_conflict;
pub use discovery::{
    ApiGroup, ApiResource, ApiSubresource, CachedDiscovery, DeferredRestMapper, Discovery, DiskCache,
    GroupDiscoveryFailed, GroupVersionError, NoMatch, OpenApiV3, OpenApiV3GroupVersion, RestMapper, Served,
    Version,
};
pub use error::{Error, ErrorKind, IgnoreErrors};
pub use http_trace::HttpTrace;
pub use impersonation::Impersonation;
pub use klient_apimachinery::meta::v1::DeleteOptions;
pub use klient_apimachinery::{
    AllNamespaces, ApplyConfiguration, BoxFuture, FieldValidation, InNamespace, IntoPlace, List, ListOptions,
    ObjectKey, VersionMatch, WatchEvent, WatchOptions, WriteOptions,
};
pub use priority_and_fairness::PriorityAndFairness;
pub use rate_limiter::RateLimiter;
pub use rest::{ByteStream, Lines, Request, Response};
pub use transport::{BoxError, RequestBody, ResponseBody, Transport};
pub use upgraded::Upgraded;
pub use warning::{Warning, WarningHandler, WarningWriterOptions, Warnings};
pub use write_log::{LoggedWrite, WriteLog};
