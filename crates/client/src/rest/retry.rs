//! Retries of requests.
//!
//! - a failed connection is not retried: an unknown host, a closed port or an untrusted certificate is an error at once;
//! - 429 and 5xx are retried only with a `Retry-After`: the server has then done nothing, so that even a POST can be
//!   repeated; a wait of more than five minutes is left to the caller;
//! - a request that was cut is retried only if it reads: whether a write took effect is unknown.
//!
//! The transport itself repeats the requests that an HTTP/2 server says it did not process.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use klient_apimachinery::go::quoted;
use tracing::Span;

use super::response::{failure, retry_after};
use super::span;
use crate::call::Call;
use crate::connection::Connection;
use crate::error::Error;
use crate::http_trace::BodyTrace;
use crate::metrics;
use crate::priority_and_fairness::PriorityAndFairness;
use crate::rate_limiter::throttle;
use crate::transport::{self, ResponseBody, is_upgrade};
use crate::warning::WarningHandler;

/// As client-go.
const MAX_RETRIES: u32 = 10;

/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// The pause before a request that was cut is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends a request until its response is other than "retry later". The response may report a failure.
pub(super) async fn send(
    connection: &Connection,
    call: &Arc<Call>,
    warnings: &WarningHandler,
    span: &Span,
) -> Result<http::Response<ResponseBody>, Error> {
    BodyTrace::request(connection.config().http_trace, &call.body);
    let mut retries = 0;
    loop {
        let sent = connection.send(call).await;
        metrics::request_size(&call.method, &call.uri, call.body.len());
        let code = sent.as_ref().ok().map(http::Response::status);
        metrics::request(&call.method, &call.uri, code, retries > 0);
        let (wait, reason) = match sent {
            Ok(response) => match not_now(&response) {
                Some(wait) if retries < MAX_RETRIES && wait <= LONGEST_WAIT => (wait, refusal(&response)),
                _ => return checked(connection, call, warnings, response).await,
            },
            Err(error) if retries < MAX_RETRIES && reads(call) && was_cut(&error) => {
                (PAUSE, format!("due to retryable error, error: {error}"))
            }
            Err(error) => return Err(error),
        };
        retries += 1;
        let wait_seconds = wait.as_secs();
        let reason = format!("retries: {retries}, retry-after: {wait_seconds}s - retry-reason: {reason}");
        tracing::debug!(request = %call, retries, ?wait, reason, "sending again");
        span::resent(span, retries);
        tokio::time::sleep(wait).await;
        throttle(connection.config().rate_limiter.as_ref(), call, Some(&reason)).await;
    }
}

fn was_cut(error: &Error) -> bool {
    error.cause().is_some_and(transport::is_cut)
}

/// Returns true if the request only reads. An upgrade may start a process, whatever its method.
fn reads(call: &Call) -> bool {
    (call.method == Method::GET || call.method == Method::HEAD) && !is_upgrade(&call.headers)
}

/// The delay of `Retry-After`, if the server gives one.
fn not_now(response: &http::Response<ResponseBody>) -> Option<Duration> {
    let status = response.status();
    let for_now = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    retry_after(response.headers()).filter(|_| for_now)
}

/// The reason of a retry in client-go's words.
fn refusal(response: &http::Response<ResponseBody>) -> String {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return response.status().as_u16().to_string();
    }
    let by = PriorityAndFairness::of(response.headers());
    let schema = by.map(|by| by.flow_schema_uid).unwrap_or_default();
    format!("due to server-side throttling, FlowSchema UID: {}", quoted(schema))
}

async fn checked(
    connection: &Connection,
    call: &Arc<Call>,
    warnings: &WarningHandler,
    response: http::Response<ResponseBody>,
) -> Result<http::Response<ResponseBody>, Error> {
    warnings.handle(response.headers());
    let status = response.status();
    let is_switched = status == StatusCode::SWITCHING_PROTOCOLS && is_upgrade(&call.headers);
    if status.is_success() || status == StatusCode::NOT_MODIFIED || is_switched {
        return Ok(response);
    }
    // In a box, since the future of every request would have room for it.
    Err(Box::pin(failure(call, response, connection.config().http_trace)).await)
}
