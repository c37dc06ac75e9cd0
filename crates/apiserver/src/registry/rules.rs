//! What objects of a resource look like, what they are completed with, and which rules they follow.

use klient_apimachinery::go::{json_type, rewrite_numbers};
use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::validation as names;
use serde_json::Value;

use super::Resource;
use super::resource::Flavor;
use crate::crd::definition;
use crate::defaults;
use crate::field::{FieldError, Problems};
use crate::validation::{self, warnings};
use crate::values::{self, Decoded, Map, Mismatch};

impl Resource {
    /// Brings an object into the form it is stored in, and names the fields it does not know.
    ///
    /// # Errors
    ///
    /// If a field holds what it cannot hold.
    pub(crate) fn decode(&self, object: Map) -> std::result::Result<Decoded, Mismatch> {
        let mut decoded = self.decode_applied(object)?;
        if let Some(version) = self.custom_schema() {
            version.schema.drop_nulls(&mut decoded.object);
        }
        Ok(decoded)
    }

    /// As [`decode`](Self::decode), of what was applied: `null` is not dropped where it must not be.
    ///
    /// # Errors
    ///
    /// If a field holds what it cannot hold.
    pub(crate) fn decode_applied(&self, object: Map) -> std::result::Result<Decoded, Mismatch> {
        if values::is_too_deep(&object) {
            return Err("exceeded max depth".to_owned().into());
        }
        // An empty list says that nobody is to own anything any more; of custom resources it is lost.
        let disowned = values::at(&object, &["metadata", "managedFields"]).and_then(Value::as_array);
        let disowned = !self.is_custom() && disowned.is_some_and(Vec::is_empty);
        let mut decoded = self.decoded(object)?;
        if disowned {
            let metadata = values::map_at(&mut decoded.object, "metadata");
            metadata.insert("managedFields".to_owned(), Value::Array(Vec::new()));
        }
        Ok(decoded)
    }

    fn decoded(&self, mut object: Map) -> std::result::Result<Decoded, Mismatch> {
        let Some(version) = self.custom_schema() else {
            return match self.schema() {
                Some(schema) => values::decode(object, schema),
                None => Ok(Decoded { object, unknown: Vec::new() }),
            };
        };
        object.remove("apiVersion");
        object.remove("kind");
        let metadata = match object.remove("metadata") {
            Some(Value::Object(metadata)) => metadata,
            None | Some(Value::Null) => Map::new(),
            Some(value) => {
                let what = json_type(&value);
                let problem = format!("json: cannot unmarshal {what} into Go value of type v1.ObjectMeta");
                return Err(problem.into());
            }
        };
        let metadata = values::decode(metadata, &OBJECT_META)?;
        object.values_mut().for_each(rewrite_numbers);
        let mut unknown: Vec<String> =
            metadata.unknown.iter().map(|path| format!("metadata.{path}")).collect();
        unknown.extend(version.schema.prune(&mut object));
        let embedded = version.schema.coerce(&mut object).map_err(|error| error.to_string())?;
        unknown.extend(embedded);
        object.insert("metadata".to_owned(), Value::Object(metadata.object));
        Ok(Decoded { object, unknown })
    }

    /// Sets what the object leaves open.
    pub(crate) fn default(&self, object: &mut Map) {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => definition::default(object),
            Flavor::BuiltIn(resource) => defaults::apply(resource, object),
            Flavor::Custom { .. } => {
                if let Some(version) = self.custom_schema() {
                    version.schema.default(object);
                }
            }
        }
    }

    /// Sets what belongs to a new object.
    pub(crate) fn prepare_create(&self, object: &mut Map) {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => definition::prepare(object, None),
            Flavor::BuiltIn(resource) => defaults::prepare_create(resource, object),
            Flavor::Custom { .. } => {}
        }
    }

    /// Completes the new state of an object.
    pub(crate) fn prepare_update(&self, object: &mut Map, old: &Map) {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => definition::prepare(object, Some(old)),
            Flavor::BuiltIn(resource) => defaults::prepare_update(resource, object, old),
            Flavor::Custom { .. } => {}
        }
    }

    /// What is wrong with a new object.
    pub(crate) fn validate(&self, object: &Map) -> Vec<FieldError> {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => definition::validate(object),
            Flavor::BuiltIn(resource) => validation::create(resource, object),
            Flavor::Custom { .. } => {
                let mut problems = Problems::default();
                let nothing = Map::new();
                let metadata = object.get("metadata").and_then(Value::as_object).unwrap_or(&nothing);
                validation::metadata(metadata, self.info.namespaced, names::dns_subdomain, &mut problems);
                if let Some(version) = self.custom_schema() {
                    problems.0.extend(version.schema.validate(object));
                    problems.0.extend(version.scale.iter().flat_map(|scale| scale.validate_spec(object)));
                    problems.0.extend(version.scale.iter().flat_map(|scale| scale.validate_status(object)));
                }
                problems.0
            }
        }
    }

    /// What is wrong with a new state of an object.
    pub(crate) fn validate_update(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => definition::validate_update(object, old),
            Flavor::BuiltIn(resource) => validation::update(resource, object, old),
            Flavor::Custom { .. } => {
                let mut problems = self.metadata_problems(object, old);
                if let Some(version) = self.custom_schema() {
                    problems.extend(version.schema.validate_update(object, old));
                    problems.extend(version.scale.iter().flat_map(|scale| scale.validate_spec(object)));
                    problems.extend(version.scale.iter().flat_map(|scale| scale.validate_status(object)));
                }
                problems
            }
        }
    }

    /// What is wrong with an object of which a subresource was written.
    pub(crate) fn validate_subresource(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        let mut problems = self.metadata_problems(object, old);
        if let Flavor::BuiltIn(resource) = &self.flavor {
            problems.extend(validation::status(resource, object));
        }
        if let Some(version) = self.custom_schema() {
            problems.extend(version.schema.validate_status(object, old));
            problems.extend(version.scale.iter().flat_map(|scale| scale.validate_status(object)));
        }
        problems
    }

    /// What a client is warned of whose object is taken as a new one, or in place of the old one.
    pub(crate) fn warnings(&self, object: &Map, old: Option<&Map>) -> Vec<String> {
        match &self.flavor {
            Flavor::BuiltIn(_) if self.is_definition() => warnings::definition(object, old),
            Flavor::BuiltIn(resource) => warnings::object(resource, object, old),
            Flavor::Custom { .. } => warnings::custom(object, old),
        }
    }

    /// What a client is warned of that has written the status of an object.
    pub(crate) fn status_warnings(&self, object: &Map) -> Vec<String> {
        match &self.flavor {
            Flavor::BuiltIn(resource) => warnings::status(resource, object),
            Flavor::Custom { .. } => Vec::new(),
        }
    }

    /// What is wrong with a Pod whose resources were changed.
    pub(crate) fn validate_resize(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        let mut problems = self.metadata_problems(object, old);
        problems.extend(validation::resize(object, old));
        problems
    }

    fn metadata_problems(&self, object: &Map, old: &Map) -> Vec<FieldError> {
        let nothing = Map::new();
        let [metadata, old] = [object, old].map(|object| object.get("metadata").and_then(Value::as_object));
        let mut problems = Problems::default();
        validation::metadata_update(metadata.unwrap_or(&nothing), old.unwrap_or(&nothing), &mut problems);
        problems.0
    }
}
