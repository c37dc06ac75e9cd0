//! Metrics that are not compiled in.

use std::time::Duration;

use http::StatusCode;

pub(super) fn begin(_: &str) {}

pub(super) fn request_begins(_: &str) {}

pub(super) fn request_left(_: &str) {}

pub(super) fn request_ended(_: &str, _: StatusCode, _: Duration) {}

pub(super) fn panicked() {}
