//! CustomResourceDefinitions: the server writes their status, and they wait for their objects to be gone.

use klient_apiextensions::definition::{self, CLEANUP, Termination};
use klient_apimachinery::Time;
use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, map_at};
use klient_apis::validation::warnings;
use serde_json::json;

use super::Strategy;
use crate::registry::deletion::is_terminating;

pub(super) struct CustomResourceDefinition(pub(super) &'static ResourceSchema);

impl Strategy for CustomResourceDefinition {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn default(&self, object: &mut Map) {
        definition::default(object);
    }

    fn prepare_for_create(&self, object: &mut Map) {
        definition::prepare(object, None);
    }

    fn prepare_for_update(&self, object: &mut Map, old: &Map) {
        definition::prepare(object, Some(old));
    }

    fn validate(&self, object: &Map) -> Vec<FieldError> {
        definition::validate(object)
    }

    fn validate_update(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        definition::validate_update(object, old)
    }

    fn warnings(&self, object: &Map, old: Option<&Map>) -> Vec<String> {
        warnings::definition(object, old)
    }

    fn mark_for_deletion(&self, object: &mut Map) -> bool {
        if is_terminating(object) {
            return false;
        }
        let now = Time::now();
        definition::terminating(object, Termination::Pending, now);
        let metadata = map_at(object, "metadata");
        metadata.insert("deletionTimestamp".to_owned(), now.to_string().into());
        let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
        if let Some(finalizers) = finalizers.as_array_mut()
            && !finalizers.iter().any(|finalizer| finalizer == CLEANUP)
        {
            finalizers.push(CLEANUP.into());
        }
        true
    }
}
