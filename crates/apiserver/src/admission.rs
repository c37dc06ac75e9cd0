//! What a write needs beyond its own object: a namespace to live in, addresses, names that are free; and what
//! follows from it.

mod addresses;

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;

pub(crate) use addresses::{Addresses, Reserved};

use crate::crd::definition::{self, Definition};
use crate::field::FieldError;
use crate::namespaces;
use crate::registry::Resource;
use crate::state::State;
use crate::status::{Failure, Result, Target};
use crate::storage::{Key, Object, Page, Selection, TableId};
use crate::values::{Map, at, map_at, text_at};

/// Namespaces without which a cluster is none.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// A definition waits for its objects to be gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

fn is(resource: &Resource, group: &str, kind: &str) -> bool {
    resource.info.group == group && resource.info.kind == kind
}

/// Checks that the namespace of a new object is there and stays.
///
/// # Errors
///
/// 404 if it is not there, 403 if it is going.
pub(crate) fn check_namespace(state: &State, resource: &Resource, object: &Map) -> Result<()> {
    if let Some(definition) = custom_definition(state, resource)
        && at(&definition.value(), &["metadata", "deletionTimestamp"]).is_some()
    {
        let message = "create not allowed while custom resource definition is terminating";
        return Err(Failure::new(Reason::MethodNotAllowed, message).with_details());
    }
    let name = text_at(object, &["metadata", "namespace"]);
    if !resource.info.namespaced {
        return Ok(());
    }
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let Some(namespace) = state.store.get(&namespaces.table, &Key::new(None, name)) else {
        return Err(Failure::not_found(&namespaces.target(name)));
    };
    if at(&namespace.value(), &["metadata", "deletionTimestamp"]).is_none() {
        return Ok(());
    }
    let target = resource.target(text_at(object, &["metadata", "name"]));
    let problem = format!("unable to create new content in namespace {name} because it is being terminated");
    let cause = format!("namespace {name} is being terminated");
    Err(Failure::forbidden(&target, &problem).caused_by("NamespaceTerminating", &cause, "metadata.namespace"))
}

/// The definition of a custom resource.
fn custom_definition(state: &State, resource: &Resource) -> Option<Arc<Object>> {
    if !resource.is_custom() {
        return None;
    }
    let definitions = state.registry.built_in("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let name = format!("{}.{}", resource.info.plural, resource.info.group);
    state.store.get(&definitions.table, &Key::new(None, &name))
}

/// Gives a new object what only the server can give. What is reserved for it is free again unless kept.
///
/// # Errors
///
/// If what it asks for is not to be had.
pub(crate) fn prepare_create<'a>(
    state: &'a State,
    resource: &Resource,
    object: &mut Map,
    dry_run: bool,
) -> Result<Reserved<'a>> {
    if resource.is_definition() {
        establish(state, resource, object);
    }
    if is(resource, "", "Service") {
        let reserved = state.addresses.reserve(object, None, dry_run);
        return reserved.map_err(|errors| refused(resource, object, &errors));
    }
    Ok(state.addresses.nothing())
}

/// Gives a changed object what only the server can give. What is reserved for it is free again unless kept.
///
/// # Errors
///
/// If what it asks for is not to be had.
pub(crate) fn prepare_update<'a>(
    state: &'a State,
    resource: &Resource,
    object: &mut Map,
    old: &Map,
    dry_run: bool,
) -> Result<Reserved<'a>> {
    if resource.is_definition() && at(object, &["spec"]) != at(old, &["spec"]) {
        establish(state, resource, object);
    }
    if is(resource, "", "Service") {
        let reserved = state.addresses.reserve(object, Some(old), dry_run);
        return reserved.map_err(|errors| refused(resource, object, &errors));
    }
    Ok(state.addresses.nothing())
}

fn refused(resource: &Resource, object: &Map, errors: &[FieldError]) -> Failure {
    Failure::invalid(
        &resource.info.group,
        &resource.info.kind,
        text_at(object, &["metadata", "name"]),
        errors,
    )
}

/// Accepts the names of a definition, or not, by what the others have.
fn establish(state: &State, resource: &Resource, object: &mut Map) {
    let page = Page { namespace: None, selection: &Selection::default(), start: None, limit: None };
    let listed = state.store.list(&resource.table, None, &page).unwrap_or_default();
    let name = text_at(object, &["metadata", "name"]).to_owned();
    let others: Vec<Map> =
        listed.objects.iter().filter(|other| other.key.name() != name).map(|other| other.value()).collect();
    definition::establish(object, &mut others.iter(), Time::now());
}

/// Marks a definition as going, held by its objects.
pub(crate) fn mark_terminating(definition: &mut Map) {
    definition::terminating(definition, Time::now());
    let metadata = map_at(definition, "metadata");
    let finalizers = metadata.entry("finalizers").or_insert_with(|| serde_json::json!([]));
    if let Some(finalizers) = finalizers.as_array_mut()
        && !finalizers.iter().any(|finalizer| finalizer == CLEANUP)
    {
        finalizers.push(CLEANUP.into());
    }
}

/// Checks that an object may be deleted at all.
///
/// # Errors
///
/// 403 if it may not.
pub(crate) fn check_delete(resource: &Resource, key: &Key) -> Result<()> {
    if is(resource, "", "Namespace") && IMMORTAL.contains(&key.name()) {
        let target: Target<'_> = resource.target(key.name());
        return Err(Failure::forbidden(&target, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Follows up on an object that is new or has changed, from the state it had before if it is not new.
pub(crate) fn changed(state: &Arc<State>, resource: &Resource, object: &Object, old: Option<&Map>) {
    if let Some(old) = old.filter(|_| is(resource, "", "Service")) {
        state.addresses.release(old, Some(&object.value()));
    }
    if resource.is_definition() {
        let value = object.value();
        if let Some(definition) = Definition::parse(&value).filter(|_| definition::is_established(&value)) {
            state.registry.define(object.key.name(), definition);
        }
        if at(&value, &["metadata", "deletionTimestamp"]).is_some() {
            namespaces::clean_definition(state, object.key.name());
        }
    }
    if is(resource, "", "Namespace") && at(&object.value(), &["metadata", "deletionTimestamp"]).is_some() {
        namespaces::clean_namespace(state, object.key.name());
    }
}

/// Follows up on an object that is gone.
pub(crate) fn deleted(state: &Arc<State>, resource: &Resource, object: &Object) {
    if resource.is_definition() {
        state.registry.forget(object.key.name());
    }
    if is(resource, "", "Service") {
        state.addresses.release(&object.value(), None);
    }
    if let Some(namespace) = object.key.namespace() {
        namespaces::look_again(state, namespace);
    }
    if let Some(definition) = custom_definition(state, resource)
        && at(&definition.value(), &["metadata", "deletionTimestamp"]).is_some()
    {
        namespaces::clean_definition(state, definition.key.name());
    }
}

/// The finalizer by which a definition waits for its objects.
pub(crate) fn without_cleanup(definition: &mut Map) {
    if let Some(serde_json::Value::Array(finalizers)) = map_at(definition, "metadata").get_mut("finalizers") {
        finalizers.retain(|finalizer| finalizer != CLEANUP);
    }
}

/// The table of a definition's objects.
pub(crate) fn objects_of(definition: &Map) -> TableId {
    let (group, plural) =
        (text_at(definition, &["spec", "group"]), text_at(definition, &["spec", "names", "plural"]));
    TableId(format!("{group}/{plural}").into())
}
