//! CustomResourceDefinitions: the server writes their status, and they wait for their objects to be gone.

use klient_apiextensions::definition::{self, CLEANUP, Termination};
use klient_apimachinery::Time;
use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::dns_subdomain;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, map_at, text_at};
use klient_apis::validation::{self, warnings};
use serde_json::{Value, json};

use super::{Strategy, Validated, metadata_errors};
use crate::registry::deletion::is_terminating;
use crate::webhook::ca_bundle;

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
        let mut problems = ErrorList::default();
        let name = text_at(object, &["metadata", "name"]);
        if !name.is_empty() {
            problems.invalid("metadata.name", name, dns_subdomain(name));
        }
        problems.0.extend(definition::validate_name(object));
        let nothing = Map::new();
        let metadata = object.get("metadata").and_then(Value::as_object).unwrap_or(&nothing);
        // The name has the rules above.
        validation::metadata(metadata, false, |_| Vec::new(), &mut problems);
        problems.0.extend(definition::validate(object));
        problems.0
    }

    fn validate_update(&self, object: &Map, old: &Map) -> Validated {
        let mut errors = metadata_errors(object, old);
        errors.extend(definition::validate_update(object, old));
        errors.extend(bundle_problem(object, old));
        errors.into()
    }

    fn validate_subresource(&self, object: &Map, old: &Map, _subresource: &str) -> Vec<FieldError> {
        let mut errors = metadata_errors(object, old);
        errors.extend(definition::validate_status(object));
        errors
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

/// The error of a conversion webhook whose `caBundle` has become invalid. One that is invalid may stay so, as may that of
/// a definition that is not established, which an invalid one keeps from being.
fn bundle_problem(object: &Map, old: &Map) -> Option<FieldError> {
    let is_webhook = text_at(object, &["spec", "conversion", "strategy"]) == "Webhook";
    if !is_webhook || !definition::is_established(old) || ca_bundle::conversion_problem(old).is_some() {
        return None;
    }
    let problem = ca_bundle::conversion_problem(object)?;
    let bundle = text_at(object, &ca_bundle::OF_CONVERSION);
    Some(FieldError::invalid("spec.conversion.webhookClientConfig.caBundle", bundle, problem))
}
