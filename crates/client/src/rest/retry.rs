//! Sending again what may be sent again.
//!
//! - where no connection comes about, for want of a name, a listener or trust, the caller learns it at once;
//! - what the server refused for now (429, or 5xx) is tried again only if it says after what time: it has then done
//!   nothing, so even a POST may be repeated;
//! - what was cut on the way is tried again only if it reads: nobody knows what became of a write.

use std::time::Duration;

use http::{Method, StatusCode};

use super::response::{failure, retry_after};
use crate::call::Call;
use crate::connection::Connection;
use crate::error::Error;
use crate::transport::{self, ResponseBody};

/// As client-go.
const MAX_RETRIES: u32 = 10;

/// Before what was cut is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends a request until it is answered with more than "not now". The answer may tell of a failure.
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
