//! Defaults of cluster configuration: namespaces, nodes, secrets, limit ranges.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::fill;

/// Labels a Namespace with its name.
pub(super) fn namespace(object: &mut Map) {
    let name = text_at(object, &["metadata", "name"]).to_owned();
    if !name.is_empty() {
        let labels = map_at(map_at(object, "metadata"), "labels");
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

/// Syncs `podCIDR` and the first of `podCIDRs`; `podCIDR` takes precedence.
pub(super) fn node_spec(spec: &mut Map) {
    let first = list_at(spec, &["podCIDRs"]).first().and_then(Value::as_str).unwrap_or_default();
    match text_at(spec, &["podCIDR"]) {
        "" if !first.is_empty() => {
            let first = first.to_owned();
            spec.insert("podCIDR".to_owned(), first.into());
        }
        range if range != first => {
            let list = json!([range]);
            spec.insert("podCIDRs".to_owned(), list);
        }
        _ => {}
    }
}

pub(super) fn node_status(status: &mut Map) {
    if let Some(capacity) = status.get("capacity").cloned() {
        fill(status, "allocatable", capacity);
    }
}

/// Moves the write-only `stringData` to `data`.
pub(super) fn secret(object: &mut Map) {
    fill(object, "type", "Opaque");
    if let Some(Value::Object(texts)) = object.remove("stringData") {
        let data = map_at(object, "data");
        for (key, text) in texts {
            data.insert(key, BASE64.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

/// Copies missing `default` from `max`, and missing `defaultRequest` from `default`, then from `min`.
pub(super) fn limit_range_item(item: &mut Map) {
    if text_at(item, &["type"]) == "Container" {
        fill_amounts(item, "max", "default");
        fill_amounts(item, "default", "defaultRequest");
        fill_amounts(item, "min", "defaultRequest");
    }
}

fn fill_amounts(item: &mut Map, from: &str, to: &str) {
    let Some(Value::Object(amounts)) = item.get(from).cloned() else { return };
    let to = map_at(item, to);
    for (resource, amount) in amounts {
        to.entry(resource).or_insert(amount);
    }
}
