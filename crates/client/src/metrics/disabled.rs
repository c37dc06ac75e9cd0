//! Metrics that are not compiled in.

use std::time::Duration;

use http::{Method, StatusCode, Uri};

/// The time of a request, which nobody reads.
pub(crate) struct Latency;

impl Latency {
    pub(crate) fn begin(_: &Method, _: &Uri) -> Self {
        Latency
    }
}

pub(crate) fn request(_: &Method, _: &Uri, _: Option<StatusCode>, _: bool) {}

pub(crate) fn request_size(_: &Method, _: &Uri, _: usize) {}

pub(crate) fn response_size(_: &Method, _: &Uri, _: usize) {}

pub(crate) fn rate_limiter_duration(_: &Method, _: &Uri, _: Duration) {}

pub(crate) fn dns_resolution_duration(_: &str, _: Duration) {}
