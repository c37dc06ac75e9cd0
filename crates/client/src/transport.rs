//! HTTP connections, TLS, and the pool of connections.

mod body;
mod connect;
mod failure;
mod opening;
mod pool;
mod pooled_connection;
mod pools;
mod proxy;
mod request_body;
mod resolver;
mod response_body;
mod server_name;
mod socket;
pub(crate) mod tls;
mod validity;

use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
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
pub struct Transport(Inner);

#[derive(Clone)]
enum Inner {
    Pools(pools::Pools),
    Layered(BoxCloneSyncService<Request<RequestBody>, Response<ResponseBody>, BoxError>),
}

impl Transport {
    /// The transport of a configuration.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let pool = pool::Pool::new(connect::connector(config)?, config);
        Ok(Transport(Inner::Pools(pools::Pools::new(pool))))
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
        Transport(Inner::Layered(BoxCloneSyncService::new(layer.layer(self).map_err(Into::into))))
    }
}

impl Service<Request<RequestBody>> for Transport {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.0 {
            Inner::Pools(pools) => pools.poll_ready(context),
            Inner::Layered(layered) => layered.poll_ready(context),
        }
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        match &mut self.0 {
            Inner::Pools(pools) => pools.call(request),
            Inner::Layered(layered) => layered.call(request),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}
