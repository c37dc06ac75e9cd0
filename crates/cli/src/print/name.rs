//! The format of `-o name`.

use std::io::Write;

use serde_json::Value;

use super::{PrintError, items};

/// Writes `configmap/a` or `deployment.apps/web`; for a list, a line for each item.
pub(super) fn write(object: &Value, out: &mut dyn Write) -> Result<(), PrintError> {
    if let Some(items) = items(object) {
        return items.iter().try_for_each(|item| write(item, out));
    }
    super::check_typed(object)?;
    let name = match object["metadata"]["name"].as_str() {
        None | Some("") => "<unknown>",
        Some(name) => name,
    };
    Ok(writeln!(out, "{}/{name}", resource(object))?)
}

/// Returns the lower-case kind and group of an object, such as `deployment.apps`.
pub(crate) fn resource(object: &Value) -> String {
    let kind = match object["kind"].as_str() {
        None | Some("") => "<unknown>".to_owned(),
        Some(kind) => kind.to_lowercase(),
    };
    match object["apiVersion"].as_str().and_then(|version| version.split_once('/')) {
        Some((group, _)) if !group.is_empty() => format!("{kind}.{group}"),
        _ => kind,
    }
}
