//! The types that schemas declare for expressions.

use std::sync::Arc;

use super::{Schema, SchemaKind, StringFormat};
use crate::types::{Struct, Type};

impl Schema {
    /// The type of values, where objects are named after the place they are at.
    pub(crate) fn ty(self: &Arc<Self>, name: &str) -> Type {
        match &self.kind {
            SchemaKind::IntOrString | SchemaKind::Untyped { .. } | SchemaKind::Unlisted => Type::Dyn,
            SchemaKind::Object(_) | SchemaKind::Fieldless => {
                Type::Struct(Arc::new(Struct { name: name.into(), schema: Some(Arc::clone(self)) }))
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
        let schema = self.schema.as_ref()?;
        let keyword = || {
            let escaped = crate::name::is_reserved(identifier).then(|| format!("__{identifier}__"))?;
            schema.declared_field(&escaped)
        };
        let field = schema.declared_field(identifier).or_else(keyword)?;
        Some(field.ty(&format!("{}.{identifier}", self.name)))
    }
}
