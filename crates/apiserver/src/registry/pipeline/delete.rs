//! Deleting objects.

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::meta::PropagationPolicy;
use klient_apimachinery::values::{Map, at, list_at, map_at};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::admission::{Attributes, Operation, OperationOptions, RequestContext};
use crate::registry::Resource;
use crate::registry::deletion::Deletion;
use crate::registry::strategy::{increment_generation, is_held};
use crate::state::{Committed, State};
use crate::status::{Failure, Result, Target};
use crate::storage::{Key, Object, StorageError, Write};

/// The finalizers of deletions that wait for dependents.
const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// The result of a delete.
pub(crate) enum Outcome {
    /// The object does not exist any more; its last state.
    Deleted(Arc<Object>),
    /// The object is marked for deletion and waits for something.
    Terminating(Arc<Object>),
}

/// Deletes an object, or marks it for deletion where something holds it. For the server itself, whose writes nothing
/// admits, the outcome has the object as it is stored, so that its kind's conversion webhook is not needed.
///
/// # Errors
///
/// 404 if it does not exist; 409 if it has not the UID or resourceVersion of the options; the refusals of admission.
pub(crate) async fn delete(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    key: &Key,
    options: &Deletion,
    request: RequestContext<'_>,
) -> Result<Outcome> {
    let outcome = delete_stored(state, resource, key, options, request).await?;
    if request.user.is_none() {
        return Ok(outcome);
    }
    Ok(match outcome {
        Outcome::Deleted(object) => {
            Outcome::Deleted(state.converter.serve(resource, object, request.deadline).await?)
        }
        Outcome::Terminating(object) => {
            Outcome::Terminating(state.converter.serve(resource, object, request.deadline).await?)
        }
    })
}

async fn delete_stored(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    key: &Key,
    options: &Deletion,
    request: RequestContext<'_>,
) -> Result<Outcome> {
    let stored_as = state.stored_as(resource);
    let (namespace, name) = (key.namespace(), key.name());
    let attributes = Attributes {
        operation: Operation::Delete,
        resource,
        form: &stored_as,
        subresource: None,
        presented: None,
        namespace,
        name,
        old: None,
        request: RequestContext {
            dry_run: options.dry_run,
            options: OperationOptions::Delete(options),
            ..request
        },
        reinvocation: None,
    };
    let mut version = options.version.clone();
    loop {
        let current = state.store.get(&resource.table, key);
        let current = current.ok_or_else(|| Failure::not_found(&resource.target(name)))?;
        // A custom resource is admitted as it is served: what cannot be is not looked at further.
        let served = if resource.is_custom() && request.user.is_some() {
            let served = state.converter.serve(resource, current.clone(), request.deadline).await?;
            Some(resource.read(&served))
        } else {
            None
        };
        check_preconditions(resource, &current, options.uid.as_deref(), version.as_deref())?;
        let old = state.converter.read_stored(resource, &current, request.deadline).await?;
        let mut new = marked(resource, &old, options);
        let is_first = resource.strategy.is_marked_first() && !current.is_terminating;
        let is_held = is_first || is_held(&*resource.strategy, &new);
        // A deletion that only waits for its grace period is not admitted again.
        if !(is_held && new == old && is_graceful(&old)) {
            let attributes = Attributes { old: Some(served.as_ref().unwrap_or(&old)), ..attributes };
            state.admission.admit(&attributes, None).await?;
            state.admission.validate(&attributes, None).await?;
        }
        if options.dry_run {
            let object = Arc::new(stored_as.object(key.clone(), new, Some(current.version)));
            return Ok(if is_held { Outcome::Terminating(object) } else { Outcome::Deleted(object) });
        }
        if is_held && new == old {
            return Ok(Outcome::Terminating(current));
        }
        // A pod that is deleted at once is marked all the same, and watches see it.
        let marks = is_held || (resource.strategy.is_graceful() && new != old);
        let (object, from) = (stored_as.draft(key.clone(), &mut new), current.version);
        let write = if marks { Write::Update { object, from } } else { Write::Delete { last: object, from } };
        match state.store.commit(&resource.table, write).await {
            Ok(object) => {
                if !marks {
                    stored_as.strategy.release(&state.addresses, &old, None);
                }
                let change =
                    Committed { resource: &stored_as, object: &object, old: Some(&old), deleted: !marks };
                state.committed(&change).await;
                if !marks {
                    return Ok(Outcome::Deleted(object));
                }
                if is_held {
                    return Ok(Outcome::Terminating(object));
                }
                version = version.map(|_| object.version.to_string());
            }
            // It has changed meanwhile: look again.
            Err(StorageError::Changed) => {}
            Err(_) => return Err(Failure::internal("cannot delete")),
        }
    }
}

/// Deletes an object that cannot be converted to the version of a resource, unread: nothing admits that, and no finalizer
/// holds the object.
///
/// # Errors
///
/// 404 if it does not exist; 409 if it can be read; 504 if that is not known at the deadline.
pub(crate) async fn delete_unread(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    key: &Key,
    dry_run: bool,
    deadline: Instant,
) -> Result<()> {
    loop {
        let current = state.store.get(&resource.table, key);
        let current = current.ok_or_else(|| Failure::not_found(&resource.target(key.name())))?;
        if state.converter.serve(resource, current.clone(), deadline).await.is_ok() {
            let problem = "unsafe deletion is not allowed because the object is decodable from storage";
            return Err(resource.storage_conflict(key, problem));
        }
        if Instant::now() >= deadline {
            // It says nothing of the object that the time of the request is over.
            return Err(Failure::deadline_exceeded());
        }
        if dry_run {
            return Ok(());
        }
        let (old, from) = (current.value(), current.version);
        let write = Write::Delete { last: resource.draft_as_stored(&current), from };
        match state.store.commit(&resource.table, write).await {
            Ok(object) => {
                let change = Committed { resource, object: &object, old: Some(&old), deleted: true };
                state.committed(&change).await;
                return Ok(());
            }
            // It has changed meanwhile: look again.
            Err(StorageError::Changed) => {}
            Err(_) => return Err(Failure::internal("cannot delete")),
        }
    }
}

/// Checks the UID and resourceVersion that an object must have to be deleted.
///
/// # Errors
///
/// 409 if it has others.
pub(crate) fn check_preconditions(
    resource: &Resource,
    current: &Object,
    uid: Option<&str>,
    version: Option<&str>,
) -> Result<()> {
    let target =
        Target { group: &resource.info.group, plural: &resource.info.kind, name: current.key.name() };
    if let Some(uid) = uid.filter(|uid| current.uid != **uid) {
        return Err(Failure::conflict(
            &target,
            &format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
                current.uid
            ),
        ));
    }
    if let Some(version) = version.filter(|version| current.version.to_string() != **version) {
        return Err(Failure::conflict(
            &target,
            &format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
                current.version
            ),
        ));
    }
    Ok(())
}

/// Returns true if an object is deleted after a grace period.
fn is_graceful(object: &Map) -> bool {
    let seconds = at(object, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64);
    seconds.is_some_and(|seconds| seconds > 0)
}

/// The object as a delete leaves it, if it leaves it at all.
fn marked(resource: &Resource, old: &Map, options: &Deletion) -> Map {
    let strategy = &*resource.strategy;
    let mut new = old.clone();
    if strategy.mark_for_deletion(&mut new) {
        return new;
    }
    strategy.prepare_for_delete(&mut new);
    let grace = strategy.grace_period(old, options.grace_period);
    set_finalizers(resource, &mut new, options);
    let has_grace_period = strategy.has_grace_period();
    if has_grace_period && !strategy.is_graceful() && !is_held(strategy, &new) {
        return new;
    }
    let metadata = map_at(&mut new, "metadata");
    let was_marked = metadata.contains_key("deletionTimestamp");
    let shortest = metadata.get("deletionGracePeriodSeconds").and_then(Value::as_i64);
    if was_marked && shortest.is_none_or(|shortest| shortest <= grace) {
        return new;
    }
    let time = Time::from_unix(Time::now().unix().saturating_add(grace));
    metadata.insert("deletionTimestamp".to_owned(), time.to_string().into());
    if has_grace_period {
        metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    if resource.counts_generations() && !was_marked {
        increment_generation(&mut new, old);
    }
    new
}

fn set_finalizers(resource: &Resource, object: &mut Map, options: &Deletion) {
    let held: Vec<String> = list_at(object, &["metadata", "finalizers"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let has = |finalizer: &str| held.iter().any(|other| other == finalizer);
    let wanted = match options.propagation {
        _ if !resource.strategy.has_dependents() => None,
        Some(PropagationPolicy::Orphan) => Some(ORPHAN),
        Some(PropagationPolicy::Foreground) => Some(FOREGROUND),
        Some(PropagationPolicy::Background) => None,
        None if has(ORPHAN) => Some(ORPHAN),
        None if has(FOREGROUND) => Some(FOREGROUND),
        None if resource.strategy.orphans_by_default() => Some(ORPHAN),
        None => None,
    };
    let mut finalizers: Vec<String> =
        held.iter().filter(|finalizer| !matches!(finalizer.as_str(), ORPHAN | FOREGROUND)).cloned().collect();
    finalizers.extend(wanted.map(str::to_owned));
    let metadata = map_at(object, "metadata");
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else if finalizers != held {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
}
