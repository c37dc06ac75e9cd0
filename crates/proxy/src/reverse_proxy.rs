//! [`ReverseProxy`], the service that passes requests on.

use std::any::Any;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use klient_apimachinery::BoxFuture;
use klient_apimachinery::meta::Reason;
use klient_client::{BoxError, Client, RequestBody, ResponseBody, Upgraded};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower_service::Service;

use crate::bridge::bridge;
use crate::failure::Failure;
use crate::forwarded::{PublicUrl, append_forwarded_for};
use crate::headers::{requested_upgrade, size_of, strip_request, strip_response};
use crate::limited::{Limited, Overrun};

/// A reverse proxy in front of the API server of a client.
///
/// Requests have the client's credentials unless they bring an `Authorization` of their own, as in client-go: who may
/// send requests to the proxy acts as the client. A proxy that others can reach is therefore behind a layer that
/// authenticates them. Such a layer decides about `Impersonate-…` headers, too: those of a request are passed on, and are
/// in place of [`Config::impersonate`](klient_client::Config::impersonate). The response to a request that could not be passed on has the client's [`Error`](klient_client::Error)
/// among its extensions, as `Arc<Error>`.
///
/// Upgraded connections end with the last clone of the proxy.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_client::{Client, Config};
/// use klient_proxy::{ReverseProxy, ReverseProxyOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let proxy = ReverseProxy::new(client, ReverseProxyOptions::default());
///
/// // The proxy below a path of a router of axum, which has removed `/cluster` from the path of the request.
/// let router: axum::Router = axum::Router::new().nest_service("/cluster", proxy);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// tokio::spawn(async move { axum::serve(listener, router).await });
///
/// let through = Client::new(Config::from_url(&format!("http://{address}/cluster"))?)?;
/// let version = through.discovery().version().await?;
/// assert_eq!(version.major, "1");
/// # Ok(()) }
/// ```
#[doc(alias = "UpgradeAwareHandler")]
#[derive(Clone, Debug)]
pub struct ReverseProxy(Arc<Inner>);

/// The behavior and the limits of a [`ReverseProxy`].
#[derive(Clone, Debug)]
pub struct ReverseProxyOptions {
    /// Adds the path of [`Config::url`](klient_client::Config::url) in front of that of requests (client-go's
    /// `AppendLocationPath`). Requests whose path has a part `.` or `..` are then refused, because they could lead out of
    /// it.
    pub append_server_path: bool,
    /// The URL at which clients reach the proxy. With it, requests get the headers `X-Forwarded-Uri`,
    /// `X-Forwarded-Host` and `X-Forwarded-Proto`, and a `Location` on the server is rewritten to one below the URL, as
    /// by client-go's `proxy.Transport`. HTML is passed on as it is.
    pub public_url: Option<Uri>,
    /// The limit of the names and values of a request's headers, in bytes.
    pub max_header_bytes: usize,
    /// The limit of the body of a request, in bytes; none if absent. The server has one, too.
    pub max_body_bytes: Option<u64>,
    /// The limit of upgraded connections at a time.
    pub max_upgraded_connections: usize,
}

impl Default for ReverseProxyOptions {
    /// Go's limit of headers, 1 MiB, no limit of bodies, and 1000 upgraded connections.
    fn default() -> Self {
        ReverseProxyOptions {
            append_server_path: true,
            public_url: None,
            max_header_bytes: 1 << 20,
            max_body_bytes: None,
            max_upgraded_connections: 1000,
        }
    }
}

/// The address of the client of a request, for the header `X-Forwarded-For`: an extension of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// A value that is kept while the connection that a request switches to another protocol is open, such as the permit of a
/// limit: an extension of requests.
#[derive(Clone)]
pub struct ConnectionGuard(pub Arc<dyn Any + Send + Sync>);

#[derive(Debug)]
struct Inner {
    client: Client,
    options: ReverseProxyOptions,
    public_url: Option<PublicUrl>,
    upgrades: Arc<Semaphore>,
    /// Dropped with the last clone, which the tasks of upgraded connections wait for.
    open: watch::Sender<()>,
}

impl ReverseProxy {
    /// A proxy in front of the server of a client.
    pub fn new(client: Client, options: ReverseProxyOptions) -> Self {
        let upgrades = options.max_upgraded_connections.min(Semaphore::MAX_PERMITS);
        ReverseProxy(Arc::new(Inner {
            client,
            public_url: options.public_url.as_ref().map(PublicUrl::of),
            upgrades: Arc::new(Semaphore::new(upgrades)),
            options,
            open: watch::Sender::new(()),
        }))
    }

    /// The number of upgraded connections that are open, which dropping the last clone of the proxy would end.
    pub fn upgraded_connections(&self) -> usize {
        self.0.open.receiver_count()
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<ResponseBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let options = &self.0.options;
        if size_of(request.headers()) > options.max_header_bytes {
            return Err(Failure::HeadersTooLarge);
        }
        match requested_upgrade(request.headers()) {
            Some(protocol) => self.switch(request, protocol).await,
            None => self.pass_on(request).await,
        }
    }

    /// Sends a request, and streams its response.
    async fn pass_on<B>(&self, request: Request<B>) -> Result<Response<ResponseBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (outgoing, body) = self.outgoing(request)?;
        let overrun = Overrun::default();
        let body = match self.0.options.max_body_bytes {
            None => RequestBody::stream(body),
            Some(limit) => {
                let length = outgoing.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
                if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit) {
                    return Err(Failure::BodyTooLarge(limit));
                }
                RequestBody::stream(Limited::new(body, limit, overrun.clone()))
            }
        };
        let uri = outgoing.uri().clone();
        let response = match self.0.client.send(outgoing.map(|()| body)).await {
            Ok(response) => response,
            Err(_) if overrun.has_happened() => {
                return Err(Failure::BodyTooLarge(self.0.options.max_body_bytes.unwrap_or_default()));
            }
            Err(error) => return Err(Failure::Unreachable(Arc::new(error))),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let problem =
                "invalid response: the server switched to another protocol without a request for it";
            return Err(Failure::Status(Reason::InternalError, problem.to_owned()));
        }
        Ok(self.passed_back(response, &uri))
    }

    /// Switches both connections to another protocol, and copies bytes between them in a task.
    async fn switch<B>(
        &self,
        mut request: Request<B>,
        protocol: HeaderValue,
    ) -> Result<Response<ResponseBody>, Failure> {
        let Some(incoming) = request.extensions_mut().remove::<OnUpgrade>() else {
            let problem = "the connection of the request cannot be switched to another protocol";
            return Err(Failure::Status(Reason::BadRequest, problem.to_owned()));
        };
        let permit = self.0.upgrades.clone().try_acquire_owned().map_err(|_| Failure::TooManyUpgrades)?;
        let guards = (permit, request.extensions_mut().remove::<ConnectionGuard>());
        let (mut outgoing, _) = self.outgoing(request)?;
        put_upgrade(outgoing.headers_mut(), protocol);
        outgoing.headers_mut().remove(CONTENT_LENGTH);
        let uri = outgoing.uri().clone();
        let sent = self.0.client.send(outgoing.map(|()| RequestBody::default())).await;
        let response = sent.map_err(|error| Failure::Unreachable(Arc::new(error)))?;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(self.connect(incoming, response, guards)),
            // The refusal of the server is the answer.
            status if status.as_u16() >= 400 => Ok(self.passed_back(response, &uri)),
            status => {
                let problem = format!("invalid upgrade response: status code {}", status.as_u16());
                Err(Failure::Status(Reason::InternalError, problem))
            }
        }
    }

    fn connect(
        &self,
        incoming: OnUpgrade,
        response: Response<ResponseBody>,
        guards: (OwnedSemaphorePermit, Option<ConnectionGuard>),
    ) -> Response<ResponseBody> {
        let mut switched = Response::new(empty());
        *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *switched.headers_mut() = response.headers().clone();
        let chosen = response.headers().get(UPGRADE).cloned();
        strip_response(switched.headers_mut());
        if let Some(chosen) = chosen {
            put_upgrade(switched.headers_mut(), chosen);
        }
        let mut open = self.0.open.subscribe();
        tokio::spawn(async move {
            let connected = async {
                let (client, server) = tokio::try_join!(
                    async { incoming.await.map_err(BoxError::from) },
                    Upgraded::of(response)
                )?;
                bridge(client, server).await.map_err(BoxError::from)
            };
            let ended = tokio::select! {
                ended = connected => ended,
                // It never changes: this is the end of the last proxy.
                _ = open.changed() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "an upgraded connection was lost");
            }
            drop(guards);
        });
        switched
    }

    /// The head of the request to the server, and the body of the one that came.
    fn outgoing<B>(&self, request: Request<B>) -> Result<(Request<()>, B), Failure> {
        let (mut head, body) = request.into_parts();
        if head.method == Method::CONNECT || !head.uri.path().starts_with('/') {
            let problem = format!("{} {} has no path on the server", head.method, head.uri);
            return Err(Failure::Status(Reason::BadRequest, problem));
        }
        let forwarded_uri = head.uri.path().to_owned();
        strip_request(&mut head.headers);
        if let Some(PeerAddress(address)) = head.extensions.get() {
            append_forwarded_for(&mut head.headers, *address);
        }
        if let Some(public) = &self.0.public_url {
            public.add_headers(&mut head.headers, &forwarded_uri);
        }
        let mut outgoing = Request::new(());
        *outgoing.uri_mut() = self.server_path(&head.uri)?;
        *outgoing.method_mut() = head.method;
        *outgoing.headers_mut() = head.headers;
        Ok((outgoing, body))
    }

    /// The path and query on the server, without a host.
    fn server_path(&self, uri: &Uri) -> Result<Uri, Failure> {
        let base = self.0.client.config().url.path().trim_end_matches('/');
        let base = if self.0.options.append_server_path { base } else { "" };
        if !base.is_empty() && uri.path().split('/').any(has_dots) {
            let problem =
                format!("{} has a part . or .., which can lead out of the server's path", uri.path());
            return Err(Failure::Status(Reason::BadRequest, problem));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let malformed = |error: http::uri::InvalidUri| Failure::Status(Reason::BadRequest, error.to_string());
        let path: http::uri::PathAndQuery = format!("{base}{path}").parse().map_err(malformed)?;
        Ok(path.into())
    }

    fn passed_back(&self, response: Response<ResponseBody>, request: &Uri) -> Response<ResponseBody> {
        let (head, body) = response.into_parts();
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        strip_response(response.headers_mut());
        if let Some(public) = &self.0.public_url {
            public.rewrite_location(response.headers_mut(), &self.0.client.config().url, request);
        }
        response
    }
}

impl<B> Service<Request<B>> for ReverseProxy
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let proxy = self.clone();
        Box::pin(async move { Ok(proxy.answer(request).await.unwrap_or_else(Failure::into_response)) })
    }
}

/// Returns true if a segment of a path is `.` or `..`, or is so up to a slash once it is decoded.
fn has_dots(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    decoded.split(['/', '\\']).any(|part| matches!(part, "." | ".."))
}

fn put_upgrade(headers: &mut http::HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, protocol);
}

fn empty() -> ResponseBody {
    ResponseBody::new(http_body_util::Empty::<Bytes>::new())
}
