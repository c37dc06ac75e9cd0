//! Retries of requests.
//!
//! - a failed connection is not retried: an unknown host, a closed port or an untrusted certificate is an error at once;
//! - 429 and 5xx are retried only with a `Retry-After`: the server has then done nothing, so that even a POST can be
//!   repeated;
//! - a request that was cut is retried only if it reads: whether a write took effect is unknown.
//!
//! The transport itself repeats the requests that an HTTP/2 server says it did not process.

use std::time::Duration;

use http::{Method, StatusCode};

use super::response::{failure, retry_after};
use crate::call::Call;
use crate::connection::Connection;
use crate::error::Error;
use crate::transport::{self, ResponseBody};

/// As client-go.
const MAX_RETRIES: u32 = 10;

/// The pause before a request that was cut is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends a request until its response is other than "retry later". The response may report a failure.
pub(super) async fn send(
    connection: &Connection,
    call: &Call,
) -> Result<http::Response<ResponseBody>, Error> {
    let mut retries = 0;
    loop {
        let wait = match connection.send(call).await {
            Ok(response) if retries == MAX_RETRIES => return checked(connection, call, response).await,
            Ok(response) => match not_now(&response) {
                Some(wait) => wait,
                None => return checked(connection, call, response).await,
            },
            Err(error) if retries < MAX_RETRIES && reads(&call.method) && was_cut(&error) => PAUSE,
            Err(error) => return Err(error),
        };
        retries += 1;
        tracing::debug!(request = %call, retries, ?wait, "sending again");
        tokio::time::sleep(wait).await;
    }
}

fn was_cut(error: &Error) -> bool {
    error.cause().is_some_and(transport::is_cut)
}

fn reads(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

/// The delay of `Retry-After`, if the server gives one.
fn not_now(response: &http::Response<ResponseBody>) -> Option<Duration> {
    let status = response.status();
    let for_now = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    retry_after(response.headers()).filter(|_| for_now)
}

async fn checked(
    connection: &Connection,
    call: &Call,
    response: http::Response<ResponseBody>,
) -> Result<http::Response<ResponseBody>, Error> {
    connection.warn(response.headers());
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        return Ok(response);
    }
    Err(failure(call, response).await)
}
