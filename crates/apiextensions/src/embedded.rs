//! Objects inside objects: rules for their `apiVersion`, `kind` and `metadata`.

use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::validation;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{self, Map, list_at, text_at};
use serde_json::Value;

use super::data::Data;
use super::path::{child, key};
use super::structural::{Additional, Structural, Type};

impl Structural {
    /// Decodes the metadata of embedded objects and returns the paths of its unknown fields. The metadata of the
    /// object itself is not changed.
    ///
    /// # Errors
    ///
    /// If metadata has a value of a wrong type.
    pub fn coerce(&self, object: &mut Map) -> Result<Vec<String>, FieldError> {
        let mut unknown = Vec::new();
        self.coerce_object(object, "", &mut unknown)?;
        unknown.sort();
        Ok(unknown)
    }

    pub(super) fn coerce_value(
        &self,
        value: &mut Value,
        path: &str,
        unknown: &mut Vec<String>,
    ) -> Result<(), FieldError> {
        match (value, &self.items) {
            (Value::Object(object), _) => self.coerce_object(object, path, unknown),
            (Value::Array(items), Some(schema)) => {
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(index, item)| schema.coerce_value(item, &key(path, index), unknown))
            }
            _ => Ok(()),
        }
    }

    fn coerce_object(
        &self,
        object: &mut Map,
        path: &str,
        unknown: &mut Vec<String>,
    ) -> Result<(), FieldError> {
        if self.embedded {
            coerce_types(object, path)?;
            coerce_metadata(object, path, unknown)?;
        }
        for (name, value) in object {
            if let Some(schema) = self.properties.get(name) {
                schema.coerce_value(value, &child(path, name), unknown)?;
            } else if let Additional::Schema(schema) = &self.additional {
                schema.coerce_value(value, &key(path, name), unknown)?;
            }
        }
        Ok(())
    }
}

fn coerce_types(object: &Map, path: &str) -> Result<(), FieldError> {
    for name in ["apiVersion", "kind"] {
        if let Some(value) = object.get(name).filter(|value| !value.is_string()) {
            return Err(FieldError::invalid(child(path, name), value.clone(), "must be a string"));
        }
    }
    Ok(())
}

fn coerce_metadata(object: &mut Map, path: &str, unknown: &mut Vec<String>) -> Result<(), FieldError> {
    let Some(given) = object.get("metadata") else { return Ok(()) };
    let path = child(path, "metadata");
    let metadata = match given {
        Value::Object(metadata) => metadata.clone(),
        Value::Null => Map::new(),
        other => {
            let ty = Data::from(other).ty().map_or("null", |ty| match ty {
                Type::Boolean => "bool",
                Type::Integer => "number",
                ty => ty.name(),
            });
            let message = format!("json: cannot unmarshal {ty} into Go value of type v1.ObjectMeta");
            return Err(FieldError::invalid(path, other.clone(), message));
        }
    };
    let decoded = values::decode(metadata, &OBJECT_META);
    let decoded =
        decoded.map_err(|error| FieldError::invalid(path.as_str(), given.clone(), error.of_json))?;
    unknown.extend(decoded.unknown.iter().map(|name| child(&path, name)));
    object.insert("metadata".to_owned(), Value::Object(decoded.object));
    Ok(())
}

/// Validates objects embedded in an object.
pub(super) fn validate(object: &Map, schema: &Structural) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    validate_fields(object, schema, "", &mut problems);
    problems.0
}

/// Validates objects embedded in a value, and the value if it is one.
pub(super) fn validate_value(value: &Value, schema: &Structural, path: &str) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    visit(value, schema, path, &mut problems);
    problems.0
}

fn visit(value: &Value, schema: &Structural, path: &str, problems: &mut ErrorList) {
    match (value, &schema.items) {
        (Value::Object(object), _) => {
            if schema.embedded {
                validate_resource(object, path, problems);
            }
            validate_fields(object, schema, path, problems);
        }
        (Value::Array(items), Some(schema)) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| visit(item, schema, &key(path, index), problems));
        }
        _ => {}
    }
}

fn validate_fields(object: &Map, schema: &Structural, path: &str, problems: &mut ErrorList) {
    for (name, value) in object {
        if let Some(schema) = schema.properties.get(name) {
            visit(value, schema, &child(path, name), problems);
        } else if let Additional::Schema(schema) = &schema.additional {
            visit(value, schema, &key(path, name), problems);
        }
    }
}

fn validate_resource(object: &Map, path: &str, problems: &mut ErrorList) {
    for name in ["apiVersion", "kind"] {
        if !object.contains_key(name) {
            problems.add(FieldError::required(child(path, name), ""));
        }
    }
    for (name, value) in object {
        let path = child(path, name);
        let problem = match (name.as_str(), value) {
            ("apiVersion", Value::String(version)) => version_problem(version),
            ("kind", Value::String(kind)) => kind_problem(kind),
            ("apiVersion" | "kind", _) => Some("must be a string".to_owned()),
            ("metadata", Value::Object(metadata)) => {
                validate_metadata(metadata, &path, problems);
                None
            }
            _ => None,
        };
        problems.0.extend(problem.map(|problem| FieldError::invalid(path, value.clone(), problem)));
    }
}

fn version_problem(version: &str) -> Option<String> {
    if version.is_empty() {
        return Some("must not be empty".to_owned());
    }
    (version.matches('/').count() > 1).then(|| format!("unexpected GroupVersion string: {version}"))
}

fn kind_problem(kind: &str) -> Option<String> {
    if kind.is_empty() {
        return Some("must not be empty".to_owned());
    }
    let problems = validation::dns_1035_label(&kind.to_lowercase());
    (!problems.is_empty())
        .then(|| format!("may have mixed case, but should otherwise match: {}", problems.join(",")))
}

fn validate_metadata(metadata: &Map, path: &str, problems: &mut ErrorList) {
    for name in ["generateName", "name"] {
        let value = text_at(metadata, &[name]);
        problems.invalid(&child(path, name), value, validation::path_segment(value));
    }
    let namespace = text_at(metadata, &["namespace"]);
    if !namespace.is_empty() {
        problems.invalid(&child(path, "namespace"), namespace, validation::dns_label(namespace));
    }
    let entries = |name: &str| metadata.get(name).and_then(Value::as_object).into_iter().flatten();
    for (name, value) in entries("labels") {
        let path = child(path, "labels");
        problems.invalid(&path, name, validation::qualified_name(name));
        let value = value.as_str().unwrap_or_default();
        problems.invalid(&path, value, validation::label_value(value));
    }
    for (name, _) in entries("annotations") {
        problems.invalid(&child(path, "annotations"), name, validation::qualified_name(&name.to_lowercase()));
    }
    for finalizer in list_at(metadata, &["finalizers"]).iter().filter_map(Value::as_str) {
        problems.invalid(&child(path, "finalizers"), finalizer, validation::qualified_name(finalizer));
    }
}
