//! Annotations that mean something for a Pod.

use klient_apimachinery::go::{json_type, quoted};
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Parsed};
use serde_json::Value;

use super::at::At;
use super::form::descending_path;

/// The annotation of the copies that kubelet makes of static Pods.
pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";

/// Checks the annotations of a Pod, or of a template, with this spec.
pub(super) fn pod_annotations(annotations: &At<'_, '_>, spec: &At<'_, '_>, problems: &mut ErrorList) {
    let refuse = |key: &str, shown: &str, problem: &str| {
        FieldError::invalid(format!("{}[{key}]", annotations.path()), shown, problem)
    };
    if let Some(mirrored) = annotations.entry(MIRROR)
        && spec.get("nodeName").is_empty()
    {
        problems.add(refuse(MIRROR, mirrored, "must set spec.nodeName if mirror pod annotation is set"));
    }
    let tolerations = annotations.entry(TOLERATIONS).unwrap_or_default();
    if let Some(problem) = tolerations_problem(tolerations) {
        problems.add(annotations.invalid_as(TOLERATIONS, problem));
    }
    if let Some(cost) = annotations.entry(DELETION_COST).filter(|cost| !is_cost(cost)) {
        problems.add(refuse(DELETION_COST, cost, "must be a 32bit integer"));
    }
    if let Some(profile) = annotations.entry(SECCOMP) {
        seccomp(annotations, SECCOMP, profile, problems);
    }
    for (key, profile) in annotations.entries().filter(|(key, _)| key.starts_with(SECCOMP_OF_CONTAINER)) {
        seccomp(annotations, key, profile.text(), problems);
    }
    for (key, profile) in annotations.entries() {
        let Some(container) = key.strip_prefix(APP_ARMOR) else { continue };
        if !has_container(spec, container) {
            problems.add(refuse(key, container, "container not found"));
        }
        let profile = profile.text();
        let is_known = matches!(profile, "" | "runtime/default" | "unconfined");
        if !is_known && !profile.starts_with("localhost/") {
            let problem = format!("invalid AppArmor profile name: {}", quoted(profile));
            problems.add(refuse(key, profile, &problem));
        }
    }
}

/// The decoding error, in Go's words, of tolerations written as JSON; `None` if they are valid.
fn tolerations_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match values::parse(text.as_bytes()) {
        Ok(Parsed { value: Value::Array(_) | Value::Null, .. }) => None,
        Ok(Parsed { value, .. }) => {
            let what = json_type(&value);
            Some(format!("json: cannot unmarshal {what} into Go value of type []core.Toleration"))
        }
        Err(problem) => Some(problem),
    }
}

fn is_cost(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" || !digits.starts_with(['0', '+']);
    is_plain && text != "-0" && text.parse::<i32>().is_ok()
}

fn seccomp(annotations: &At<'_, '_>, key: &str, profile: &str, problems: &mut ErrorList) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    let value = Value::from(profile.strip_prefix("localhost/").unwrap_or(profile));
    let at = annotations.get(key).holding(Some(&value));
    if profile.starts_with("localhost/") {
        at.must_be(descending_path, problems);
    } else {
        problems.add(at.invalid("must be a valid seccomp profile"));
    }
}

fn has_container(spec: &At<'_, '_>, name: &str) -> bool {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .any(|list| spec.get(list).items().any(|container| container.get("name").text() == name))
}
