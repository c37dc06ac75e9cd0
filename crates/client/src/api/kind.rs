//! The `apiVersion` and `kind` of objects that do not say theirs.

use klient_apimachinery::ResourceInfo;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The beginning of an object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeMeta<'a> {
    #[serde(borrow, default)]
    api_version: Option<&'a str>,
    #[serde(borrow, default)]
    kind: Option<&'a str>,
}

/// Adds the `apiVersion` and `kind` of a resource where an object's JSON lacks them: the server refuses an object
/// without them, and the types of a program need not have them as fields.
pub(super) fn complete(json: Vec<u8>, info: &ResourceInfo) -> Vec<u8> {
    let lacks = |text: Option<&str>| text.is_none_or(str::is_empty);
    match serde_json::from_slice::<TypeMeta<'_>>(&json) {
        Ok(meta) if lacks(meta.api_version) || lacks(meta.kind) => {}
        // What cannot be read so is the server's to refuse.
        _ => return json,
    }
    let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(&json) else { return json };
    for (field, value) in [("apiVersion", info.api_version()), ("kind", info.kind.to_string())] {
        let present = object.get(field).and_then(Value::as_str);
        if lacks(present) {
            object.insert(field.to_owned(), value.into());
        }
    }
    Value::Object(object).to_string().into_bytes()
}
