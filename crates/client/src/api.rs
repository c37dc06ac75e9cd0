//! [`Api`], a handle to the objects of one kind.

mod apply;
mod dynamic;
mod items;
mod kind;
mod list_all;
mod patch;
mod source;
mod subresource;
mod watch;

use std::fmt;
use std::marker::PhantomData;

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::{DeleteOptions, ListMeta, Status};
use klient_apimachinery::{
    Addressable, AllNamespaces, InNamespace, IntoPlace, List, ListOptions, Namespaced, NamespacedScope,
    Object, Place, Resource, ResourceInfo, Scope, Str, WatchOptions, WholeCluster, WriteOptions, verbs,
};

pub use apply::ApplyOptions;
pub use dynamic::{DynamicKind, DynamicPlace};
pub use items::Items;
pub use patch::Patch;
pub use watch::Watch;

use crate::connection::Connection;
use crate::error::Error;
use crate::rest::{Form, Request, Response};

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
    /// The verbs that discovery names, for kinds found at run time.
    pub(crate) verbs: Option<std::sync::Arc<[String]>>,
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
        let endpoint = Endpoint { connection, info, write: WriteOptions::default(), verbs: None };
        Api { endpoint, place, kind: PhantomData }
    }

    /// The resource as discovery describes it.
    pub fn resource(&self) -> &ResourceInfo {
        &self.endpoint.info
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
}

impl<K: Wire, P: Place> Api<K, P> {
    /// A request to the resource in the handle's place.
    pub(crate) fn request(&self, method: Method) -> Request {
        let form = K::is_partial().then_some(Form::Metadata);
        self.endpoint.request(method, self.place.namespace()).form(form)
    }
}

impl<K: Wire, P: Place> Api<K, P> {
    async fn start_items(&self, options: &ListOptions) -> Result<Items<K>, Error> {
        self.endpoint.check("list", false, None)?;
        let form = K::is_partial().then_some(Form::MetadataList);
        let request = listing(self.request(Method::GET), options).form(form);
        Items::start(request, options.managed_fields, self.endpoint.connection.config().timeouts.whole).await
    }

    async fn start_watch(&self, options: &WatchOptions) -> Result<Watch<K>, Error> {
        self.endpoint.check("watch", false, None)?;
        Watch::start(self.request(Method::GET), options, &self.endpoint.connection).await
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
    /// Does not compile, and says why: objects of a cluster-scoped kind live in no namespace.
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
        let request =
            Request::new(self.connection.clone(), method).group_version(&self.info.group, &self.info.version);
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

    /// Sends an object of the handle's kind, and takes one as the answer.
    async fn exchange<K: Wire>(&self, request: Request, object: &K) -> Result<K, Error> {
        if K::has_protobuf() || K::table().is_some() {
            return request.exchange(object).await;
        }
        let mut json = Vec::new();
        object.to_json(&mut json);
        request.body("application/json", kind::complete(json, &self.info)).fetch().await
    }

    /// Refuses at run time what the compiler refuses for kinds it knows.
    fn check(&self, verb: &str, names_one: bool, namespace: Option<&str>) -> Result<(), Error> {
        if self.verbs.as_ref().is_some_and(|verbs| !verbs.iter().any(|other| other == verb)) {
            let what = format!("{verb} {}", self.info.group_resource());
            return Err(Error::request(
                what,
                format!("the server does not offer {verb:?} for this resource"),
            ));
        }
        if names_one { self.check_place(verb, namespace) } else { Ok(()) }
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

/// The result of a delete.
#[derive(Clone, Debug, PartialEq)]
pub enum Deleted<K> {
    /// It is gone, or on its way; this is how the server last saw it.
    Object(Box<K>),
    /// It is gone.
    Status(Box<Status>),
}

impl<K: Wire> Deleted<K> {
    fn read(response: &Response) -> Result<Self, Error> {
        // A Status says so itself; anything else is the object.
        match response.decode::<Status>() {
            Ok(status) => Ok(Deleted::Status(Box::new(status))),
            Err(_) => response.decode().map(|object| Deleted::Object(Box::new(object))),
        }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Reads one object.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist; [`get_opt`](Self::get_opt) makes that `None`.
    pub async fn get(&self, name: &str) -> Result<K, Error>
    where
        K: verbs::Get,
        P: Addressable,
    {
        self.endpoint.check("get", true, self.place.namespace())?;
        self.request(Method::GET).name(name).fetch().await
    }

    /// Reads one object, if it exists.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), but for an object that does not exist.
    pub async fn get_opt(&self, name: &str) -> Result<Option<K>, Error>
    where
        K: verbs::Get,
        P: Addressable,
    {
        match self.get(name).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists objects.
    ///
    /// # Errors
    ///
    /// [`is_expired`](Error::is_expired) if the version or token to go on from is too old. If an object cannot be
    /// decoded, [`undecodable_object`](Error::undecodable_object) names it;
    /// [`list_decodable`](Self::list_decodable) gives the others.
    pub async fn list(&self, options: &ListOptions) -> Result<List<K>, Error>
    where
        K: verbs::List,
    {
        self.collect(options, Err).await
    }

    /// Lists the objects that can be decoded, and gives an error for each of the others, which
    /// [`undecodable_object`](Error::undecodable_object) names.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list), but for objects that cannot be decoded.
    pub async fn list_decodable(&self, options: &ListOptions) -> Result<(List<K>, Vec<Error>), Error>
    where
        K: verbs::List,
    {
        let mut undecodable = Vec::new();
        let list = self.collect(options, |error| {
            undecodable.push(error);
            Ok(())
        });
        Ok((list.await?, undecodable))
    }

    async fn collect(
        &self,
        options: &ListOptions,
        mut pass_over: impl FnMut(Error) -> Result<(), Error>,
    ) -> Result<List<K>, Error>
    where
        K: verbs::List,
    {
        let mut items = self.items(options).await?;
        let mut list = List { items: Vec::new(), metadata: ListMeta::default() };
        loop {
            match items.next().await {
                Ok(Some(item)) => list.items.push(item),
                Ok(None) => break,
                Err(error) if error.undecodable_object().is_some() => pass_over(error)?,
                Err(error) => return Err(error),
            }
        }
        list.items.shrink_to_fit();
        list.metadata = items.into_metadata();
        Ok(list)
    }

    /// Lists objects one by one as they arrive, so that no more than one is held.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn items(&self, options: &ListOptions) -> Result<Items<K>, Error>
    where
        K: verbs::List,
    {
        self.start_items(options).await
    }

    /// Follows changes as they are made.
    ///
    /// # Errors
    ///
    /// If the watch is refused. That it ends, or is too old to go on, is told in the stream.
    pub async fn watch(&self, options: &WatchOptions) -> Result<Watch<K>, Error>
    where
        K: verbs::Watch,
    {
        self.start_watch(options).await
    }

    /// Creates an object and gives it as the server made it.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists) if there is one of that name,
    /// [`is_invalid`](Error::is_invalid) if it breaks a rule of its kind.
    pub async fn create(&self, object: &K) -> Result<K, Error>
    where
        K: verbs::Create,
        P: Addressable,
    {
        self.endpoint.check("create", true, self.place.namespace())?;
        let request = self.endpoint.writing(self.request(Method::POST));
        self.endpoint.exchange(request, object).await
    }

    /// Replaces an object and gives it as the server made it. If it has a resourceVersion, it must be the present
    /// one.
    ///
    /// # Errors
    ///
    /// [`is_conflict`](Error::is_conflict) if it has changed since it was read: read it again, change that.
    pub async fn update(&self, object: &K) -> Result<K, Error>
    where
        K: verbs::Update,
        P: Addressable,
    {
        self.endpoint.check("update", true, self.place.namespace())?;
        let request = self.endpoint.writing(self.request(Method::PUT).name(object.name()));
        self.endpoint.exchange(request, object).await
    }

    /// Changes an object by a patch and gives it as it then is.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist, [`is_invalid`](Error::is_invalid) if the patch
    /// does not apply or breaks a rule of its kind.
    pub async fn patch(&self, name: &str, patch: &Patch) -> Result<K, Error>
    where
        K: verbs::Patch,
        P: Addressable,
    {
        self.endpoint.check("patch", true, self.place.namespace())?;
        let request = patch.put_into(self.request(Method::PATCH).name(name));
        self.endpoint.writing(request).fetch().await
    }

    /// Deletes an object.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) if it does not exist, [`is_conflict`](Error::is_conflict) if a
    /// precondition does not hold.
    pub async fn delete(&self, name: &str, options: &DeleteOptions) -> Result<Deleted<K>, Error>
    where
        K: verbs::Delete,
        P: Addressable,
    {
        self.endpoint.check("delete", true, self.place.namespace())?;
        let request = self.request(Method::DELETE).name(name);
        Deleted::read(&self.deleting::<K>(request, options).await?)
    }

    /// Deletes all objects that are selected, and gives them as they last were.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete) and [`list`](Self::list).
    pub async fn delete_collection(
        &self,
        options: &DeleteOptions,
        which: &ListOptions,
    ) -> Result<List<K>, Error>
    where
        K: verbs::DeleteCollection,
        P: Addressable,
    {
        self.endpoint.check("deletecollection", true, self.place.namespace())?;
        let form = K::is_partial().then_some(Form::MetadataList);
        let request = listing(self.request(Method::DELETE), which).form(form);
        self.deleting::<List<K>>(request, options).await?.decode()
    }

    /// The options of a delete go in its body, with the handle's own.
    async fn deleting<A: Wire>(&self, request: Request, options: &DeleteOptions) -> Result<Response, Error> {
        let mut options = options.clone();
        let all: Str = "All".into();
        if self.endpoint.write.dry_run && !options.dry_run.contains(&all) {
            options.dry_run.push(all);
        }
        // Nothing to say, nothing to send.
        if options == DeleteOptions::default() {
            return request.respond::<A>().await;
        }
        request.submit::<DeleteOptions, A>(&options).await
    }
}
