//! [`Pools`], the connections for requests, and those for requests that upgrade theirs.

use std::time::Duration;

use http::header::UPGRADE;
use http::{HeaderMap, Method, Request, Response, Uri};
use klient_apimachinery::BoxFuture;

use super::pool::Pool;
use super::{BoxError, RequestBody, ResponseBody};

/// Sends requests that upgrade their connection over HTTP/1.1, since HTTP/2 has no upgrades, and others over the
/// version that is negotiated.
#[derive(Clone)]
pub(super) struct Pools {
    pool: Pool,
    upgrades: Pool,
}

impl Pools {
    pub(super) fn new(pool: Pool) -> Self {
        Pools { upgrades: pool.http11(), pool }
    }

    /// Sends a request, whose future is in a box, since each layer around it would have room for it.
    pub(super) fn send(
        &self,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, BoxError>> {
        let pool = if is_upgrade(request.headers()) { &self.upgrades } else { &self.pool };
        Box::pin(pool.clone().send(request))
    }

    /// Logs a request that waits for its response.
    pub(super) fn log_slow(&self, method: &Method, uri: &Uri, waited: Duration) {
        self.pool.log_slow(method, uri, waited);
    }
}

/// Returns true for the headers of a request that upgrades its connection.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE)
}
