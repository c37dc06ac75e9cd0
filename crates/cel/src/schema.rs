//! [`Schema`], the schema of values that expressions read.

mod declared;
mod openapi;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::name::escape;

/// The size of a request in bytes, which bounds sizes that a schema does not.
const REQUEST_MAX: i64 = 3 * 1024 * 1024;

/// The schema of values that expressions read: their types, and bounds of their sizes for cost estimates.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(crate) kind: SchemaKind,
    pub(crate) nullable: bool,
    /// The largest size of a value: the bytes of a string, the items of a list or the entries of a map.
    pub(crate) max_size: i64,
    /// The length of the shortest value in JSON.
    min_length: i64,
}

#[derive(Clone, Debug)]
pub(crate) enum SchemaKind {
    IntOrString,
    Object(Arc<BTreeMap<String, Field>>),
    Map(Arc<Schema>),
    /// An object whose schema has neither fields nor a schema of entries.
    Fieldless,
    List(Arc<Schema>, Keys),
    String(StringFormat),
    Number,
    Integer,
    Boolean,
    /// A value without a type: any, or none that expressions can read.
    Untyped {
        preserved: bool,
    },
    /// A list without a schema of its items.
    Unlisted,
    /// JSON of any form, read as it is.
    Dynamic,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The name in expressions, if it can be written.
    pub(crate) identifier: Option<String>,
    pub(crate) schema: Arc<Schema>,
}

/// The identity of list items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The items have an order, and no identity.
    #[default]
    None,
    /// The items are a set.
    Set,
    /// Items are identified by these fields.
    Fields(Arc<[String]>),
}

/// The format of a string that expressions read as another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringFormat {
    Plain,
    Byte,
    Duration,
    Date,
    DateTime,
}

/// The keywords of an OpenAPI schema that matter to expressions.
#[derive(Clone, Debug, Default)]
struct SchemaProps {
    /// `type`
    ty: Option<SchemaType>,
    /// `format`
    format: String,
    /// `nullable`
    nullable: bool,
    /// `x-kubernetes-int-or-string`
    int_or_string: bool,
    /// `x-kubernetes-preserve-unknown-fields`
    preserves_unknown: bool,
    /// True for an object with `apiVersion`, `kind` and `metadata` of its own.
    resource: bool,
    /// `maxLength`
    max_length: Option<i64>,
    /// `maxItems`
    max_items: Option<i64>,
    /// `maxProperties`
    max_properties: Option<i64>,
    /// The length of the longest string of an `enum`, if there is one.
    longest_enum: Option<i64>,
    /// `x-kubernetes-list-type` and `x-kubernetes-list-map-keys`
    keys: Keys,
    /// `items`
    items: Option<Arc<Schema>>,
    /// `properties`
    properties: Vec<Property>,
    /// The schema of `additionalProperties`.
    additional: Option<Arc<Schema>>,
}

/// A field of an object.
#[derive(Clone, Debug)]
struct Property {
    /// Name of the field.
    name: String,
    /// Schema of its values.
    schema: Arc<Schema>,
    /// True if the field is required and has no default.
    required: bool,
}

/// A type of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SchemaType {
    /// `array`
    Array,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `object`
    Object,
    /// `string`
    String,
}

impl Schema {
    fn new(props: SchemaProps) -> Schema {
        let nullable = props.nullable;
        let (kind, max_size, min_length) = if props.int_or_string {
            let max = props.max_length.map_or(REQUEST_MAX - 2, in_bytes);
            (SchemaKind::IntOrString, max, 1)
        } else {
            match props.ty {
                Some(SchemaType::Array) => list(props),
                Some(SchemaType::Object) => object(props),
                Some(SchemaType::String) => string(&props),
                Some(SchemaType::Boolean) => (SchemaKind::Boolean, 0, 4),
                Some(SchemaType::Number) => (SchemaKind::Number, 0, 1),
                Some(SchemaType::Integer) => (SchemaKind::Integer, 0, 1),
                None => (SchemaKind::Untyped { preserved: props.preserves_unknown }, 0, 0),
            }
        };
        Schema { kind, nullable, max_size, min_length }
    }

    /// The schema of JSON of any form, whose type is `dyn`.
    pub(crate) const DYNAMIC: Schema =
        Schema { kind: SchemaKind::Dynamic, nullable: true, max_size: 0, min_length: 0 };

    /// A string of any length.
    fn string() -> Schema {
        Schema::new(SchemaProps { ty: Some(SchemaType::String), ..SchemaProps::default() })
    }

    /// The schema of a field, by its name.
    pub fn property(&self, name: &str) -> Option<&Arc<Schema>> {
        match &self.kind {
            SchemaKind::Object(fields) => fields.get(name).map(|field| &field.schema),
            _ => None,
        }
    }

    /// The schema of the items of a list, or of the values of a map.
    pub fn items(&self) -> Option<&Arc<Schema>> {
        match &self.kind {
            SchemaKind::List(inner, _) | SchemaKind::Map(inner) => Some(inner),
            _ => None,
        }
    }

    /// The number of values of this schema that a request may hold.
    pub fn max_cardinality(&self) -> u64 {
        u64::try_from(REQUEST_MAX / (self.min_length + 1)).unwrap_or_default()
    }

    /// Returns true if expressions can read values of this schema.
    pub fn is_declared(&self) -> bool {
        match &self.kind {
            SchemaKind::Untyped { .. } | SchemaKind::Unlisted => false,
            SchemaKind::List(inner, _) | SchemaKind::Map(inner) => inner.is_declared(),
            _ => true,
        }
    }

    /// The schema of a field by its name in expressions.
    pub(crate) fn declared_field(&self, identifier: &str) -> Option<&Arc<Schema>> {
        let SchemaKind::Object(fields) = &self.kind else { return None };
        let name = crate::name::unescape(identifier)?;
        let field = fields.get(&name)?;
        let found = field.identifier.as_deref() == Some(identifier) && field.schema.is_declared();
        found.then_some(&field.schema)
    }
}

fn not_negative(value: i64) -> i64 {
    value.max(0)
}

/// The bytes of a string with a number of characters at most.
fn in_bytes(max_length: i64) -> i64 {
    not_negative(max_length).saturating_mul(4)
}

fn list(props: SchemaProps) -> (SchemaKind, i64, i64) {
    let Some(items) = props.items else { return (SchemaKind::Unlisted, 0, 0) };
    let max = props.max_items.map_or((REQUEST_MAX - 2) / (items.min_length + 1), not_negative);
    (SchemaKind::List(items, props.keys), max, 2)
}

fn object(props: SchemaProps) -> (SchemaKind, i64, i64) {
    if let Some(value) = props.additional {
        let max = props.max_properties.map_or((REQUEST_MAX - 2) / (value.min_length + 6), not_negative);
        return (SchemaKind::Map(value), max, 2);
    }
    let mut properties = props.properties;
    if props.resource {
        add_type_and_metadata(&mut properties);
    }
    if properties.is_empty() {
        return (SchemaKind::Fieldless, 0, 2);
    }
    let mut min_length = 2;
    let mut fields = BTreeMap::new();
    for Property { name, schema, required } in properties {
        if required && schema.is_declared() {
            min_length += i64::try_from(name.len()).unwrap_or(i64::MAX) + schema.min_length + 4;
        }
        fields.insert(name.clone(), Field { identifier: escape(&name), schema });
    }
    (SchemaKind::Object(Arc::new(fields)), 0, min_length)
}

/// Declares the fields that every resource has, unless the schema has all of them.
fn add_type_and_metadata(properties: &mut Vec<Property>) {
    let find = |name: &str| properties.iter().find(|property| property.name == name);
    let is_string =
        |name: &str| find(name).is_some_and(|property| matches!(property.schema.kind, SchemaKind::String(_)));
    let has_names = find("metadata").is_some_and(|property| match &property.schema.kind {
        SchemaKind::Object(fields) => ["name", "generateName"].iter().all(|name| {
            fields.get(*name).is_some_and(|field| matches!(field.schema.kind, SchemaKind::String(_)))
        }),
        _ => false,
    });
    if is_string("kind") && is_string("apiVersion") && has_names {
        return;
    }
    let required: Vec<String> = properties
        .iter()
        .filter(|property| property.required)
        .map(|property| property.name.clone())
        .collect();
    let string = Arc::new(Schema::string());
    let property = |name: &str, schema: &Arc<Schema>| Property {
        name: name.to_owned(),
        schema: Arc::clone(schema),
        required: required.iter().any(|required| required == name),
    };
    let metadata = Arc::new(Schema::new(SchemaProps {
        ty: Some(SchemaType::Object),
        properties: vec![
            Property { name: "name".to_owned(), schema: Arc::clone(&string), required: false },
            Property { name: "generateName".to_owned(), schema: Arc::clone(&string), required: false },
        ],
        ..SchemaProps::default()
    }));
    let added = [property("kind", &string), property("apiVersion", &string), property("metadata", &metadata)];
    properties.retain(|property| !["kind", "apiVersion", "metadata"].contains(&property.name.as_str()));
    properties.extend(added);
}

fn string(props: &SchemaProps) -> (SchemaKind, i64, i64) {
    let (format, max, min) = match props.format.as_str() {
        "byte" => (StringFormat::Byte, props.max_length.map_or(REQUEST_MAX - 2, not_negative), 2),
        "duration" => (StringFormat::Duration, 32, 3),
        "date" => (StringFormat::Date, 12, 12),
        "date-time" => (StringFormat::DateTime, 32, 21),
        _ => {
            let unbounded = || props.longest_enum.unwrap_or(REQUEST_MAX - 2);
            (StringFormat::Plain, props.max_length.map_or_else(unbounded, in_bytes), 2)
        }
    };
    (SchemaKind::String(format), max, min)
}
