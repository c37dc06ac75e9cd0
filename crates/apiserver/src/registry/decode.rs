//! Decoding: objects as clients send them, brought into the form they are stored in.

use klient_apimachinery::go::{json_type, rewrite_numbers};
use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Decoded, Map, Numbers, UnmarshalTypeError, text_at};
use serde_json::Value;

use super::Resource;
use crate::status::Result;

const TOO_DEEP: &str = "exceeded max depth";

impl Resource {
    /// Brings an object into the form it is stored in, and names the fields it does not know.
    ///
    /// # Errors
    ///
    /// If a field has a value of the wrong type.
    pub(crate) fn decode(
        &self,
        object: Map,
        numbers: &Numbers,
    ) -> std::result::Result<Decoded, UnmarshalTypeError> {
        let mut decoded = self.decode_with_numbers(object, numbers)?;
        if let Some(version) = self.custom_schema() {
            version.schema.drop_nulls(&mut decoded.object);
        }
        Ok(decoded)
    }

    /// As [`decode`](Self::decode), for an object that an apply or admission has changed. A custom resource keeps what its
    /// schema does not know and what is `null`, which rules, policies and webhooks see; [`normalize`](Self::normalize)
    /// drops it later.
    ///
    /// # Errors
    ///
    /// If a field has a value of the wrong type.
    pub(crate) fn decode_changed(&self, mut object: Map) -> std::result::Result<Decoded, UnmarshalTypeError> {
        if !self.is_custom() {
            return self.decode_with_numbers(object, &Numbers::default());
        }
        object.remove("apiVersion");
        object.remove("kind");
        let metadata = metadata(&mut object)?;
        object.values_mut().for_each(rewrite_numbers);
        object.insert("metadata".to_owned(), Value::Object(metadata));
        if values::is_too_deep(&object) {
            return Err(TOO_DEEP.to_owned().into());
        }
        Ok(Decoded { object, unknown: Vec::new() })
    }

    /// Brings a custom resource that an apply or admission has changed into the form of its schema.
    ///
    /// # Errors
    ///
    /// 422 if its metadata, or that of an object in it, has a value of the wrong type.
    pub(crate) fn normalize(&self, object: &mut Map) -> Result<()> {
        let Some(version) = self.custom_schema() else { return Ok(()) };
        let name = text_at(object, &["metadata", "name"]).to_owned();
        let refused = |error| self.invalid(&name, &[error]);
        let given = metadata(object).unwrap_or_default();
        let decoded = values::decode(given.clone(), &OBJECT_META)
            .map_err(|error| refused(FieldError::invalid("metadata", given, error.of_value)))?;
        version.schema.prune(object);
        version.schema.drop_nulls(object);
        version.schema.coerce(object).map_err(refused)?;
        object.insert("metadata".to_owned(), Value::Object(decoded.object));
        Ok(())
    }

    fn decode_with_numbers(
        &self,
        object: Map,
        numbers: &Numbers,
    ) -> std::result::Result<Decoded, UnmarshalTypeError> {
        if values::exceeds_parse_depth(&object) {
            return Err(TOO_DEEP.to_owned().into());
        }
        // An empty list removes all managers; it is lost in the decoding of custom resources.
        let disowned = values::at(&object, &["metadata", "managedFields"]).and_then(Value::as_array);
        let disowned = !self.is_custom() && disowned.is_some_and(Vec::is_empty);
        let mut decoded = self.decoded(object, numbers)?;
        // The depth of unknown fields is unlimited: they are dropped.
        if values::is_too_deep(&decoded.object) {
            return Err(TOO_DEEP.to_owned().into());
        }
        if disowned {
            let metadata = values::map_at(&mut decoded.object, "metadata");
            metadata.insert("managedFields".to_owned(), Value::Array(Vec::new()));
        }
        Ok(decoded)
    }

    fn decoded(
        &self,
        mut object: Map,
        numbers: &Numbers,
    ) -> std::result::Result<Decoded, UnmarshalTypeError> {
        let Some(version) = self.custom_schema() else {
            return match self.schema() {
                Some(schema) => values::decode_with_numbers(object, schema, numbers),
                None => Ok(Decoded { object, unknown: Vec::new() }),
            };
        };
        if let Some(problem) = numbers.overflow_error() {
            return Err(problem.into());
        }
        object.remove("apiVersion");
        object.remove("kind");
        let metadata = values::decode(metadata(&mut object)?, &OBJECT_META)?;
        object.values_mut().for_each(rewrite_numbers);
        let mut unknown: Vec<String> =
            metadata.unknown.iter().map(|path| format!("metadata.{path}")).collect();
        unknown.extend(version.schema.prune(&mut object));
        let embedded = version.schema.coerce(&mut object).map_err(|error| error.to_string())?;
        unknown.extend(embedded);
        object.insert("metadata".to_owned(), Value::Object(metadata.object));
        Ok(Decoded { object, unknown })
    }
}

/// Takes the metadata from an object; it is empty if there is none.
fn metadata(object: &mut Map) -> std::result::Result<Map, UnmarshalTypeError> {
    match object.remove("metadata") {
        Some(Value::Object(metadata)) => Ok(metadata),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(value) => {
            let what = json_type(&value);
            Err(format!("json: cannot unmarshal {what} into Go value of type v1.ObjectMeta").into())
        }
    }
}
