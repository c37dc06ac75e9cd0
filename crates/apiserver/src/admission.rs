//! What a write needs beyond its own object: a namespace to live in, addresses, names that are free; and what
//! follows from it.

mod addresses;

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;

pub(crate) use addresses::Addresses;

use crate::crd::definition::{self, Definition, Termination};
use crate::field::FieldError;
use crate::handlers::Warnings;
use crate::handlers::update::Change;
use crate::namespaces::{self, Cleanup};
use crate::ownership::Ownership;
use crate::registry::Resource;
use crate::state::State;
use crate::status::{Failure, Result, Target};
use crate::storage::{Key, Object, Page, Selection, TableId, Unchanged};
use crate::values::{Map, at, map_at, text_at};

/// Namespaces without which a cluster is none.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// A definition waits for its objects to be gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

fn is(resource: &Resource, group: &str, kind: &str) -> bool {
    resource.info.group == group && resource.info.kind == kind
}

/// What a new object lives in and must not outlive: its namespace, and the definition of a custom resource.
///
/// # Errors
///
/// 404 if the namespace is not there, 403 if it is going, 405 if the definition is.
pub(crate) fn homes(state: &State, resource: &Resource, object: &Map) -> Result<Vec<Unchanged>> {
    let mut homes = Vec::new();
    let is_going = |home: &Object| at(&home.value(), &["metadata", "deletionTimestamp"]).is_some();
    let mut note = |table: &TableId, home: &Object| {
        homes.push(Unchanged { table: table.clone(), key: home.key.clone(), version: home.version });
    };
    if resource.is_custom() {
        let definitions = definitions(state);
        let Some(definition) = custom_definition(state, resource) else {
            return Err(Failure::no_such_resource());
        };
        if is_going(&definition) {
            let message = "create not allowed while custom resource definition is terminating";
            return Err(Failure::new(Reason::MethodNotAllowed, message).with_details());
        }
        note(&definitions.table, &definition);
    }
    if !resource.info.namespaced {
        return Ok(homes);
    }
    let name = text_at(object, &["metadata", "namespace"]);
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let Some(namespace) = state.store.get(&namespaces.table, &Key::new(None, name)) else {
        return Err(Failure::not_found(&namespaces.target(name)));
    };
    if !is_going(&namespace) {
        note(&namespaces.table, &namespace);
        return Ok(homes);
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
    let name = format!("{}.{}", resource.info.plural, resource.info.group);
    state.store.get(&definitions(state).table, &Key::new(None, &name))
}

/// The resource of definitions.
pub(crate) fn definitions(state: &State) -> Arc<Resource> {
    state.registry.built_in("apiextensions.k8s.io", "v1", "customresourcedefinitions")
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
    reserve(state, resource, object, None, dry_run)
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
    reserve(state, resource, object, Some(old), dry_run)
}

fn reserve<'a>(
    state: &'a State,
    resource: &Resource,
    object: &mut Map,
    old: Option<&Map>,
    dry_run: bool,
) -> Result<Reserved<'a>> {
    if is(resource, "", "Service") {
        let reserved = state.addresses.reserve(object, old, dry_run);
        let reserved = reserved.map_err(|errors| refused(resource, object, &errors))?;
        return Ok(Reserved::Addresses(reserved));
    }
    Ok(Reserved::Nothing)
}

/// What only one object can have, reserved for one that is not stored yet.
pub(crate) enum Reserved<'a> {
    Nothing,
    Addresses(addresses::Reserved<'a>),
}

impl Reserved<'_> {
    /// The object is stored.
    pub(crate) fn keep(self) {
        if let Reserved::Addresses(addresses) = self {
            addresses.keep();
        }
    }
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
    let before = object.clone();
    definition::establish(object, &mut others.iter(), Time::now());
    Ownership::of(resource, Some("status")).update(Some(&before), object, "kube-apiserver");
}

/// Marks a definition as going, held by its objects.
pub(crate) fn mark_terminating(definition: &mut Map) {
    let now = Time::now();
    definition::terminating(definition, Termination::Pending, now);
    let metadata = map_at(definition, "metadata");
    metadata.insert("deletionTimestamp".to_owned(), now.to_string().into());
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
    let is_going = || at(&object.value(), &["metadata", "deletionTimestamp"]).is_some();
    if resource.is_definition() {
        serve(state, object.key.name());
        let spec_of = |definition: &Map| at(definition, &["spec"]).cloned();
        if is_going() {
            namespaces::clean(state, Cleanup::Definition(object.key.name().to_owned()));
        } else if old.is_none_or(|old| spec_of(old) != spec_of(&object.value())) {
            accept_names(state, &object.key);
        }
    }
    if is(resource, "", "Namespace") && is_going() {
        namespaces::clean(state, Cleanup::Namespace(object.key.name().to_owned()));
    }
}

/// Serves what a definition says by now, or no longer if it is gone.
fn serve(state: &State, name: &str) {
    state.registry.refresh(name, || {
        let definition = state.store.get(&definitions(state).table, &Key::new(None, name))?.value();
        Definition::parse(&definition).filter(|_| definition::is_established(&definition))
    });
}

/// Lets the definitions of a group that were refused names ask again, now that some are free.
fn reconsider(state: &Arc<State>, gone: &Map) {
    let resource = definitions(state);
    let group = text_at(gone, &["spec", "group"]);
    let page = Page { namespace: None, selection: &Selection::default(), start: None, limit: None };
    for refused in state.store.list(&resource.table, None, &page).unwrap_or_default().objects {
        let value = refused.value();
        if text_at(&value, &["spec", "group"]) == group && !definition::has_its_names(&value) {
            accept_names(state, &refused.key);
        }
    }
}

/// Gives a definition the names it asks for and says so in its status, as a controller does upstream: who wrote the
/// definition is answered before.
fn accept_names(state: &Arc<State>, key: &Key) {
    let resource = definitions(state);
    let change = Change {
        state,
        resource: &resource,
        key: key.clone(),
        subresource: Some("status"),
        manager: None,
        patching: true,
        dry_run: false,
        warnings: &Warnings::default(),
    };
    // While a definition gets its names no other may.
    let names = state.names.lock();
    let changed = change.make(&mut |old, _| {
        let mut new = old.clone();
        establish(state, &resource, &mut new);
        Ok(new)
    });
    drop(names);
    if let Err(failure) = changed {
        tracing::debug!(definition = %key, code = failure.code(), "names could not be given");
    }
}

/// Follows up on an object that is gone.
pub(crate) fn deleted(state: &Arc<State>, resource: &Resource, object: &Object) {
    if resource.is_definition() {
        serve(state, object.key.name());
        reconsider(state, &object.value());
    }
    if is(resource, "", "Service") {
        state.addresses.release(&object.value(), None);
    }
    if let Some(namespace) = object.key.namespace() {
        look_again(state, namespace);
    }
    if let Some(definition) = custom_definition(state, resource)
        && at(&definition.value(), &["metadata", "deletionTimestamp"]).is_some()
    {
        namespaces::clean(state, Cleanup::Definition(definition.key.name().to_owned()));
    }
}

/// Goes on with a namespace that is to go, now that something in it is gone.
fn look_again(state: &Arc<State>, name: &str) {
    let namespaces = state.registry.built_in("", "v1", "namespaces");
    let namespace = state.store.get(&namespaces.table, &Key::new(None, name));
    let going =
        |namespace: &Arc<Object>| at(&namespace.value(), &["metadata", "deletionTimestamp"]).is_some();
    if namespace.as_ref().is_some_and(going) {
        namespaces::clean(state, Cleanup::Namespace(name.to_owned()));
    }
}

/// Says in the status of a definition that its objects are being deleted.
pub(crate) fn begin_cleanup(definition: &mut Map) {
    definition::terminating(definition, Termination::InProgress, Time::now());
}

/// Says in the status of a definition that its objects are gone, and removes the finalizer by which it waited for them.
pub(crate) fn end_cleanup(definition: &mut Map) {
    definition::terminating(definition, Termination::Completed, Time::now());
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
