//! Three-way patches of client-side apply.

use klient_apimachinery::go::quoted;
use klient_apimachinery::patch::strategic::{self, ThreeWayOptions};
use klient_apimachinery::patch::{Precondition, merge};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::{Object, Unstructured};
use klient_client::Patch;
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::last_applied;
use crate::manifest::Info;
use crate::print;

/// Computes the patch from the live object to the manifest: a strategic merge patch for built-in kinds, a JSON merge
/// patch for others; `None` if nothing changes. Fields of the last-applied configuration that are not in the manifest
/// are removed.
///
/// # Errors
///
/// Without `overwrite`, if a field has changed since it was applied last.
pub(crate) fn patch(
    item: &Info,
    modified: &Unstructured,
    live: &Unstructured,
    overwrite: bool,
) -> Result<Option<Patch>, CliError> {
    let original = last_applied::of(live).unwrap_or_default();
    let made = parse(original).and_then(|before| {
        match schema(item) {
            Some(schema) => {
                let options = ThreeWayOptions { overwrite, ..ThreeWayOptions::default() };
                strategic::three_way(&before, &modified.0, &live.0, schema, options)
            }
            None => merge::three_way(&before, &modified.0, &live.0, &Precondition::IDENTITY),
        }
        .map_err(|error| error.to_string())
    });
    let made = made.map_err(|problem| {
        let [modified, current] = [modified, live].map(last_applied::text);
        CliError::Message(format!(
            "creating patch with:\noriginal:\n{original}\nmodified:\n{modified}\ncurrent:\n{current}\nfor: {problem}"
        ))
    })?;
    Ok(match made.is_empty() {
        true => None,
        false if schema(item).is_some() => Some(Patch::Strategic(Value::Object(made))),
        false => Some(Patch::Merge(Value::Object(made))),
    })
}

/// Applies a patch to an object locally.
pub(crate) fn merged(item: &Info, live: &Unstructured, patch: &Patch) -> Result<Unstructured, CliError> {
    let mut merged = live.clone();
    match (patch, schema(item)) {
        (Patch::Strategic(Value::Object(patch)), Some(schema)) => {
            let applied = strategic::apply(&mut merged.0, patch.clone(), schema);
            applied.map_err(|error| CliError::Message(format!("applying patch locally: {error}")))?;
        }
        (Patch::Strategic(patch) | Patch::Merge(patch), _) => {
            let mut value = Value::Object(std::mem::take(&mut merged.0));
            merge::apply(&mut value, patch);
            if let Value::Object(object) = value {
                merged.0 = object;
            }
        }
        _ => {}
    }
    Ok(merged)
}

/// Returns the context of an error of a patch: the patch and the object.
pub(crate) fn applying(patch: Option<&Patch>, item: &Info) -> String {
    let patch = match patch {
        Some(Patch::Strategic(value) | Patch::Merge(value)) => print::compact(value),
        _ => String::new(),
    };
    format!("applying patch:\n{patch}\nto:\n{}\nfor:", described(item))
}

/// Returns resource, kind, name and namespace of an object for kubectl's messages.
pub(crate) fn described(item: &Info) -> String {
    let info = &item.resource.info;
    let version = format!("{}/{}", info.group, info.version);
    format!(
        "Resource: {}, GroupVersionKind: {}\nName: {}, Namespace: {}",
        quoted(format!("{version}, Resource={}", info.plural)),
        quoted(format!("{version}, Kind={}", info.kind)),
        quoted(item.object.name()),
        quoted(item.object.namespace().unwrap_or_default())
    )
}

fn schema(item: &Info) -> Option<&'static Schema> {
    let info = &item.resource.info;
    klient_schema::kind(&info.group, &info.version, &info.kind)
}

fn parse(original: &str) -> Result<Map<String, Value>, String> {
    if original.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(original).map_err(|_| "invalid JSON document".to_owned())
}
