//! Disruption of pods: the PodDisruptionBudgets of a pod, and the health of pods.

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::meta::v1::LabelSelector;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use serde_json::{Value, json};

use crate::registry::Resource;
use crate::state::State;
use crate::storage::{Object, Selection};

/// The condition that says whether pods may be evicted.
const DISRUPTION_ALLOWED: &str = "DisruptionAllowed";

/// The resource of PodDisruptionBudgets.
pub(crate) fn budgets(state: &State) -> Arc<Resource> {
    state.registry.built_in("policy", "v1", "poddisruptionbudgets")
}

/// The pods that a budget selects; `None` if it selects none, or its selector is not valid.
pub(crate) fn selection(budget: &Map) -> Option<Selection> {
    let selector = at(budget, &["spec", "selector"]).filter(|selector| !selector.is_null())?;
    let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
    let labels = Selector::try_from(&selector).ok()?;
    Some(Selection { labels, ..Selection::default() })
}

/// The budgets of a namespace that select one of the states of a pod.
pub(crate) fn budgets_of(state: &State, namespace: Option<&str>, pods: &[&Object]) -> Vec<Arc<Object>> {
    let mut budgets = state.store.all(&budgets(state).table, namespace);
    budgets.retain(|budget| {
        selection(&budget.value()).is_some_and(|selection| pods.iter().any(|pod| pod.matches(&selection)))
    });
    budgets
}

/// Returns true if a pod is ready.
pub(crate) fn is_ready(pod: &Map) -> bool {
    let conditions = list_at(pod, &["status", "conditions"]);
    conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// A number of a budget's status.
pub(crate) fn count(budget: &Map, field: &str) -> i64 {
    at(budget, &["status", field]).and_then(Value::as_i64).unwrap_or_default()
}

/// The condition of a budget that says whether pods may be evicted.
pub(crate) fn condition(budget: &Map) -> Option<&Map> {
    let conditions = list_at(budget, &["status", "conditions"]).iter();
    conditions
        .filter_map(Value::as_object)
        .find(|condition| text_at(condition, &["type"]) == DISRUPTION_ALLOWED)
}

/// Sets the condition of a budget according to the number of disruptions that it allows.
pub(crate) fn set_condition(budget: &mut Map) {
    match count(budget, "disruptionsAllowed") {
        0 => set_condition_to(budget, "False", "InsufficientPods", ""),
        _ => set_condition_to(budget, "True", "SufficientPods", ""),
    }
}

/// Sets the condition of a budget, which keeps its time if it keeps its status.
pub(crate) fn set_condition_to(budget: &mut Map, status: &str, reason: &str, message: &str) {
    let before = condition(budget).filter(|condition| text_at(condition, &["status"]) == status);
    let since = before.map(|condition| text_at(condition, &["lastTransitionTime"]).to_owned());
    let mut conditions = list_at(budget, &["status", "conditions"]).to_vec();
    let condition = json!({
        "type": DISRUPTION_ALLOWED,
        "status": status,
        "observedGeneration": count(budget, "observedGeneration"),
        "lastTransitionTime": since.unwrap_or_else(|| Time::now().to_string()),
        "reason": reason,
        "message": message,
    });
    match conditions.iter_mut().find(|condition| condition["type"] == DISRUPTION_ALLOWED) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
    map_at(budget, "status").insert("conditions".to_owned(), conditions.into());
}
