//! [`ObjectType`], the type of the objects of a kind, for checks of expressions.

use std::collections::BTreeMap;
use std::sync::Arc;

use klient_apimachinery::meta::v1::schema::OBJECT_META;
use klient_apimachinery::schema::{Schema as Table, Type as TableType};
use klient_apimachinery::values::Map;

use crate::schema::Schema;
use crate::types::{Fields, Struct, Type};

/// The type of the objects of a kind. Expressions that are compiled with it are checked, and not evaluated.
///
/// ```
/// use klient_apimachinery::meta::v1::schema::OBJECT_META;
/// use klient_cel::{Environment, Expression, ObjectType};
///
/// let object = ObjectType::built_in("Meta", &OBJECT_META);
/// let environment = Environment::default().with_object_variable("object", &object);
/// assert!(Expression::compile("object.labels.a == ''", &environment).is_ok());
/// let error = Expression::compile("object.label", &environment).unwrap_err();
/// assert!(error.to_string().contains("undefined field 'label'"));
/// ```
#[derive(Clone, Debug)]
pub struct ObjectType(pub(crate) Type);

impl ObjectType {
    /// The type of the objects of a built-in kind.
    pub fn built_in(kind: &str, table: &'static Table) -> Self {
        ObjectType(Type::object(kind, Fields::Table(table)))
    }

    /// The type of the objects of a custom kind, by its `openAPIV3Schema`.
    pub fn custom(kind: &str, openapi: &Map) -> Self {
        let schema = Arc::new(Schema::parse(openapi, false));
        let mut fields = BTreeMap::new();
        let properties = openapi.get("properties").and_then(|properties| properties.as_object());
        for name in properties.into_iter().flatten().map(|(name, _)| name) {
            let declared = schema.property(name).filter(|property| property.is_declared());
            let ty = declared.map_or(Type::Dyn, |property| property.ty(&format!("{kind}.{name}")));
            if let Some(identifier) = crate::name::escape(name) {
                fields.insert(identifier, ty);
            }
        }
        let metadata = Type::object(&format!("{kind}.metadata"), Fields::Table(&OBJECT_META));
        fields.insert("metadata".to_owned(), metadata);
        fields.insert("apiVersion".to_owned(), Type::String);
        fields.insert("kind".to_owned(), Type::String);
        ObjectType(Type::object(kind, Fields::Declared(Arc::new(fields))))
    }
}

impl Struct {
    /// The type of a field of a struct of Kubernetes.
    pub(crate) fn table_field(&self, table: &'static Table, identifier: &str) -> Option<Type> {
        let name = if crate::name::is_reserved(identifier) {
            identifier.to_owned()
        } else {
            crate::name::unescape(identifier)?
        };
        let place = || format!("{}.{identifier}", self.name);
        match table.field(&name) {
            Some(field) => Some(of_table(&field.ty, &place())),
            // Kinds have these beside the fields of their struct.
            None if matches!(identifier, "apiVersion" | "kind") && table.field("metadata").is_some() => {
                Some(Type::String)
            }
            None => None,
        }
    }
}

fn of_table(ty: &TableType, place: &str) -> Type {
    match ty {
        TableType::String | TableType::Duration => Type::String,
        TableType::Bool => Type::Bool,
        TableType::Int32 | TableType::Int64 => Type::Int,
        TableType::Double => Type::Double,
        TableType::Bytes => Type::Bytes,
        TableType::Time | TableType::MicroTime => Type::Timestamp,
        TableType::StringList => Type::list(Type::String),
        TableType::Message(table) => Type::object(place, Fields::Table(table)),
        TableType::List(item) => Type::list(of_table(item, &format!("{place}.@idx"))),
        TableType::Map(value) => Type::map(Type::String, of_table(value, &format!("{place}.@elem"))),
        _ => Type::Dyn,
    }
}
