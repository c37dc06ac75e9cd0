//! [`Pools`], the connections for requests, and those for requests that upgrade theirs.

use std::task::{Context, Poll};

use http::header::UPGRADE;
use http::{HeaderMap, Request, Response};
use tower::Service;

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
}

impl Service<Request<RequestBody>> for Pools {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = <Pool as Service<Request<RequestBody>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.pool.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let pool = if is_upgrade(request.headers()) { &mut self.upgrades } else { &mut self.pool };
        pool.call(request)
    }
}

/// Returns true for the headers of a request that upgrades its connection.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE)
}
