//! JSON schemas of API types for the crate `schemars`, so that structs of custom resources may have fields of these types.
//!
//! They are those that a CustomResourceDefinition may have: with Kubernetes' extensions, and without references.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema as Json, SchemaGenerator, json_schema};
use serde_json::{Map as Object, Value, json};

use crate::schema::{Field, ListType, Schema, Type};
use crate::{ByteString, Duration, IntOrString, Map, MicroTime, Quantity, Str, Time};

/// The schema of a struct.
#[doc(hidden)]
pub fn of_struct(schema: &'static Schema) -> Json {
    Json::from(object(schema, &mut Vec::new()))
}

fn object(schema: &'static Schema, within: &mut Vec<&'static Schema>) -> Object<String, Value> {
    // A type in itself, such as JSONSchemaProps, has no end.
    if within.contains(&schema) {
        return Object::from_iter([("x-kubernetes-preserve-unknown-fields".to_owned(), true.into())]);
    }
    within.push(schema);
    let property =
        |field: &Field, within: &mut Vec<_>| (field.json.to_owned(), Value::Object(of_field(field, within)));
    let properties: Object<_, _> = schema.fields.iter().map(|field| property(field, within)).collect();
    within.pop();
    // A field with a default may be absent, as LocalObjectReference's name: the server fills it in first.
    let is_required = |field: &&Field| field.required && field.default.is_none();
    let required: Vec<_> = schema.fields.iter().filter(is_required).map(|field| field.json).collect();
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if schema.is_atomic {
        object["x-kubernetes-map-type"] = "atomic".into();
    }
    match object {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

fn of_field(field: &Field, within: &mut Vec<&'static Schema>) -> Object<String, Value> {
    let mut schema = of_type(&field.ty, within);
    if let Some(default) = field.default.and_then(|default| serde_json::from_str(default).ok()) {
        schema.insert("default".into(), default);
    }
    if !field.values.is_empty() && matches!(field.ty, Type::String) {
        schema.insert("enum".into(), json!(field.values));
    }
    let list = match field.list {
        ListType::Undeclared => None,
        ListType::Atomic => Some("atomic"),
        ListType::Set => Some("set"),
        ListType::Map(_) => Some("map"),
    };
    if let Some(list) = list {
        schema.insert("x-kubernetes-list-type".into(), list.into());
    }
    if let ListType::Map(keys) = field.list {
        schema.insert("x-kubernetes-list-map-keys".into(), json!(keys));
    }
    if field.atomic && matches!(field.ty, Type::Map(_) | Type::Message(_)) {
        schema.insert("x-kubernetes-map-type".into(), "atomic".into());
    }
    schema
}

fn of_type(ty: &Type, within: &mut Vec<&'static Schema>) -> Object<String, Value> {
    let schema = match ty {
        Type::Message(schema) => return object(schema, within),
        Type::List(items) => json!({"type": "array", "items": of_type(items, within)}),
        Type::Map(values) => json!({"type": "object", "additionalProperties": of_type(values, within)}),
        Type::StringList => json!({"type": "array", "items": {"type": "string"}}),
        Type::String | Type::Duration => json!({"type": "string"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int32 => json!({"type": "integer", "format": "int32"}),
        Type::Int64 => json!({"type": "integer", "format": "int64"}),
        Type::Double => json!({"type": "number", "format": "double"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Time | Type::MicroTime => json!({"type": "string", "format": "date-time"}),
        Type::Quantity => int_or_string(Some(Quantity::PATTERN)),
        Type::IntOrString => int_or_string(None),
        Type::RawExtension | Type::FieldsV1 => {
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
        }
        Type::Json | Type::SchemaOrArray(_) | Type::SchemaOrBool(_) | Type::SchemaOrStringArray(_) => {
            json!({"x-kubernetes-preserve-unknown-fields": true})
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Object::new(),
    }
}

fn int_or_string(pattern: Option<&str>) -> Value {
    let mut schema =
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true});
    if let Some(pattern) = pattern {
        schema["pattern"] = pattern.into();
    }
    schema
}

/// Implements `JsonSchema` for types of fields.
macro_rules! scalars {
    ($($name:ident: $ty:expr;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Json {
                Json::from(of_type(&$ty, &mut Vec::new()))
            }
        }
    )*};
}

scalars! {
    ByteString: Type::Bytes;
    Duration: Type::Duration;
    IntOrString: Type::IntOrString;
    MicroTime: Type::MicroTime;
    Quantity: Type::Quantity;
    Str: Type::String;
    Time: Type::Time;
}

impl<V: JsonSchema> JsonSchema for Map<V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Json {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<V>()})
    }
}
