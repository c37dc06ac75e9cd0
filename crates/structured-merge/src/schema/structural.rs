//! The schema of a custom kind, from its CustomResourceDefinition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::atom::{self, Atom, Keys, Relation, Scalar, Struct, TypeRef};
use crate::Map;

/// The fields of a struct.
pub(crate) type Fields = BTreeMap<String, Field>;

/// The type and default of a field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(super) ty: Type,
    pub(super) default: Option<Value>,
}

/// The type of a value.
#[derive(Debug)]
pub(crate) enum Type {
    Value {
        scalar: Option<Scalar>,
        list: Option<Box<List>>,
        map: Option<Box<Object>>,
    },
    /// That of `metadata`.
    Metadata,
    /// Any value; its lists are atomic.
    Deduced,
    /// Any value, atomic.
    Atomic,
}

#[derive(Debug)]
pub(crate) struct List {
    item: Type,
    relation: ListRelation,
}

#[derive(Debug)]
enum ListRelation {
    Atomic,
    Set,
    Map(Vec<String>),
}

#[derive(Debug)]
pub(crate) struct Object {
    fields: Fields,
    element: Option<Type>,
    atomic: bool,
}

impl Type {
    /// The type of objects, which have metadata besides the declared fields.
    pub(super) fn root(openapi: &Map, preserve: bool) -> Result<Self, String> {
        Type::parse(openapi, preserve, true)
    }

    /// `resource` is true for the schema of an object with metadata.
    fn parse(schema: &Map, preserve: bool, resource: bool) -> Result<Self, String> {
        let resource = resource || flag(schema, "x-kubernetes-embedded-resource");
        let preserve = preserve || flag(schema, "x-kubernetes-preserve-unknown-fields");
        let scalar = |scalar| Ok(Type::Value { scalar: Some(scalar), list: None, map: None });
        match text(schema, "type") {
            "" => Ok(Type::Value {
                scalar: Some(Scalar::Untyped),
                list: Some(Box::new(List::parse(schema, preserve)?)),
                map: Some(Box::new(Object::parse(schema, preserve, resource)?)),
            }),
            "object" => {
                let object = Object::parse(schema, preserve, resource)?;
                Ok(Type::Value { scalar: None, list: None, map: Some(Box::new(object)) })
            }
            "array" => {
                let list = List::parse(schema, preserve)?;
                Ok(Type::Value { scalar: None, list: Some(Box::new(list)), map: None })
            }
            "integer" | "number" => scalar(Scalar::Numeric),
            "boolean" => scalar(Scalar::Boolean),
            // A format may change the type of the value.
            "string" if matches!(text(schema, "format"), "" | "byte") => scalar(Scalar::String),
            "string" => scalar(Scalar::Untyped),
            other => Err(format!("unrecognized type: '{other}'")),
        }
    }

    fn parse_value(schema: &Value, preserve: bool) -> Result<Self, String> {
        match schema {
            Value::Object(schema) => Type::parse(schema, preserve, false),
            _ => Ok(Type::Deduced),
        }
    }

    pub(super) fn atom(&self) -> Atom<'_> {
        match self {
            Type::Value { scalar, list, map } => Atom {
                scalar: *scalar,
                list: list.as_ref().and_then(|list| list.atom().list),
                map: map.as_ref().map(|map| map.atom()),
            },
            Type::Metadata => atom::metadata(),
            Type::Deduced => TypeRef::DEDUCED.atom(),
            Type::Atomic => TypeRef::ATOMIC.atom(),
        }
    }

    /// Returns true if the schema does not restrict the values.
    pub(super) fn is_untyped(&self) -> bool {
        matches!(self, Type::Deduced | Type::Value { scalar: Some(Scalar::Untyped), .. })
    }
}

impl List {
    fn parse(schema: &Map, preserve: bool) -> Result<Self, String> {
        let relation = match text(schema, "x-kubernetes-list-type") {
            "" | "atomic" => ListRelation::Atomic,
            "set" => ListRelation::Set,
            "map" => match schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array) {
                Some(keys) => {
                    ListRelation::Map(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                None => return Err("missing map keys".to_owned()),
            },
            other => return Err(format!("unknown list type {other}")),
        };
        let item = match schema.get("items") {
            Some(items) => Type::parse_value(items, preserve)?,
            None => Type::Atomic,
        };
        Ok(List { item, relation })
    }

    fn atom(&self) -> Atom<'_> {
        let relation = match &self.relation {
            ListRelation::Atomic => Relation::Atomic,
            ListRelation::Set => Relation::Set,
            ListRelation::Map(keys) => Relation::Map(Keys::Structural(keys)),
        };
        Atom::list(TypeRef::structural(&self.item), relation)
    }
}

impl Object {
    fn parse(schema: &Map, preserve: bool, resource: bool) -> Result<Self, String> {
        let mut fields = Fields::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let default = property.get("default").filter(|default| !default.is_null()).cloned();
            fields.insert(name.clone(), Field { ty: Type::parse_value(property, preserve)?, default });
        }
        if resource {
            // These replace the declared fields.
            for name in ["apiVersion", "kind"] {
                let ty = Type::Value { scalar: Some(Scalar::String), list: None, map: None };
                fields.insert(name.to_owned(), Field { ty, default: None });
            }
            fields.insert("metadata".to_owned(), Field { ty: Type::Metadata, default: None });
        }
        let element = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(additional @ Value::Object(_)) => Some(Type::parse_value(additional, preserve)?),
            Some(Value::Bool(true)) => Some(Type::Deduced),
            // An object without properties may have any field.
            _ => (preserve || fields.is_empty()).then_some(Type::Deduced),
        };
        let atomic = match text(schema, "x-kubernetes-map-type") {
            "" | "granular" => false,
            "atomic" => true,
            other => return Err(format!("unknown map type {other}")),
        };
        Ok(Object { fields, element, atomic })
    }

    fn atom(&self) -> Struct<'_> {
        let fields =
            if self.fields.is_empty() { atom::Fields::None } else { atom::Fields::Structural(&self.fields) };
        Struct { fields, element: self.element.as_ref().map(TypeRef::structural), atomic: self.atomic }
    }
}

fn text<'a>(schema: &'a Map, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(schema: &Map, name: &str) -> bool {
    schema.get(name).and_then(Value::as_bool).unwrap_or_default()
}
