//! Responses of webhooks, read as client-go reads them.

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use klient_apimachinery::go::quoted;
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map, Parsed, text_at};
use klient_apimachinery::yaml;
use serde_json::Value;

use crate::foreign_kind::no_kind;

/// The review that a webhook answers with.
#[derive(Clone, Copy)]
pub(crate) struct Review {
    pub(crate) kind: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) schema: &'static Schema,
}

/// The error of a response whose code is not one of success: that of its Status, else one for its code.
fn refused(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    if let Ok(Value::Object(status)) = serde_json::from_slice(body)
        && text_at(&status, &["kind"]) == "Status"
        && text_at(&status, &["status"]) == "Failure"
    {
        return text_at(&status, &["message"]).to_owned();
    }
    // A response without a type is text to Go, which looks at its beginning.
    let media_type =
        headers.get(CONTENT_TYPE).map_or("text/plain", |value| value.to_str().unwrap_or_default());
    let text = String::from_utf8_lossy(&body[..body.len().min(2048)]);
    let text = if media_type.starts_with("text/") { text.trim() } else { "unknown" };
    match code.as_u16() {
        400 => "the server rejected our request for an unknown reason",
        401 => "the server has asked for the client to provide credentials",
        404 => "the server could not find the requested resource",
        405 => "the server does not allow this method on the requested resource",
        409 => "the server reported a conflict",
        403 | 406 | 415 => text,
        422 => "the server rejected our request due to an error in our request",
        429 => "the server has received too many requests and has asked us to try again later",
        503 => "the server is currently unable to handle the request",
        504 => {
            "the server was unable to return a response in the time allotted, but may still be processing the request"
        }
        500.. => {
            return format!(
                "an error on the server ({}) has prevented the request from succeeding",
                quoted(text)
            );
        }
        code => {
            return format!(
                "the server responded with the status code {code} but did not return more information"
            );
        }
    }
    .to_owned()
}

/// The place to which a response redirects, if it does.
pub(super) fn location<T>(response: &Response<T>) -> Option<&str> {
    let redirects = matches!(response.status().as_u16(), 301..=303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| redirects)?.to_str().ok()?;
    Some(location).filter(|location| !location.is_empty())
}

/// The seconds after which a webhook asks to be called again, if it does.
pub(super) fn retry_after(head: &Parts) -> Option<u64> {
    let is_busy = head.status == StatusCode::TOO_MANY_REQUESTS || head.status.as_u16() >= 500;
    let seconds: i64 = head.headers.get(RETRY_AFTER).filter(|_| is_busy)?.to_str().ok()?.parse().ok()?;
    Some(seconds.try_into().unwrap_or(0))
}

/// Decodes the review in a response. Its kind and version are left to the caller if they are not there.
///
/// # Errors
///
/// In the words of Go's packages, if it is no such review.
pub(super) fn decode(head: &Parts, body: &[u8], review: Review) -> Result<Map, String> {
    let code = head.status.as_u16();
    if !matches!(code, 200..=206) {
        return Err(refused(head.status, &head.headers, body));
    }
    if body.is_empty() {
        let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.filter(|text| !text.is_empty()).unwrap_or("application/json");
        return Err(format!("0-length response with status code: {code} and content type: {media_type}"));
    }
    let unreadable = |problem: String| format!("couldn't get version/kind; json parse error: {problem}");
    // Whatever does not look like an object of JSON is YAML.
    let Parsed { value, numbers, .. } = if body.trim_ascii_start().starts_with(b"{") {
        values::parse(body).map_err(unreadable)?
    } else {
        let (value, _) = yaml::from_slice_with_duplicates(body).map_err(|error| error.to_string())?;
        Parsed { value, ..Parsed::default() }
    };
    if let Some(problem) = no_kind(&value) {
        return Err(unreadable(problem));
    }
    let object = match value {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let (kind, api_version) = (text_at(&object, &["kind"]), text_at(&object, &["apiVersion"]));
    // Upstream knows it in every version.
    if kind == "Status" {
        let version = review.api_version.rsplit('/').next().unwrap_or_default();
        return Err(format!("converting (v1.Status) to ({version}.{}): unknown conversion", review.kind));
    }
    let group = |api_version: &str| api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    let is_other_version = !api_version.is_empty() && api_version != review.api_version;
    if !kind.is_empty() && kind != review.kind || is_other_version {
        let version = |api_version: &str| api_version.rsplit('/').next().unwrap_or_default().to_owned();
        let (kind, full) = (
            if kind.is_empty() { review.kind } else { kind },
            if api_version.is_empty() { review.api_version } else { api_version },
        );
        let is_known = kind == review.kind
            && group(full) == group(review.api_version)
            && matches!(&*version(full), "v1" | "v1beta1");
        return Err(if is_known {
            let (from, to) = (version(full), version(review.api_version));
            format!("converting ({from}.{kind}) to ({to}.{kind}): unknown conversion")
        } else {
            let (kind, full) = (quoted(kind), quoted(full));
            format!(
                r#"no kind {kind} is registered for version {full} in scheme "pkg/runtime/scheme.go:111""#
            )
        });
    }
    let types = ["kind", "apiVersion"].map(|name| (name.to_owned(), object.get(name).cloned()));
    let decoded = values::decode_with_numbers(object, review.schema, &numbers);
    let mut decoded = decoded.map_err(|mismatch| mismatch.of_json)?.object;
    decoded.extend(types.into_iter().filter_map(|(name, value)| Some((name, value?))));
    Ok(decoded)
}

/// The kind of a decoded review, as Go prints it.
pub(crate) fn printed_kind(review: &Map) -> String {
    let (api_version, kind) = (text_at(review, &["apiVersion"]), text_at(review, &["kind"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    format!("{group}/{version}, Kind={kind}")
}
