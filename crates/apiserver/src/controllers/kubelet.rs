//! The kubelet of all pods, where the [containers](crate::containers) are the built-in ones.

use std::future::ready;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::at;

use crate::containers::Containers;
use crate::state::{Committed, Controller, State};

pub(super) struct Kubelet;

impl Controller for Kubelet {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        let pods = state.containers.as_ref().and_then(Containers::pods);
        match pods.filter(|_| change.resource.is_pod() && concerns_containers(change)) {
            Some(pods) => Box::pin(async move { pods.changed(state, change.object, change.deleted).await }),
            None => Box::pin(ready(())),
        }
    }
}

/// Returns false for changes such as those of the status, which the kubelet writes itself.
fn concerns_containers(change: &Committed<'_>) -> bool {
    let Some(old) = change.old.filter(|_| !change.deleted) else { return true };
    let new = change.object.value();
    let fields = [&["spec"][..], &["metadata", "annotations"], &["metadata", "deletionTimestamp"]];
    fields.iter().any(|field| at(old, field) != at(&new, field))
}
