//! The `tracing` span of a request.

use http::StatusCode;
use klient_api::admission::v1::AdmissionRequest;
use klient_api::apiextensions::v1::ConversionRequest;
use tracing::Span;
use tracing::field::Empty;

/// The span of a request to a webhook, with OpenTelemetry's names for HTTP servers.
pub(super) fn of(method: &str, path: &str, name: &str) -> Span {
    // The macro may evaluate the fields of a span that nothing takes.
    if !tracing::span_enabled!(target: "klient::webhook", tracing::Level::DEBUG) {
        return Span::none();
    }
    tracing::debug_span!(
        target: "klient::webhook",
        "webhook",
        "otel.name" = format!("{method} {path}"),
        "otel.kind" = "server",
        "otel.status_code" = Empty,
        "http.request.method" = method,
        "http.request.body.size" = Empty,
        "http.response.status_code" = Empty,
        "url.path" = path,
        "k8s.webhook.name" = name,
        "k8s.webhook.uid" = Empty,
        "k8s.webhook.allowed" = Empty,
        "k8s.webhook.operation" = Empty,
        "k8s.webhook.desired_api_version" = Empty,
        "k8s.api.group" = Empty,
        "k8s.api.version" = Empty,
        "k8s.api.resource" = Empty,
        "k8s.api.subresource" = Empty,
        "k8s.namespace.name" = Empty,
        "k8s.object.name" = Empty,
        "k8s.user.name" = Empty,
    )
}

pub(super) fn admission(span: &Span, request: &AdmissionRequest) {
    if span.is_disabled() {
        return;
    }
    let resource = &request.resource;
    span.record("k8s.webhook.uid", &*request.uid);
    span.record("k8s.webhook.operation", &*request.operation);
    span.record("k8s.api.group", &*resource.group);
    span.record("k8s.api.version", &*resource.version);
    span.record("k8s.api.resource", &*resource.resource);
    for (field, value) in [
        ("k8s.api.subresource", &request.sub_resource),
        ("k8s.namespace.name", &request.namespace),
        ("k8s.object.name", &request.name),
        ("k8s.user.name", &request.user_info.username),
    ] {
        if let Some(value) = value {
            span.record(field, &**value);
        }
    }
}

pub(super) fn conversion(span: &Span, request: &ConversionRequest) {
    span.record("k8s.webhook.uid", &*request.uid);
    span.record("k8s.webhook.desired_api_version", &*request.desired_api_version);
}

pub(super) fn end(span: &Span, code: StatusCode) {
    span.record("http.response.status_code", code.as_u16());
    if code.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
