//! Answers: objects, lists, Statuses, Tables, in the form that was asked for.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::{Time, yaml};
use serde_json::Value;

use crate::negotiate::{Format, Media, Transform};
use crate::registry::Resource;
use crate::status::Failure;
use crate::storage::Object;
use crate::table;
use crate::values::Map;

pub(crate) type Body = BoxBody<Bytes, Infallible>;

pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

pub(crate) fn plain(code: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `404 page not found`, which is said where there is no such path at all.
pub(crate) fn not_found() -> Response<Body> {
    let mut response = plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n");
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn failure(failure: &Failure) -> Response<Body> {
    let code = StatusCode::from_u16(failure.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut json = Vec::new();
    failure.status().to_json(&mut json);
    // Who takes nothing that is on offer gets what people read.
    if code == StatusCode::NOT_ACCEPTABLE {
        json = indent(&json);
    }
    let mut response = plain(code, "application/json", json);
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// JSON text in the form that was asked for.
pub(crate) fn json(code: StatusCode, format: Format, json: Vec<u8>) -> Response<Body> {
    let body = match format.media {
        Media::Yaml => {
            let value: Value = serde_json::from_slice(&json).unwrap_or_default();
            yaml::to_string(&value).into_bytes()
        }
        Media::Json if format.pretty => indent(&json),
        Media::Json => json,
    };
    let mut response = plain(code, format.media.content_type(), body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// A value in the form that was asked for.
pub(crate) fn value(code: StatusCode, format: Format, value: &impl serde::Serialize) -> Response<Body> {
    json(code, format, serde_json::to_vec(value).expect("keys are strings"))
}

/// A stored object in the form that was asked for.
pub(crate) fn object(
    code: StatusCode,
    format: Format,
    resource: &Resource,
    object: &Object,
) -> Response<Body> {
    let json = match format.transform {
        Transform::None => with_kind(resource, &resource.render(object)),
        Transform::Partial(version) => to_bytes(&partial(version, &resource.read(object))),
        Transform::Table(version) => {
            let rows = [(object, resource.read(object))];
            let include = table::Include::Metadata;
            to_bytes(&table::table(version, resource, &rows, include, true, Time::now()))
        }
    };
    self::json(code, format, json)
}

pub(crate) fn to_bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("keys are strings")
}

/// An object's JSON with its kind in front.
pub(crate) fn with_kind(resource: &Resource, json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + 64);
    push_kind(resource, &mut out);
    out.extend_from_slice(json.get(1..).unwrap_or_default());
    out
}

/// The first brace of an object, its kind and `apiVersion`, and the comma behind them.
pub(crate) fn push_kind(resource: &Resource, out: &mut Vec<u8>) {
    let (kind, api_version) = (&resource.info.kind, resource.info.api_version());
    out.extend_from_slice(format!(r#"{{"kind":{kind:?},"apiVersion":{api_version:?},"#).as_bytes());
}

/// `PartialObjectMetadata` of an object.
pub(crate) fn partial(version: &str, object: &Map) -> Value {
    serde_json::json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": format!("meta.k8s.io/{version}"),
        "metadata": object.get("metadata"),
    })
}

/// Adds the warnings a client should show.
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let text = warning.replace('\\', r"\\").replace('"', r#"\""#);
        if let Ok(value) = HeaderValue::from_str(&format!(r#"299 - "{text}""#)) {
            response.headers_mut().append(HeaderName::from_static("warning"), value);
        }
    }
}

/// An answer that depends on who asks how, and that may be asked for again.
pub(crate) fn vary(response: &mut Response<Body>) {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
}

/// JSON with a line for each value, indented by two.
fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', depth * 2));
    };
    for (at, &byte) in json.iter().enumerate() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                if !matches!(json.get(at + 1), Some(b'}' | b']')) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                if !matches!(json.get(at.wrapping_sub(1)), Some(b'{' | b'[')) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_string = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_json_keeps_its_order() {
        let json = br#"{"b":[1,{"x":"a\"},:b"}],"a":{},"c":[]}"#;
        let text = String::from_utf8(indent(json)).unwrap();
        assert_eq!(
            text,
            "{\n  \"b\": [\n    1,\n    {\n      \"x\": \"a\\\"},:b\"\n    }\n  ],\n  \"a\": {},\n  \"c\": []\n}"
        );
    }
}
