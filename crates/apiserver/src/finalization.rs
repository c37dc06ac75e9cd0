//! Finalization of terminating namespaces and definitions: deletes their content, then removes their finalizer.

mod conditions;
pub(crate) mod queue;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use klient_apiextensions::definition::{self, CLEANUP, Definition, Termination};
use klient_apimachinery::Time;
use klient_apimachinery::meta::{PropagationPolicy, Reason};
use klient_apimachinery::values::{Map, list_at, map_at};
use serde_json::Value;
use tokio::time::sleep;

use crate::admission::RequestContext;
use crate::auth::User;
use crate::registry::deletion::{Deletion, is_terminating};
use crate::registry::pipeline::{Outcome, Pipeline, delete};
use crate::registry::{Resource, custom_resource_definitions};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object};
use crate::warnings::Warnings;
use queue::Terminating;

/// The user of the controller that empties namespaces, as webhooks see it.
const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";
const NAMESPACE_CONTROLLER_GROUPS: [&str; 2] =
    ["system:serviceaccounts", "system:serviceaccounts:kube-system"];

/// The delays before a finalization that has failed is tried again, each twice as long as the one before, as upstream.
const FIRST_DELAY: Duration = Duration::from_millis(5);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Deletes the content of a terminating object, then the object. Each object is finalized by one task, however often
/// this is called. Without the controllers of
/// kube-controller-manager, namespaces are left to the server's users.
pub(crate) fn finalize(state: &Arc<State>, terminating: Terminating) {
    let is_namespace = matches!(terminating, Terminating::Namespace(_));
    if is_namespace && !state.controller_manager {
        return;
    }
    let Some(changed) = state.finalizations.begin(&terminating) else { return };
    let state = state.clone();
    tokio::spawn(async move {
        let mut delay = FIRST_DELAY;
        loop {
            let done = match &terminating {
                Terminating::Namespace(name) => finalize_namespace(&state, name).await,
                Terminating::Definition(name) => finalize_definition(&state, name).await,
            };
            let failed = done.or_else(unless_gone).unwrap_or_else(|failure| {
                tracing::warn!(?terminating, code = failure.code(), "cannot finalize");
                true
            });
            if failed {
                let mut stopped = state.stopped.clone();
                let has_changed = tokio::select! {
                    () = sleep(delay) => false,
                    () = changed.notified() => true,
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                };
                if has_changed {
                    // Perhaps it can be deleted now. Changes that go on and on do not take all time.
                    delay = FIRST_DELAY;
                    sleep(delay).await;
                } else {
                    delay = LONGEST_DELAY.min(delay * 2);
                }
            } else if state.finalizations.goes_on(&terminating) {
                delay = FIRST_DELAY;
            } else {
                return;
            }
        }
    });
}

/// Resumes the finalization of objects that were terminating when the server was stopped.
pub(crate) fn resume(state: &Arc<State>) {
    let resources = [
        (
            state.registry.built_in("", "v1", "namespaces"),
            Terminating::Namespace as fn(String) -> Terminating,
        ),
        (custom_resource_definitions::resource(&state.registry), Terminating::Definition),
    ];
    for (resource, terminating) in resources {
        let objects = state.store.all(&resource.table, None);
        for object in objects.iter().filter(|object| object.is_terminating) {
            finalize(state, terminating(object.key.name().to_owned()));
        }
    }
}

fn unless_gone(failure: Failure) -> Result<bool> {
    if failure.is(Reason::NotFound) { Ok(false) } else { Err(failure) }
}

/// Deletes the content of a terminating namespace, then the namespace. Returns `true` if something could not be
/// deleted.
async fn finalize_namespace(state: &Arc<State>, name: &str) -> Result<bool> {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    if !state.store.get(&namespaces.table, &Key::new(None, name)).is_some_and(|object| object.is_terminating)
    {
        return Ok(false);
    }
    let resources = state.registry.all();
    let namespaced = once(&resources).into_iter().filter(|resource| resource.info.namespaced);
    let (pods, others): (Vec<_>, Vec<_>) =
        namespaced.partition(|resource| resource.info.kind == "Pod" && resource.info.group.is_empty());
    // Pods are deleted first, so that the objects they use exist until then.
    let controller = User::new(NAMESPACE_CONTROLLER, &NAMESPACE_CONTROLLER_GROUPS.map(str::to_owned));
    let mut remaining = delete_all(state, &pods, Some(name), Some(&controller)).await;
    // As upstream, those that could not be deleted hold nothing else up.
    if remaining.resources.is_empty() {
        remaining.merge(delete_all(state, &others, Some(name), Some(&controller)).await);
    }
    change(state, &namespaces, name, Some("status"), |namespace| {
        conditions::set(namespace, &remaining, Time::now());
    })
    .await?;
    if remaining.is_empty() {
        change(state, &namespaces, name, Some("finalize"), |namespace| {
            if let Some(Value::Array(finalizers)) = map_at(namespace, "spec").get_mut("finalizers") {
                finalizers.retain(|finalizer| finalizer != "kubernetes");
            }
        })
        .await?;
    }
    Ok(remaining.has_failed())
}

/// Deletes the objects of a terminating definition, then the definition. Returns `true` if an object could not be
/// deleted.
async fn finalize_definition(state: &Arc<State>, name: &str) -> Result<bool> {
    let definitions = custom_resource_definitions::resource(&state.registry);
    let definition = state.store.get(&definitions.table, &Key::new(None, name));
    let Some(definition) = definition.filter(|definition| definition.is_terminating) else {
        return Ok(false);
    };
    // The objects go though no version is served, and though a client has taken the definition's status away.
    let known = state.registry.definition(name);
    let known = known.or_else(|| Definition::parse(&definition.value()).map(Arc::new));
    let resource = known.and_then(|definition| Resource::stored(&definition)).map(Arc::new);
    let resources: Vec<&Arc<Resource>> = resource.iter().collect();
    change(state, &definitions, name, Some("status"), |definition| {
        definition::terminating(definition, Termination::InProgress, Time::now());
    })
    .await?;
    let remaining = delete_all(state, &resources, None, None).await;
    if remaining.is_empty() {
        change(state, &definitions, name, Some("status"), remove_finalizer).await?;
    }
    Ok(remaining.has_failed())
}

/// Sets the status of a definition whose objects are deleted, and removes its finalizer.
fn remove_finalizer(definition: &mut Map) {
    definition::terminating(definition, Termination::Completed, Time::now());
    if let Some(Value::Array(finalizers)) = map_at(definition, "metadata").get_mut("finalizers") {
        finalizers.retain(|finalizer| finalizer != CLEANUP);
    }
}

/// Updates a terminating object. Another object of the same name that is not terminating is not changed.
async fn change(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    name: &str,
    subresource: Option<&str>,
    change: impl Fn(&mut Map) + Send + Sync,
) -> Result<Arc<Object>> {
    let manager = if resource.is_definition() { "kube-apiserver" } else { "kube-controller-manager" };
    let warnings = Warnings::default();
    let pipeline = Pipeline::of_server(state, resource, subresource, Some(manager), &warnings);
    let mut update = |old: &Map, _: &Object| {
        let mut new = old.clone();
        if is_terminating(old) {
            change(&mut new);
        }
        Ok(new)
    };
    pipeline.guaranteed_update(&Key::new(None, name), &mut update).await
}

/// The remaining content of a terminating object.
#[derive(Default)]
struct Remaining {
    /// The number of objects of each resource, by `PLURAL.GROUP`.
    resources: BTreeMap<String, usize>,
    /// The number of objects held by each finalizer.
    finalizers: BTreeMap<String, usize>,
    /// The messages of resources with an object that could be neither deleted nor marked for deletion. As upstream, their
    /// objects are not counted.
    failures: Vec<String>,
}

impl Remaining {
    fn is_empty(&self) -> bool {
        self.resources.is_empty() && !self.has_failed()
    }

    fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Adds the content that remains of other resources.
    fn merge(&mut self, other: Remaining) {
        self.resources.extend(other.resources);
        for (finalizer, count) in other.finalizers {
            *self.finalizers.entry(finalizer).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    fn note(&mut self, resource: &Resource, object: &Object) {
        let name = format!("{}.{}", resource.info.plural, resource.info.group);
        *self.resources.entry(name).or_default() += 1;
        for finalizer in list_at(&object.value(), &["metadata", "finalizers"]) {
            let finalizer = finalizer.as_str().unwrap_or_default().to_owned();
            *self.finalizers.entry(finalizer).or_default() += 1;
        }
    }
}

/// The resources of all tables, each once: in the version that is stored, if it is served.
fn once(resources: &[Arc<Resource>]) -> Vec<&Arc<Resource>> {
    let mut tables = HashSet::new();
    let stored = resources.iter().filter(|resource| resource.conversion.is_none());
    let (first, others): (Vec<_>, Vec<_>) = stored.partition(|resource| resource.is_stored_version());
    first.into_iter().chain(others).filter(|resource| tables.insert(resource.table.clone())).collect()
}

/// Deletes all objects of resources, and returns the remaining ones.
async fn delete_all(
    state: &Arc<State>,
    resources: &[&Arc<Resource>],
    namespace: Option<&str>,
    user: Option<&User>,
) -> Remaining {
    let mut remaining = Remaining::default();
    let options = Deletion { propagation: Some(PropagationPolicy::Background), ..Deletion::default() };
    for resource in resources {
        let (mut of_it, mut failed) = (Remaining::default(), None);
        for object in state.store.all(&resource.table, namespace) {
            let warnings = Warnings::default();
            let request = RequestContext { user, ..RequestContext::of_server(&warnings) };
            match delete(state, resource, &object.key, &options, request).await {
                Ok(Outcome::Deleted(_)) => {}
                Ok(Outcome::Terminating(object)) => of_it.note(resource, &object),
                // It is gone, whoever deleted it.
                Err(_) if state.store.get(&resource.table, &object.key).is_none() => {}
                Err(failure) => {
                    failed.get_or_insert_with(|| failure.message());
                }
            }
            // There may be many: yields to other tasks.
            tokio::task::yield_now().await;
        }
        match failed {
            Some(first) => remaining.failures.push(first),
            None => remaining.merge(of_it),
        }
    }
    remaining
}
