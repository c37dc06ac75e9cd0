//! [`Schema`], a structural schema as it is in a definition.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::error::Error;

/// A structural schema, for an object or for a value in it.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a>(&'a Map<String, Value>);

impl<'a> Schema<'a> {
    pub(crate) fn new(schema: &'a Map<String, Value>) -> Self {
        Schema(schema)
    }

    /// Returns the schema at a path.
    ///
    /// # Errors
    ///
    /// If it is not one, or refers to another.
    fn read(value: &'a Value, path: &str) -> Result<Self, Error> {
        let Value::Object(schema) = value else {
            return Err(Error::at(path, format!("{value} is no schema")));
        };
        if let Some(reference) = schema.get("$ref") {
            return Err(Error::at(
                path,
                format!("$ref {reference} is not allowed in a definition: put the schema in its place"),
            ));
        }
        Ok(Schema(schema))
    }

    pub(crate) fn get(self, keyword: &str) -> Option<&'a Value> {
        self.0.get(keyword)
    }

    /// The string of a keyword; empty if it is absent.
    pub(crate) fn text(self, keyword: &str) -> &'a str {
        self.get(keyword).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns true if a keyword is `true`.
    pub(crate) fn has(self, keyword: &str) -> bool {
        self.get(keyword) == Some(&Value::Bool(true))
    }

    /// The strings of a list.
    pub(crate) fn texts(self, keyword: &str) -> Vec<&'a str> {
        let list = self.get(keyword).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect()
    }

    /// The type; `object` also for a schema with fields that does not say it.
    ///
    /// # Errors
    ///
    /// If it is several, or unknown.
    pub(crate) fn ty(self, path: &str) -> Result<&'a str, Error> {
        match self.get("type") {
            None | Some(Value::Null) if self.get("properties").is_some() => Ok("object"),
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(ty)) => match ty.as_str() {
                "array" | "boolean" | "integer" | "number" | "object" | "string" => Ok(ty),
                _ => Err(Error::at(path, format!("type {ty} is unknown"))),
            },
            Some(other) => {
                Err(Error::at(path, format!("type {other} is no string: a structural schema has one type")))
            }
        }
    }

    pub(crate) fn preserves_unknown(self) -> bool {
        self.has("x-kubernetes-preserve-unknown-fields")
    }

    /// The declared fields, sorted by name.
    pub(crate) fn properties(self, path: &str) -> Result<Vec<(&'a str, Schema<'a>)>, Error> {
        let mut properties = Vec::new();
        for (name, schema) in self.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.push((name.as_str(), Schema::read(schema, &below(path, name))?));
        }
        properties.sort_unstable_by_key(|(name, _)| *name);
        Ok(properties)
    }

    /// The names of required fields.
    pub(crate) fn required(self) -> BTreeSet<&'a str> {
        self.texts("required").into_iter().collect()
    }

    /// The schema of the items of a list.
    pub(crate) fn items(self, path: &str) -> Result<Option<Schema<'a>>, Error> {
        self.get("items").map(|items| Schema::read(items, &format!("{path}[]"))).transpose()
    }

    /// The schema of the values of a map: `None` if it is no map, an empty one if they can be anything.
    pub(crate) fn values(self, path: &str) -> Result<Option<Schema<'a>>, Error> {
        match self.get("additionalProperties") {
            None | Some(Value::Bool(false) | Value::Null) => Ok(None),
            Some(Value::Bool(true)) => Ok(Some(Schema(any()))),
            Some(schema) => Schema::read(schema, &format!("{path}.*")).map(Some),
        }
    }
}

/// The path of a field.
pub(crate) fn below(path: &str, field: &str) -> String {
    format!("{path}.{field}")
}

/// The schema of any value.
fn any() -> &'static Map<String, Value> {
    static ANY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    &ANY
}
