//! The `tracing` span of a request, with the names of OpenTelemetry's semantic conventions for HTTP clients.

use http::{Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

use super::Request;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::port::port_of;

/// The span of a request: see [`Request`], `# Tracing`.
pub(super) fn of(request: &Request, call: &Call) -> Span {
    // The macro may evaluate the fields of a span that nothing takes.
    if !tracing::span_enabled!(target: "klient::request", tracing::Level::DEBUG) {
        return Span::none();
    }
    let path = &request.path;
    tracing::debug_span!(
        target: "klient::request",
        "request",
        "otel.name" = format!("{} {}", call.method, path.template()),
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "http.request.method" = call.method.as_str(),
        "http.request.body.size" = call.body.len(),
        "http.request.resend_count" = Empty,
        "http.response.status_code" = Empty,
        "error.type" = Empty,
        "url.full" = call.uri.to_string(),
        "url.template" = path.template(),
        "server.address" = call.uri.host(),
        "server.port" = port_of(&call.uri),
        "k8s.api.verb" = verb(request),
        "k8s.api.group" = path.group(),
        "k8s.api.version" = path.version(),
        "k8s.api.resource" = path.resource(),
        "k8s.api.subresource" = path.subresource(),
        "k8s.namespace.name" = path.namespace(),
        "k8s.object.name" = path.name(),
    )
}

/// The verb of Kubernetes; `None` for requests for no resource.
fn verb(request: &Request) -> Option<&'static str> {
    request.path.resource()?;
    let is_watch = || request.query.iter().any(|(key, value)| key == "watch" && value == "true");
    let has_name = request.path.name().is_some();
    match request.method {
        Method::GET if has_name => Some("get"),
        Method::GET if is_watch() => Some("watch"),
        Method::GET => Some("list"),
        Method::POST => Some("create"),
        Method::PUT => Some("update"),
        Method::PATCH => Some("patch"),
        Method::DELETE if has_name => Some("delete"),
        Method::DELETE => Some("deletecollection"),
        _ => None,
    }
}

/// Notes that the request is sent again.
pub(super) fn resent(span: &Span, times: u32) {
    span.record("http.request.resend_count", times);
}

/// Notes the outcome.
pub(super) fn end(span: &Span, outcome: Result<StatusCode, &Error>) {
    if span.is_disabled() {
        return;
    }
    let code = match outcome {
        Ok(code) => Some(code.as_u16()),
        Err(error) => error.code(),
    };
    if let Some(code) = code {
        span.record("http.response.status_code", code);
    }
    if let Err(error) = outcome {
        let kind = code.map_or_else(|| name(error.kind()).to_owned(), |code| code.to_string());
        span.record("error.type", kind);
        span.record("otel.status_code", "ERROR");
    }
}

/// The value of `error.type` for a request without a response.
fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "config",
        ErrorKind::Auth => "auth",
        ErrorKind::Request => "request",
        ErrorKind::Connect => "connect",
        ErrorKind::Connection => "connection",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Status => "status",
        ErrorKind::Decode => "decode",
        ErrorKind::NoMatch => "no_match",
        ErrorKind::Copy => "copy",
        ErrorKind::Refused => "refused",
        ErrorKind::Limit => "limit",
        ErrorKind::Listen => "listen",
    }
}
