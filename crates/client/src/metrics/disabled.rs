//! Metrics that are not compiled in.

use std::time::{Duration, SystemTime};

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

pub(crate) fn exec_plugin_ttl(_: impl FnOnce() -> Option<SystemTime>) {}

pub(crate) fn exec_plugin_certificate_rotation(_: SystemTime) {}

pub(crate) fn exec_plugin_call(_: i32, _: &'static str) {}

pub(crate) fn exec_plugin_policy_call(_: bool) {}
