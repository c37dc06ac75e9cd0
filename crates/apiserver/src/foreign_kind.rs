//! Errors of objects that name another kind than their own, in the words of Go's decoders.

use klient_apimachinery::go::{json_type, quoted};
use serde_json::Value;

/// The error, in the words of Go's JSON decoder, of a value without a readable kind and apiVersion.
pub(crate) fn no_kind(value: &Value) -> Option<String> {
    let object = match value {
        Value::Object(object) => object,
        // As Go, which reads null as an object in which nothing is set.
        Value::Null => return None,
        _ => {
            return Some(format!(
                r#"json: cannot unmarshal {} into Go value of type struct {{ APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }}"#,
                json_type(value)
            ));
        }
    };
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Null);
    let wrong = ["apiVersion", "kind"].into_iter().find_map(|name| {
        let value = object.get(name).filter(|value| !is_text(value))?;
        Some((name, json_type(value)))
    });
    wrong.map(|(name, found)| {
        format!("json: cannot unmarshal {found} into Go struct field .{name} of type string")
    })
}

/// The error for an object of one built-in kind sent in place of another. Other versions of the same kind are decoded.
pub(crate) fn not_decoded(
    (kind, api_version): (&str, &str),
    (sent_kind, sent_version): (&str, &str),
) -> Option<String> {
    let (group, version) = sent_version.split_once('/').unwrap_or(("", sent_version));
    let own_group = api_version.split_once('/').map_or("", |(group, _)| group);
    let package = match own_group.split('.').next() {
        Some("") | None => "core",
        Some(group) => group,
    };
    if klient_schema::kind(group, version, sent_kind).is_none() {
        Some(format!(
            r#"no kind {} is registered for version {} in scheme "pkg/runtime/scheme.go:111""#,
            quoted(sent_kind),
            quoted(sent_version)
        ))
    } else if sent_kind == kind {
        None
    } else {
        Some(format!("converting ({version}.{sent_kind}) to ({package}.{kind}): unknown conversion"))
    }
}
