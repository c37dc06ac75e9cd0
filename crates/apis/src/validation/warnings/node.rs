//! Node labels, and selectors of them.

use klient_apimachinery::go::quoted;

use super::{Written, address};
use crate::validation::at::At;
use crate::validation::form::label_value;

/// The warning for a deprecated label of nodes.
pub(super) fn deprecated_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#,
        "beta.kubernetes.io/os" => r#"deprecated since v1.14; use "kubernetes.io/os" instead"#,
        "failure-domain.beta.kubernetes.io/region" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#
        }
        "beta.kubernetes.io/instance-type" => {
            r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#
        }
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => {
            "deprecated since v1.22; use Taints and Tolerations instead"
        }
        "node-role.kubernetes.io/master" => r#"use "node-role.kubernetes.io/control-plane" instead"#,
        _ => return None,
    })
}

/// Warns of deprecated labels in the expressions of a selector, and of invalid values if `checks_values`.
pub(super) fn expressions(selector: &At<'_, '_>, checks_values: bool, warnings: &mut Vec<String>) {
    for expression in selector.get("matchExpressions").items() {
        let key = expression.get("key");
        if let Some(problem) = deprecated_label(key.text()) {
            warnings.push(format!("{}: {} is {problem}", key.path(), key.text()));
        }
        let values = expression.get("values");
        for value in values.items().filter(|_| checks_values) {
            let problems = label_value(value.text()).into_iter();
            warnings.extend(
                problems.map(|problem| format!("{}: {} is invalid, {problem}", value.path(), value.text())),
            );
        }
    }
}

/// Warns of deprecated labels in a label selector.
pub(super) fn selector(selector: &At<'_, '_>, warnings: &mut Vec<String>) {
    expressions(selector, false, warnings);
    let labels = selector.get("matchLabels");
    for (key, _) in labels.entries() {
        if let Some(problem) = deprecated_label(key) {
            warnings.push(format!("{}: {problem}", labels.get(key).path()));
        }
    }
}

pub(super) fn node(written: Written<'_>, warnings: &mut Vec<String>) {
    if written.at("spec.configSource").is_set() {
        warnings.push("spec.configSource: the feature is removed".to_owned());
    }
    if !written.at("spec.externalID").is_empty() {
        warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
    }
    written.at("spec.podCIDRs").items().for_each(|range| address::cidr(&range, warnings));
}

pub(super) fn runtime_class(written: Written<'_>, warnings: &mut Vec<String>) {
    let selector = written.at("scheduling.nodeSelector");
    let problems = selector.entries().filter_map(|(key, _)| deprecated_label(key));
    warnings.extend(problems.map(|problem| format!("{}: {problem}", selector.path())));
}

pub(super) fn resource_slice(written: Written<'_>, warnings: &mut Vec<String>) {
    let driver = written.at("spec.driver").text();
    if driver != driver.to_lowercase() {
        warnings.push(format!(
            "spec.driver: driver names should be lowercase; {} contains uppercase characters",
            quoted(driver)
        ));
    }
}
