//! The Pod Security Standards that a Namespace selects by its labels.

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;

use super::at::At;

/// Errors of the labels of a Namespace by which its Pods are checked.
pub(super) fn label_errors(namespace: &Map) -> Vec<FieldError> {
    let labels = At::new(namespace, "metadata.labels");
    let mut errors = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        let mut check = |name: String, is_valid: fn(&str) -> bool, problem: &str| {
            let key = format!("pod-security.kubernetes.io/{name}");
            if let Some(value) = labels.entry(&key).filter(|value| !is_valid(value)) {
                errors.push(FieldError::invalid(format!("metadata.labels[{key}]"), value, problem));
            }
        };
        check(mode.to_owned(), is_level, "must be one of privileged, baseline, restricted");
        check(format!("{mode}-version"), is_version, r#"must be "latest" or "v1.x""#);
    }
    errors
}

fn is_level(text: &str) -> bool {
    matches!(text, "privileged" | "baseline" | "restricted")
}

fn is_version(text: &str) -> bool {
    let is_minor = |minor: &str| {
        let is_number = !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (minor == "0" || !minor.starts_with('0'))
    };
    text == "latest" || text.strip_prefix("v1.").is_some_and(is_minor)
}
