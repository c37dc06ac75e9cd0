//! Namespaces: the finalizers in their spec hold them until they are empty.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apis::validation;

use super::{Strategy, metadata_errors};
use klient_apimachinery::values::{Map, list_at, map_at};

pub(super) struct Namespace(pub(super) &'static ResourceSchema);

impl Strategy for Namespace {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn validate_update(&self, object: &Map, old: &Map, subresource: Option<&str>) -> Vec<FieldError> {
        let mut errors = match subresource {
            None => return validation::update(self.0, object, old),
            Some(_) => metadata_errors(object, old),
        };
        errors.extend(match subresource {
            Some("finalize") => validation::namespace_finalize(object),
            _ => validation::namespace_status(object),
        });
        errors
    }

    fn mark_for_deletion(&self, object: &mut Map) -> bool {
        map_at(object, "status").insert("phase".to_owned(), "Terminating".into());
        false
    }

    fn has_grace_period(&self) -> bool {
        false
    }

    fn is_held(&self, object: &Map) -> bool {
        !list_at(object, &["spec", "finalizers"]).is_empty()
    }
}
