//! Updates of a Pod's spec: few fields are mutable.

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::{Map, at, list_at, map_at};
use serde_json::Value;

use super::at::{At, between, same};
use super::pod::pod_spec;
use super::pod_annotations::{APP_ARMOR, MIRROR};
use super::selector::contains;

/// Upstream's message about the mutable fields; it appends a diff.
const UPDATABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn update(object: &Map, old: &Map, problems: &mut ErrorList) {
    pod_spec(object, problems);
    kept_annotations(object, old, problems);
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    for list in ["containers", "initContainers"] {
        if spec.get(list).list().len() != before.get(list).list().len() {
            return problems.add(spec.get(list).forbidden("pod updates may not add or remove containers"));
        }
    }
    let deadline = spec.get("activeDeadlineSeconds");
    match (deadline.int(), before.get("activeDeadlineSeconds").int()) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            return problems.add(deadline.invalid(between(0, i64::from(i32::MAX))));
        }
        (Some(new), Some(old)) if old < new => {
            return problems.add(deadline.invalid("must be less than or equal to previous value"));
        }
        (None, Some(_)) => {
            problems.add(deadline.invalid("must not update from a positive integer to nil value"));
        }
        _ => {}
    }
    only_more_tolerations(&spec, &before, problems);
    only_fewer_gates(&spec, &before, problems);
    let Some((new, old)) = spec.map().zip(before.map()) else { return };
    let mut new = new.clone();
    take_updatable(&mut new, old);
    if !before.get("schedulingGates").is_empty() {
        placement(&spec, &before, problems);
        take_placement(&mut new, old);
    }
    if !same(Some(&Value::Object(new)), before.raw()) {
        problems.add(spec.forbidden(UPDATABLE));
    }
}

/// Puts the old values in place of those that may change.
fn take_updatable(spec: &mut Map, old: &Map) {
    for name in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        put(spec, name, old.get(name));
    }
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, before) in containers.zip(list_at(old, &[list])) {
            if let Some(container) = container.as_object_mut() {
                put(container, "image", before.get("image"));
            }
        }
    }
    let grace = "terminationGracePeriodSeconds";
    let was_negative = old.get(grace).and_then(Value::as_i64).is_some_and(|seconds| seconds < 0);
    if was_negative && spec.get(grace).and_then(Value::as_i64) == Some(1) {
        put(spec, grace, old.get(grace));
    }
}

/// Checks where a Pod that is held back may run: it may only become choosier.
fn placement(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let selector = spec.get("nodeSelector");
    if !contains(&selector, &before.get("nodeSelector")) {
        let problem = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        problems.add(selector.invalid(problem));
    }
    let required = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let (terms, old) = (spec.get(required), before.get(required));
    if old.is_empty() {
        return;
    }
    if terms.list().len() != old.list().len() {
        let problem = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        return problems.add(terms.invalid(problem));
    }
    for (term, old) in terms.items().zip(old.items()) {
        if !only_adds(&term, &old) {
            problems.add(term.invalid("only additions are allowed (no mutations or deletions)"));
        }
    }
}

fn only_adds(term: &At<'_, '_>, old: &At<'_, '_>) -> bool {
    let lists = ["matchExpressions", "matchFields"];
    let was_empty = lists.iter().all(|list| old.get(list).is_empty());
    lists.iter().all(|list| {
        let (new, old) = (term.get(list), old.get(list));
        let is_kept = new.list().len() >= old.list().len()
            && new.list().iter().zip(old.list()).all(|(new, old)| same(Some(new), Some(old)));
        is_kept && (!was_empty || new.is_empty())
    })
}

fn take_placement(spec: &mut Map, old: &Map) {
    put(spec, "nodeSelector", old.get("nodeSelector"));
    let node = at(old, &["affinity", "nodeAffinity"]);
    put(map_at(spec, "affinity"), "nodeAffinity", node);
    if map_at(spec, "affinity").is_empty() && !old.contains_key("affinity") {
        spec.remove("affinity");
    }
}

fn put(object: &mut Map, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => object.insert(name.to_owned(), value.clone()),
        None => object.remove(name),
    };
}

/// Checks the annotations of a Pod that cannot change.
fn kept_annotations(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (new, old) = (At::new(object, "metadata.annotations"), At::new(old, "metadata.annotations"));
    let what = |key: &str| match key {
        MIRROR => Some("mirror pod annotation"),
        _ if key.starts_with(APP_ARMOR) => Some("AppArmor annotations"),
        _ => None,
    };
    for (key, value) in old.entries() {
        if let Some(what) = what(key).filter(|_| new.entry(key) != Some(value.text())) {
            problems.add(value.forbidden(format!("may not remove or update {what}")));
        }
    }
    for (key, value) in new.entries().filter(|(key, _)| old.entry(key).is_none()) {
        if let Some(what) = what(key) {
            problems.add(value.forbidden(format!("may not add {what}")));
        }
    }
}

/// Tolerations may be added, and last longer or shorter. Their form is checked with the rest of the spec.
fn only_more_tolerations(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let at = spec.get("tolerations");
    let is_kept = |old: &At<'_, '_>| {
        at.items().any(|new| {
            ["key", "operator", "value", "effect"]
                .iter()
                .all(|name| new.get(name).text() == old.get(name).text())
        })
    };
    if !before.get("tolerations").items().all(|old| is_kept(&old)) {
        problems.add(at.forbidden("existing toleration can not be modified except its tolerationSeconds"));
    }
}

fn only_fewer_gates(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let old = before.get("schedulingGates");
    for gate in spec.get("schedulingGates").items() {
        let name = gate.get("name");
        if !old.items().any(|old| old.get("name").text() == name.text()) {
            let problem =
                format!("only deletion is allowed, but found new scheduling gate '{}'", name.text());
            problems.add(name.forbidden(problem));
        }
    }
}
