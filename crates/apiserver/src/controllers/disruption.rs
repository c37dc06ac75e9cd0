//! The disruption controller: it keeps the status of PodDisruptionBudgets.

mod expected;

use std::sync::Arc;

use klient_apimachinery::values::{Map, at, map_at, text_at};
use klient_apimachinery::{BoxFuture, Time};
use serde_json::Value;

use crate::disruption::{self, budgets_of, is_ready};
use crate::registry::pipeline::Pipeline;
use crate::state::{Committed, Controller, State};
use crate::storage::{Key, Object, Page};
use crate::warnings::Warnings;
use expected::{Expected, expected};

/// The time, in seconds, after which an evicted pod that was not deleted counts again.
const DELETION_TIMEOUT: i64 = 2 * 60;

pub(super) struct PodDisruptionBudgets;

impl Controller for PodDisruptionBudgets {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for key in affected(state, change) {
                sync(state, &key).await;
            }
        })
    }
}

/// The budgets whose status may depend on a change.
fn affected(state: &State, change: &Committed<'_>) -> Vec<Key> {
    let Committed { resource, object, old, deleted } = *change;
    let namespace = object.key.namespace();
    let keys = |budgets: Vec<Arc<Object>>| budgets.iter().map(|budget| budget.key.clone()).collect();
    match (&*resource.info.group, &*resource.info.plural) {
        ("policy", "poddisruptionbudgets") if !resource.is_custom() => {
            let generation = |budget: &Map| at(budget, &["metadata", "generation"]).cloned();
            let is_changed = |old: &Map| generation(old) != generation(&object.value());
            if !deleted && old.is_none_or(is_changed) { vec![object.key.clone()] } else { Vec::new() }
        }
        ("", "pods") => {
            if state.store.all(&disruption::budgets(state).table, namespace).is_empty() {
                return Vec::new();
            }
            let before = old.map(|old| resource.object(object.key.clone(), old.clone(), None));
            let states: Vec<&Object> = [Some(&**object), before.as_ref()].into_iter().flatten().collect();
            keys(budgets_of(state, namespace, &states))
        }
        _ if namespace.is_some() && resource.subresource("scale").is_some() => {
            let is_changed = |old: &Map| deleted || old.get("spec") != object.value().get("spec");
            if old.is_none_or(is_changed) {
                keys(state.store.all(&disruption::budgets(state).table, namespace))
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

/// Updates the status of a budget.
async fn sync(state: &Arc<State>, key: &Key) {
    let resource = disruption::budgets(state);
    let warnings = Warnings::default();
    let pipeline =
        Pipeline::of_server(state, &resource, Some("status"), Some("kube-controller-manager"), &warnings);
    // Of two changes, the status that includes both is stored last. Changes of the status alone affect no budget, so
    // that this is not locked twice.
    let _one_at_a_time = state.disruptions.lock().await;
    let mut update = |old: &Map, _: &Object| {
        let mut new = old.clone();
        set_status(state, key.namespace(), &mut new);
        Ok(new)
    };
    if let Err(failure) = pipeline.guaranteed_update(key, &mut update).await {
        // It may be deleted meanwhile.
        tracing::debug!(budget = %key, code = failure.code(), "the status could not be updated");
    }
}

fn set_status(state: &State, namespace: Option<&str>, budget: &mut Map) {
    let pods = pods_of(state, namespace, budget);
    let generation = at(budget, &["metadata", "generation"]).cloned().unwrap_or_default();
    let Expected { pods: expected, healthy: desired } = match expected(state, namespace, budget, &pods) {
        Ok(expected) => expected,
        Err(problem) => {
            let status = map_at(budget, "status");
            status.insert("disruptionsAllowed".to_owned(), 0.into());
            status.insert("observedGeneration".to_owned(), generation);
            disruption::set_condition_to(budget, "False", "SyncFailed", &problem);
            return;
        }
    };
    let disrupted = disrupted_pods(budget, &pods);
    let is_healthy = |pod: &&Map| {
        !is_terminating(pod) && !disrupted.contains_key(text_at(pod, &["metadata", "name"])) && is_ready(pod)
    };
    let healthy = i64::try_from(pods.iter().filter(is_healthy).count()).unwrap_or(i64::MAX);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let status = map_at(budget, "status");
    for (field, value) in [
        ("currentHealthy", healthy.into()),
        ("desiredHealthy", desired.into()),
        ("expectedPods", expected.into()),
        ("disruptionsAllowed", allowed.into()),
        ("observedGeneration", generation),
    ] {
        status.insert(field.to_owned(), value);
    }
    if disrupted.is_empty() {
        status.remove("disruptedPods");
    } else {
        status.insert("disruptedPods".to_owned(), disrupted.into());
    }
    disruption::set_condition(budget);
}

fn is_terminating(pod: &Map) -> bool {
    at(pod, &["metadata", "deletionTimestamp"]).is_some()
}

/// The pods that a budget selects.
fn pods_of(state: &State, namespace: Option<&str>, budget: &Map) -> Vec<Map> {
    let Some(selection) = disruption::selection(budget) else { return Vec::new() };
    let pods = state.registry.built_in("", "v1", "pods");
    let page = Page { namespace, selection: &selection, start: None, limit: None };
    let pods = state.store.list(&pods.table, None, &page).expect("the latest state is always kept");
    pods.objects.iter().map(|pod| pod.value()).collect()
}

/// The evicted pods of a budget that are to be deleted soon.
fn disrupted_pods(budget: &Map, pods: &[Map]) -> Map {
    let Some(Value::Object(disrupted)) = at(budget, &["status", "disruptedPods"]) else { return Map::new() };
    let now = Time::now().unix();
    let mut kept = disrupted.clone();
    kept.retain(|name, time| {
        let time = time.as_str().and_then(|time| time.parse::<Time>().ok());
        let pod = pods.iter().find(|pod| text_at(pod, &["metadata", "name"]) == name);
        pod.is_some_and(|pod| !is_terminating(pod))
            && time.is_some_and(|time| time.unix() + DELETION_TIMEOUT >= now)
    });
    kept
}
