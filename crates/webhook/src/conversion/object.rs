//! The conversion of one object.

use klient_apimachinery::go::quoted;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Versions;

/// The fields of an object by which it is named and its conversion is found.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Named {
    api_version: String,
    kind: String,
    metadata: Names,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    name: String,
    namespace: String,
}

/// Converts an object in JSON to an `apiVersion`, by the conversion of its kind.
///
/// # Errors
///
/// With the object's name, if there is no such conversion, or it fails.
pub(super) fn convert(all: &[Versions], object: &str, desired: &str) -> Result<Value, String> {
    let named: Named = serde_json::from_str(object).map_err(|error| error.to_string())?;
    let Named { api_version, kind, metadata: Names { name, namespace } } = &named;
    let key = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
    converted(all, &named, object, desired)
        .map_err(|problem| format!("{kind} {} from {api_version} to {desired}: {problem}", quoted(&key)))
}

fn converted(all: &[Versions], named: &Named, object: &str, desired: &str) -> Result<Value, String> {
    let (group, from) = named.api_version.split_once('/').unwrap_or(("", &named.api_version));
    let (desired_group, to) = desired.split_once('/').unwrap_or(("", desired));
    if group != desired_group {
        return Err(format!("a conversion keeps the group, {group}"));
    }
    let is_of_kind = |versions: &&Versions| versions.info.group == group && versions.info.kind == *named.kind;
    let versions = all.iter().find(is_of_kind).ok_or_else(|| {
        let known: Vec<_> =
            all.iter().map(|versions| format!("{} of {}", versions.info.kind, versions.info.group)).collect();
        format!("the webhook converts {} only", known.join(", "))
    })?;
    let (from, to) = (versions.version(from)?, versions.version(to)?);
    let original: Map<String, Value> = serde_json::from_str(object).map_err(|error| error.to_string())?;
    if from.info.version == to.info.version {
        return Ok(Value::Object(original));
    }
    let hub = (from.to_hub)(object.as_bytes())?;
    let mut converted = (to.from_hub)(hub)?;
    restore_metadata(original, &mut converted);
    Ok(converted)
}

/// Restores the metadata of the original, but for the labels and annotations of a conversion that has not left them out with
/// all the rest.
fn restore_metadata(mut original: Map<String, Value>, converted: &mut Value) {
    let Some(Value::Object(mut metadata)) = original.remove("metadata") else { return };
    let new = converted.get("metadata").and_then(Value::as_object);
    if let Some(new) = new.filter(|new| new.get("name") == metadata.get("name") && !new.is_empty()) {
        for field in ["labels", "annotations"] {
            match new.get(field) {
                Some(pairs) => metadata.insert(field.to_owned(), pairs.clone()),
                None => metadata.remove(field),
            };
        }
    }
    if let Value::Object(converted) = converted {
        converted.insert("metadata".to_owned(), Value::Object(metadata));
    }
}
