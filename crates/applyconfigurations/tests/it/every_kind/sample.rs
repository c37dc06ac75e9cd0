//! Objects in which everything is set.

use klient_apimachinery::schema::{Schema, Type};
use serde_json::{Map, Value, json};

/// An object of a kind, but for its `apiVersion`, `kind` and metadata.
pub(crate) fn object(table: &'static Schema) -> Value {
    let mut object = fields(table, &mut Vec::new());
    object.insert("metadata".to_owned(), json!({}));
    Value::Object(object)
}

/// All fields of a struct, except those in which structs of its own type, or of one that contains it, recur.
fn fields(table: &'static Schema, around: &mut Vec<&'static Schema>) -> Map<String, Value> {
    if around.contains(&table) {
        return Map::new();
    }
    around.push(table);
    let set = table.fields.iter().filter(|field| field.json != "managedFields");
    let fields = set.filter_map(|field| Some((field.json.to_owned(), value(field.ty, around)?))).collect();
    around.pop();
    fields
}

fn value(ty: Type, around: &mut Vec<&'static Schema>) -> Option<Value> {
    let one = match ty {
        Type::String => json!("text"),
        Type::Bool => json!(true),
        Type::Int32 | Type::Int64 | Type::Double => json!(7),
        Type::Bytes => json!("aGk="),
        Type::Time => json!("2026-01-02T03:04:05Z"),
        Type::MicroTime => json!("2026-01-02T03:04:05.678901Z"),
        Type::Duration => json!("1m30s"),
        Type::Quantity => json!("100m"),
        Type::IntOrString => json!("25%"),
        Type::Json | Type::RawExtension => json!({"size": 3}),
        Type::FieldsV1 => json!({"f:spec": {}}),
        Type::StringList => json!(["text"]),
        Type::SchemaOrBool(_) => json!(true),
        Type::SchemaOrStringArray(_) => json!(["text"]),
        Type::SchemaOrArray(table) | Type::Message(table) => {
            let fields = fields(table, around);
            if fields.is_empty() {
                return None;
            }
            Value::Object(fields)
        }
        Type::List(item) => json!([value(*item, around)?]),
        Type::Map(item) => json!({"key": value(*item, around)?}),
    };
    Some(one)
}
