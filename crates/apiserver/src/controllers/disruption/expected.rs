//! [`Expected`], the pods that the controllers of a budget's pods are to run.

use std::collections::BTreeMap;
use std::sync::Arc;

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, at, list_at, text_at};
use serde_json::Value;

use crate::registry::Resource;
use crate::state::State;

/// The numbers of pods that a budget is computed from.
pub(super) struct Expected {
    /// The pods that should exist.
    pub(super) pods: i64,
    /// The pods that must be healthy.
    pub(super) healthy: i64,
}

/// Computes the numbers of pods of a budget, from those that it selects.
///
/// # Errors
///
/// Upstream's message, if the scale of a controller is not known.
pub(super) fn expected(
    state: &State,
    namespace: Option<&str>,
    budget: &Map,
    pods: &[Map],
) -> Result<Expected, String> {
    let limit = |field: &str| at(budget, &["spec", field]).filter(|limit| !limit.is_null());
    if let Some(most) = limit("maxUnavailable") {
        let expected = scale(state, namespace, pods)?;
        return Ok(Expected { pods: expected, healthy: (expected - scaled(most, expected)?).max(0) });
    }
    let Some(least) = limit("minAvailable") else { return Ok(Expected { pods: 0, healthy: 0 }) };
    if let Some(least) = least.as_i64() {
        let pods = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        return Ok(Expected { pods, healthy: least });
    }
    let expected = scale(state, namespace, pods)?;
    Ok(Expected { pods: expected, healthy: scaled(least, expected)? })
}

/// A number, or a percentage of a total, rounded up.
fn scaled(limit: &Value, total: i64) -> Result<i64, String> {
    if let Some(number) = limit.as_i64() {
        return Ok(number);
    }
    let percent = limit.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    let percent = percent.ok_or("invalid value for IntOrString: invalid type: string is not a percentage")?;
    Ok((total * percent + 99).div_euclid(100))
}

/// The sum of the replicas of the controllers of pods. Pods without a controller do not count.
fn scale(state: &State, namespace: Option<&str>, pods: &[Map]) -> Result<i64, String> {
    let mut scales: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        let owners = list_at(pod, &["metadata", "ownerReferences"]).iter().filter_map(Value::as_object);
        let Some(owner) = owners.clone().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        else {
            continue;
        };
        let found = controller(state, namespace, owner)?;
        let missing =
            || format!("found no controllers for pod {}", quoted(text_at(pod, &["metadata", "name"])));
        let (uid, replicas) = found.ok_or_else(missing)?;
        scales.insert(uid, replicas);
    }
    Ok(scales.values().sum())
}

/// The UID and the replicas of an owner that is a controller with a scale; those of the Deployment of a ReplicaSet.
fn controller(state: &State, namespace: Option<&str>, owner: &Map) -> Result<Option<(String, i64)>, String> {
    let text = |field: &str| text_at(owner, &[field]);
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let resources = state.registry.all();
    let of_kind: Vec<&Arc<Resource>> = resources
        .iter()
        .filter(|resource| {
            let info = &resource.info;
            info.group == group && info.kind == text("kind") && resource.conversion.is_none()
        })
        .collect();
    let Some(resource) = of_kind.first() else {
        let (kind, version) = (quoted(text("kind")), quoted(text("apiVersion")));
        return Err(format!("no matches for kind {kind} in version {version}"));
    };
    let found = state.store.get(&resource.table, &resource.key(namespace, text("name")));
    // Each version of a custom kind has a path of its own; that of the stored version needs no conversion.
    let is_stored =
        |own: &&Arc<Resource>| found.as_ref().is_some_and(|found| *found.version_name == *own.info.version);
    let resource = of_kind.iter().copied().find(is_stored).unwrap_or(resource);
    let Some(path) = replicas_path(resource) else {
        let (plural, dot) = (&resource.info.plural, if group.is_empty() { "" } else { "." });
        return Err(format!("{plural}{dot}{group} does not implement the scale subresource"));
    };
    let Some(found) = found.filter(|found| found.uid == *text("uid")) else { return Ok(None) };
    let object = resource.read(&found);
    if resource.info.kind == "ReplicaSet" {
        let owners = list_at(&object, &["metadata", "ownerReferences"]).iter().filter_map(Value::as_object);
        let is_deployment = |owner: &&Map| {
            owner.get("controller") == Some(&Value::Bool(true)) && text_at(owner, &["kind"]) == "Deployment"
        };
        if let Some(deployment) = owners.clone().find(is_deployment) {
            return controller(state, namespace, deployment);
        }
    }
    let path: Vec<&str> = path.split('.').collect();
    let replicas = at(&object, &path).and_then(Value::as_i64).unwrap_or_default();
    Ok(Some((text("uid").to_owned(), replicas)))
}

/// The path of the replicas of objects that have a scale.
fn replicas_path(resource: &Resource) -> Option<String> {
    resource.subresource("scale")?;
    let scale = resource.custom_schema().and_then(|version| version.scale.as_ref());
    let path = scale.map_or("spec.replicas", |scale| scale.spec_replicas.trim_start_matches('.'));
    Some(path.to_owned())
}
