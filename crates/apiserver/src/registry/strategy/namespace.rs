//! Namespaces: the finalizers in their spec hold them until they are empty.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, list_at, map_at};
use klient_apis::validation;

use super::{Strategy, metadata_errors};

pub(super) struct Namespace(pub(super) &'static ResourceSchema);

impl Strategy for Namespace {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn validate_subresource(&self, object: &Map, old: &Map, subresource: &str) -> Vec<FieldError> {
        let mut errors = metadata_errors(object, old);
        errors.extend(match subresource {
            "finalize" => validation::finalize(object),
            _ => validation::status(self.0, object, old),
        });
        errors
    }

    fn prepare_for_delete(&self, object: &mut Map) {
        map_at(object, "status").insert("phase".to_owned(), "Terminating".into());
    }

    fn is_marked_first(&self) -> bool {
        true
    }

    fn has_grace_period(&self) -> bool {
        false
    }

    fn is_held(&self, object: &Map) -> bool {
        !list_at(object, &["spec", "finalizers"]).is_empty()
    }
}
