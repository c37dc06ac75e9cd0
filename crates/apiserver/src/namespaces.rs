//! What goes when what holds it goes: the content of a namespace, the objects of a definition.

use std::sync::Arc;

use crate::admission;
use crate::handlers::delete::{Outcome, delete_object};
use crate::handlers::options::{Deletion, Propagation};
use crate::handlers::update::Change;
use crate::registry::Resource;
use crate::state::State;
use crate::storage::{Key, Object, Page, Selection};
use crate::values::{Map, at, map_at};

/// Empties a namespace that is to go, and lets it go when it is empty.
pub(crate) fn clean_namespace(state: &Arc<State>, name: &str) {
    let (state, name) = (state.clone(), name.to_owned());
    tokio::spawn(async move { empty_namespace(&state, &name) });
}

/// Goes on with a namespace that is to go, now that something in it is gone.
pub(crate) fn look_again(state: &Arc<State>, name: &str) {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let namespace = state.store.get(&namespaces.table, &Key::new(None, name));
    let going =
        |namespace: &Arc<Object>| at(&namespace.value(), &["metadata", "deletionTimestamp"]).is_some();
    if namespace.as_ref().is_some_and(going) {
        clean_namespace(state, name);
    }
}

/// Deletes the objects of a definition that is to go, and lets it go when they are gone.
pub(crate) fn clean_definition(state: &Arc<State>, name: &str) {
    let (state, name) = (state.clone(), name.to_owned());
    tokio::spawn(async move { empty_definition(&state, &name) });
}

fn empty_namespace(state: &Arc<State>, name: &str) {
    // Pods go first: what they use is there until they are gone.
    let resources = state.registry.all();
    let stored =
        resources.iter().filter(|resource| resource.info.namespaced && resource.conversion.is_none());
    let (pods, others): (Vec<_>, Vec<_>) =
        stored.partition(|resource| resource.info.kind == "Pod" && resource.info.group.is_empty());
    if !delete_all(state, &pods, Some(name)) || !delete_all(state, &others, Some(name)) {
        return;
    }
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let released = change(state, &namespaces, name, Some("finalize"), |namespace| {
        map_at(namespace, "spec").remove("finalizers");
    });
    if let Err(failure) = released {
        tracing::warn!(namespace = name, code = failure.code(), "a namespace could not be let go");
    }
}

fn empty_definition(state: &Arc<State>, name: &str) {
    let definitions = state.registry.built_in("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let Some(definition) = state.store.get(&definitions.table, &Key::new(None, name)) else { return };
    let table = admission::objects_of(&definition.value());
    let resources = state.registry.all();
    let resources: Vec<_> = resources.iter().filter(|resource| resource.table == table).take(1).collect();
    if !delete_all(state, &resources, None) {
        return;
    }
    let released = change(state, &definitions, name, None, admission::without_cleanup);
    if let Err(failure) = released {
        tracing::warn!(definition = name, code = failure.code(), "a definition could not be let go");
    }
}

fn change(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    name: &str,
    subresource: Option<&str>,
    change: impl Fn(&mut Map),
) -> crate::status::Result<Arc<Object>> {
    let key = Key::new(None, name);
    Change { state, resource, key, subresource, patching: true, dry_run: false }.make(&mut |old, _| {
        let mut new = old.clone();
        change(&mut new);
        Ok(new)
    })
}

/// Deletes all objects of resources and says whether none is left.
fn delete_all(state: &Arc<State>, resources: &[&Arc<Resource>], namespace: Option<&str>) -> bool {
    let mut all_gone = true;
    let options = Deletion { propagation: Some(Propagation::Background), ..Deletion::default() };
    for resource in resources {
        let page = Page { namespace, selection: &Selection::default(), start: None, limit: None };
        let listed = state.store.list(&resource.table, None, &page).unwrap_or_default();
        for object in listed.objects {
            let gone = delete_object(state, resource, &object.key, &options);
            all_gone &= !matches!(gone, Ok(Outcome::Going(_)));
        }
    }
    all_gone
}
