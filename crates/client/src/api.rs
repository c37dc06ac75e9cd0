//! [`Api`], a handle to the objects of one kind.

mod apply;
mod approval;
mod changes;
#[cfg(feature = "streams")]
mod copy;
mod default_container;
mod delete;
mod dynamic;
#[cfg(feature = "streams")]
mod exec;
mod items;
mod kind;
mod list;
mod logs;
mod object;
mod patch;
mod pod_logs;
#[cfg(feature = "streams")]
mod port_forward;
mod proxy;
mod scale_version;
mod source;
mod subresource;
#[cfg(feature = "streams")]
mod switching;
#[cfg_attr(not(feature = "streams"), expect(dead_code, reason = "port forwarding needs all of it"))]
mod target_pods;
mod watch;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{
    AllNamespaces, InNamespace, IntoPlace, ListOptions, Namespaced, NamespacedScope, ObjectKey, Place,
    Resource, ResourceInfo, Scope, Str, WholeCluster, WriteOptions,
};

pub use apply::ApplyOptions;
pub use changes::{Change, Changes};
#[cfg(feature = "streams")]
pub use copy::{CopiedEntry, CopyOptions, CopyProgress, CopySummary};
pub use delete::Deleted;
pub use dynamic::{DynamicKind, DynamicPlace};
#[cfg(feature = "streams")]
pub use exec::ExecOptions;
pub use items::Items;
pub use logs::{LogOptions, LogStream};
pub use patch::Patch;
pub use pod_logs::{LogLine, PodLogs, PodLogsOptions};
#[cfg(feature = "streams")]
pub use port_forward::{
    LocalAddress, PortForwardEvent, PortForwardOptions, PortForwarder, PortListener, PortListeners,
    PortMapping, RemotePort,
};
pub use proxy::ProxyOptions;
pub use watch::Watch;

use crate::connection::Connection;
use crate::error::Error;
use crate::rest::{Form, Request};

/// A handle to the objects of one kind, in one place: the whole cluster, all namespaces, or one.
///
/// Calls that the API does not offer do not compile: a handle to all namespaces has no `get`, and a `TokenReview` has
/// `create` only.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_client::{Client, Config, DeleteOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
///
/// let mut colors = config_maps
///     .create(&ConfigMap {
///         metadata: ObjectMeta::named("colors"),
///         data: [("sky", "blue")].into(),
///         ..Default::default()
///     })
///     .await?;
/// colors.data.insert("grass", "green".into());
/// let colors = config_maps.update(&colors).await?;
/// assert_eq!(colors.data["grass"], "green");
///
/// config_maps.delete("colors", &DeleteOptions::default()).await?;
/// assert!(config_maps.get("colors").await.unwrap_err().is_not_found());
/// # Ok(()) }
/// ```
#[doc(alias = "ResourceInterface")]
pub struct Api<K, P = <<K as Resource>::Scope as Scope>::Root>
where
    P: Place,
{
    endpoint: Endpoint,
    place: P,
    kind: PhantomData<fn() -> K>,
}

/// The target of a handle's requests, without its types.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) connection: Connection,
    pub(crate) info: ResourceInfo,
    pub(crate) write: WriteOptions,
    /// The time-out of each request, in place of that of the configuration.
    timeout: Option<Duration>,
    /// The verbs that discovery names, for kinds found at run time.
    pub(crate) verbs: Option<std::sync::Arc<[String]>>,
    /// The subresources that discovery names, for kinds found at run time.
    pub(crate) subresources: Option<std::sync::Arc<[String]>>,
}

impl<K, P: Place> Clone for Api<K, P> {
    fn clone(&self) -> Self {
        Api { endpoint: self.endpoint.clone(), place: self.place.clone(), kind: PhantomData }
    }
}

impl<K, P: Place> fmt::Debug for Api<K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({:?}", self.endpoint.info)?;
        match self.place.namespace() {
            Some(namespace) => write!(f, " in {namespace})"),
            None => f.write_str(")"),
        }
    }
}

impl<K, P: Place> Api<K, P> {
    pub(crate) fn new(connection: Connection, info: ResourceInfo, place: P) -> Self {
        let write = WriteOptions::default();
        let endpoint = Endpoint { connection, info, write, timeout: None, verbs: None, subresources: None };
        Api { endpoint, place, kind: PhantomData }
    }

    /// The resource as discovery describes it.
    pub fn resource(&self) -> &ResourceInfo {
        &self.endpoint.info
    }

    /// The namespace of the handle; `None` for one to all namespaces or to the cluster.
    ///
    /// ```
    /// # use klient_client::Client;
    /// # use klient_api::core::v1::{ConfigMap, Node};
    /// # fn f(client: Client) {
    /// assert_eq!(client.api::<ConfigMap>().namespace("shop").within(), Some("shop"));
    /// assert_eq!(client.api::<ConfigMap>().within(), None);
    /// assert_eq!(client.api::<Node>().within(), None);
    /// # }
    /// # f(Client::new(klient_client::Config::from_url("http://localhost:1").unwrap()).unwrap());
    /// ```
    pub fn within(&self) -> Option<&str> {
        self.place.namespace()
    }

    /// The handle with other options for its writes.
    ///
    /// ```
    /// # use klient_client::{Client, Config, WriteOptions};
    /// # use klient_api::core::v1::Node;
    /// # fn f(client: Client) {
    /// let nodes = client.api::<Node>().with(WriteOptions { dry_run: true, ..Default::default() });
    /// # }
    /// ```
    pub fn with(mut self, options: WriteOptions) -> Self {
        self.endpoint.write = options;
        self
    }

    /// The handle with a time-out for each of its requests with its whole response, in place of
    /// [`Timeouts::whole`](crate::Timeouts::whole). It is sent to the server as the parameter `timeout`. A watch and logs
    /// are not limited.
    ///
    /// ```
    /// # use klient_client::Client;
    /// # use klient_api::core::v1::Namespace;
    /// # async fn f(client: Client) -> Result<(), klient_client::Error> {
    /// let namespaces = client.api::<Namespace>().timeout(std::time::Duration::from_secs(5));
    /// let default = namespaces.get("default").await?;
    /// # Ok(()) }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = Some(timeout);
        self
    }

    /// The handle to the namespace of an object, or to the cluster if its kind is cluster-scoped. Controllers have the
    /// key from a work queue or a cache.
    ///
    /// That the key of a namespaced object names a namespace is checked when a request is made, which fails with
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) otherwise.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::ConfigMap;
    /// use klient_apimachinery::{ObjectKey, meta::v1::ObjectMeta};
    /// use klient_client::{Api, Client, Config, Error, Patch};
    ///
    /// /// Notes in an object that it was seen.
    /// async fn reconcile(config_maps: &Api<ConfigMap>, key: &ObjectKey) -> Result<ConfigMap, Error> {
    ///     let seen = Patch::Merge(serde_json::json!({"data": {"seen": "true"}}));
    ///     config_maps.namespace_of(key).patch(key.name(), &seen).await
    /// }
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let config_maps = client.api::<ConfigMap>();
    /// let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    /// let colors = config_maps.namespace("default").create(&colors).await?;
    /// let colors = reconcile(&config_maps, &ObjectKey::of(&colors)).await?;
    /// assert_eq!(colors.data["seen"], "true");
    /// # Ok(()) }
    /// ```
    pub fn namespace_of(&self, key: &ObjectKey) -> Api<K, DynamicPlace> {
        Api { endpoint: self.endpoint.clone(), place: DynamicPlace::new(key.namespace()), kind: PhantomData }
    }
}

impl<K: Wire, P: Place> Api<K, P> {
    /// A request to the resource in the handle's place.
    pub(crate) fn request(&self, method: Method) -> Request {
        let form = K::is_partial().then_some(Form::Metadata);
        self.endpoint.request(method, self.place.namespace()).form(form)
    }

    /// A request for one object or for its collection by a verb, which is refused here where the compiler does not know
    /// the kind.
    fn checked(&self, verb: &str, method: Method) -> Result<Request, Error> {
        self.endpoint.check(verb, true, self.place.namespace())?;
        Ok(self.request(method))
    }
}

impl<K: Resource<Scope = Namespaced>> Api<K, AllNamespaces> {
    /// The handle to one namespace.
    pub fn namespace(&self, name: &str) -> Api<K, InNamespace> {
        self.clone().place(name)
    }

    /// The handle to the namespace that the configuration names, which is `default` if it names none.
    ///
    /// ```
    /// # use klient_api::core::v1::Pod;
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = klient_client::Client::infer()?;
    /// let pods = client.api::<Pod>().default_namespace();
    /// # Ok(()) }
    /// ```
    pub fn default_namespace(&self) -> Api<K, InNamespace> {
        let namespace = self.endpoint.connection.config().namespace.clone();
        self.clone().place(namespace)
    }

    /// The handle to another place: one namespace, or [`AllNamespaces`].
    pub fn place<I: IntoPlace>(self, place: I) -> Api<K, I::Place> {
        Api { endpoint: self.endpoint, place: place.into_place(), kind: PhantomData }
    }
}

impl<K: Resource> Api<K, WholeCluster> {
    /// Does not compile: objects of a cluster-scoped kind have no namespace. The error says so.
    #[doc(hidden)]
    pub fn namespace(&self, name: &str) -> Api<K, InNamespace>
    where
        K::Scope: NamespacedScope,
    {
        Api { endpoint: self.endpoint.clone(), place: InNamespace(name.into()), kind: PhantomData }
    }
}

impl Endpoint {
    pub(crate) fn request(&self, method: Method, namespace: Option<&str>) -> Request {
        let mut request =
            Request::new(self.connection.clone(), method).group_version(&self.info.group, &self.info.version);
        if let Some(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        let request = match namespace.filter(|_| self.info.namespaced) {
            Some(namespace) => request.namespace(namespace),
            None => request,
        };
        request.resource(&self.info.plural)
    }

    /// A request that writes, with the handle's options.
    pub(crate) fn writing(&self, request: Request) -> Request {
        self.writing_as(request, self.write.field_manager.as_ref(), false)
    }

    /// The same as another field manager, and perhaps to no effect.
    fn writing_as(&self, mut request: Request, field_manager: Option<&Str>, dry_run: bool) -> Request {
        if let Some(manager) = field_manager {
            request = request.query("fieldManager", manager.as_str());
        }
        if self.write.dry_run || dry_run {
            request = request.query("dryRun", "All");
        }
        match self.write.field_validation {
            Some(validation) => request.query("fieldValidation", validation.as_str()),
            None => request,
        }
    }

    /// Refuses at run time the calls that do not compile for typed kinds.
    fn check(&self, verb: &str, names_one: bool, namespace: Option<&str>) -> Result<(), Error> {
        if self.verbs.as_ref().is_some_and(|verbs| !verbs.iter().any(|other| other == verb)) {
            let what = format!("{verb} {}", self.info.group_resource());
            return Err(Error::request(
                what,
                format!("the server does not offer {} for this resource", quoted(verb)),
            ));
        }
        if names_one { self.check_place(verb, namespace) } else { Ok(()) }
    }

    /// Refuses a subresource that discovery does not name, and one object of a namespaced kind without a namespace.
    fn check_subresource(&self, subresource: &str, namespace: Option<&str>) -> Result<(), Error> {
        let known = self.subresources.as_ref();
        if known.is_some_and(|known| !known.iter().any(|other| other == subresource)) {
            let what = format!("{subresource} {}", self.info.group_resource());
            return Err(Error::request(
                what,
                format!(
                    "the server does not offer the subresource {} for this resource",
                    quoted(subresource)
                ),
            ));
        }
        self.check_place(subresource, namespace)
    }

    /// Refuses to name one object of a namespaced kind without a namespace.
    fn check_place(&self, verb: &str, namespace: Option<&str>) -> Result<(), Error> {
        if !self.info.namespaced || namespace.is_some() {
            return Ok(());
        }
        let what = format!("{verb} {}", self.info.group_resource());
        let problem =
            "one object of a namespaced kind needs a namespace; say which one with .namespace(\"…\")";
        Err(Error::request(what, problem))
    }
}

/// The parameters of a list.
fn listing(mut request: Request, options: &ListOptions) -> Request {
    for (key, value) in [
        ("labelSelector", options.label_selector.as_deref()),
        ("fieldSelector", options.field_selector.as_deref()),
        ("continue", options.continue_token.as_deref()),
        ("resourceVersion", options.resource_version.as_deref()),
        ("resourceVersionMatch", options.resource_version_match.map(|matching| matching.as_str())),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            request = request.query(key, value);
        }
    }
    match options.limit {
        Some(limit) => request.query("limit", limit.to_string()),
        None => request,
    }
}
