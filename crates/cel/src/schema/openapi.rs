//! Schemas of OpenAPI, as definitions of custom resources have them.

use std::sync::Arc;

use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value as Json;

use super::{Keys, Property, Schema, SchemaProps, SchemaType};

impl Schema {
    /// The schema of an `openAPIV3Schema` or a part of it. The fields that every resource has are declared for
    /// embedded resources, and for the schema itself if it is that of a `resource`.
    ///
    /// ```
    /// use klient_cel::Schema;
    /// let schema = serde_json::json!({"type": "object", "properties": {"size": {"type": "integer"}}});
    /// let schema = Schema::parse(schema.as_object().unwrap(), true);
    /// assert!(schema.property("size").is_some() && schema.property("kind").is_some());
    /// ```
    pub fn parse(schema: &Map, resource: bool) -> Schema {
        let flag = |name: &str| schema.get(name).and_then(Json::as_bool).unwrap_or_default();
        let count = |name: &str| schema.get(name).and_then(Json::as_i64);
        let below = |name: &str| {
            let inner = schema.get(name)?.as_object()?;
            Some(Arc::new(Schema::parse(inner, is_embedded(inner))))
        };
        Schema::new(SchemaProps {
            ty: ty(text_at(schema, &["type"])),
            format: text_at(schema, &["format"]).to_owned(),
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserves_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            resource,
            max_length: count("maxLength"),
            max_items: count("maxItems"),
            max_properties: count("maxProperties"),
            longest_enum: longest_enum(schema),
            keys: keys(schema),
            items: below("items"),
            properties: properties(schema),
            additional: below("additionalProperties"),
        })
    }
}

fn is_embedded(schema: &Map) -> bool {
    schema.get("x-kubernetes-embedded-resource") == Some(&Json::Bool(true))
}

fn ty(name: &str) -> Option<SchemaType> {
    Some(match name {
        "array" => SchemaType::Array,
        "boolean" => SchemaType::Boolean,
        "integer" => SchemaType::Integer,
        "number" => SchemaType::Number,
        "object" => SchemaType::Object,
        "string" => SchemaType::String,
        _ => return None,
    })
}

fn longest_enum(schema: &Map) -> Option<i64> {
    let values = list_at(schema, &["enum"]);
    let longest = values.iter().filter_map(Json::as_str).map(str::len).max();
    (!values.is_empty()).then(|| i64::try_from(longest.unwrap_or_default()).unwrap_or(i64::MAX))
}

fn keys(schema: &Map) -> Keys {
    match text_at(schema, &["x-kubernetes-list-type"]) {
        "set" => Keys::Set,
        "map" => {
            let names = list_at(schema, &["x-kubernetes-list-map-keys"]).iter().filter_map(Json::as_str);
            Keys::Fields(names.map(str::to_owned).collect())
        }
        _ => Keys::None,
    }
}

fn properties(schema: &Map) -> Vec<Property> {
    let required = list_at(schema, &["required"]);
    let declared = schema.get("properties").and_then(Json::as_object).into_iter().flatten();
    declared
        .filter_map(|(name, property)| {
            let property = property.as_object()?;
            let has_default = property.get("default").is_some_and(|default| !default.is_null());
            Some(Property {
                name: name.clone(),
                schema: Arc::new(Schema::parse(property, is_embedded(property))),
                required: !has_default && required.iter().any(|required| required == name),
            })
        })
        .collect()
}
