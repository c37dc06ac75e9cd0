//! The rules of `metadata`, the same for every kind but for the form of its name.

use klient_apimachinery::go::{is_printable, quoted};
use klient_apimachinery::meta::v1::schema::OWNER_REFERENCE;
use klient_apimachinery::schema::Type;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::validation::path_segment;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

use super::at::{At, IMMUTABLE, NEGATIVE, same};
use super::form::{dns_label, label_value, prefix_of, qualified_name};

/// The maximum total size of an object's annotations, in bytes.
pub const ANNOTATIONS_MAX: usize = 256 * 1024;

const OWNER: Type = Type::Message(&OWNER_REFERENCE);
const OWNERS: Type = Type::List(&OWNER);

/// The maximum length, in bytes, of a subresource's name in managed fields.
const SUBRESOURCE_MAX: usize = 256;

/// Checks the metadata of a new object whose name follows a rule.
pub(crate) fn metadata(
    meta: &Map,
    namespaced: bool,
    name_rule: fn(&str) -> Vec<String>,
    problems: &mut ErrorList,
) {
    generate_name(meta, name_rule, problems);
    let name = field(meta, "metadata.name");
    if name.is_empty() {
        problems.add(name.required("name or generateName is required"));
    } else {
        name.must_be(name_rule, problems);
    }
    let namespace = field(meta, "metadata.namespace");
    match namespace.text() {
        "" if namespaced => problems.add(namespace.required("")),
        "" => {}
        _ if namespaced => namespace.must_be(dns_label, problems),
        _ => problems.add(namespace.forbidden("not allowed on this type")),
    }
    common(meta, problems);
}

/// Checks the metadata of a new state of an object.
pub(crate) fn metadata_update(meta: &Map, old: &Map, problems: &mut ErrorList) {
    generate_name(meta, path_segment, problems);
    let name = field(meta, "metadata.name");
    if name.is_empty() {
        problems.add(name.required("name or generateName is required"));
    } else {
        name.must_be(path_segment, problems);
    }
    common(meta, problems);
    if old.contains_key("deletionTimestamp") {
        no_new_finalizers(meta, old, problems);
    }
    let generation = |meta: &Map| meta.get("generation").and_then(Value::as_i64).unwrap_or_default();
    if generation(meta) < generation(old) {
        problems.add(field(meta, "metadata.generation").invalid("must not be decremented"));
    }
    for path in ["metadata.name", "metadata.namespace", "metadata.uid"] {
        let (new, old) = (field(meta, path), field(old, path));
        if new.text() != old.text() {
            problems.add(new.invalid_text(IMMUTABLE));
        }
    }
    for path in
        ["metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds"]
    {
        field(meta, path).must_equal(&field(old, path), problems);
    }
}

/// Checks that the prefix of generated names can be one of a name that follows a rule.
pub(super) fn generate_name(meta: &Map, name_rule: fn(&str) -> Vec<String>, problems: &mut ErrorList) {
    let generate_name = field(meta, "metadata.generateName");
    if !generate_name.is_empty() {
        generate_name.must_be(|prefix| prefix_of(name_rule, prefix), problems);
    }
}

/// A field by a path such as `metadata.name`.
fn field<'p, 'v>(meta: &'v Map, path: &'p str) -> At<'p, 'v> {
    At::named(path, meta.get(path.trim_start_matches("metadata.")))
}

/// Checks the name of a field manager.
pub fn manager_name(name: &str, path: &str, problems: &mut ErrorList) {
    const LONGEST: usize = 128;
    if name.len() > LONGEST {
        problems.add(FieldError::too_long(path, LONGEST));
    }
    for (at, c) in name.char_indices().filter(|(_, c)| !is_printable(*c)) {
        let detail = format!("invalid character U+{:04X} (at position {at})", u32::from(c));
        problems.add(FieldError::invalid(path, name, detail));
    }
}

fn common(meta: &Map, problems: &mut ErrorList) {
    let generation = field(meta, "metadata.generation");
    if generation.number() < 0 {
        problems.add(generation.invalid(NEGATIVE));
    }
    labels(&field(meta, "metadata.labels"), problems);
    annotations(&field(meta, "metadata.annotations"), problems);
    owner_references(&field(meta, "metadata.ownerReferences"), problems);
    finalizers(&field(meta, "metadata.finalizers"), problems);
    managed_fields(&field(meta, "metadata.managedFields"), problems);
}

pub(super) fn labels(labels: &At<'_, '_>, problems: &mut ErrorList) {
    for (key, value) in labels.entries() {
        for problem in qualified_name(key) {
            problems.add(labels.invalid_as(key, problem));
        }
        for problem in label_value(value.text()) {
            problems.add(labels.invalid_as(value.text(), problem));
        }
    }
}

pub(super) fn annotations(annotations: &At<'_, '_>, problems: &mut ErrorList) {
    let mut size = 0;
    for (key, value) in annotations.entries() {
        for problem in qualified_name(&key.to_lowercase()) {
            problems.add(annotations.invalid_as(key, problem));
        }
        size += key.len() + value.text().len();
    }
    if size > ANNOTATIONS_MAX {
        problems.add(annotations.too_long(ANNOTATIONS_MAX));
    }
}

fn owner_references(references: &At<'_, '_>, problems: &mut ErrorList) {
    let mut controller: Option<String> = None;
    for reference in references.items() {
        owner_reference(&reference, problems);
        if !reference.get("controller").flag() {
            continue;
        }
        let name = format!("{}/{}", reference.get("kind").text(), reference.get("name").text());
        match &controller {
            Some(first) => {
                let problem = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                );
                let shown = shown(references, OWNERS);
                problems.add(FieldError::invalid_shown(references.path(), shown, problem));
            }
            None => controller = Some(name),
        }
    }
}

fn owner_reference(reference: &At<'_, '_>, problems: &mut ErrorList) {
    let api_version = reference.get("apiVersion");
    let parts: Vec<&str> = api_version.text().split('/').collect();
    if api_version.is_empty() {
        problems.add(api_version.required("must not be empty"));
    } else if parts.len() > 2 || parts.last().is_some_and(|version| version.is_empty()) {
        problems.add(api_version.invalid("must be <group>/<version> or <version>"));
    }
    for name in ["kind", "name", "uid"] {
        reference.get(name).must_be_set("must not be empty", problems);
    }
    if api_version.text() == "v1" && reference.get("kind").text() == "Event" {
        let shown = shown(reference, OWNER);
        let problem = "/v1, Kind=Event is disallowed from being an owner";
        problems.add(FieldError::invalid_shown(reference.path(), shown, problem));
    }
}

/// A value as Go writes it: the fields in the order of its struct.
fn shown(at: &At<'_, '_>, ty: Type) -> String {
    let mut json = Vec::new();
    values::encode_value(at.raw().unwrap_or(&Value::Null), ty, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}

fn finalizers(finalizers: &At<'_, '_>, problems: &mut ErrorList) {
    for name in finalizers.texts() {
        for problem in qualified_name(name) {
            problems.add(finalizers.invalid_as(name, problem));
        }
    }
    let has = |wanted: &str| finalizers.texts().any(|name| name == wanted);
    if has("orphan") && has("foregroundDeletion") {
        problems.add(finalizers.invalid("finalizer orphan and foregroundDeletion cannot be both set"));
    }
}

fn managed_fields(entries: &At<'_, '_>, problems: &mut ErrorList) {
    for entry in entries.items() {
        let operation = entry.get("operation");
        if operation.is_empty() {
            problems.add(operation.required("must not be empty"));
        } else {
            operation.must_be_one_of(&["Apply", "Update"], problems);
        }
        let fields_type = entry.get("fieldsType");
        if !matches!(fields_type.text(), "" | "FieldsV1") {
            problems.add(fields_type.invalid("must be `FieldsV1`"));
        }
        let manager = entry.get("manager");
        manager_name(manager.text(), &manager.path(), problems);
        let subresource = entry.get("subresource");
        if subresource.text().len() > SUBRESOURCE_MAX {
            problems.add(subresource.too_long(SUBRESOURCE_MAX));
        }
    }
}

fn no_new_finalizers(meta: &Map, old: &Map, problems: &mut ErrorList) {
    let finalizers = field(meta, "metadata.finalizers");
    let before: Vec<&str> = field(old, "metadata.finalizers").texts().collect();
    let mut new: Vec<&str> = finalizers.texts().filter(|name| !before.contains(name)).collect();
    new.sort_unstable();
    new.dedup();
    if !new.is_empty() {
        let names: Vec<String> = new.iter().map(quoted).collect();
        problems.add(finalizers.forbidden(format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            names.join(", ")
        )));
    }
}

/// Checks that the finalizers of a built-in kind are standard ones or qualified by a domain.
pub(super) fn known_finalizers(meta: &Map, problems: &mut ErrorList) {
    for finalizer in field(meta, "metadata.finalizers").items() {
        problems.0.extend(unknown_finalizer(finalizer.path(), finalizer.text()));
    }
}

pub(super) fn unknown_finalizer(path: String, name: &str) -> Option<FieldError> {
    let is_known = name.contains('/') || matches!(name, "kubernetes" | "orphan" | "foregroundDeletion");
    let problem = "name is neither a standard finalizer name nor is it fully qualified";
    (!is_known).then(|| FieldError::invalid(path, name, problem))
}

/// The metadata of a template, which has labels and annotations and nothing else.
pub(super) fn of_claim_template(meta: &At<'_, '_>, problems: &mut ErrorList) {
    annotations(&meta.get("annotations"), problems);
    labels(&meta.get("labels"), problems);
    for (name, value) in meta.entries() {
        if !matches!(name, "annotations" | "labels") && !same(value.raw(), None) {
            problems.add(meta.get(name).forbidden("cannot be set"));
        }
    }
}
