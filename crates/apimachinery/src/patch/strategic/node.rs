//! [`Node`], the schema at a place in an object.

use super::{Result, fail};
use crate::go::quoted;
use crate::schema::{Field, Patch, Schema, Type};

/// The schema at a place in an object, if there is one.
#[derive(Clone, Copy)]
pub(super) struct Node {
    ty: Type,
    pointer: bool,
}

impl Node {
    pub(super) fn of(schema: &'static Schema) -> Self {
        Node { ty: Type::Message(schema), pointer: false }
    }

    /// The schema of a field with an object, and its patch strategy.
    pub(super) fn object(self, name: &str) -> Result<(Node, Patch)> {
        let field = self.field(name)?;
        Ok((Node { ty: field.ty, pointer: field.pointer }, field.patch))
    }

    /// The schema of the items of a field with a list, and its patch strategy.
    pub(super) fn list(self, name: &str) -> Result<(Node, Patch)> {
        let field = self.field(name)?;
        let item = match field.ty {
            Type::List(Type::List(_)) => return fail("unexpected slice of slice"),
            Type::List(item) => *item,
            Type::StringList => Type::String,
            ty if field.pointer => ty,
            _ => return fail(format!("expected slice or array type, but got: {}", self.kind())),
        };
        Ok((Node { ty: item, pointer: false }, field.patch))
    }

    /// The kind of its Go type.
    pub(super) fn kind(self) -> &'static str {
        if self.pointer { "ptr" } else { kind(self.ty) }
    }

    fn field(self, name: &str) -> Result<&'static Field> {
        let (go_name, field) = match self.ty {
            // As Go reads JSON: without an exact match, a field name matches regardless of case.
            Type::Message(schema) => {
                let alike = || schema.fields.iter().find(|field| field.json.eq_ignore_ascii_case(name));
                (schema.name, schema.field(name).or_else(alike))
            }
            Type::RawExtension => ("RawExtension", None),
            Type::FieldsV1 => ("FieldsV1", None),
            Type::Json => ("JSON", None),
            Type::Time => ("Time", None),
            Type::MicroTime => ("MicroTime", None),
            Type::Duration => ("Duration", None),
            Type::Quantity => ("Quantity", None),
            Type::IntOrString => ("IntOrString", None),
            Type::SchemaOrArray(_) => ("JSONSchemaPropsOrArray", None),
            Type::SchemaOrBool(_) => ("JSONSchemaPropsOrBool", None),
            Type::SchemaOrStringArray(_) => ("JSONSchemaPropsOrStringArray", None),
            ty => {
                return fail(format!(
                    "merging an object in json but data type is not struct, instead is: {}",
                    kind(ty)
                ));
            }
        };
        match field {
            Some(field) => Ok(field),
            None => fail(format!(
                "unable to find api field in struct {go_name} for the json field {name}",
                name = quoted(name)
            )),
        }
    }
}

fn kind(ty: Type) -> &'static str {
    match ty {
        Type::String => "string",
        Type::Bool => "bool",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Double => "float64",
        Type::Map(_) => "map",
        Type::Bytes | Type::List(_) | Type::StringList => "slice",
        _ => "struct",
    }
}
