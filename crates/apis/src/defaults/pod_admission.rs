//! Fields that admission adds to Pods: a priority, and tolerations of failing nodes.

use klient_apimachinery::values::{Map, at, at_mut, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::{fill, object_mut, objects_mut};

/// `tolerationSeconds` for nodes that are not ready or unreachable.
const PATIENCE_SECONDS: i32 = 300;

/// Sets the fields of a new Pod. Priority classes other than the built-in ones are left to the caller.
pub(super) fn create(object: &mut Map) {
    let labels = at(object, &["metadata", "labels"]).and_then(Value::as_object).cloned().unwrap_or_default();
    let spec = map_at(object, "spec");
    tolerations(spec);
    priority(spec);
    for constraint in objects_mut(spec, "topologySpreadConstraints") {
        select_own(constraint, "matchLabelKeys", "In", &labels);
    }
    for affinity in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = at_mut(spec, &["affinity", affinity]).and_then(Value::as_object_mut) else {
            continue;
        };
        let preferred = objects_mut(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
        preferred
            .filter_map(|term| object_mut(term, "podAffinityTerm"))
            .for_each(|term| term_labels(term, &labels));
        let required = objects_mut(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
        required.for_each(|term| term_labels(term, &labels));
    }
}

fn term_labels(term: &mut Map, labels: &Map) {
    select_own(term, "matchLabelKeys", "In", labels);
    select_own(term, "mismatchLabelKeys", "NotIn", labels);
}

/// Adds the Pod's own values of the listed label keys to a selector.
fn select_own(term: &mut Map, keys: &str, operator: &str, labels: &Map) {
    let keys: Vec<Value> = list_at(term, &[keys]).to_vec();
    let Some(selector) = object_mut(term, "labelSelector") else { return };
    for key in keys.iter().filter_map(Value::as_str) {
        let Some(value) = labels.get(key) else { continue };
        let expression = json!({"key": key, "operator": operator, "values": [value]});
        push(selector, "matchExpressions", expression);
    }
}

fn priority(spec: &mut Map) {
    let priority = match text_at(spec, &["priorityClassName"]) {
        "" => 0,
        "system-cluster-critical" => 2_000_000_000,
        "system-node-critical" => 2_000_001_000,
        _ => return,
    };
    fill(spec, "priority", priority);
    fill(spec, "preemptionPolicy", "PreemptLowerPriority");
}

pub(super) fn update(object: &mut Map, old: &Map) {
    let spec = map_at(object, "spec");
    tolerations(spec);
    for name in ["priority", "preemptionPolicy", "resources"] {
        if let Some(value) = at(old, &["spec", name]) {
            fill(spec, name, value.clone());
        }
    }
}

fn tolerations(spec: &mut Map) {
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        if list_at(spec, &["tolerations"]).iter().any(|toleration| tolerates(toleration, taint)) {
            continue;
        }
        let toleration = json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": PATIENCE_SECONDS});
        push(spec, "tolerations", toleration);
    }
}

fn push(object: &mut Map, list: &str, item: Value) {
    match object.get_mut(list) {
        Some(Value::Array(items)) => items.push(item),
        _ => {
            object.insert(list.to_owned(), json!([item]));
        }
    }
}

fn tolerates(toleration: &Value, taint: &str) -> bool {
    let is_one_of = |name: &str, wanted: &str| {
        let value = toleration.get(name).and_then(Value::as_str).unwrap_or_default();
        value.is_empty() || value == wanted
    };
    is_one_of("key", taint) && is_one_of("effect", "NoExecute")
}
