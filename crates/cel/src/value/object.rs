//! [`Object`], an object that an expression makes.

use std::sync::Arc;

use super::Value;
use crate::failure::{Failure, Result};
use crate::steps::Steps;

/// The name of the type of operations of JSON patches.
const JSON_PATCH: &str = "JSONPatch";

/// An object that an expression makes: an `Object` or one of its parts, or a `JSONPatch`.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    pub(crate) name: Arc<str>,
    /// The fields that are set, in their order.
    pub(crate) fields: Vec<(String, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// An object with fields.
    ///
    /// # Errors
    ///
    /// If a field of a `JSONPatch` has another type.
    pub(crate) fn new(name: &Arc<str>, fields: Vec<(String, Value<'a>)>) -> Result<Self> {
        let object = Object { name: Arc::clone(name), fields };
        if object.is_patch() {
            let other = |(name, value): &&(String, Value<'_>)| {
                matches!(name.as_str(), "op" | "path" | "from") && !matches!(value, Value::String(_))
            };
            if let Some((field, value)) = object.fields.iter().find(other) {
                let ty = match value {
                    Value::Int(_) => "int64",
                    Value::Uint(_) => "uint64",
                    Value::Double(_) => "float64",
                    value => value.type_name(),
                };
                return Err(Failure::Error(format!(
                    "unexpected type {ty} for JSONPatchType '{field}' field"
                )));
            }
        }
        Ok(object)
    }

    pub(crate) fn is_patch(&self) -> bool {
        &*self.name == JSON_PATCH
    }

    /// The value of a field.
    pub(crate) fn find(&self, field: &str) -> Option<Value<'a>> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
    }

    /// Returns true if both have the type and the fields of each other.
    pub(crate) fn equals(&self, other: &Object<'a>, steps: &mut Steps) -> Result<bool> {
        if self.name != other.name || self.fields.len() != other.fields.len() {
            return Ok(false);
        }
        for (name, value) in &self.fields {
            match other.find(name) {
                Some(theirs) if value.equals(&theirs, steps)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
