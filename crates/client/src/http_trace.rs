//! [`HttpTrace`], the exchanges of a client as `tracing` events with the words of client-go's `-v=6` to `-v=10`.

mod body;
mod connect_times;
mod headers;

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};
use klient_apimachinery::LogVerbosity;
use klient_apimachinery::go::os_error;
use tracing::callsite::DefaultCallsite;
use tracing::dispatcher::get_default;
use tracing::metadata::Kind;
use tracing::{Level, Metadata, field};

pub(crate) use body::BodyTrace;
pub(crate) use connect_times::{ConnectTimes, Step};

use crate::call::Call;
use crate::error::causes::{CauseText, causes};
use headers::Headers;

/// Detail of a client's HTTP trace: the fields of its `tracing` events. Each level is that of client-go's `-v`.
///
/// Each request asks for its detail: klient's klog answers by its verbosity, which may change while the program runs, and
/// by the patterns of `--vmodule` for the file `http_trace`. A subscriber without verbosities gets the detail of
/// [`Config::http_trace`](crate::Config::http_trace); beside a klog that logs requests it gets that of the klog. A request
/// that no subscriber asks for costs one check of a cached decision.
///
/// The events have the target [`HttpTrace::TARGET`], the level `DEBUG`, and the names by which klient's klog knows their
/// verbosities, such as `V(8).InfoS`. The credentials in headers are masked. Bodies are not masked: those of Secrets and of
/// token requests hold secrets.
///
/// ```
/// use klient_client::{Config, HttpTrace};
///
/// # fn f() -> Result<(), klient_client::Error> {
/// let mut config = Config::from_url("http://localhost:8080")?;
/// assert_eq!(config.http_trace, HttpTrace::Timing);
/// config.http_trace = HttpTrace::Bodies;
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

    /// The details by the verbosities of klog, the highest first.
    const BY_VERBOSITY: [(i32, HttpTrace); 5] = [
        (10, HttpTrace::WholeBodies),
        (9, HttpTrace::Curl),
        (8, HttpTrace::Bodies),
        (7, HttpTrace::RequestHeaders),
        (6, HttpTrace::Timing),
    ];

    /// The detail of a request; `None` if no subscriber takes the events. Public for the benchmark of what that costs.
    #[doc(hidden)]
    pub fn asked_for(configured: HttpTrace) -> Option<Self> {
        // The name is that of klog for `klog.V(6).Enabled()`. Others decide by target and level.
        static HINT: DefaultCallsite = {
            static METADATA: Metadata<'static> = tracing_core::metadata! {
                name: "V(6).Enabled",
                target: HttpTrace::TARGET,
                level: Level::DEBUG,
                fields: &[],
                callsite: &HINT,
                kind: Kind::HINT,
            };
            DefaultCallsite::new(&METADATA)
        };
        if HINT.interest().is_never() {
            return None;
        }
        let of_log = get_default(|subscriber| {
            let log = subscriber.downcast_ref::<LogVerbosity>()?;
            HttpTrace::BY_VERBOSITY.into_iter().find(|(verbosity, _)| log.is_logged(*verbosity, file!()))
        });
        Some(of_log.map_or(configured, |(_, detail)| detail))
    }
}

/// Logs an event with the verbosity of a literal.
macro_rules! event {
    ($verbosity:literal, $($fields:tt)+) => {
        tracing::event!(
            name: concat!("V(", $verbosity, ").InfoS"),
            target: HttpTrace::TARGET,
            tracing::Level::DEBUG,
            $($fields)+
        )
    };
}

/// Logs an event with the verbosity of a detail.
macro_rules! event_of {
    ($detail:expr, $($fields:tt)+) => {
        match $detail {
            HttpTrace::Timing => event!(6, $($fields)+),
            HttpTrace::RequestHeaders => event!(7, $($fields)+),
            HttpTrace::Bodies => event!(8, $($fields)+),
            HttpTrace::Curl | HttpTrace::WholeBodies => event!(9, $($fields)+),
        }
    };
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
    pub(crate) fn begin(configured: HttpTrace, call: &'a Call, headers: &HeaderMap) -> Option<Self> {
        let detail = HttpTrace::asked_for(configured)?;
        let method = call.method.as_str();
        if detail >= HttpTrace::Curl {
            let curl = headers::curl(method, &call.uri.to_string(), headers);
            event!(9, curlCommand = curl, "Request");
        } else if detail >= HttpTrace::RequestHeaders {
            let (url, headers) = (call.uri.to_string(), Headers(Some(headers)));
            event_of!(detail, verb = method, url, ?headers, "Request");
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
        let headers = Headers(response.map(Response::headers));
        let (opened, reused) = (is_curl && self.times.is_set(), is_curl && !self.times.is_set());
        let server = elapsed.saturating_sub(self.times.sum());
        event_of!(
            self.detail,
            verb = has_url.then_some(self.call.method.as_str()),
            url = url.as_deref(),
            status = &*status,
            headers = (self.detail >= HttpTrace::Bodies).then(|| field::debug(&headers)),
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

/// Logs the beginning of a body.
fn log_body(message: &str, body: &str) {
    event!(8, body, "{message}");
}

/// Logs the addresses of a host.
fn log_lookup(host: &str, addresses: &[SocketAddr]) {
    event!(9, host, address = ?headers::Addresses(addresses), "HTTP Trace: DNS Lookup resolved");
}

/// Logs the address of a TCP connection that was opened.
fn log_dial(address: SocketAddr) {
    let address = address.to_string();
    event!(9, network = "tcp", address, "HTTP Trace: Dial succeed");
}

/// Logs that a TCP connection was not opened, to the host and port of a URL.
fn log_dial_failure(address: &str, error: &(dyn StdError + 'static)) {
    let err = dial_error(address, error);
    event!(9, network = "tcp", address, err, "HTTP Trace: Dial failed");
}

/// The text of an error: that of Go for one of the operating system, or else all causes.
fn dial_error(address: &str, error: &(dyn StdError + 'static)) -> String {
    let of_system = |cause: &&io::Error| cause.raw_os_error().is_some();
    match causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).find(of_system) {
        Some(cause) => format!("dial tcp {address}: connect: {}", os_error(cause)),
        None => CauseText(error).to_string(),
    }
}
