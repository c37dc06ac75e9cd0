//! The types that schemas declare for expressions.

use std::sync::Arc;

use super::{Schema, SchemaKind, StringFormat};
use crate::types::{Fields, Struct, Type};

impl Schema {
    /// The type of values, where objects are named after the place they are at.
    pub(crate) fn ty(self: &Arc<Self>, name: &str) -> Type {
        match &self.kind {
            SchemaKind::IntOrString
            | SchemaKind::Dynamic
            | SchemaKind::Untyped { .. }
            | SchemaKind::Unlisted => Type::Dyn,
            SchemaKind::Object(_) | SchemaKind::Fieldless => {
                Type::object(name, Fields::Schema(Arc::clone(self)))
            }
            SchemaKind::Map(value) => Type::map(Type::String, value.ty(&format!("{name}.@elem"))),
            SchemaKind::List(item, _) => Type::list(item.ty(&format!("{name}.@idx"))),
            SchemaKind::String(StringFormat::Plain) => Type::String,
            SchemaKind::String(StringFormat::Byte) => Type::Bytes,
            SchemaKind::String(StringFormat::Duration) => Type::Duration,
            SchemaKind::String(StringFormat::Date | StringFormat::DateTime) => Type::Timestamp,
            SchemaKind::Number => Type::Double,
            SchemaKind::Integer => Type::Int,
            SchemaKind::Boolean => Type::Bool,
        }
    }
}

impl Struct {
    /// The type of a field, or `None` if there is no such field.
    pub(crate) fn field(&self, identifier: &str) -> Option<Type> {
        let schema = match &self.fields {
            Fields::None => return None,
            Fields::Any => return Some(Type::Dyn),
            Fields::Table(table) => return self.table_field(table, identifier),
            Fields::Declared(fields) => return fields.get(identifier).cloned(),
            Fields::Schema(schema) => schema,
        };
        let keyword = || {
            let escaped = crate::name::is_reserved(identifier).then(|| format!("__{identifier}__"))?;
            schema.declared_field(&escaped)
        };
        let field = schema.declared_field(identifier).or_else(keyword)?;
        Some(field.ty(&format!("{}.{identifier}", self.name)))
    }
}
