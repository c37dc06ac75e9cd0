//! Pods: those that run somewhere are given time to end.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, text_at};
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

    fn validate_subresource(&self, object: &Map, old: &Map, subresource: &str) -> Vec<FieldError> {
        let mut errors = metadata_errors(object, old);
        errors.extend(match subresource {
            "resize" => validation::resize(object, old),
            _ => validation::status(self.0, object),
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
