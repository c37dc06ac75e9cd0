//! Updates of a Pod's `resize` subresource: CPU and memory of a running Pod, within its quality of service class.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::at::{At, same};
use super::pod::pod_spec;
use super::pod_annotations::MIRROR;
use crate::defaults::qos_class;

const MUTABLE: &str = "only cpu and memory resources are mutable";

const LISTS: [&str; 2] = ["requests", "limits"];

pub(super) fn resize(object: &Map, old: &Map, problems: &mut ErrorList) {
    pod_spec(object, problems);
    if let Some(problem) = unsupported(old) {
        problems.0 = vec![FieldError::forbidden("", problem)];
        return;
    }
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let class = match text_at(old, &["status", "qosClass"]) {
        "" => qos_class(old),
        class => class,
    };
    if class != qos_class(object) {
        let detail = "Pod QOS Class may not change as a result of resizing";
        problems.add(FieldError::invalid("spec", class, detail));
    }
    if !reports_resources(old) {
        problems.add(spec.forbidden("Pod running on node without support for resize"));
    }
    pod_level(&spec, &before, problems);
    if !are_the_same_containers(&spec, &before, problems) {
        return;
    }
    for list in ["initContainers", "containers"] {
        let (new, old) = (spec.get(list), before.get(list));
        for (container, old) in new.items().zip(old.items()) {
            nothing_removed("resource", &container.get("resources"), &old.get("resources"), problems);
        }
    }
    for (container, old) in spec.get("containers").items().zip(before.get("containers").items()) {
        if !same(Some(&without_cpu_and_memory(&container)), Some(&without_cpu_and_memory(&old))) {
            problems.add(spec.forbidden(MUTABLE));
        }
    }
    let (new, old) = (spec.get("initContainers"), before.get("initContainers"));
    for (container, old) in new.items().zip(old.items()) {
        if !same(Some(&without_cpu_and_memory(&container)), Some(&without_cpu_and_memory(&old))) {
            let problem = "only cpu and memory resources for init or sidecar containers are mutable";
            problems.add(container.forbidden(problem));
        }
        let restarts = |policy: At<'_, '_>| policy.get("restartPolicy").text() == "RestartContainer";
        let is_sidecar = container.get("restartPolicy").text() == "Always";
        if !same(container.raw(), old.raw())
            && !is_sidecar
            && container.get("resizePolicy").items().any(restarts)
        {
            let problem =
                "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
            problems.add(container.forbidden(problem));
        }
    }
}

/// The reason why a Pod can never be resized.
fn unsupported(pod: &Map) -> Option<&'static str> {
    if At::new(pod, "metadata.annotations").entry(MIRROR).is_some() {
        return Some("static pods cannot be resized");
    }
    (text_at(pod, &["spec", "os", "name"]) == "windows").then_some("windows pods cannot be resized")
}

/// Returns true if the Pod's status reports the resources of its running containers.
fn reports_resources(pod: &Map) -> bool {
    let statuses = list_at(pod, &["status", "containerStatuses"]);
    let running =
        statuses.iter().find(|status| status.pointer("/state/running").is_some_and(Value::is_object));
    running.is_none_or(|status| status.get("resources").is_some_and(Value::is_object))
}

/// Checks the resources of the Pod as a whole.
fn pod_level(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let (new, old) = (spec.get("resources"), before.get("resources"));
    let is_set = |at: &At<'_, '_>| LISTS.iter().any(|list| !at.get(list).is_empty());
    if !is_set(&new) && !is_set(&old) {
        return;
    }
    if old.is_set() && !new.is_set() {
        return problems.add(new.forbidden("pod-level resources cannot be removed"));
    }
    if old.is_set() {
        nothing_removed("pod-level resource", &new, &old, problems);
    }
    let others = |at: &At<'_, '_>| at.raw().and_then(Value::as_object).cloned().map(drop_cpu_and_memory);
    if others(&new).unwrap_or_default() != others(&old).unwrap_or_default() {
        problems.add(spec.forbidden(format!("{MUTABLE} at pod-level")));
    }
}

fn are_the_same_containers(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) -> bool {
    let found = problems.0.len();
    for list in ["containers", "initContainers"] {
        let (new, old) = (spec.get(list), before.get(list));
        if new.list().len() != old.list().len() {
            problems.add(new.forbidden(format!("{list} may not be added or removed on resize")));
            continue;
        }
        for (container, old) in new.items().zip(old.items()) {
            let name = container.get("name");
            if name.text() != old.get("name").text() {
                problems.add(name.forbidden(format!("{list} may not be renamed or reordered on resize")));
            }
        }
    }
    problems.0.len() == found
}

/// Checks that no request and no limit is taken away.
fn nothing_removed(of: &str, new: &At<'_, '_>, old: &At<'_, '_>, problems: &mut ErrorList) {
    for list in LISTS {
        let (new, old) = (new.get(list), old.get(list));
        let is_there = |name: &str| new.map().is_some_and(|list| list.contains_key(name));
        if !old.map().into_iter().flatten().all(|(name, _)| is_there(name)) {
            problems.add(new.forbidden(format!("{of} {list} cannot be removed")));
        }
    }
}

/// A container without the fields that a resize may change.
fn without_cpu_and_memory(container: &At<'_, '_>) -> Value {
    let mut container = container.map().cloned().unwrap_or_default();
    let resources = match container.remove("resources") {
        Some(Value::Object(resources)) => drop_cpu_and_memory(resources),
        _ => Map::new(),
    };
    if !resources.is_empty() {
        container.insert("resources".to_owned(), resources.into());
    }
    container.into()
}

fn drop_cpu_and_memory(mut resources: Map) -> Map {
    for list in LISTS {
        let Some(amounts) = resources.get_mut(list).and_then(Value::as_object_mut) else { continue };
        amounts.retain(|name, _| !matches!(&**name, "cpu" | "memory"));
        if amounts.is_empty() {
            resources.remove(list);
        }
    }
    resources
}
