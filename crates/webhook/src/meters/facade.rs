//! Metrics of the recorder that the program installed.

use std::time::Duration;

use http::StatusCode;
use metrics::Unit;

const REQUESTS: &str = "controller_runtime_webhook_requests_total";
const LATENCY: &str = "controller_runtime_webhook_latency_seconds";
const IN_FLIGHT: &str = "controller_runtime_webhook_requests_in_flight";
const PANICS: &str = "controller_runtime_webhook_panics_total";

/// Registers the descriptions and units of the metrics of webhooks with the recorder that the program has installed.
///
/// | metric | labels |
/// |---|---|
/// | `controller_runtime_webhook_requests_total` | `webhook`: the path, `code`: that of the response |
/// | `controller_runtime_webhook_latency_seconds`, `…_requests_in_flight` | `webhook` |
/// | `controller_runtime_webhook_panics_total` | |
///
/// controller-runtime's buckets are 10 ns to 1000 s in powers of ten.
pub fn describe_metrics() {
    metrics::describe_counter!(REQUESTS, "Total number of admission requests by HTTP status code.");
    metrics::describe_counter!(PANICS, "Total number of webhook panics");
    metrics::describe_gauge!(IN_FLIGHT, "Current number of admission requests being served.");
    metrics::describe_histogram!(
        LATENCY,
        Unit::Seconds,
        "Histogram of the latency of processing admission requests"
    );
}

/// Sets the series of a webhook, so that they are there before the first request.
pub(super) fn begin(path: &str) {
    for code in ["200", "500"] {
        metrics::counter!(REQUESTS, "webhook" => path.to_owned(), "code" => code).increment(0);
    }
    metrics::gauge!(IN_FLIGHT, "webhook" => path.to_owned()).increment(0.0);
    metrics::counter!(PANICS).increment(0);
}

pub(super) fn request_begins(path: &str) {
    metrics::gauge!(IN_FLIGHT, "webhook" => path.to_owned()).increment(1.0);
}

pub(super) fn request_left(path: &str) {
    metrics::gauge!(IN_FLIGHT, "webhook" => path.to_owned()).decrement(1.0);
}

pub(super) fn request_ended(path: &str, code: StatusCode, took: Duration) {
    let code = code.as_str().to_owned();
    metrics::counter!(REQUESTS, "webhook" => path.to_owned(), "code" => code).increment(1);
    metrics::histogram!(LATENCY, "webhook" => path.to_owned()).record(took);
}

pub(super) fn panicked() {
    metrics::counter!(PANICS).increment(1);
}
