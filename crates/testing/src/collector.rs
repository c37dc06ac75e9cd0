//! The garbage collector of a play, which the embedded server does not have.

use std::collections::HashSet;

use klient_apimachinery::meta::v1::{DeleteOptions, Preconditions};
use klient_apimachinery::{Object as _, Unstructured};
use klient_client::{Client, Patch};
use serde_json::{Value, json};

use crate::snapshot::counted;
use crate::stage::Stage;

/// The finalizers of kube-controller-manager's garbage collector.
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Deletes the objects whose owners are all gone, and finishes deletions in the foreground and those that orphan, as
/// kube-controller-manager does. Returns true if there was something to do.
pub(crate) async fn collect(stage: &Stage, client: &Client) -> bool {
    let all = stage.server.local().objects();
    let stored = counted(&all, stage.since, &stage.options);
    let live: HashSet<&str> = all.iter().map(|object| object.uid()).collect();
    let objects: Vec<Unstructured> = stored.iter().map(|object| object.to_unstructured()).collect();
    let is_owner = |uid: &str| objects.iter().any(|object| owners(object).any(|owner| owner == uid));
    let mut has_worked = false;
    for (stored, object) in stored.iter().zip(&objects) {
        let info = stored.resource();
        let api = client.dynamic(info.clone()).namespace(stored.namespace().unwrap_or_default());
        let name = object.name();
        let is_terminating = !object["metadata"]["deletionTimestamp"].is_null();
        let has = |finalizer| object.finalizers().any(|other| other == finalizer);
        // Each fails only if the object has changed meanwhile; the next round sees it again.
        let worked = if is_terminating && has(FOREGROUND) && !is_owner(object.uid()) {
            api.patch(name, &without_finalizer(object, FOREGROUND)).await.is_ok()
        } else if is_terminating && has(ORPHAN) && !is_owner(object.uid()) {
            api.patch(name, &without_finalizer(object, ORPHAN)).await.is_ok()
        } else if let Some(owner) = orphaning_owner(object, &objects) {
            let kept = list(object, "ownerReferences").filter(|reference| reference["uid"] != owner).cloned();
            let patch =
                json!({"metadata": {"uid": object.uid(), "ownerReferences": kept.collect::<Vec<_>>()}});
            api.patch(name, &Patch::Merge(patch)).await.is_ok()
        } else if !is_terminating && is_garbage(object, &objects, &live) {
            let preconditions = Preconditions { uid: Some(object.uid().into()), ..Default::default() };
            let options = DeleteOptions {
                preconditions: Some(preconditions.into()),
                propagation_policy: Some("Background".into()),
                ..Default::default()
            };
            api.delete(name, &options).await.is_ok()
        } else {
            continue;
        };
        if worked {
            has_worked = true;
            stage.note(format!("the garbage collector sees to {} {}", info.plural, stored.name()));
        }
    }
    has_worked
}

fn list<'a>(object: &'a Unstructured, field: &str) -> impl Iterator<Item = &'a Value> {
    object["metadata"][field].as_array().into_iter().flatten()
}

fn owners(object: &Unstructured) -> impl Iterator<Item = &str> {
    list(object, "ownerReferences").filter_map(|reference| reference["uid"].as_str())
}

/// Returns true if all owners are gone, or wait in the foreground for their dependents.
fn is_garbage(object: &Unstructured, objects: &[Unstructured], live: &HashSet<&str>) -> bool {
    let waits = |uid: &str| {
        objects.iter().any(|owner| {
            owner.uid() == uid
                && !owner["metadata"]["deletionTimestamp"].is_null()
                && owner.finalizers().any(|finalizer| finalizer == FOREGROUND)
        })
    };
    owners(object).next().is_some() && owners(object).all(|uid| !live.contains(uid) || waits(uid))
}

/// The uid of an owner that is deleted without its dependents.
fn orphaning_owner<'a>(object: &'a Unstructured, objects: &[Unstructured]) -> Option<&'a str> {
    owners(object).find(|uid| {
        objects.iter().any(|owner| {
            owner.uid() == *uid
                && !owner["metadata"]["deletionTimestamp"].is_null()
                && owner.finalizers().any(|finalizer| finalizer == ORPHAN)
        })
    })
}

fn without_finalizer(object: &Unstructured, finalizer: &str) -> Patch {
    let rest: Vec<&str> = object.finalizers().filter(|other| *other != finalizer).collect();
    let version = object.resource_version();
    Patch::Merge(json!({"metadata": {"finalizers": rest, "resourceVersion": version}}))
}
