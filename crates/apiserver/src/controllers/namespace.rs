//! The namespace controller: it finalizes terminating namespaces.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::{Map, at};

use crate::finalization::finalize;
use crate::finalization::queue::Terminating;
use crate::state::{Committed, Controller, State};
use crate::storage::Key;

pub(super) struct Namespaces;

impl Controller for Namespaces {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        let Committed { resource, object, old, deleted } = *change;
        let is_namespace = resource.is_namespace();
        let name = match object.key.namespace() {
            // The content of a namespace is only looked at again by a finalization that waits.
            Some(namespace) if !deleted => {
                state.finalizations.wake_namespace(namespace);
                None
            }
            Some(namespace) => Some(namespace),
            None => Some(object.key.name()).filter(|_| is_namespace && !deleted),
        };
        if let Some(name) = name.filter(|name| is_terminating(state, name))
            // The status is written by the finalization itself.
            && !(is_namespace && old.is_some_and(|old| differs_in_status(old, &object.value())))
        {
            finalize(state, Terminating::Namespace(name.to_owned()));
        }
        Box::pin(ready(()))
    }
}

/// Returns true if two states of a terminating namespace differ in nothing but the status.
fn differs_in_status(old: &Map, new: &Map) -> bool {
    const WRITTEN: [&str; 5] =
        ["labels", "annotations", "finalizers", "ownerReferences", "deletionTimestamp"];
    old.get("spec") == new.get("spec")
        && WRITTEN.iter().all(|field| at(old, &["metadata", field]) == at(new, &["metadata", field]))
}

fn is_terminating(state: &State, name: &str) -> bool {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let namespace = state.store.get(&namespaces.table, &Key::new(None, name));
    namespace.is_some_and(|namespace| namespace.is_terminating)
}
