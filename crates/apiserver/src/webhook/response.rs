//! Responses of webhooks, read as client-go reads them.

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map, Parsed, text_at};
use klient_apimachinery::yaml;
use serde_json::Value;

/// The review that a webhook answers with.
#[derive(Clone, Copy)]
pub(crate) struct Review {
    pub(crate) kind: &'static str,
    pub(crate) api_version: &'static str,
    pub(crate) schema: &'static Schema,
}

/// The error of a response whose code is not one of success: that of its Status, else one for its code.
pub(super) fn refused(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
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

/// Decodes the review in a response, which is YAML unless it begins as a JSON object. Its kind and version are left to
/// the caller if they are not there.
///
/// # Errors
///
/// In the words of Go's packages, if it is no such review.
pub(super) fn decode(body: &[u8], review: Review) -> Result<Map, String> {
    let unreadable = |problem: String| format!("couldn't get version/kind; json parse error: {problem}");
    let Parsed { value, numbers, .. } = if body.trim_ascii_start().first() == Some(&b'{') {
        values::parse(body).map_err(unreadable)?
    } else {
        let (value, _) =
            yaml::from_slice_with_duplicates(body).map_err(|error| unreadable(error.to_string()))?;
        Parsed { value, ..Parsed::default() }
    };
    let value = if value.is_null() { Map::new().into() } else { value };
    let Value::Object(object) = value else {
        let found = json_type(&value);
        return Err(unreadable(format!(
            r#"json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }}"#
        )));
    };
    for name in ["apiVersion", "kind"] {
        if let Some(wrong) = object.get(name).filter(|value| !matches!(value, Value::String(_) | Value::Null))
        {
            let found = json_type(wrong);
            let problem =
                format!("json: cannot unmarshal {found} into Go struct field .{name} of type string");
            return Err(unreadable(problem));
        }
    }
    let (kind, api_version) = (text_at(&object, &["kind"]), text_at(&object, &["apiVersion"]));
    if kind == "Status" && api_version == "v1" {
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
