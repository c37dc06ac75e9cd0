//! What goes when what holds it goes: the content of a namespace, the objects of a definition.

mod conditions;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;
use serde_json::Value;

use crate::admission;
use crate::handlers::Warnings;
use crate::handlers::delete::{Outcome, delete_object};
use crate::handlers::options::{Deletion, Propagation};
use crate::handlers::update::Change;
use crate::registry::Resource;
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, Page, Selection};
use crate::values::{Map, at, list_at, map_at};

/// What is to be emptied, and let go when it is empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Cleanup {
    Namespace(String),
    Definition(String),
}

/// What is being emptied, and whether something has changed since it was last looked at.
#[derive(Default)]
pub(crate) struct Cleanups(Mutex<HashMap<Cleanup, bool>>);

impl Cleanups {
    /// Whether one is to begin; if it is going on already, it will look again.
    fn begins(&self, cleanup: &Cleanup) -> bool {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match going_on.get_mut(cleanup) {
            Some(again) => {
                *again = true;
                false
            }
            None => going_on.insert(cleanup.clone(), false).is_none(),
        }
    }

    /// Whether one is to look again; otherwise it has ended.
    fn goes_on(&self, cleanup: &Cleanup) -> bool {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(again @ true) = going_on.get_mut(cleanup) {
            *again = false;
            return true;
        }
        going_on.remove(cleanup);
        false
    }
}

/// Empties what is to go, and lets it go when it is empty. Each is emptied by one task, however often it is asked
/// for. Without a namespace controller, namespaces are left to the server's users.
pub(crate) fn clean(state: &Arc<State>, cleanup: Cleanup) {
    let is_namespace = matches!(cleanup, Cleanup::Namespace(_));
    if is_namespace && !state.namespace_controller || !state.cleanups.begins(&cleanup) {
        return;
    }
    let state = state.clone();
    tokio::spawn(async move {
        loop {
            let done = match &cleanup {
                Cleanup::Namespace(name) => empty_namespace(&state, name).await,
                Cleanup::Definition(name) => empty_definition(&state, name).await,
            };
            if let Err(failure) = done.or_else(unless_gone) {
                tracing::warn!(?cleanup, code = failure.code(), "what is to go could not be let go");
            }
            if !state.cleanups.goes_on(&cleanup) {
                return;
            }
        }
    });
}

/// Goes on with what was to go when the server was stopped.
pub(crate) fn resume(state: &Arc<State>) {
    let resources = [
        (state.registry.built_in("", "v1", "namespaces"), Cleanup::Namespace as fn(String) -> Cleanup),
        (admission::definitions(state), Cleanup::Definition),
    ];
    for (resource, cleanup) in resources {
        let page = Page { namespace: None, selection: &Selection::default(), start: None, limit: None };
        let listed = state.store.list(&resource.table, None, &page).unwrap_or_default();
        for object in listed.objects.iter().filter(|object| is_going(&object.value())) {
            clean(state, cleanup(object.key.name().to_owned()));
        }
    }
}

fn unless_gone(failure: Failure) -> Result<()> {
    if failure.is(Reason::NotFound) { Ok(()) } else { Err(failure) }
}

async fn empty_namespace(state: &Arc<State>, name: &str) -> Result<()> {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    if !state
        .store
        .get(&namespaces.table, &Key::new(None, name))
        .is_some_and(|object| is_going(&object.value()))
    {
        return Ok(());
    }
    let resources = state.registry.all();
    let stored =
        resources.iter().filter(|resource| resource.info.namespaced && resource.conversion.is_none());
    let (pods, others): (Vec<_>, Vec<_>) =
        stored.partition(|resource| resource.info.kind == "Pod" && resource.info.group.is_empty());
    // Pods go first: what they use is there until they are gone.
    let mut remaining = delete_all(state, &pods, Some(name)).await;
    if remaining.is_empty() {
        remaining = delete_all(state, &others, Some(name)).await;
    }
    change(state, &namespaces, name, Some("status"), |namespace| {
        conditions::set(namespace, &remaining, Time::now());
    })?;
    if remaining.is_empty() {
        change(state, &namespaces, name, Some("finalize"), |namespace| {
            if let Some(Value::Array(finalizers)) = map_at(namespace, "spec").get_mut("finalizers") {
                finalizers.retain(|finalizer| finalizer != "kubernetes");
            }
        })?;
    }
    Ok(())
}

async fn empty_definition(state: &Arc<State>, name: &str) -> Result<()> {
    let definitions = admission::definitions(state);
    let definition = state.store.get(&definitions.table, &Key::new(None, name)).map(|object| object.value());
    let Some(definition) = definition.filter(is_going) else { return Ok(()) };
    let table = admission::objects_of(&definition);
    let resources = state.registry.all();
    let resources: Vec<_> = resources.iter().filter(|resource| resource.table == table).take(1).collect();
    change(state, &definitions, name, Some("status"), admission::begin_cleanup)?;
    if delete_all(state, &resources, None).await.is_empty() {
        change(state, &definitions, name, Some("status"), admission::end_cleanup)?;
    }
    Ok(())
}

fn is_going(object: &Map) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

/// Changes what is to go. Another of the same name, which is to stay, stays as it is.
fn change(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    name: &str,
    subresource: Option<&str>,
    change: impl Fn(&mut Map),
) -> Result<Arc<Object>> {
    let key = Key::new(None, name);
    let manager = if resource.is_definition() { "kube-apiserver" } else { "kube-controller-manager" };
    let manager = Some(manager);
    let warnings = &Warnings::default();
    Change { state, resource, key, subresource, manager, patching: true, dry_run: false, warnings }.make(
        &mut |old, _| {
            let mut new = old.clone();
            if is_going(old) {
                change(&mut new);
            }
            Ok(new)
        },
    )
}

/// What is left of the content of something that is to go.
#[derive(Default)]
struct Remaining {
    /// How many objects of each resource, by `PLURAL.GROUP`.
    resources: BTreeMap<String, usize>,
    /// How many objects each finalizer holds.
    finalizers: BTreeMap<String, usize>,
}

impl Remaining {
    fn is_empty(&self) -> bool {
        self.resources.is_empty()
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

/// Deletes all objects of resources and says what is left of them.
async fn delete_all(state: &Arc<State>, resources: &[&Arc<Resource>], namespace: Option<&str>) -> Remaining {
    let mut remaining = Remaining::default();
    let options = Deletion { propagation: Some(Propagation::Background), ..Deletion::default() };
    for resource in resources {
        let page = Page { namespace, selection: &Selection::default(), start: None, limit: None };
        let listed = state.store.list(&resource.table, None, &page).unwrap_or_default();
        for object in listed.objects {
            match delete_object(state, resource, &object.key, &options) {
                Ok(Outcome::Gone(_)) => {}
                Ok(Outcome::Going(object)) => remaining.note(resource, &object),
                Err(failure) if failure.is(Reason::NotFound) => {}
                Err(_) => remaining.note(resource, &object),
            }
            // There may be many, and others want to be served.
            tokio::task::yield_now().await;
        }
    }
    remaining
}
