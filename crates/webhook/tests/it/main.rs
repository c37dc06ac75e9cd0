//! Webhooks over HTTPS, and as the embedded API server calls them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod cluster;
mod lamps;
#[cfg(feature = "metrics")]
#[path = "../../../controller/tests/it/recorder.rs"]
mod recorder;

mod admission;
mod builder;
mod certificates;
mod concurrent;
mod configuration;
mod connections;
mod conversion;
#[cfg(feature = "metrics")]
mod metrics;
mod requests;
mod router;
mod shutdown;
mod spans;
mod tls;
