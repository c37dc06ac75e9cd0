//! The conversion of one object.

use std::borrow::Cow;
use std::collections::BTreeMap;

use klient_apimachinery::RawExtension;
use klient_apimachinery::go::quoted;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::Versions;

/// The fields of an object by which its conversion is found, and those that the conversion keeps.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Original<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    metadata: Option<Map<String, Value>>,
}

/// Converts an object in JSON to an `apiVersion`, by the conversion of its kind.
///
/// # Errors
///
/// With the object's name, if there is no such conversion, or it fails.
pub(super) fn convert(
    all: &[Versions],
    object: &RawExtension,
    desired: &str,
) -> Result<RawExtension, String> {
    let original: Original<'_> = serde_json::from_str(object.as_str()).map_err(|error| error.to_string())?;
    converted(all, &original, object, desired).map_err(|problem| {
        let Original { api_version, kind, metadata } = &original;
        let name = |field| metadata.as_ref().and_then(|metadata| metadata.get(field)?.as_str());
        let name = [name("namespace"), name("name")].map(Option::unwrap_or_default);
        let key = name.join("/");
        let key = quoted(key.strip_prefix('/').unwrap_or(&key));
        format!("{kind} {key} from {api_version} to {desired}: {problem}")
    })
}

fn converted(
    all: &[Versions],
    original: &Original<'_>,
    object: &RawExtension,
    desired: &str,
) -> Result<RawExtension, String> {
    let (group, from) = original.api_version.split_once('/').unwrap_or(("", &original.api_version));
    let (desired_group, to) = desired.split_once('/').unwrap_or(("", desired));
    if group != desired_group {
        return Err(format!("a conversion keeps the group, {group}"));
    }
    let is_of_kind =
        |versions: &&Versions| versions.info.group == group && versions.info.kind == *original.kind;
    let versions = all.iter().find(is_of_kind).ok_or_else(|| {
        let known: Vec<_> =
            all.iter().map(|versions| format!("{} of {}", versions.info.kind, versions.info.group)).collect();
        format!("the webhook converts {} only", known.join(", "))
    })?;
    let (from, to) = (versions.version(from)?, versions.version(to)?);
    if from.info.version == to.info.version {
        return Ok(object.clone());
    }
    let hub = (from.to_hub)(object.as_str().as_bytes())?;
    let converted = (to.from_hub)(hub)?;
    with_metadata(&converted, original.metadata.as_ref()).map_err(|error| error.to_string())
}

/// A converted object with the metadata of the original, but for the labels and annotations of a conversion that has not left
/// them out with all the rest. The other fields are not parsed.
fn with_metadata(
    converted: &[u8],
    original: Option<&Map<String, Value>>,
) -> Result<RawExtension, serde_json::Error> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(converted)?;
    let Some(mut metadata) = original.cloned() else { return Ok(to_raw_value(&fields)?.into()) };
    let new = fields.get("metadata").map(|new| serde_json::from_str::<Map<String, Value>>(new.get()));
    let mut new = new.transpose()?.unwrap_or_default();
    if !new.is_empty() && new.get("name") == metadata.get("name") {
        for field in ["labels", "annotations"] {
            match new.remove(field) {
                Some(pairs) => metadata.insert(field.to_owned(), pairs),
                None => metadata.remove(field),
            };
        }
    }
    let metadata = to_raw_value(&metadata)?;
    fields.insert("metadata".to_owned(), &metadata);
    Ok(to_raw_value(&fields)?.into())
}
