//! The variables of the environment for HTTP/2, as client-go reads them.

use std::time::Duration;

use klient_apimachinery::go::quoted;

const READ_IDLE: Duration = Duration::from_secs(30);
const PING: Duration = Duration::from_secs(15);

/// Returns true if `DISABLE_HTTP2` is set, to anything.
pub(super) fn is_disabled() -> bool {
    std::env::var_os("DISABLE_HTTP2").is_some_and(|value| !value.is_empty())
}

/// `HTTP2_READ_IDLE_TIMEOUT_SECONDS`; 0 is none.
pub(super) fn read_idle() -> Option<Duration> {
    Some(seconds("HTTP2_READ_IDLE_TIMEOUT_SECONDS", READ_IDLE)).filter(|idle| !idle.is_zero())
}

/// `HTTP2_PING_TIMEOUT_SECONDS`; 0 is the default.
pub(super) fn ping() -> Duration {
    Some(seconds("HTTP2_PING_TIMEOUT_SECONDS", PING)).filter(|ping| !ping.is_zero()).unwrap_or(PING)
}

/// A variable with a number of seconds. One that is no such number is warned of.
fn seconds(name: &str, default: Duration) -> Duration {
    let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else { return default };
    let text = text.to_string_lossy();
    text.parse().map(Duration::from_secs).unwrap_or_else(|_| {
        tracing::warn!("illegal {name}({}): default value {} is used", quoted(&*text), default.as_secs());
        default
    })
}
