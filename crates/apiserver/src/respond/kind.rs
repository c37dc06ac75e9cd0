//! The kind in the JSON of objects, which are stored without it.

use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

use crate::registry::Resource;

/// An object's JSON with its kind.
pub(crate) fn with_kind(resource: &Resource, json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + 64);
    push_kind(resource, &mut out);
    out.extend_from_slice(json.get(1..).unwrap_or_default());
    out
}

/// The opening brace of an object, its kind and `apiVersion`, and a comma. Custom resources, which have no struct
/// upstream, have sorted fields.
pub(crate) fn push_kind(resource: &Resource, out: &mut Vec<u8>) {
    let mut fields = [("kind", &*resource.info.kind), ("apiVersion", &resource.info.api_version())];
    if resource.is_custom() {
        fields.reverse();
    }
    out.push(b'{');
    for (name, value) in fields {
        values::encode_untyped(name, out);
        out.push(b':');
        values::encode_untyped(value, out);
        out.push(b',');
    }
}

/// `PartialObjectMetadata` of an object, as JSON.
pub(crate) fn partial(version: &str, object: &Map) -> Vec<u8> {
    let mut out =
        format!(r#"{{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/{version}","metadata":"#)
            .into_bytes();
    match object.get("metadata") {
        Some(Value::Object(metadata)) => values::encode(metadata, &OBJECT_META, &mut out),
        _ => out.extend_from_slice(b"{}"),
    }
    out.push(b'}');
    out
}
