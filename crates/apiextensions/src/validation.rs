//! Validation of CustomResourceDefinitions.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Map, text_at};
use serde_json::Value;

use super::naming::is_established;
use super::schema::schema_at;
use super::{approval, names, spec};

/// Validates a new definition, except for its metadata.
pub fn validate(object: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    body(object, None, &mut problems);
    problems.0.extend(approval::problem(object));
    preserves_unknown(object, &mut problems);
    problems.0
}

/// Validates an update of a definition, except for its metadata.
pub fn validate_update(object: &Map, old: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    let stored = |names: &[&'static str]| unchanged(object, old, names);
    body(object, Some(old), &mut problems);
    if is_established(old) {
        problems.0.extend(stored(&["spec", "scope"]));
        problems.0.extend(stored(&["spec", "names", "kind"]));
    }
    problems.0.extend(stored(&["spec", "group"]));
    problems.0.extend(stored(&["spec", "names", "plural"]));
    if approval::is_changed(object, old) {
        problems.0.extend(approval::problem(object));
    }
    preserves_unknown(object, &mut problems);
    problems.0
}

/// Validates the status of a definition.
pub fn validate_status(object: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    accepted_names(object, &mut problems);
    problems.0
}

/// The error of a name that is not that of the resource and its group.
pub fn validate_name(object: &Map) -> Option<FieldError> {
    let name = text_at(object, &["metadata", "name"]);
    let required =
        format!("{}.{}", text_at(object, &["spec", "names", "plural"]), text_at(object, &["spec", "group"]));
    let problem = r#"must be spec.names.plural+"."+spec.group"#;
    (!name.is_empty() && name != required).then(|| FieldError::invalid("metadata.name", name, problem))
}

fn body(object: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    let empty = Map::new();
    let (spec, status) = (schema_at(object, "spec").unwrap_or(&empty), schema_at(object, "status"));
    let old = old.and_then(|old| schema_at(old, "spec"));
    // Nothing that was accepted is refused in an update.
    if old != Some(spec) {
        spec::validate(spec, old, problems);
    }
    accepted_names(object, problems);
    spec::stored_versions(spec, status, problems);
}

fn accepted_names(object: &Map, problems: &mut ErrorList) {
    if let Some(accepted) = schema_at(object, "status").and_then(|status| schema_at(status, "acceptedNames"))
    {
        names::validate(accepted, "status.acceptedNames", problems);
    }
}

fn unchanged(object: &Map, old: &Map, path: &[&str]) -> Option<FieldError> {
    let (new, old) = (text_at(object, path), text_at(old, path));
    (new != old).then(|| FieldError::invalid(path.join("."), new, "field is immutable"))
}

fn preserves_unknown(object: &Map, problems: &mut ErrorList) {
    if values::at(object, &["spec", "preserveUnknownFields"]) == Some(&Value::Bool(true)) {
        let message = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        problems.add(FieldError::invalid("spec.preserveUnknownFields", true, message));
    }
}
