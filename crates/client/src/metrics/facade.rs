//! Metrics of the recorder that the program installed.

use std::time::{Duration, Instant};

use http::{Method, StatusCode, Uri};
use metrics::{SharedString, Unit};

const REQUESTS: &str = "rest_client_requests_total";
const RETRIES: &str = "rest_client_request_retries_total";
const REQUEST_DURATION: &str = "rest_client_request_duration_seconds";
const RATE_LIMITER_DURATION: &str = "rest_client_rate_limiter_duration_seconds";
const DNS_DURATION: &str = "rest_client_dns_resolution_duration_seconds";
const REQUEST_SIZE: &str = "rest_client_request_size_bytes";
const RESPONSE_SIZE: &str = "rest_client_response_size_bytes";

/// Registers the descriptions and units of the client's metrics with the recorder that the program has installed.
///
/// | metric | labels | recorded |
/// |---|---|---|
/// | `rest_client_requests_total` | `code`, `method`, `host` | for each attempt; the code of one without a response is `<error>` |
/// | `rest_client_request_retries_total` | `code`, `verb`, `host` | for each attempt but the first |
/// | `rest_client_request_duration_seconds` | `verb`, `host` | for each request with its retries, to the end of its response; not for watches and other streams |
/// | `rest_client_rate_limiter_duration_seconds` | `verb`, `host` | for each wait for [`RateLimiter`](crate::RateLimiter) |
/// | `rest_client_dns_resolution_duration_seconds` | `host` | for each DNS lookup |
/// | `rest_client_request_size_bytes` | `verb`, `host` | for each attempt |
/// | `rest_client_response_size_bytes` | `verb`, `host` | for each whole response |
///
/// `method` and `verb` are HTTP methods. client-go's buckets are 0.005 to 60 s for durations, and 64 bytes to 16 MiB for
/// sizes.
pub fn describe_metrics() {
    metrics::describe_counter!(
        REQUESTS,
        "Number of HTTP requests, partitioned by status code, method, and host."
    );
    metrics::describe_counter!(
        RETRIES,
        "Number of request retries, partitioned by status code, verb, and host."
    );
    for (name, unit, description) in [
        (REQUEST_DURATION, Unit::Seconds, "Request latency in seconds. Broken down by verb, and host."),
        (
            RATE_LIMITER_DURATION,
            Unit::Seconds,
            "Client side rate limiter latency in seconds. Broken down by verb, and host.",
        ),
        (DNS_DURATION, Unit::Seconds, "DNS resolver latency in seconds. Broken down by host."),
        (REQUEST_SIZE, Unit::Bytes, "Request size in bytes. Broken down by verb and host."),
        (RESPONSE_SIZE, Unit::Bytes, "Response size in bytes. Broken down by verb and host."),
    ] {
        metrics::describe_histogram!(name, unit, description);
    }
}

/// The time of a request, recorded when it is dropped.
pub(crate) struct Latency {
    began: Instant,
    verb: SharedString,
    host: SharedString,
}

impl Latency {
    pub(crate) fn begin(method: &Method, uri: &Uri) -> Self {
        Latency { began: Instant::now(), verb: verb(method), host: host(uri) }
    }
}

impl Drop for Latency {
    fn drop(&mut self) {
        let (verb, host) = (std::mem::take(&mut self.verb), std::mem::take(&mut self.host));
        metrics::histogram!(REQUEST_DURATION, "verb" => verb, "host" => host).record(self.began.elapsed());
    }
}

/// Counts an attempt, by its status code if there was a response.
pub(crate) fn request(method: &Method, uri: &Uri, code: Option<StatusCode>, is_retry: bool) {
    let code = code.map_or(SharedString::const_str("<error>"), |code| code.as_str().to_owned().into());
    let (verb, host) = (verb(method), host(uri));
    if is_retry {
        metrics::counter!(RETRIES, "code" => code.clone(), "verb" => verb.clone(), "host" => host.clone())
            .increment(1);
    }
    metrics::counter!(REQUESTS, "code" => code, "method" => verb, "host" => host).increment(1);
}

/// Records the size of a request's body.
pub(crate) fn request_size(method: &Method, uri: &Uri, length: usize) {
    metrics::histogram!(REQUEST_SIZE, "verb" => verb(method), "host" => host(uri)).record(length as f64);
}

/// Records the size of a whole response's body.
pub(crate) fn response_size(method: &Method, uri: &Uri, length: usize) {
    metrics::histogram!(RESPONSE_SIZE, "verb" => verb(method), "host" => host(uri)).record(length as f64);
}

/// Records the time that a request was held back.
pub(crate) fn rate_limiter_duration(method: &Method, uri: &Uri, time: Duration) {
    metrics::histogram!(RATE_LIMITER_DURATION, "verb" => verb(method), "host" => host(uri)).record(time);
}

/// Records the time of a DNS lookup.
pub(crate) fn dns_resolution_duration(host: &str, time: Duration) {
    metrics::histogram!(DNS_DURATION, "host" => host.to_owned()).record(time);
}

fn verb(method: &Method) -> SharedString {
    match method.as_str() {
        "GET" => SharedString::const_str("GET"),
        "POST" => SharedString::const_str("POST"),
        "PUT" => SharedString::const_str("PUT"),
        "PATCH" => SharedString::const_str("PATCH"),
        "DELETE" => SharedString::const_str("DELETE"),
        other => other.to_owned().into(),
    }
}

fn host(uri: &Uri) -> SharedString {
    uri.authority().map_or_else(|| "none".into(), |host| host.as_str().to_owned().into())
}
