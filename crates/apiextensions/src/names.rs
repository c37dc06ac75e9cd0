//! Validation of the names of a definition.

use klient_apimachinery::validation::dns_1035_label;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::path::{child, key};

/// Reports required names that are missing.
pub(super) fn require(names: &Map, path: &str, problems: &mut ErrorList) {
    for name in ["plural", "singular", "kind", "listKind"] {
        if text_at(names, &[name]).is_empty() {
            problems.add(FieldError::required(child(path, name), ""));
        }
    }
}

/// Reports invalid names.
pub(super) fn validate(names: &Map, path: &str, problems: &mut ErrorList) {
    let text = |name: &str| text_at(names, &[name]);
    for name in ["plural", "singular"] {
        if !text(name).is_empty() {
            label(text(name), child(path, name), problems);
        }
    }
    for name in ["kind", "listKind"] {
        let errors = dns_1035_label(&text(name).to_lowercase());
        if !text(name).is_empty() && !errors.is_empty() {
            let message = format!("may have mixed case, but should otherwise match: {}", errors.join(","));
            problems.add(FieldError::invalid(child(path, name), text(name), message));
        }
    }
    labels(names, "shortNames", path, problems);
    if !text("kind").is_empty() && text("kind") == text("listKind") {
        let message = "kind and listKind may not be the same";
        problems.add(FieldError::invalid(child(path, "listKind"), text("listKind"), message));
    }
    labels(names, "categories", path, problems);
}

fn labels(names: &Map, name: &str, path: &str, problems: &mut ErrorList) {
    for (index, label_text) in list_at(names, &[name]).iter().filter_map(Value::as_str).enumerate() {
        label(label_text, key(&child(path, name), index), problems);
    }
}

/// Reports a string that is not a DNS-1035 label.
pub(super) fn label(text: &str, path: String, problems: &mut ErrorList) {
    let errors = dns_1035_label(text);
    if !errors.is_empty() {
        problems.add(FieldError::invalid(path, text, errors.join(",")));
    }
}
