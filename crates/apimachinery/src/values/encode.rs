//! Encoding of values as JSON, as Go does.

use std::io;

use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use super::Map;
use crate::go::json_float;
use crate::schema::{Schema, Type};

/// Appends an object with a schema, its fields in Go's order.
pub fn encode(object: &Map, schema: &'static Schema, out: &mut Vec<u8>) {
    write_message(object, schema, out);
}

/// Appends any value as Go writes values without a struct: objects with sorted fields.
pub fn encode_untyped(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    let done = value.serialize(&mut Serializer::with_formatter(out, Go));
    done.expect("a Vec takes all bytes and keys are strings");
}

/// The formatter of `encoding/json`: strings that are safe within HTML, and floating-point numbers with as few digits
/// as needed.
struct Go;

impl Formatter for Go {
    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(json_float(value).as_bytes())
    }

    /// Go reads integers beyond 63 bits as floating-point numbers.
    fn write_u64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: u64) -> io::Result<()> {
        match i64::try_from(value) {
            Ok(value) => write!(out, "{value}"),
            Err(_) => self.write_f64(out, value as f64),
        }
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        // Most strings have none of them: bytes are compared faster than characters. The last two begin with E2.
        if !text.bytes().any(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xe2)) {
            return out.write_all(text.as_bytes());
        }
        let mut rest = text;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            let c = from.chars().next().unwrap_or_default();
            write!(out, "{before}\\u{:04x}", u32::from(c))?;
            rest = &from[c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

/// Appends a value of a type, the fields of structs in Go's order.
pub fn encode_value(value: &Value, ty: Type, out: &mut Vec<u8>) {
    write_value(value, ty, out);
}

fn write_message(object: &Map, schema: &'static Schema, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    let mut write = |name: &str, value: &Value, ty: Type| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        encode_untyped(&name, out);
        out.push(b':');
        write_value(value, ty, out);
    };
    for name in ["kind", "apiVersion"] {
        // The type of an object within another.
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
            encode_untyped(key, out);
            out.push(b':');
            write_value(value, *entry, out);
        }),
        _ => encode_untyped(value, out),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value = json!({
            "b": "<a>&\u{2028}\"é\n",
            "a<": [1.0, 0.5, 1e20, 1e21, 1.5e-7, -0.0, 100_000_000_000_000_000_000.0, 7, -3],
        });
        let mut out = Vec::new();
        encode_untyped(&value, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a\u003c":[1,0.5,100000000000000000000,1e+21,1.5e-7,-0,100000000000000000000,7,-3],"b":"\u003ca\u003e\u0026\u2028\"é\n"}"#
        );
    }
}
