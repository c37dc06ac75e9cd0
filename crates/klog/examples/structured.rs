//! Structured lines: a message, and keys with values. A type is logged by its `Display`, or with all its fields as JSON.

use std::fmt;
use std::time::Duration;

use klient_klog::{Options, duration, error_s, info_s, json};

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    method: &'static str,
    timeout: u32,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method)
    }
}

fn main() {
    run();
}

pub(crate) fn run() {
    let _klog = klient_klog::init(Options::default()).expect("no subscriber is set before");
    let latency = duration(Duration::from_secs(1));
    info_s!("Received HTTP request", method = "GET", URL = "/metrics", latency = %latency);

    let request = Request { method: "GET", timeout: 30 };
    info_s!("Request finished", request = %request);
    info_s!("Request finished", request = %json(&request));

    let error = std::io::Error::other("timeout");
    error_s!(error, "Failed to update pod status");
}
