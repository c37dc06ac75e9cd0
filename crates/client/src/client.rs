//! [`Client`], a connection to a cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{Resource, Scope};
use tower::{Layer, Service, ServiceExt as _};

use crate::api::{Api, DynamicKind, DynamicPlace};
use crate::config::Config;
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind};
use crate::rest;
use crate::transport::{self, BoxError, RequestBody, ResponseBody, Transport};

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
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    config: Config,
    transport: Transport,
    in_json: rest::InJson,
}

impl Client {
    /// A client of a cluster. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the configuration's certificates or names cannot be used.
    pub fn new(config: Config) -> Result<Client, Error> {
        let transport = Transport::new(&config)?;
        Ok(Client(Arc::new(Inner { config, transport, in_json: rest::InJson::default() })))
    }

    /// A client of the cluster that kubectl would talk to, or of the cluster around the pod: see [`Config::infer`].
    ///
    /// # Errors
    ///
    /// As [`Config::infer`] and [`new`](Self::new).
    pub fn infer() -> Result<Client, Error> {
        Client::new(Config::infer()?)
    }

    /// A client whose every request and answer goes through a layer, which may look at and change them.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_layer<L>(config: Config, layer: L) -> Result<Client, Error>
    where
        L: Layer<Transport>,
        L::Service:
            Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<RequestBody>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<RequestBody>>>::Future: Send + 'static,
    {
        let transport = Transport::new(&config)?.layered(layer);
        Ok(Client(Arc::new(Inner { config, transport, in_json: rest::InJson::default() })))
    }

    /// The configuration of the client.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The namespace where none is named.
    pub fn default_namespace(&self) -> &str {
        &self.0.config.namespace
    }

    /// A handle to a kind that is known at compile time, in all namespaces.
    pub fn api<K: Resource>(&self) -> Api<K> {
        Api::new(self.clone(), K::INFO, <K::Scope as Scope>::Root::default())
    }

    /// A handle to a kind that is found out at run time, in all namespaces.
    pub fn dynamic(
        &self,
        kind: impl Into<DynamicKind>,
    ) -> Api<klient_apimachinery::Unstructured, DynamicPlace> {
        Api::dynamic(self.clone(), kind.into())
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
        Api::dynamic(self.clone(), kind.into())
    }

    /// The resources that the server serves.
    pub fn discovery(&self) -> Discovery {
        Discovery::new(self.clone())
    }

    /// A request, to be completed and sent.
    pub fn request(&self, method: Method) -> rest::Request {
        rest::Request::new(self.clone(), method)
    }

    /// Groups that are known to be served in JSON only.
    pub(crate) fn in_json(&self) -> &rest::InJson {
        &self.0.in_json
    }

    /// Sends one request and waits for the head of its response. Credentials that are refused and have others in their
    /// place are sent once more.
    pub(crate) async fn send(&self, call: &Call) -> Result<Response<ResponseBody>, Error> {
        let credentials = &self.0.config.credentials;
        if call.headers.contains_key(header::AUTHORIZATION) {
            return self.send_as(call, None).await;
        }
        let authorization = credentials.authorization(call).await?;
        let response = self.send_as(call, authorization.header.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match credentials.refresh(&authorization, call).await? {
            Some(fresh) => self.send_as(call, fresh.header.as_ref()).await,
            None => Ok(response),
        }
    }

    /// Sends one request with a credential.
    async fn send_as(
        &self,
        call: &Call,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<ResponseBody>, Error> {
        let timeouts = &self.0.config.timeouts;
        let request = self.http_request(call, authorization)?;
        let sent = self.0.transport.clone().oneshot(request);
        let limit = timeouts.first_byte.unwrap_or(Duration::MAX);
        match tokio::time::timeout(limit, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Error::new(transport::kind(&*error), call.to_string(), error)),
            Err(_) => {
                let problem = format!("no answer within {} s", limit.as_secs_f64());
                Err(Error::new(ErrorKind::Timeout, call.to_string(), crate::error::Problem(problem)))
            }
        }
    }

    fn http_request(
        &self,
        call: &Call,
        authorization: Option<&HeaderValue>,
    ) -> Result<Request<RequestBody>, Error> {
        let config = &self.0.config;
        let mut request = Request::new(RequestBody::from(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        *request.headers_mut() = call.headers.clone();
        let headers = request.headers_mut();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        if let Some(impersonate) = &config.impersonate {
            impersonate.add_to(headers)?;
        }
        if let Ok(agent) = config.user_agent.parse() {
            headers.entry(header::USER_AGENT).or_insert(agent);
        }
        Ok(request)
    }

    /// Takes the warnings of an answer.
    pub(crate) fn warn(&self, headers: &HeaderMap) {
        let headers = headers.get_all(header::WARNING).iter().filter_map(|value| value.to_str().ok());
        for text in headers.flat_map(rest::warnings) {
            match &self.0.config.warnings {
                Some(handler) => handler(&text),
                None => tracing::warn!("{text}"),
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.config.url).finish()
    }
}

/// A request that is complete and can be sent, more than once if need be.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

/// `GET https://host/path?query`, for messages.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}
