//! Metrics of the recorder that the program installed.

use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode, Uri};
use metrics::{SharedString, Unit};

const REQUESTS: &str = "rest_client_requests_total";
const RETRIES: &str = "rest_client_request_retries_total";
const REQUEST_DURATION: &str = "rest_client_request_duration_seconds";
const RATE_LIMITER_DURATION: &str = "rest_client_rate_limiter_duration_seconds";
const DNS_DURATION: &str = "rest_client_dns_resolution_duration_seconds";
const REQUEST_SIZE: &str = "rest_client_request_size_bytes";
const RESPONSE_SIZE: &str = "rest_client_response_size_bytes";
const EXEC_PLUGIN_TTL: &str = "rest_client_exec_plugin_ttl_seconds";
const EXEC_PLUGIN_ROTATION_AGE: &str = "rest_client_exec_plugin_certificate_rotation_age";
const EXEC_PLUGIN_CALLS: &str = "rest_client_exec_plugin_call_total";
const EXEC_PLUGIN_POLICY_CALLS: &str = "rest_client_exec_plugin_policy_call_total";

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
/// | `rest_client_exec_plugin_ttl_seconds` | | for each request with the credential of a plugin: the seconds until the first client certificate of the plugins expires; negative if it has expired, `+Inf` if plugins gave none |
/// | `rest_client_exec_plugin_certificate_rotation_age` | | when a plugin gives another client certificate: the age of the one before in seconds |
/// | `rest_client_exec_plugin_call_total` | `code`, `call_status` | for each run of a plugin, by exit code and by `no_error`, `plugin_execution_error`, `plugin_not_found_error` or `client_internal_error` |
/// | `rest_client_exec_plugin_policy_call_total` | `status` | for each check of a plugin against the [`PluginPolicy`](crate::PluginPolicy): `allowed` or `denied` |
///
/// `method` and `verb` are HTTP methods. client-go's buckets are 0.005 to 60 s for durations, 64 bytes to 16 MiB for
/// sizes, and 10 minutes to 4 years for the age of a certificate. client-go declares the last metric with two labels,
/// of which it sets one, and never registers it; this is the one that it means.
pub fn describe_metrics() {
    metrics::describe_counter!(
        REQUESTS,
        "Number of HTTP requests, partitioned by status code, method, and host."
    );
    metrics::describe_counter!(
        RETRIES,
        "Number of request retries, partitioned by status code, verb, and host."
    );
    metrics::describe_gauge!(
        EXEC_PLUGIN_TTL,
        Unit::Seconds,
        "Gauge of the shortest TTL (time-to-live) of the client certificate(s) managed by the auth exec plugin. The \
         value is in seconds until certificate expiry (negative if already expired). If auth exec plugins are unused \
         or manage no TLS certificates, the value will be +INF."
    );
    metrics::describe_counter!(
        EXEC_PLUGIN_CALLS,
        "Number of calls to an exec plugin, partitioned by the type of event encountered (no_error, \
         plugin_execution_error, plugin_not_found_error, client_internal_error) and an optional exit code. The exit \
         code will be set to 0 if and only if the plugin call was successful."
    );
    metrics::describe_counter!(
        EXEC_PLUGIN_POLICY_CALLS,
        "Number of comparisons of an exec plugin to the plugin policy and allowlist (if any), partitioned by whether \
         or not the policy permits the plugin"
    );
    for (name, unit, description) in [
        (
            EXEC_PLUGIN_ROTATION_AGE,
            Unit::Seconds,
            "Histogram of the number of seconds the last auth exec plugin client certificate lived before being \
             rotated. If auth exec plugin client certificates are unused, histogram will contain no data.",
        ),
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

/// Sets the gauge of the time that is left of the client certificate that expires first.
pub(crate) fn exec_plugin_ttl(first_expiry: impl FnOnce() -> Option<SystemTime>) {
    let now = SystemTime::now();
    let seconds = first_expiry().map_or(f64::INFINITY, |expiry| match expiry.duration_since(now) {
        Ok(left) => left.as_secs_f64(),
        Err(since) => -since.duration().as_secs_f64(),
    });
    metrics::gauge!(EXEC_PLUGIN_TTL).set(seconds);
}

/// Records the age of a client certificate that another has replaced.
pub(crate) fn exec_plugin_certificate_rotation(not_before: SystemTime) {
    metrics::histogram!(EXEC_PLUGIN_ROTATION_AGE).record(not_before.elapsed().unwrap_or_default());
}

/// Counts a run of a plugin, by its exit code and client-go's status of the call.
pub(crate) fn exec_plugin_call(code: i32, status: &'static str) {
    metrics::counter!(EXEC_PLUGIN_CALLS, "code" => code.to_string(), "call_status" => status).increment(1);
}

/// Counts a check of a plugin against the policy.
pub(crate) fn exec_plugin_policy_call(is_allowed: bool) {
    let status = if is_allowed { "allowed" } else { "denied" };
    metrics::counter!(EXEC_PLUGIN_POLICY_CALLS, "status" => status).increment(1);
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
