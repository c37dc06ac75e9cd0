//! Responses: objects, lists, Statuses and Tables, in the negotiated form.

pub(crate) mod kind;

use std::collections::HashSet;
use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::meta::v1::schema::{PARTIAL_OBJECT_METADATA, STATUS};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map};
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::negotiate::{Format, Media, Transform};
use crate::protobuf;
use crate::registry::Resource;
use crate::status::Failure;
use crate::storage::Object;
use crate::table::{self, Include};
use crate::warnings::{LONGEST, LONGEST_OF_ALL};
use kind::{partial, with_kind};

/// The default `Cache-Control` of responses.
pub(crate) const NOT_CACHED: HeaderValue = HeaderValue::from_static("no-cache, private");

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

/// `404 page not found`, for paths that do not exist.
pub(crate) fn not_found() -> Response<Body> {
    as_it_says(plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n"))
}

/// Sets `X-Content-Type-Options: nosniff`, as upstream does for some responses.
pub(crate) fn as_it_says(mut response: Response<Body>) -> Response<Body> {
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

/// A failure in the negotiated form; indented JSON if negotiation failed.
pub(crate) fn failure(failure: &Failure, format: Option<Format>) -> Response<Body> {
    const FOR_PEOPLE: Format =
        Format { media: Media::Json, transform: Transform::None, include: Include::Metadata, pretty: true };
    let code = StatusCode::from_u16(failure.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = written(code, format.unwrap_or(FOR_PEOPLE), status(failure.status()), &STATUS);
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// A Status as JSON, in version `v1`.
pub(crate) fn status(status: &Status) -> Vec<u8> {
    let mut json = Vec::new();
    if let Ok(Value::Object(mut status)) = serde_json::to_value(status) {
        status.insert("apiVersion".to_owned(), "v1".into());
        values::encode(&status, &STATUS, &mut json);
    }
    json
}

/// A struct given as JSON, in the negotiated form.
pub(crate) fn written(
    code: StatusCode,
    format: Format,
    json: Vec<u8>,
    schema: &'static Schema,
) -> Response<Body> {
    match format.media {
        Media::Protobuf => encoded(code, format.media, protobuf::object(&json, schema)),
        Media::Json | Media::Yaml => self::json(code, format, json),
    }
}

/// JSON in the negotiated form: JSON or YAML, for documents without protobuf.
pub(crate) fn json(code: StatusCode, format: Format, mut json: Vec<u8>) -> Response<Body> {
    let body = match format.media {
        Media::Yaml => self::yaml(&json),
        _ if format.pretty => indent(&json),
        _ => {
            json.push(b'\n');
            json
        }
    };
    encoded(code, format.media, body)
}

/// A JSON document as YAML.
pub(crate) fn yaml(json: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(json).unwrap_or_default();
    yaml::to_string(&value).into_bytes()
}

/// An encoded body with its media type.
pub(crate) fn encoded(code: StatusCode, media: Media, body: Vec<u8>) -> Response<Body> {
    plain(code, media.content_type(), body)
}

/// A struct in the negotiated form.
pub(crate) fn message(
    code: StatusCode,
    format: Format,
    object: &Map,
    schema: &'static Schema,
) -> Response<Body> {
    let mut json = Vec::new();
    values::encode(object, schema, &mut json);
    written(code, format, json, schema)
}

/// A stored object in the negotiated form.
pub(crate) fn object(
    code: StatusCode,
    format: Format,
    resource: &Resource,
    object: &Object,
) -> Response<Body> {
    match format.transform {
        Transform::None if format.media == Media::Protobuf => {
            encoded(code, format.media, in_protobuf(resource, &resource.render_protobuf(object)))
        }
        Transform::None => json(code, format, with_kind(resource, &resource.render(object))),
        Transform::Partial(version) => {
            let partial = partial(version, &resource.read(object));
            written(code, format, partial, &PARTIAL_OBJECT_METADATA)
        }
        Transform::Table(version) => {
            let table = table::of_one(version, resource, resource.read(object), format.include, true);
            json(code, format, table)
        }
    }
}

/// An object's protobuf in the envelope of its kind.
pub(crate) fn in_protobuf(resource: &Resource, raw: &[u8]) -> Vec<u8> {
    protobuf::enveloped(&resource.info.api_version(), &resource.info.kind, raw)
}

pub(crate) fn to_bytes(value: &impl serde::Serialize) -> Vec<u8> {
    let mut json = Vec::new();
    values::encode_untyped(value, &mut json);
    json
}

/// Adds the warnings for a client, without duplicates. Long warnings are truncated, and those beyond a limit are left
/// out: clients limit the size of headers.
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    let mut seen: HashSet<&str> = HashSet::new();
    let unique: Vec<&str> =
        warnings.iter().map(String::as_str).filter(|warning| seen.insert(warning)).collect();
    let is_long = unique.iter().map(|warning| warning.chars().count()).sum::<usize>() > LONGEST_OF_ALL;
    let mut written = 0;
    for warning in unique {
        let text: String = warning.chars().take(if is_long { LONGEST } else { LONGEST_OF_ALL }).collect();
        if is_long && written >= LONGEST_OF_ALL {
            return;
        }
        written += text.chars().count();
        let text = text.replace('\\', r"\\").replace('"', r#"\""#);
        if let Ok(value) = HeaderValue::from_bytes(format!(r#"299 - "{text}""#).as_bytes()) {
            response.headers_mut().append(HeaderName::from_static("warning"), value);
        }
    }
}

/// Adds `Vary` to a response that depends on request headers and may be cached.
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
