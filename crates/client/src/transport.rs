//! HTTP connections, TLS, and the pool of connections.

mod body;
mod connect;
mod failure;
mod idle_connections;
mod opening;
mod pool;
mod pooled_connection;
mod pools;
mod proxy;
mod request_body;
mod resolver;
mod response_body;
mod sender;
mod server;
mod server_name;
mod socket;
pub(crate) mod tls;
mod unread_body;
mod validity;

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use klient_apimachinery::BoxFuture;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt as _};

pub(crate) use failure::{is_cut, kind};
pub(crate) use pools::is_upgrade;
pub use request_body::RequestBody;
pub use response_body::ResponseBody;

use crate::config::Config;
use crate::error::Error;

/// The cause of a transport error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The service that sends requests, to which layers can be added: see [`Client::with_layer`](crate::Client::with_layer).
#[derive(Clone)]
pub struct Transport {
    pools: pools::Pools,
    /// The layers around the pools.
    layered: Option<BoxCloneSyncService<Request<RequestBody>, Response<ResponseBody>, BoxError>>,
}

impl Transport {
    /// The transport of a configuration.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let pool = pool::Pool::new(connect::connector(config)?, config);
        Ok(Transport { pools: pools::Pools::new(pool), layered: None })
    }

    /// The transport with a layer around it.
    pub(crate) fn layered<L>(self, layer: L) -> Self
    where
        L: Layer<Transport>,
        L::Service:
            Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<RequestBody>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<RequestBody>>>::Future: Send + 'static,
    {
        let pools = self.pools.clone();
        let layered = BoxCloneSyncService::new(layer.layer(self).map_err(Into::into));
        Transport { pools, layered: Some(layered) }
    }

    /// Sends a request, once the layers are ready for it.
    pub(crate) fn send(
        &self,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, BoxError>> {
        match &self.layered {
            Some(layered) => Box::pin(layered.clone().oneshot(request)),
            None => self.pools.send(request),
        }
    }

    /// Logs a request that waits for its response, and the state of the connections.
    pub(crate) fn log_slow(&self, method: &Method, uri: &Uri, waited: Duration) {
        self.pools.log_slow(method, uri, waited);
    }
}

impl Service<Request<RequestBody>> for Transport {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.layered {
            Some(layered) => layered.poll_ready(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        match &mut self.layered {
            Some(layered) => layered.call(request),
            None => self.pools.send(request),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}
