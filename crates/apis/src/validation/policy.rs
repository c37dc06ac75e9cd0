//! Disruption budgets, priorities, leases and runtime classes.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{dns_label, qualified_name};
use super::metadata::labels;
use super::resources::{container_name, quantity};
use super::scheduling::tolerations;
use super::selector::label_selector;
use super::workload::{at_most_all, int_or_percent};

pub(super) fn disruption_budget(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let limits = [spec.get("minAvailable"), spec.get("maxUnavailable")];
    if limits.iter().all(At::is_set) {
        problems.add(spec.invalid("minAvailable and maxUnavailable cannot be both set"));
    }
    for limit in limits.iter().filter(|limit| limit.is_set()) {
        int_or_percent(limit, problems);
        at_most_all(limit, problems);
    }
    label_selector(&spec.get("selector"), problems);
    let eviction = spec.get("unhealthyPodEvictionPolicy");
    if eviction.is_set() {
        eviction.must_be_one_of(&["AlwaysAllow", "IfHealthyBudget"], problems);
    }
}

/// The highest priority that is not the system's.
const USER_PRIORITY_MAX: i64 = 1_000_000_000;
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

pub(super) fn priority_class(object: &Map, problems: &mut ErrorList) {
    let (name, value) = (At::new(object, "metadata.name"), At::new(object, "value"));
    if name.text().starts_with("system-") {
        if let Some(problem) = not_a_system_class(object, name.text(), value.number()) {
            problems.add(name.forbidden(format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {problem}"
            )));
        }
    } else if value.number() > USER_PRIORITY_MAX {
        let problem = format!("maximum allowed value of a user defined priority is {USER_PRIORITY_MAX}");
        problems.add(value.forbidden(problem));
    }
    let preemption = At::new(object, "preemptionPolicy");
    if preemption.is_set() {
        preemption.must_have_one_of(&["PreemptLowerPriority", "Never"], problems);
    }
}

fn not_a_system_class(object: &Map, name: &str, value: i64) -> Option<String> {
    let Some((_, expected)) = SYSTEM_CLASSES.iter().find(|(known, _)| *known == name) else {
        return Some(format!("{name} is not a known system priority class"));
    };
    if value != *expected {
        Some(format!("value of {name} PriorityClass must be {expected}"))
    } else if At::new(object, "globalDefault").flag() {
        Some(format!("globalDefault of {name} PriorityClass must be false"))
    } else {
        None
    }
}

pub(super) fn priority_class_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let value = At::new(object, "value");
    if value.number() != At::new(old, "value").number() {
        problems.add(value.forbidden("may not be changed in an update."));
    }
    let path = "preemptionPolicy";
    At::new(object, path).must_equal(&At::new(old, path), problems);
}

pub(super) fn lease(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let duration = spec.get("leaseDurationSeconds");
    if duration.int().is_some_and(|seconds| seconds <= 0) {
        problems.add(duration.invalid("must be greater than 0"));
    }
    spec.get("leaseTransitions").must_not_be_negative(problems);
    let (strategy, holder) = (spec.get("strategy"), spec.get("preferredHolder"));
    if strategy.is_set() {
        // Upstream names the field twice.
        let at = strategy.get("strategy").holding(strategy.raw());
        if strategy.text().contains('/') {
            at.must_be(qualified_name, problems);
        } else {
            at.must_be_one_of(&["OldestEmulationVersion"], problems);
        }
    }
    if !holder.is_empty() && strategy.is_empty() {
        problems.add(holder.forbidden("may only be specified if `strategy` is defined"));
    }
}

pub(super) fn runtime_class(object: &Map, problems: &mut ErrorList) {
    for (resource, amount) in At::new(object, "overhead.podFixed").entries() {
        let path = format!("overhead.limits[{resource}]");
        problems.invalid(&path, resource, container_name(resource));
        quantity(resource, &At::named(&path, amount.raw()), problems);
    }
    labels(&At::new(object, "scheduling.nodeSelector"), problems);
    let at = At::new(object, "scheduling.tolerations");
    tolerations(&at, problems);
    let key = |toleration: &At<'_, '_>| {
        ["key", "operator", "value", "effect"].map(|name| toleration.get(name).text().to_owned())
    };
    let mut seen = HashSet::new();
    for toleration in at.items() {
        if !seen.insert(key(&toleration)) {
            let shown = toleration.raw().cloned().unwrap_or_default();
            problems.add(FieldError::duplicate(toleration.path(), shown));
        }
    }
    At::new(object, "handler").must_have(dns_label, problems);
}
