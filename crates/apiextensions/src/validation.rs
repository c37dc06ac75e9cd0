//! Validation of CustomResourceDefinitions.

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Map, text_at};
use klient_cel::format::is_uri;
use serde_json::Value;

use super::naming::is_established;
use super::path::{child, key};
use super::schema::schema_at;
use super::{names, spec};

const APPROVAL: &str = "api-approved.kubernetes.io";

/// Validates a new definition, except for its metadata.
pub fn validate(object: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    body(object, None, &mut problems);
    problems.0.extend(approval_problem(object));
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
    if approval(object) != approval(old) {
        problems.0.extend(approval_problem(object));
    }
    preserves_unknown(object, &mut problems);
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
    spec::validate(spec, old.and_then(|old| schema_at(old, "spec")), problems);
    if let Some(accepted) = status.and_then(|status| schema_at(status, "acceptedNames")) {
        names::validate(accepted, "status.acceptedNames", problems);
    }
    spec::stored_versions(spec, status, problems);
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

/// The state of the annotation `api-approved.kubernetes.io`, which community groups require.
#[derive(Clone, Copy, PartialEq)]
enum Approval {
    Missing,
    Bypassed,
    Approved,
    Invalid,
}

fn approval(object: &Map) -> Approval {
    match text_at(object, &["metadata", "annotations", APPROVAL]) {
        "" => Approval::Missing,
        text if text.starts_with("unapproved") => Approval::Bypassed,
        text => {
            let host =
                text.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'));
            if host && is_uri(text) { Approval::Approved } else { Approval::Invalid }
        }
    }
}

fn approval_problem(object: &Map) -> Option<FieldError> {
    let group = text_at(object, &["spec", "group"]);
    let protected = ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        group.strip_suffix(domain).is_some_and(|parent| parent.is_empty() || parent.ends_with('.'))
    });
    if !protected {
        return None;
    }
    let path = key(&child("metadata", "annotations"), APPROVAL);
    let must = format!("protected groups must have approval annotation {}", quoted(APPROVAL));
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    match approval(object) {
        Approval::Missing => Some(FieldError::required(path, &format!("{must}, {see}"))),
        Approval::Invalid => {
            let message =
                format!(r#"{must} with either a URL or a reason starting with "unapproved", {see}"#);
            let given = text_at(object, &["metadata", "annotations", APPROVAL]);
            Some(FieldError::invalid(path, given, message))
        }
        Approval::Bypassed | Approval::Approved => None,
    }
}
