//! Conditions of a terminating namespace.

use std::collections::BTreeMap;

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, map_at};
use serde_json::{Value, json};

use super::Remaining;

/// Sets the conditions of a terminating namespace.
pub(super) fn set(namespace: &mut Map, remaining: &Remaining, now: Time) {
    let told = |counts: &BTreeMap<String, usize>, verb: &str| {
        let parts: Vec<String> =
            counts.iter().map(|(what, count)| format!("{what} {verb} {count} resource instances")).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let resources = told(&remaining.resources, "has");
    let finalizers = told(&remaining.finalizers, "in");
    let mut failures = remaining.failures.clone();
    failures.sort_unstable();
    let failures = (!failures.is_empty()).then(|| {
        let (count, failures) = (failures.len(), failures.join(", "));
        format!("Failed to delete all resource types, {count} remaining: {failures}")
    });
    let conditions = [
        (
            "NamespaceDeletionDiscoveryFailure",
            Err(("ResourcesDiscovered", "All resources successfully discovered")),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            Err(("ParsedGroupVersions", "All legacy kube types successfully parsed")),
        ),
        (
            "NamespaceDeletionContentFailure",
            failures.map(|told| ("ContentDeletionFailed", told)).ok_or((
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            )),
        ),
        (
            "NamespaceContentRemaining",
            resources
                .map(|told| ("SomeResourcesRemain", format!("Some resources are remaining: {told}")))
                .ok_or(("ContentRemoved", "All content successfully removed")),
        ),
        (
            "NamespaceFinalizersRemaining",
            finalizers
                .map(|told| {
                    let told = format!("Some content in the namespace has finalizers remaining: {told}");
                    ("SomeFinalizersRemain", told)
                })
                .ok_or(("ContentHasNoFinalizers", "All content-preserving finalizers finished")),
        ),
    ];
    let before = map_at(namespace, "status").remove("conditions").unwrap_or_default();
    let conditions = conditions.map(|(ty, condition)| {
        let (status, reason, message) = match condition {
            Ok((reason, message)) => ("True", reason, message),
            Err((reason, message)) => ("False", reason, message.to_owned()),
        };
        let was = before.as_array().into_iter().flatten().find(|was| was["type"] == ty && was["status"] == status);
        let since = was.map_or_else(|| Value::from(now.to_string()), |was| was["lastTransitionTime"].clone());
        json!({"type": ty, "status": status, "lastTransitionTime": since, "reason": reason, "message": message})
    });
    map_at(namespace, "status").insert("conditions".to_owned(), Value::Array(conditions.into()));
}
