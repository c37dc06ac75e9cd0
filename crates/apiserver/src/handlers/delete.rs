//! Deleting objects.

use std::sync::Arc;

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::schema::STATUS;
use klient_apimachinery::meta::v1::{Status, StatusDetails};
use serde_json::{Value, json};

use super::Context;
use super::list::{self, Wanted};
use super::options::{Deletion, Propagation};
use crate::admission;
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result, Target};
use crate::storage::{Key, Object, StoreError};
use crate::values::{Map, at, list_at, map_at, text_at};

/// Finalizers by which an object waits for what it owns.
const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// How long a pod is given to end if nobody says.
const GRACE_PERIOD: i64 = 30;

/// Deletes the object in the path.
pub(crate) fn delete(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = Deletion::parse(context)?;
    warn_of_orphans(context, &options);
    let outcome = delete_object(&context.state, &context.resource, &context.key(), &options)?;
    let resource = &context.resource;
    match outcome {
        Outcome::Gone(object) if !resource.returns_deleted() => {
            let json = success(&resource.target(context.name()), &object);
            Ok(respond::written(StatusCode::OK, format, json, &STATUS))
        }
        Outcome::Gone(object) | Outcome::Going(object) => {
            Ok(respond::object(StatusCode::OK, format, resource, &object))
        }
    }
}

/// Warns of jobs whose pods stay because nobody said what is to become of them.
fn warn_of_orphans(context: &mut Context, options: &Deletion) {
    let info = &context.resource.info;
    if (&*info.group, &*info.kind) == ("batch", "Job") && options.propagation.is_none() {
        context.warnings.push(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
             or set propagationPolicy=Orphan to suppress this warning"
                .to_owned(),
        );
    }
}

/// What has become of an object.
pub(crate) enum Outcome {
    /// It is no more; this was its last state.
    Gone(Arc<Object>),
    /// It is to go, and waits for something.
    Going(Arc<Object>),
}

/// Deletes an object, or marks it as to go where something holds it.
pub(crate) fn delete_object(
    state: &Arc<State>,
    resource: &Arc<Resource>,
    key: &Key,
    options: &Deletion,
) -> Result<Outcome> {
    let stored_as = state.stored_as(resource);
    admission::check_delete(resource, key)?;
    let mut wanted_version = options.version.clone();
    loop {
        let current = state.store.get(&resource.table, key);
        let current = current.ok_or_else(|| Failure::not_found(&resource.target(key.name())))?;
        check_preconditions(resource, &current, options.uid.as_deref(), wanted_version.as_deref())?;
        let old = current.value();
        let new = marked(resource, &old, options);
        let going = is_held(resource, &new);
        if options.dry_run {
            let object = Arc::new(stored_as.store(key.clone(), new, Some(current.version)));
            return Ok(if going { Outcome::Going(object) } else { Outcome::Gone(object) });
        }
        if going && new == old {
            return Ok(Outcome::Going(current));
        }
        // A pod that goes at once is marked all the same, and those who watch are told.
        let marks = going || (is_graceful(resource) && new != old);
        let mut encode = |version| stored_as.store(key.clone(), new.clone(), Some(version));
        let done = if marks {
            state.store.update(&resource.table, key, current.version, &mut encode)
        } else {
            state.store.delete(&resource.table, key, current.version, &mut encode)
        };
        match done {
            Ok(object) if marks => {
                admission::changed(state, &stored_as, &object, None);
                if going {
                    return Ok(Outcome::Going(object));
                }
                wanted_version = wanted_version.map(|_| object.version.to_string());
            }
            Ok(object) => {
                admission::deleted(state, &stored_as, &object);
                return Ok(Outcome::Gone(object));
            }
            // It has changed meanwhile: look again.
            Err(StoreError::Changed) => {}
            Err(_) => return Err(Failure::internal("cannot delete")),
        }
    }
}

fn check_preconditions(
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

/// Whether objects of a resource are given time to end.
fn is_graceful(resource: &Resource) -> bool {
    resource.info.kind == "Pod" && resource.info.group.is_empty()
}

/// The object as a delete leaves it, if it leaves it at all.
fn marked(resource: &Resource, old: &Map, options: &Deletion) -> Map {
    let mut new = old.clone();
    if resource.is_definition() && at(old, &["metadata", "deletionTimestamp"]).is_none() {
        admission::mark_terminating(&mut new);
        return new;
    }
    let grace = grace_period(resource, old, options);
    set_finalizers(resource, &mut new, options);
    let is_namespace = is_namespace(resource);
    if is_namespace {
        map_at(&mut new, "status").insert("phase".to_owned(), "Terminating".into());
    }
    if !is_namespace && !is_graceful(resource) && !is_held(resource, &new) {
        return new;
    }
    let counts = resource.counts_generations();
    let metadata = map_at(&mut new, "metadata");
    let was_marked = metadata.contains_key("deletionTimestamp");
    let shortest = metadata.get("deletionGracePeriodSeconds").and_then(Value::as_i64);
    if was_marked && shortest.is_none_or(|shortest| shortest <= grace) {
        return new;
    }
    let time = Time::from_unix(Time::now().unix().saturating_add(grace));
    metadata.insert("deletionTimestamp".to_owned(), time.to_string().into());
    if !is_namespace {
        metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    }
    if counts && !was_marked {
        let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0);
        metadata.insert("generation".to_owned(), (generation + 1).into());
    }
    new
}

/// Whether an object that is marked stays for now.
pub(super) fn is_held(resource: &Resource, object: &Map) -> bool {
    let grace = at(object, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0);
    grace > 0
        || !list_at(object, &["metadata", "finalizers"]).is_empty()
        || (is_namespace(resource) && !list_at(object, &["spec", "finalizers"]).is_empty())
}

fn is_namespace(resource: &Resource) -> bool {
    resource.info.kind == "Namespace" && resource.info.group.is_empty()
}

/// Only pods that run somewhere are given time to end.
fn grace_period(resource: &Resource, object: &Map, options: &Deletion) -> i64 {
    if !is_graceful(resource) {
        return 0;
    }
    let ended = matches!(text_at(object, &["status", "phase"]), "Succeeded" | "Failed");
    if ended || text_at(object, &["spec", "nodeName"]).is_empty() {
        return 0;
    }
    let own = at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    match options.grace_period.or(own).unwrap_or(GRACE_PERIOD) {
        negative if negative < 0 => 1,
        seconds => seconds,
    }
}

fn set_finalizers(resource: &Resource, object: &mut Map, options: &Deletion) {
    let orphans_by_default = matches!(
        (&*resource.info.group, &*resource.info.kind),
        ("batch", "Job") | ("", "ReplicationController")
    );
    let held: Vec<String> = list_at(object, &["metadata", "finalizers"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let has = |finalizer: &str| held.iter().any(|other| other == finalizer);
    let wanted = match options.propagation {
        _ if resource.info.kind == "Event" => None,
        Some(Propagation::Orphan) => Some(ORPHAN),
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Background) => None,
        None if has(ORPHAN) => Some(ORPHAN),
        None if has(FOREGROUND) => Some(FOREGROUND),
        None if orphans_by_default => Some(ORPHAN),
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

fn success(target: &Target<'_>, object: &Object) -> Vec<u8> {
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    let details = StatusDetails {
        name: text(target.name),
        group: text(target.group),
        kind: text(target.plural),
        uid: text(&object.uid),
        ..Default::default()
    };
    respond::status(&Status {
        status: Some("Success".into()),
        details: Some(Box::new(details)),
        ..Default::default()
    })
}

/// Deletes all objects that are selected and answers with them as they were.
pub(crate) async fn delete_collection(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = Deletion::parse(context)?;
    warn_of_orphans(context, &options);
    let wanted = Wanted::parse(context, false)?;
    let resource = &context.resource;
    let listed = list::read(context, &wanted).await?;
    for object in &listed.objects {
        match delete_object(&context.state, resource, &object.key, &options) {
            // Somebody else was faster.
            Err(failure) if failure.is(Reason::NotFound) => {}
            done => drop(done?),
        }
    }
    let metadata = list::metadata(context, &listed, &wanted);
    Ok(list::answer(context, format, &metadata, listed.objects))
}
