//! Values to JSON text.

use klient_apimachinery::schema::{Schema, Type};
use serde_json::Value;

use super::Map;

/// Appends an object of a struct, its fields in Go's order.
pub(crate) fn encode(object: &Map, schema: &'static Schema, out: &mut Vec<u8>) {
    write_message(object, schema, out);
}

/// Appends an object with its fields sorted, as Go writes objects it has no struct for.
pub(crate) fn encode_sorted(object: &Map, out: &mut Vec<u8>) {
    plain(object, out);
}

fn plain(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a Vec takes all bytes and keys are strings");
}

fn write_message(object: &Map, schema: &'static Schema, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    let mut write = |name: &str, value: &Value, ty: Type| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        plain(&name, out);
        out.push(b':');
        write_value(value, ty, out);
    };
    for name in ["kind", "apiVersion"] {
        // Of a kind that stands within another.
        if let Some(value) = object.get(name).filter(|_| schema.field(name).is_none()) {
            write(name, value, Type::String);
        }
    }
    for field in schema.fields {
        if let Some(value) = object.get(field.json) {
            write(field.json, value, field.ty);
        }
    }
    out.push(b'}');
}

fn write_value(value: &Value, ty: Type, out: &mut Vec<u8>) {
    match (ty, value) {
        (
            Type::Message(schema)
            | Type::SchemaOrArray(schema)
            | Type::SchemaOrBool(schema)
            | Type::SchemaOrStringArray(schema),
            Value::Object(object),
        ) => write_message(object, schema, out),
        (Type::List(item), Value::Array(items)) => {
            separated(out, b"[]", items, |item_value, out| write_value(item_value, *item, out));
        }
        (Type::Map(entry), Value::Object(entries)) => separated(out, b"{}", entries, |(key, value), out| {
            plain(key, out);
            out.push(b':');
            write_value(value, *entry, out);
        }),
        _ => plain(value, out),
    }
}

fn separated<T>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}
