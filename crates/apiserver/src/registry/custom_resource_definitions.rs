//! The stored definition of a custom resource.

use std::sync::Arc;

use klient_apimachinery::meta::Reason;

use super::{Registry, Resource};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Key, Object, Unchanged};

/// The resource of definitions.
pub(crate) fn resource(registry: &Registry) -> Arc<Resource> {
    registry.built_in("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

/// The definition of a custom resource; `None` for built-in ones.
pub(crate) fn definition_of(state: &State, custom: &Resource) -> Option<Arc<Object>> {
    if !custom.is_custom() {
        return None;
    }
    let name = custom.definition_name();
    state.store.get(&resource(&state.registry).table, &Key::new(None, &name))
}

/// The definition by which an object can be created, which must not change until it is.
///
/// # Errors
///
/// 404 if the definition is not there, 405 if it is terminating.
pub(crate) fn check_creation(state: &State, custom: &Resource) -> Result<Option<Unchanged>> {
    if !custom.is_custom() {
        return Ok(None);
    }
    let Some(definition) = definition_of(state, custom) else {
        return Err(Failure::no_such_resource());
    };
    if definition.is_terminating {
        let message = "create not allowed while custom resource definition is terminating";
        return Err(Failure::new(Reason::MethodNotAllowed, message).with_details());
    }
    let table = resource(&state.registry).table.clone();
    Ok(Some(Unchanged { table, key: definition.key.clone(), version: definition.version }))
}
