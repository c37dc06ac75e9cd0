//! Resolution of a path through the schema of a kind.

use super::Step;
use crate::go::quoted;
use crate::schema::{Field, Schema, Type};

/// Resolves each name to a field of the struct that the previous names lead to.
pub(super) fn steps(schema: &'static Schema, names: Vec<Box<str>>) -> Result<Box<[Step]>, String> {
    let mut steps = Vec::with_capacity(names.len());
    let mut way = String::new();
    let mut at = Type::Message(schema);
    for name in names {
        let step = match at {
            Type::Message(schema) => {
                let index = schema.position(&name, 0).ok_or_else(|| no_field(schema, &name))?;
                let field = &schema.fields[index];
                at = field.ty;
                Step::Field { index, field }
            }
            Type::Map(value) => {
                at = *value;
                Step::Key(name)
            }
            ty => return Err(format!("{way} holds {}, which has no fields", what(&ty))),
        };
        if !way.is_empty() {
            way.push('.');
        }
        way.push_str(step.name());
        steps.push(step);
    }
    if is_plain(&at) {
        Ok(steps.into())
    } else {
        Err(format!("{way} holds {}, and no plain value", what(&at)))
    }
}

fn is_plain(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String
            | Type::Bool
            | Type::Int32
            | Type::Int64
            | Type::Double
            | Type::Time
            | Type::MicroTime
            | Type::Duration
            | Type::Quantity
            | Type::IntOrString
    )
}

fn no_field(schema: &Schema, name: &str) -> String {
    let names: Vec<&str> = schema.fields.iter().map(|field: &Field| field.json).collect();
    let names = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
    format!("{} has no field {}, but {names}", schema.name, quoted(name))
}

fn what(ty: &Type) -> &'static str {
    match ty {
        Type::List(_) | Type::StringList => "a list",
        Type::Map(_) => "a map",
        Type::Bytes => "bytes",
        Type::Json | Type::RawExtension | Type::FieldsV1 => "JSON of any kind",
        Type::Message(_) | Type::SchemaOrArray(_) | Type::SchemaOrBool(_) | Type::SchemaOrStringArray(_) => {
            "an object"
        }
        _ => "a plain value",
    }
}
