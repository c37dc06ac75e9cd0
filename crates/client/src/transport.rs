//! From a request to an answer: connections, TLS, and who opens how many.

mod body;
mod connect;
mod failure;
mod pool;
mod pooled_connection;
pub(crate) mod tls;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt as _};

pub(crate) use failure::{is_cut, is_untrusted, kind};

use crate::config::Config;
use crate::error::Error;

/// The body of a request: bytes, so that it can be sent again.
pub type RequestBody = Full<Bytes>;

/// The body of an answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// The cause of a transport error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The service that sends requests, to which layers can be added.
pub type Transport = BoxCloneSyncService<Request<RequestBody>, Response<ResponseBody>, BoxError>;

/// The transport of a configuration.
pub(crate) fn transport(config: &Config) -> Result<Transport, Error> {
    let pool = pool::Pool::new(connect::connector(config)?, &config.timeouts);
    Ok(BoxCloneSyncService::new(pool))
}

/// Puts a layer around a transport.
pub(crate) fn layered<L>(transport: Transport, layer: L) -> Transport
where
    L: Layer<Transport>,
    L::Service:
        Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<RequestBody>>>::Error: Into<BoxError>,
    <L::Service as Service<Request<RequestBody>>>::Future: Send + 'static,
{
    BoxCloneSyncService::new(layer.layer(transport).map_err(Into::into))
}
