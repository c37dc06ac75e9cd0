//! The wait of a request for its rate limiter, and the messages about it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::RateLimiter;
use crate::call::Call;
use crate::metrics;

/// A wait that is logged at `debug`, as in client-go.
const LONG: Duration = Duration::from_millis(50);

/// A wait that is logged at `warn`.
const EXTRA_LONG: Duration = Duration::from_secs(1);

/// The time between two warnings of a limiter.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(10);

/// The last warning of a limiter.
#[derive(Default)]
pub(super) struct Throttled(Mutex<Option<Instant>>);

impl Throttled {
    /// Returns true if there was no warning for a while, and counts one.
    fn may_warn(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= BETWEEN_WARNINGS);
        if may {
            *last = Some(Instant::now());
        }
        may
    }
}

/// Waits for the limiter's permission to send a request. `retry` is the reason if it was sent before.
pub(crate) async fn throttle(limiter: Option<&RateLimiter>, call: &Call, retry: Option<&str>) {
    let Some(limiter) = limiter else { return };
    let began = Instant::now();
    limiter.wait().await;
    let delay = began.elapsed();
    metrics::rate_limiter_duration(&call.method, &call.uri, delay);
    if delay <= LONG {
        return;
    }
    let reason = retry.unwrap_or("client-side throttling, not priority and fairness");
    let (verb, url) = (call.method.as_str(), call.uri.to_string());
    if delay > EXTRA_LONG && limiter.0.throttled.may_warn() {
        tracing::warn!(?delay, reason, verb, URL = url, "Waited before sending request");
    } else {
        tracing::debug!(?delay, reason, verb, URL = url, "Waited before sending request");
    }
}
