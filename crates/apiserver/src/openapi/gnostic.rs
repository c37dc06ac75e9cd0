//! The protobuf encoding of documents: the messages of gnostic (<https://github.com/google/gnostic-models>).
//!
//! A message is described by the keys that it has in JSON, with their field numbers; the encoder walks a document along
//! the description. What OpenAPI leaves open, such as extensions and examples, is text in the encoding: YAML, and so
//! JSON.

#[cfg(test)]
mod tests;
mod v2;
mod v3;

use klient_apimachinery::values::Map;
use serde_json::Value;

/// A document of OpenAPI v2 as protobuf.
pub(super) fn encode_v2(document: &Value) -> Vec<u8> {
    encode(&v2::DOCUMENT, document)
}

/// A document of OpenAPI v3 as protobuf.
pub(super) fn encode_v3(document: &Value) -> Vec<u8> {
    encode(&v3::DOCUMENT, document)
}

/// The form of a message.
enum Shape {
    /// Fields, and the number of the extensions, `x-…`; 0 without.
    Fields(&'static [Field], u32),
    /// A map: entries of this number with a name and a value; and the number of the extensions.
    Map(u32, &'static Shape, u32),
    /// A message within another, as its field of this number.
    Within(u32, &'static Shape),
    /// A message, as the field 1 of another, or a reference, as its field 2.
    OrReference(&'static Shape),
    /// A schema, as the field 1 of a message, or a boolean, as its field 2.
    OrBool(&'static Shape),
    /// A string, or several, as the field 1 of a message.
    Strings,
    /// A parameter of v2: of a body, a query or a path.
    Parameter,
    /// A default of v3: a number, boolean or string, as the field 1, 2 or 3 of a message, which is empty for others.
    Scalar,
}

/// A field: the key in JSON, number and type.
struct Field(&'static str, u32, Type);

enum Type {
    String,
    Strings,
    Bool,
    Int,
    Double,
    /// Any value.
    Any,
    /// A list of any values.
    Anys,
    Message(&'static Shape),
    Messages(&'static Shape),
}

/// A reference: a string as the field 1.
static REFERENCE: Shape = Shape::Fields(&[Field("$ref", 1, Type::String)], 0);

fn encode(shape: &Shape, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match shape {
        Shape::Fields(fields, extensions) => {
            let Some(object) = value.as_object() else { return out };
            for Field(key, number, ty) in *fields {
                if let Some(value) = object.get(*key) {
                    put(*number, ty, value, &mut out);
                }
            }
            put_extensions(*extensions, object, &mut out);
        }
        Shape::Map(number, shape, extensions) => {
            let Some(object) = value.as_object() else { return out };
            for (name, value) in object.iter().filter(|(name, _)| !is_extension(name) || *extensions == 0) {
                put_bytes(*number, &named(name, &encode(shape, value)), &mut out);
            }
            put_extensions(*extensions, object, &mut out);
        }
        Shape::Within(number, shape) => put_bytes(*number, &encode(shape, value), &mut out),
        Shape::OrReference(_) if value.get("$ref").is_some() => {
            put_bytes(2, &encode(&REFERENCE, value), &mut out);
        }
        Shape::OrReference(shape) => put_bytes(1, &encode(shape, value), &mut out),
        Shape::OrBool(shape) => match value {
            Value::Bool(allowed) => put_number(2, u64::from(*allowed), &mut out),
            schema => put_bytes(1, &encode(shape, schema), &mut out),
        },
        Shape::Strings if value.is_array() => put(1, &Type::Strings, value, &mut out),
        Shape::Strings => put(1, &Type::String, value, &mut out),
        Shape::Parameter => match value["in"].as_str() {
            Some("body") => put_bytes(1, &encode(&v2::BODY, value), &mut out),
            Some("path") => put_bytes(2, &encode(&v2::PATH, value), &mut out),
            _ => put_bytes(2, &encode(&v2::QUERY, value), &mut out),
        },
        Shape::Scalar => match value {
            // A member of a oneof is there even if it is zero.
            Value::Number(number) => put_double(1, number.as_f64().unwrap_or_default().to_bits(), &mut out),
            Value::Bool(value) => put_number(2, u64::from(*value), &mut out),
            Value::String(text) => put_bytes(3, text.as_bytes(), &mut out),
            _ => {}
        },
    }
    out
}

fn put(number: u32, ty: &Type, value: &Value, out: &mut Vec<u8>) {
    match ty {
        // Fields of proto3 with their zero value are left out.
        Type::String => match value.as_str() {
            None | Some("") => {}
            Some(text) => put_bytes(number, text.as_bytes(), out),
        },
        Type::Bool if value == &Value::Bool(true) => put_number(number, 1, out),
        Type::Bool => {}
        Type::Int => match value.as_i64() {
            None | Some(0) => {}
            Some(value) => put_number(number, value.cast_unsigned(), out),
        },
        Type::Double => match value.as_f64().map(f64::to_bits) {
            None | Some(0) => {}
            Some(bits) => put_double(number, bits, out),
        },
        Type::Any => put_bytes(number, &any(value), out),
        Type::Message(shape) => put_bytes(number, &encode(shape, value), out),
        Type::Strings => {
            for text in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                put_bytes(number, text.as_bytes(), out);
            }
        }
        Type::Anys => {
            for value in value.as_array().into_iter().flatten() {
                put_bytes(number, &any(value), out);
            }
        }
        Type::Messages(shape) => {
            for value in value.as_array().into_iter().flatten() {
                put_bytes(number, &encode(shape, value), out);
            }
        }
    }
}

fn is_extension(name: &str) -> bool {
    name.starts_with("x-")
}

fn put_extensions(number: u32, object: &Map, out: &mut Vec<u8>) {
    if number > 0 {
        for (name, value) in object.iter().filter(|(name, _)| is_extension(name)) {
            put_bytes(number, &named(name, &any(value)), out);
        }
    }
}

/// An entry of a map.
fn named(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(1, name.as_bytes(), &mut out);
    put_bytes(2, value, &mut out);
    out
}

/// A value as text.
fn any(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(2, format!("{value}\n").as_bytes(), &mut out);
    out
}

fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    varint((u64::from(number) << 3) | 2, out);
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn put_double(number: u32, bits: u64, out: &mut Vec<u8>) {
    varint((u64::from(number) << 3) | 1, out);
    out.extend(bits.to_le_bytes());
}

fn put_number(number: u32, value: u64, out: &mut Vec<u8>) {
    varint(u64::from(number) << 3, out);
    varint(value, out);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
