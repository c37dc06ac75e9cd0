//! The QoS class of a Pod.

use klient_apimachinery::Quantity;
use serde_json::Value;

use klient_apimachinery::values::{Map, at, list_at};

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub(super) fn class(pod: &Map) -> &'static str {
    if let Some(resources) = at(pod, &["spec", "resources"]).filter(|resources| is_pod_level(resources)) {
        return of_resources(resources);
    }
    let containers = ["initContainers", "containers"].map(|list| list_at(pod, &["spec", list]));
    let mut classes = containers.into_iter().flatten().map(|container| match container.get("resources") {
        Some(resources) => of_resources(resources),
        None => "BestEffort",
    });
    let Some(first) = classes.next() else { return "BestEffort" };
    if classes.all(|class| class == first) { first } else { "Burstable" }
}

fn of_resources(resources: &Value) -> &'static str {
    let is_empty = |list: &str| resources.get(list).and_then(Value::as_object).is_none_or(Map::is_empty);
    if is_empty("requests") && is_empty("limits") {
        return "BestEffort";
    }
    let [cpu, memory] = ["cpu", "memory"].map(|name| of_resource(resources, name));
    if cpu == memory { cpu } else { "Burstable" }
}

fn of_resource(resources: &Value, name: &str) -> &'static str {
    let amount = |list: &str| {
        let text = resources.get(list)?.get(name)?.as_str()?;
        Quantity::from(text).nanos().ok()
    };
    match (amount("requests").unwrap_or(0), amount("limits").unwrap_or(0)) {
        (0, 0) => "BestEffort",
        (request, limit) if request == limit => "Guaranteed",
        _ => "Burstable",
    }
}

/// Returns true if resources are set at the Pod level.
fn is_pod_level(resources: &Value) -> bool {
    let is_supported = |name: &String| matches!(&**name, "cpu" | "memory") || name.starts_with("hugepages-");
    let sets = |list: &str| {
        resources.get(list).and_then(Value::as_object).is_some_and(|list| list.keys().any(is_supported))
    };
    sets("requests") || sets("limits")
}
