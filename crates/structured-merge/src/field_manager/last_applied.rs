//! The annotation of client-side `kubectl apply`, and its conversion to managed fields.

use klient_apimachinery::values;
use serde_json::Value;

use super::FieldManager;
use crate::{Conflict, Conflicts, Duplicates, Error, FieldSet, Map, Typed};

/// The only manager whose annotation is considered.
pub(super) const MANAGER: &str = "kubectl";

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The size limit of all annotations, in bytes.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// Filters out the conflicts over fields that client-side apply has set and that still have that value. `None` if it
/// has set none.
///
/// # Errors
///
/// The remaining conflicts.
pub(super) fn without_own(fields: &FieldManager<'_>, live: &Map, error: &Error) -> Option<Result<(), Error>> {
    let own = applied_and_kept(fields, live)?;
    let others: Vec<Conflict> =
        error.conflicts().iter().filter(|conflict| !own.has(&conflict.path)).cloned().collect();
    Some(if others.is_empty() { Ok(()) } else { Err(Error::conflict(Conflicts::new(others))) })
}

fn applied_and_kept(fields: &FieldManager<'_>, live: &Map) -> Option<FieldSet> {
    let Value::Object(mut applied) = serde_json::from_str(annotation(live)?).ok()? else { return None };
    if applied.get("apiVersion")?.as_str()? != fields.api_version {
        return None;
    }
    for name in ["apiVersion", "kind"] {
        if !live.contains_key(name) {
            applied.remove(name);
        }
    }
    let schema = fields.schema().ok()?;
    let live = Typed::new(live, schema, Duplicates::Refuse).ok()?;
    let applied = Typed::new(&applied, schema, Duplicates::Refuse).ok()?;
    let changes = applied.compare(&live);
    let set = applied.field_set();
    Some(set.difference(&changes.modified).difference(&changes.added).difference(&changes.removed))
}

/// Writes the configuration into the annotation, if there is one and room for it.
pub(super) fn refresh(fields: &FieldManager<'_>, object: &mut Map, config: &Map) {
    if annotation(object).is_none() {
        return;
    }
    let text = text(fields, config);
    let annotations = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(Value::Object(annotations)) = annotations else { return };
    annotations.insert(ANNOTATION.to_owned(), text.into());
    let size = |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(0, str::len);
    if annotations.iter().map(size).sum::<usize>() > MOST_ANNOTATIONS {
        annotations.remove(ANNOTATION);
    }
}

fn annotation(object: &Map) -> Option<&str> {
    let annotation = object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()?;
    (!annotation.is_empty()).then_some(annotation)
}

/// A configuration as stored in the annotation, without the annotation itself.
fn text(fields: &FieldManager<'_>, config: &Map) -> String {
    let mut config = config.clone();
    for (name, value) in [("apiVersion", fields.api_version), ("kind", fields.kind)] {
        config.entry(name).or_insert_with(|| value.into());
    }
    if let Some(Value::Object(annotations)) =
        config.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
    {
        annotations.remove(ANNOTATION);
    }
    let mut config = Value::Object(config);
    config.sort_all_objects();
    let mut out = Vec::new();
    values::encode_untyped(&config, &mut out);
    out.push(b'\n');
    String::from_utf8(out).expect("JSON of strings is UTF-8")
}
