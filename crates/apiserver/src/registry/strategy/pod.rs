//! Pods: those that run somewhere are given time to end, and their status keeps what old kubelets do not know.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use klient_apis::validation;
use serde_json::Value;

use super::{Paths, Strategy, metadata_errors};

/// The default grace period of a pod, in seconds.
const GRACE_PERIOD: i64 = 30;

pub(super) struct Pod(pub(super) &'static ResourceSchema);

impl Strategy for Pod {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn prepare_subresource(&self, object: &mut Map, old: &Map, subresource: &str) {
        if subresource == "status" {
            keep_status(object, old);
        }
    }

    fn validate_subresource(&self, object: &Map, old: &Map, subresource: &str) -> Vec<FieldError> {
        let mut errors = metadata_errors(object, old);
        errors.extend(match subresource {
            "ephemeralcontainers" => validation::ephemeral_containers(object, old),
            "resize" => validation::resize(object, old),
            _ => validation::status(self.0, object, old),
        });
        errors
    }

    fn fields_reset_by_status(&self) -> Paths {
        &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]]
    }

    fn is_graceful(&self) -> bool {
        true
    }

    fn grace_period(&self, object: &Map, requested: Option<i64>) -> i64 {
        let ended = matches!(text_at(object, &["status", "phase"]), "Succeeded" | "Failed");
        if ended || text_at(object, &["spec", "nodeName"]).is_empty() {
            return 0;
        }
        let own = at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
        match requested.or(own).unwrap_or(GRACE_PERIOD) {
            negative if negative < 0 => 1,
            seconds => seconds,
        }
    }
}

/// Keeps what clients that know fewer fields leave out of a status.
fn keep_status(object: &mut Map, old: &Map) {
    let Some(before) = old.get("status").and_then(Value::as_object) else { return };
    let status = map_at(object, "status");
    if text_at(status, &["qosClass"]).is_empty() {
        keep(status, before, "qosClass");
    }
    for field in
        ["resourceClaimStatuses", "extendedResourceClaimStatus", "nodeAllocatableResourceClaimStatuses"]
    {
        if status.get(field).is_none_or(Value::is_null) {
            keep(status, before, field);
        }
    }
    keep_generation(status, before);
    // Several conditions may have one type.
    let mut before: Vec<&Map> =
        list_at(before, &["conditions"]).iter().filter_map(Value::as_object).collect();
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(index) = before.iter().position(|old| old.get("type") == condition.get("type")) {
            keep_generation(condition, before.remove(index));
        }
    }
}

fn keep_generation(part: &mut Map, old: &Map) {
    const FIELD: &str = "observedGeneration";
    if part.get(FIELD).and_then(Value::as_i64).unwrap_or_default() == 0 {
        keep(part, old, FIELD);
    }
}

fn keep(part: &mut Map, old: &Map, field: &str) {
    if let Some(value) = old.get(field) {
        part.insert(field.to_owned(), value.clone());
    }
}
