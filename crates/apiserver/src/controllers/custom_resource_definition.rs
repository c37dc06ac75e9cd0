//! The controllers of CustomResourceDefinitions: they serve established definitions, accept names, and finalize
//! terminating definitions.

use std::sync::Arc;
use std::time::Duration;

use klient_apiextensions::definition;
use klient_apimachinery::values::{Map, text_at};
use klient_apimachinery::{BoxFuture, Time};
use tokio::time::Instant;

use crate::finalization::finalize;
use crate::finalization::queue::Terminating;
use crate::managed_fields::ManagedFields;
use crate::offload::offload;
use crate::registry::pipeline::Pipeline;
use crate::registry::{Resource, custom_resource_definitions};
use crate::state::{Committed, Controller, State};
use crate::storage::{Key, Object};
use crate::warnings::Warnings;
use crate::webhook::ca_bundle;

pub(super) struct CustomResourceDefinitions;

impl Controller for CustomResourceDefinitions {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Committed { resource, object, old, deleted } = *change;
            if resource.is_definition() {
                serve(state, object).await;
                if deleted {
                    reconsider(state, &object.value()).await;
                } else {
                    changed(state, object, old).await;
                }
            } else if deleted
                && let Some(definition) = custom_resource_definitions::definition_of(state, resource)
                && definition.is_terminating
            {
                finalize(state, Terminating::Definition(definition.key.name().to_owned()));
            }
        })
    }
}

async fn changed(state: &Arc<State>, object: &Object, old: Option<&Map>) {
    if object.is_terminating {
        finalize(state, Terminating::Definition(object.key.name().to_owned()));
    } else if old.is_none_or(|old| is_to_be_established(&object.value(), old)) {
        accept_names(state, &object.key).await;
    }
}

/// Returns true if the status of a definition depends on what has changed.
fn is_to_be_established(new: &Map, old: &Map) -> bool {
    old.get("spec") != new.get("spec") || definition::is_annotated_anew(new, old)
}

/// The bytes of a definition that is parsed on another thread.
const LARGE: usize = 64 * 1024;

/// The time in which a large definition is parsed.
const PARSE_TIME: Duration = Duration::from_secs(300);

/// Updates the served resources of a definition, or removes them if it is deleted.
async fn serve(state: &Arc<State>, object: &Object) {
    let (owned, key) = (state.clone(), object.key.clone());
    let refresh = move || {
        let State { registry, store, .. } = &*owned;
        let table = &custom_resource_definitions::resource(registry).table;
        registry.refresh(key.name(), || store.get(table, &key));
    };
    let is_done =
        object.json.len() >= LARGE && offload(Instant::now() + PARSE_TIME, refresh.clone()).await.is_ok();
    if !is_done {
        refresh();
    }
}

/// Retries the definitions of a group whose names were rejected, after some became free.
async fn reconsider(state: &Arc<State>, deleted: &Map) {
    let resource = custom_resource_definitions::resource(&state.registry);
    let group = text_at(deleted, &["spec", "group"]);
    for refused in state.store.all(&resource.table, None) {
        let value = refused.value();
        if text_at(&value, &["spec", "group"]) == group && !definition::has_its_names(&value) {
            accept_names(state, &refused.key).await;
        }
    }
}

/// Accepts the names of a definition and sets its status. The response to the client that wrote the definition has
/// the status before.
async fn accept_names(state: &Arc<State>, key: &Key) {
    let resource = custom_resource_definitions::resource(&state.registry);
    let warnings = Warnings::default();
    let pipeline = Pipeline::of_server(state, &resource, Some("status"), None, &warnings);
    // Only one definition is accepted at a time.
    let names = state.names.lock().await;
    let mut update = |old: &Map, _: &Object| {
        let mut new = old.clone();
        establish(state, &resource, &mut new);
        Ok(new)
    };
    let updated = pipeline.guaranteed_update(key, &mut update).await;
    drop(names);
    if let Err(failure) = updated {
        tracing::debug!(definition = %key, code = failure.code(), "names could not be accepted");
    }
}

/// Accepts or rejects the names of a definition, according to those of the others.
fn establish(state: &State, resource: &Resource, object: &mut Map) {
    let definitions = state.store.all(&resource.table, None);
    let name = text_at(object, &["metadata", "name"]).to_owned();
    let others: Vec<Map> =
        definitions.iter().filter(|other| other.key.name() != name).map(|other| other.value()).collect();
    let before = object.clone();
    let has_invalid_bundle = ca_bundle::conversion_problem(object).is_some();
    definition::establish(object, &mut others.iter(), has_invalid_bundle, Time::now());
    ManagedFields::of(resource, Some("status")).update(Some(&before), object, "kube-apiserver");
}
