//! Custom resources: the rules that a version of a CustomResourceDefinition declares.

use std::sync::Arc;

use klient_apiextensions::definition::{Definition, Version};
use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation as names;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use klient_apis::validation::{self, warnings};
use serde_json::Value;

use super::{Strategy, Validated, differ_beside_metadata, metadata_errors};

pub(crate) struct CustomResource {
    pub(crate) definition: Arc<Definition>,
    /// The index of the version in the definition.
    pub(crate) version: usize,
}

impl CustomResource {
    fn version(&self) -> &Version {
        &self.definition.versions[self.version]
    }
}

impl Strategy for CustomResource {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        None
    }

    fn default(&self, object: &mut Map) {
        self.version().schema.default(object);
    }

    fn validate(&self, object: &Map) -> Vec<FieldError> {
        let mut problems = ErrorList::default();
        let nothing = Map::new();
        let metadata = object.get("metadata").and_then(Value::as_object).unwrap_or(&nothing);
        validation::metadata(metadata, self.definition.namespaced, names::dns_subdomain, &mut problems);
        self.version().validate(object, problems.0)
    }

    fn validate_update(&self, object: &Map, old: &Map) -> Validated {
        self.version().validate_update(object, old, metadata_errors(object, old))
    }

    fn validate_subresource(&self, object: &Map, old: &Map, _subresource: &str) -> Vec<FieldError> {
        self.version().validate_status(object, old, metadata_errors(object, old))
    }

    fn warnings(&self, object: &Map, old: Option<&Map>) -> Vec<String> {
        warnings::custom(object, old)
    }

    fn changes_spec(&self, object: &Map, old: &Map, has_status: bool) -> bool {
        differ_beside_metadata(object, old, has_status)
    }
}
