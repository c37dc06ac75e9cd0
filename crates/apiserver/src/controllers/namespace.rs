//! The namespace controller: it finalizes terminating namespaces.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;

use crate::finalization::finalize;
use crate::finalization::queue::Terminating;
use crate::state::{Committed, Controller, State};
use crate::storage::Key;

pub(super) struct Namespaces;

impl Controller for Namespaces {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        let Committed { resource, object, deleted, .. } = *change;
        let is_namespace = resource.info.kind == "Namespace" && resource.info.group.is_empty();
        // A namespace marked for deletion, or one in which an object is deleted.
        let name = match object.key.namespace() {
            None if is_namespace && !deleted => Some(object.key.name()),
            Some(namespace) if deleted => Some(namespace),
            _ => None,
        };
        if let Some(name) = name.filter(|name| is_terminating(state, name)) {
            finalize(state, Terminating::Namespace(name.to_owned()));
        }
        Box::pin(ready(()))
    }
}

fn is_terminating(state: &State, name: &str) -> bool {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let namespace = state.store.get(&namespaces.table, &Key::new(None, name));
    namespace.is_some_and(|namespace| namespace.is_terminating)
}
