//! [`Client`], a connection to a cluster.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{ListWatch, Object, Resource, ResourceInfo, Scope, Sources};
use tower::{Layer, Service};

use crate::api::{Api, DynamicKind, DynamicPlace};
use crate::call::Call;
use crate::config::Config;
use crate::connection::Connection;
use crate::discovery::Discovery;
use crate::error::Error;
use crate::rest;
use crate::transport::{BoxError, RequestBody, ResponseBody, Transport};

/// A connection to a cluster, cheap to clone and shared by all clones.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_client::{Client, Config, ListOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let namespaces = client.api::<Namespace>().list(&ListOptions::default()).await?;
/// assert_eq!(namespaces.items.len(), 4);
/// # Ok(()) }
/// ```
///
/// # Unread responses
///
/// A list or a watch that is not read stops no other request of the client: each holds 1 MiB of data at most, less
/// than its share of a connection. One in which data waits unread for longer than
/// [`Timeouts::unread`](crate::Timeouts::unread) ends with an error. A request that waits for its response for more than
/// ten seconds is logged as a warning.
#[doc(alias = "RESTClient")]
#[doc(alias = "DynamicClient")]
#[derive(Clone)]
pub struct Client(Connection);

impl Client {
    /// A client of a cluster. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the configuration's certificates or names cannot be used.
    #[doc(alias = "RESTClientFor")]
    pub fn new(config: Config) -> Result<Client, Error> {
        let transport = Transport::new(&config)?;
        Ok(Client(Connection::new(config, transport)?))
    }

    /// A client of the cluster that kubectl would talk to, or of the cluster around the pod: see [`Config::infer`].
    ///
    /// # Errors
    ///
    /// As [`Config::infer`] and [`new`](Self::new).
    #[doc(alias = "try_default")]
    pub fn infer() -> Result<Client, Error> {
        Client::new(Config::infer()?)
    }

    /// A client whose every request and answer goes through a layer, which may look at and change them.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(alias = "WrapTransport")]
    pub fn with_layer<L>(config: Config, layer: L) -> Result<Client, Error>
    where
        L: Layer<Transport>,
        L::Service:
            Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<RequestBody>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<RequestBody>>>::Future: Send + 'static,
    {
        let transport = Transport::new(&config)?.layered(layer);
        Ok(Client(Connection::new(config, transport)?))
    }

    /// The configuration of the client.
    pub fn config(&self) -> &Config {
        self.0.config()
    }

    /// The namespace where none is named.
    pub fn default_namespace(&self) -> &str {
        &self.config().namespace
    }

    /// A handle to a kind that is known at compile time, in all namespaces. Code over kinds takes the handle to the
    /// place of an object:
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::{ConfigMap, Namespace};
    /// use klient_apimachinery::{Kind, Object as _, ObjectKey, meta::v1::ObjectMeta};
    /// use klient_client::{Client, Config, Error};
    ///
    /// /// Adds a finalizer to an object of any kind.
    /// async fn add_finalizer<K: Kind>(client: &Client, mut object: K) -> Result<K, Error> {
    ///     object.metadata_mut().add_finalizer("shop.example/cleanup");
    ///     client.api::<K>().namespace_of(&ObjectKey::of(&object)).update(&object).await
    /// }
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let shop = Namespace { metadata: ObjectMeta::named("shop"), ..Default::default() };
    /// let shop = add_finalizer(&client, client.api::<Namespace>().create(&shop).await?).await?;
    /// let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    /// let colors = client.api::<ConfigMap>().namespace("shop").create(&colors).await?;
    /// let colors = add_finalizer(&client, colors).await?;
    /// assert!(shop.finalizers().eq(colors.finalizers()));
    /// # Ok(()) }
    /// ```
    pub fn api<K: Resource>(&self) -> Api<K> {
        Api::new(self.0.clone(), K::INFO, <K::Scope as Scope>::Root::default())
    }

    /// A handle to a kind that is found out at run time, in all namespaces.
    pub fn dynamic(
        &self,
        kind: impl Into<DynamicKind>,
    ) -> Api<klient_apimachinery::Unstructured, DynamicPlace> {
        Api::dynamic(self.0.clone(), kind.into())
    }

    /// A handle to the metadata of objects of any kind: names, labels, owners and the rest, without spec and status. In
    /// protobuf where the server has that.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Namespace;
    /// use klient_apimachinery::Resource;
    /// use klient_client::{Client, Config, ListOptions};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let namespaces = client.metadata(Namespace::INFO).list(&ListOptions::default()).await?;
    /// assert_eq!(namespaces.items[0].metadata.name.as_deref(), Some("default"));
    /// # Ok(()) }
    /// ```
    pub fn metadata(&self, kind: impl Into<DynamicKind>) -> Api<PartialObjectMetadata, DynamicPlace> {
        Api::dynamic(self.0.clone(), kind.into())
    }

    /// The resources that the server serves.
    pub fn discovery(&self) -> Discovery {
        Discovery::new(self.0.clone())
    }

    /// A request, to be completed and sent.
    pub fn request(&self, method: Method) -> rest::Request {
        rest::Request::new(self.0.clone(), method)
    }
}

impl Client {
    /// Sends an HTTP request as it is, with the credentials, user agent and impersonation of the client where the
    /// request has none, and returns the response, whatever its code. For proxies, and for APIs that
    /// [`request`](Self::request) does not fit.
    ///
    /// It goes to the server of [`Config::url`], whichever host its URI names, and the path of that URL is not added. It
    /// is sent once, and waits for the head of the response for as long as that takes. With the header `Upgrade`, it
    /// goes over a connection of its own in HTTP/1.1, which [`Upgraded::of`](crate::Upgraded::of) takes from the response with the code 101.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use klient_client::{Client, Config, RequestBody};
    /// # let server = klient_apiserver::TestServer::start().await?;
    /// # let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let request = http::Request::get("/api/v1/namespaces/none").body(RequestBody::default())?;
    /// let response = client.send(request).await?;
    /// assert_eq!(response.status(), 404);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the URI has no path, or the request could not be sent or was not answered.
    pub async fn send(&self, request: Request<RequestBody>) -> Result<Response<ResponseBody>, Error> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().filter(|path| path.as_str().starts_with('/'));
        let mut uri = self.config().url.clone().into_parts();
        let Some(path) = path else {
            let shown = format!("{} {}", head.method, head.uri);
            return Err(Error::request(shown, "the URI has no path".to_owned()));
        };
        uri.path_and_query = Some(path.clone());
        let uri = Uri::from_parts(uri).expect("it has the scheme and the authority of another URI");
        let call =
            Call { method: head.method, uri, headers: head.headers, body: Bytes::new(), first_byte: None };
        self.0.send_body(&call, body).await
    }
}

impl Sources for Client {
    fn list_watch<K: Wire + Object>(
        &self,
        resource: &ResourceInfo,
        namespace: Option<&str>,
    ) -> Arc<dyn ListWatch<K>> {
        let place = DynamicPlace::new(namespace);
        Arc::new(Api::<K, _>::new(self.0.clone(), resource.clone(), place).source())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.config().url).finish()
    }
}
