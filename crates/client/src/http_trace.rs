//! [`HttpTrace`], the exchanges of a client as `tracing` events with the words of client-go's `-v=6` to `-v=10`.

mod body;
mod connect_times;
mod headers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};

pub(crate) use body::BodyTrace;
pub(crate) use connect_times::{ConnectTimes, Step};

use crate::call::Call;

/// Detail of a client's HTTP trace: the fields of its `tracing` events. Each level is that of client-go's `-v`.
///
/// The events have the target [`HttpTrace::TARGET`] and the level `DEBUG`. A subscriber that does not enable these turns
/// the trace off; a request then costs one check of the target. The credentials in headers are masked. Bodies are not
/// masked: those of Secrets and of token requests hold secrets.
///
/// ```
/// use klient_client::{Config, HttpTrace};
///
/// # fn f() -> Result<(), klient_client::Error> {
/// let mut config = Config::from_url("http://localhost:8080")?;
/// config.http_trace = HttpTrace::from_verbosity(8).unwrap_or_default();
/// assert_eq!(config.http_trace, HttpTrace::Bodies);
/// # Ok(()) }
/// # f().unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HttpTrace {
    /// Method, URL, status and milliseconds of each response (`-v=6`).
    #[default]
    Timing,
    /// The request with its headers, and status and milliseconds of the response (`-v=7`).
    RequestHeaders,
    /// The headers of request and response, and the first 1,024 bytes of their bodies (`-v=8`).
    Bodies,
    /// The request as a curl command, the times of DNS, dial, TLS and server, and the first 10,240 bytes of bodies
    /// (`-v=9`).
    Curl,
    /// The same with whole bodies (`-v=10`).
    WholeBodies,
}

impl HttpTrace {
    /// The target of the events.
    pub const TARGET: &'static str = "klient::http";

    /// The detail of a verbosity of klog's flag `-v`; `None` below 6, where client-go logs no exchange.
    pub fn from_verbosity(verbosity: u8) -> Option<Self> {
        match verbosity {
            0..6 => None,
            6 => Some(HttpTrace::Timing),
            7 => Some(HttpTrace::RequestHeaders),
            8 => Some(HttpTrace::Bodies),
            9 => Some(HttpTrace::Curl),
            10.. => Some(HttpTrace::WholeBodies),
        }
    }
}

/// Returns true if a subscriber takes the events.
fn is_enabled() -> bool {
    tracing::enabled!(target: HttpTrace::TARGET, tracing::Level::DEBUG)
}

/// One request and its response, or its failure.
pub(crate) struct Exchange<'a> {
    detail: HttpTrace,
    call: &'a Call,
    began: Instant,
    /// Of the connection, if one is opened for the request.
    times: Arc<ConnectTimes>,
}

impl<'a> Exchange<'a> {
    /// Logs a request that is about to be sent. `None` if no subscriber takes the events.
    pub(crate) fn begin(detail: HttpTrace, call: &'a Call, headers: &HeaderMap) -> Option<Self> {
        if !is_enabled() {
            return None;
        }
        let is_curl = detail >= HttpTrace::Curl;
        let (method, url) = (call.method.as_str(), call.uri.to_string());
        if is_curl {
            let curl = headers::curl(method, &url, headers);
            tracing::debug!(target: HttpTrace::TARGET, curlCommand = curl, "Request");
        } else if detail >= HttpTrace::RequestHeaders {
            let headers = headers::masked(headers);
            tracing::debug!(target: HttpTrace::TARGET, verb = method, url, headers, "Request");
        }
        Some(Exchange { detail, call, began: Instant::now(), times: Arc::default() })
    }

    /// The times of the connection, where the detail includes them.
    pub(crate) fn connect_times(&self) -> Option<Arc<ConnectTimes>> {
        (self.detail >= HttpTrace::Curl).then(|| self.times.clone())
    }

    /// Logs the head of the response, or that there is none.
    pub(crate) fn end<B>(self, response: Option<&Response<B>>) {
        let elapsed = self.began.elapsed();
        let is_curl = self.detail >= HttpTrace::Curl;
        let has_url = is_curl || self.detail == HttpTrace::Timing;
        let url = has_url.then(|| self.call.uri.to_string());
        let status = response.map(|response| response.status().to_string()).unwrap_or_default();
        let headers = (self.detail >= HttpTrace::Bodies)
            .then(|| response.map(|response| headers::masked(response.headers())).unwrap_or_default());
        let (opened, reused) = (is_curl && self.times.is_set(), is_curl && !self.times.is_set());
        let server = elapsed.saturating_sub(self.times.sum());
        tracing::debug!(
            target: HttpTrace::TARGET,
            verb = has_url.then_some(self.call.method.as_str()),
            url,
            status,
            headers,
            milliseconds = millis(elapsed),
            dnsLookupMilliseconds = opened.then(|| millis(self.times.dns())),
            dialMilliseconds = opened.then(|| millis(self.times.dial())),
            tlsHandshakeMilliseconds = opened.then(|| millis(self.times.tls())),
            getConnectionMilliseconds = reused.then_some(0_u64),
            serverProcessingMilliseconds = (is_curl && response.is_some()).then(|| millis(server)),
            "Response"
        );
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
