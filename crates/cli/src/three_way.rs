//! The patch by which client-side apply makes an object what its file says.

use klient_apimachinery::go::quoted;
use klient_apimachinery::patch::strategic::{self, ThreeWayOptions};
use klient_apimachinery::patch::{Precondition, merge};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::{Object, Unstructured};
use klient_client::Patch;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::Item;
use crate::print;

/// The patch between what is there and what the file says; none if there is nothing to change. What was applied
/// last and is no longer in the file is removed. Unless it may `overwrite`, it is an error to change what others
/// have changed.
pub(crate) fn patch(
    item: &Item,
    modified: &Unstructured,
    live: &Unstructured,
    overwrite: bool,
) -> Result<Option<Patch>, Failure> {
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
        Failure::Message(format!(
            "creating patch with:\noriginal:\n{original}\nmodified:\n{modified}\ncurrent:\n{current}\nfor: {problem}"
        ))
    })?;
    Ok(match made.is_empty() {
        true => None,
        false if schema(item).is_some() => Some(Patch::Strategic(Value::Object(made))),
        false => Some(Patch::Merge(Value::Object(made))),
    })
}

/// What a patch makes of an object, found out without the server.
pub(crate) fn merged(item: &Item, live: &Unstructured, patch: &Patch) -> Result<Unstructured, Failure> {
    let mut merged = live.clone();
    match (patch, schema(item)) {
        (Patch::Strategic(Value::Object(patch)), Some(schema)) => {
            let applied = strategic::apply(&mut merged.0, patch.clone(), schema);
            applied.map_err(|error| Failure::Message(format!("applying patch locally: {error}")))?;
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

/// What was being done when a patch was refused: the patch, the object, the file.
pub(crate) fn applying(patch: Option<&Patch>, item: &Item) -> String {
    let patch = match patch {
        Some(Patch::Strategic(value) | Patch::Merge(value)) => print::compact(value),
        _ => String::new(),
    };
    format!("applying patch:\n{patch}\nto:\n{}\nfor:", described(item))
}

/// An object in full, as kubectl's errors have it.
pub(crate) fn described(item: &Item) -> String {
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

fn schema(item: &Item) -> Option<&'static Schema> {
    let info = &item.resource.info;
    klient_schema::kind(&info.group, &info.version, &info.kind)
}

fn parse(original: &str) -> Result<Map<String, Value>, String> {
    if original.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(original).map_err(|_| "invalid JSON document".to_owned())
}
