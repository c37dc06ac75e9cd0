//! Groups, versions and kinds in documents.

use klient_apimachinery::values::Map;
use serde_json::{Value, json};

/// The key of a schema's or an operation's group, version and kind.
pub(super) const KIND: &str = "x-kubernetes-group-version-kind";

pub(super) fn kind_value(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "kind": kind, "version": version})
}

/// Adds the properties `apiVersion` and `kind`.
pub(super) fn add_type_meta(properties: &mut Map) {
    for name in ["apiVersion", "kind"] {
        properties.insert(name.to_owned(), json!({"type": "string"}));
    }
}
