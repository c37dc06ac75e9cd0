//! Validation of the spec of a definition.

use std::collections::HashSet;

use klient_apimachinery::go::is_printable;
use klient_apimachinery::validation::dns_subdomain;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::internal_version::{COLUMNS, InternalVersion, SCHEMA, SELECTABLE, SUBRESOURCES};
use super::names::{self, label};
use super::path::{child, key};
use super::schema::{any, schema_at};
use super::{conversion, openapi, served};

/// Validates the spec of a definition, with the old one if there is one.
pub(super) fn validate(spec: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    let layout = InternalVersion::of(spec);
    group(spec, problems);
    scope(spec, problems);
    schemas_are_there(&layout, problems);
    defaults_are_wanted(spec, &layout, problems);
    versions(&layout, old, problems);
    let empty = Map::new();
    let own_names = schema_at(spec, "names").unwrap_or(&empty);
    names::require(own_names, "spec.names", problems);
    names::validate(own_names, "spec.names", problems);
    shared(&layout, old, problems);
    conversion::validate(spec, problems);
}

fn group(spec: &Map, problems: &mut ErrorList) {
    let group = text_at(spec, &["group"]);
    let errors = dns_subdomain(group);
    if group.is_empty() {
        problems.add(FieldError::required("spec.group", ""));
    } else if !errors.is_empty() {
        problems.add(FieldError::invalid("spec.group", group, errors.join(",")));
    } else if !group.contains('.') {
        problems.add(FieldError::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
}

fn scope(spec: &Map, problems: &mut ErrorList) {
    let scope = text_at(spec, &["scope"]);
    match scope {
        "" => problems.add(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        _ => problems.add(FieldError::not_supported("spec.scope", scope, &["Cluster", "Namespaced"])),
    }
}

/// The schema of a version's objects.
fn schema_of(validation: Option<&Value>) -> Option<&Map> {
    validation?.get("openAPIV3Schema")?.as_object()
}

fn schemas_are_there(layout: &InternalVersion<'_>, problems: &mut ErrorList) {
    for index in 0..layout.versions.len() {
        if schema_of(layout.effective(index, SCHEMA)).is_none() {
            let path = child(&InternalVersion::path(index), "schema.openAPIV3Schema");
            problems.add(FieldError::required(path, ""));
        }
    }
}

fn defaults_are_wanted(spec: &Map, layout: &InternalVersion<'_>, problems: &mut ErrorList) {
    let has_default = |schema: &Map| any(schema, &|schema| schema.contains_key("default"));
    let preserves = spec.get("preserveUnknownFields") == Some(&Value::Bool(true));
    let mut schemas =
        (0..layout.versions.len()).filter_map(|index| schema_of(layout.effective(index, SCHEMA)));
    if preserves && schemas.any(has_default) {
        let message = "must be false in order to use defaults in the schema";
        problems.add(FieldError::invalid("spec.preserveUnknownFields", true, message));
    }
}

fn has_status(subresources: Option<&Value>) -> bool {
    subresources.is_some_and(|subresources| subresources.get("status").is_some_and(Value::is_object))
}

fn versions(layout: &InternalVersion<'_>, old: Option<&Map>, problems: &mut ErrorList) {
    for (index, version) in layout.versions.iter().enumerate() {
        label(text_at(version, &["name"]), child(&InternalVersion::path(index), "name"), problems);
        self::version(layout, index, old, problems);
    }
    let mut seen = HashSet::new();
    let unique = layout.versions.iter().all(|version| seen.insert(text_at(version, &["name"])));
    if !unique {
        let message = "must contain unique version names";
        problems.add(FieldError::invalid_shown("spec.versions", layout.shown(), message));
    }
    let stored = layout.versions.iter().filter(|version| version.get("storage") == Some(&Value::Bool(true)));
    if stored.count() != 1 {
        let message = "must have exactly one version marked as storage version";
        problems.add(FieldError::invalid_shown("spec.versions", layout.shown(), message));
    }
    // The deprecated `spec.version` is the first version's name in upstream's internal version.
    if let Some(first) =
        layout.versions.first().map(|first| text_at(first, &["name"])).filter(|name| !name.is_empty())
    {
        label(first, "spec.version".to_owned(), problems);
    }
}

/// Returns true if the schema of a version was accepted before.
fn is_unchanged(layout: &InternalVersion<'_>, index: usize, old: Option<&Map>) -> bool {
    let name = layout.versions.get(index).map(|version| text_at(version, &["name"]));
    let mut versions = old.map_or(&[][..], |old| list_at(old, &["versions"])).iter();
    let before = versions.find(|version| version.get("name").and_then(Value::as_str) == name);
    before.is_some_and(|before| before.get("schema") == layout.effective(index, SCHEMA))
}

fn version(layout: &InternalVersion<'_>, index: usize, old: Option<&Map>, problems: &mut ErrorList) {
    deprecation(layout.versions[index], &InternalVersion::path(index), problems);
    if let Some((validation, path)) = layout.own(index, SCHEMA)
        && let Some(schema) = schema_of(Some(validation))
    {
        let has_status = has_status(layout.effective(index, SUBRESOURCES));
        let accepted = is_unchanged(layout, index, old);
        problems.0.extend(openapi::validate(schema, has_status, accepted, &path));
    }
    if let Some((subresources, path)) = layout.own(index, SUBRESOURCES) {
        served::subresources(subresources, &path, problems);
    }
    if let Some((columns, path)) = layout.own(index, COLUMNS) {
        served::columns(columns, &path, problems);
    }
    if let Some((fields, path)) = layout.own(index, SELECTABLE) {
        match schema_of(layout.own(index, SCHEMA).map(|(validation, _)| validation)) {
            Some(schema) => served::selectable(fields, schema, &path, problems),
            None => {
                let message = "may only be set when `version.schema.openAPIV3Schema` is not included";
                problems.add(FieldError::invalid(path, "", message));
            }
        }
    }
}

fn deprecation(version: &Map, path: &str, problems: &mut ErrorList) {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return };
    let mut refuse = |message: String| {
        problems.add(FieldError::invalid(child(path, "deprecationWarning"), warning, message));
    };
    if version.get("deprecated") != Some(&Value::Bool(true)) {
        return refuse("can only be set for deprecated versions".to_owned());
    }
    if warning.len() > 256 {
        refuse("must be <= 256 characters long".to_owned());
    }
    if warning.is_empty() {
        refuse("must not be an empty string".to_owned());
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, c)| !is_printable(*c)) {
        refuse(format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {index}"
        ));
    }
}

/// Validates the parts common to all versions.
fn shared(layout: &InternalVersion<'_>, old: Option<&Map>, problems: &mut ErrorList) {
    let schema = layout.shared(SCHEMA);
    if let Some((validation, path)) = &schema
        && let Some(schema) = schema_of(Some(validation))
    {
        let has_status =
            (0..layout.versions.len()).any(|index| has_status(layout.effective(index, SUBRESOURCES)));
        let accepted = is_unchanged(layout, 0, old);
        problems.0.extend(openapi::validate(schema, has_status, accepted, path));
    }
    if let Some((subresources, path)) = layout.shared(SUBRESOURCES) {
        served::subresources(subresources, &path, problems);
    }
    if let Some((columns, path)) = layout.shared(COLUMNS) {
        served::columns(columns, &path, problems);
    }
    if let Some((fields, path)) = layout.shared(SELECTABLE) {
        match schema_of(schema.map(|(validation, _)| validation)) {
            Some(schema) => served::selectable(fields, schema, &path, problems),
            None => {
                let message = "may only be set when validations.schema is included";
                problems.add(FieldError::invalid(path, "", message));
            }
        }
    }
}

/// Validates the stored versions.
pub(super) fn stored_versions(spec: &Map, status: Option<&Map>, problems: &mut ErrorList) {
    const PATH: &str = "status.storedVersions";
    let stored = status.map_or(&[][..], |status| list_at(status, &["storedVersions"]));
    if stored.is_empty() {
        return problems.add(FieldError::invalid(PATH, Value::Null, "must have at least one stored version"));
    }
    let versions = list_at(spec, &["versions"]).iter().filter_map(Value::as_object);
    let mut missing: Vec<(usize, &Value)> = stored.iter().enumerate().collect();
    for version in versions {
        let name = text_at(version, &["name"]);
        let known = missing.iter().any(|(_, stored)| *stored == name);
        if version.get("storage") == Some(&Value::Bool(true)) && !known {
            let message = format!("must have the storage version {name}");
            problems.add(FieldError::invalid(PATH, stored.to_vec(), message));
        }
        missing.retain(|(_, stored)| *stored != name);
    }
    for (index, name) in missing {
        let text = name.as_str().unwrap_or_default();
        let message = format!(
            "missing from spec.versions; {text} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {text} and removes {text} from status.storedVersions"
        );
        problems.add(FieldError::invalid(key(PATH, index), name.clone(), message));
    }
}
