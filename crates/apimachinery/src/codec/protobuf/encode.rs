//! Encoding of structs, from the last byte to the first.

use super::wire::{Output, WireType};
use crate::message::{List, Message, Ref};
use crate::schema::{Layout, Part, Schema, Type};
use crate::{MicroTime, Quantity, Time};

/// Appends the bytes of a struct.
pub fn encode(message: &dyn Message, out: &mut Vec<u8>) {
    let mut output = Output::with_capacity(1024);
    write(&mut output, message);
    out.extend_from_slice(output.written());
}

pub(super) fn write(out: &mut Output, message: &dyn Message) {
    out.prepend(message.unknown().protobuf());
    write_parts(out, message, message.schema().layout());
}

fn write_parts(out: &mut Output, message: &dyn Message, layout: &Layout) {
    let fields = message.schema().fields;
    for (number, part) in layout.parts_from_last() {
        match part {
            Part::Embedded(inner) => {
                let before = out.len();
                write_parts(out, message, inner);
                out.close(number, before);
            }
            Part::Field(index) | Part::Text { index, .. } => {
                let field = &fields[*index];
                match message.field(*index) {
                    Ref::Absent if field.pointer => {}
                    Ref::Absent => write_zero(out, number, &field.ty),
                    value => write_field(out, number, &field.ty, value),
                }
            }
        }
    }
}

fn write_field(out: &mut Output, number: u32, ty: &Type, value: Ref<'_>) {
    match (ty, value) {
        (Type::List(item), Ref::List(list)) => write_items(out, number, item, list),
        (Type::Map(ty), Ref::Map(map)) => {
            for index in (0..map.len()).rev() {
                let before = out.len();
                let (key, value) = map.entry(index);
                write_value(out, 2, ty, value);
                out.bytes(1, key.as_bytes());
                out.close(number, before);
            }
        }
        // Go leaves out nil bytes, and reads empty bytes as nil.
        (Type::Bytes, Ref::Bytes([])) => {}
        _ => write_value(out, number, ty, value),
    }
}

fn write_items(out: &mut Output, number: u32, ty: &Type, list: &dyn List) {
    for index in (0..list.len()).rev() {
        write_value(out, number, ty, list.item(index));
    }
}

/// Writes a scalar or a struct.
fn write_value(out: &mut Output, number: u32, ty: &Type, value: Ref<'_>) {
    match (ty, value) {
        (Type::IntOrString, Ref::Int(value)) => write_int_or_string(out, number, 0, value, ""),
        (Type::IntOrString, Ref::Str(text)) => write_int_or_string(out, number, 1, 0, text),
        (Type::SchemaOrBool(_), Ref::Bool(allows)) => {
            let before = out.len();
            out.number(1, allows.into());
            out.close(number, before);
        }
        (_, Ref::Bool(value)) => out.number(number, value.into()),
        (_, Ref::Int(value)) => out.number(number, value),
        (_, Ref::Double(value)) => {
            out.prepend(&value.to_bits().to_le_bytes());
            out.tag(number, WireType::Fixed64);
        }
        (_, Ref::Str(text)) => out.bytes(number, text.as_bytes()),
        (_, Ref::Bytes(bytes)) => out.bytes(number, bytes),
        (_, Ref::Quantity(text)) => {
            let before = out.len();
            // An empty string is Go's zero.
            let text = if text.is_empty() { "0" } else { text };
            match Quantity::from(text).canonical() {
                Ok(canonical) => out.bytes(1, canonical.as_bytes()),
                // Strings that are no quantity were not written by Kubernetes; the server rejects them.
                Err(_) => out.bytes(1, text.as_bytes()),
            }
            out.close(number, before);
        }
        (_, Ref::Time(time)) => {
            let seconds = (time != Time::ZERO).then(|| time.unix());
            write_timestamp(out, number, seconds, 0);
        }
        (_, Ref::MicroTime(time)) => {
            let micros = time.unix_micros();
            let seconds = (time != MicroTime::ZERO).then(|| micros.div_euclid(1_000_000));
            write_timestamp(out, number, seconds, micros.rem_euclid(1_000_000) * 1000);
        }
        (_, Ref::Duration(span)) => {
            let before = out.len();
            out.number(1, span.nanos());
            out.close(number, before);
        }
        (_, Ref::Json(text)) => {
            let before = out.len();
            if text != "null" {
                out.bytes(1, text.as_bytes());
            }
            out.close(number, before);
        }
        (ty, Ref::Message(message)) => {
            let before = out.len();
            match ty {
                Type::SchemaOrArray(_) | Type::SchemaOrStringArray(_) => write_nested(out, 1, message),
                Type::SchemaOrBool(_) => {
                    write_nested(out, 2, message);
                    // Go reads `{...}` so: with a schema, additional properties are allowed.
                    out.number(1, 1);
                }
                _ => write(out, message),
            }
            out.close(number, before);
        }
        (ty, Ref::List(list)) => {
            // A list in a message of its own.
            let before = out.len();
            match ty {
                Type::SchemaOrArray(schema) => write_items(out, 2, &Type::Message(schema), list),
                Type::SchemaOrStringArray(_) => write_items(out, 2, &Type::String, list),
                _ => write_items(out, 1, &Type::String, list),
            }
            out.close(number, before);
        }
        (ty, Ref::Absent) => write_zero(out, number, ty),
        (_, Ref::Map(_)) => {}
    }
}

fn write_nested(out: &mut Output, number: u32, message: &dyn Message) {
    let before = out.len();
    write(out, message);
    out.close(number, before);
}

fn write_int_or_string(out: &mut Output, number: u32, is_string: i64, value: i64, text: &str) {
    let before = out.len();
    out.bytes(3, text.as_bytes());
    out.number(2, value);
    out.number(1, is_string);
    out.close(number, before);
}

fn write_timestamp(out: &mut Output, number: u32, seconds: Option<i64>, nanos: i64) {
    let before = out.len();
    if let Some(seconds) = seconds {
        out.number(2, nanos);
        out.number(1, seconds);
    }
    out.close(number, before);
}

/// Writes the zero value of a type, which Go writes for a field that is no pointer.
fn write_zero(out: &mut Output, number: u32, ty: &Type) {
    match ty {
        Type::String => out.bytes(number, &[]),
        Type::Bool | Type::Int32 | Type::Int64 => out.number(number, 0),
        Type::Double => write_value(out, number, ty, Ref::Double(0.0)),
        Type::Quantity => write_value(out, number, ty, Ref::Quantity("0")),
        Type::IntOrString => write_int_or_string(out, number, 0, 0, ""),
        Type::Duration => write_value(out, number, ty, Ref::Duration(crate::Duration::default())),
        Type::Time | Type::MicroTime | Type::Json | Type::RawExtension | Type::FieldsV1 => {
            out.bytes(number, &[]);
        }
        Type::Message(schema) => {
            let before = out.len();
            write_zero_parts(out, schema, schema.layout());
            out.close(number, before);
        }
        Type::Bytes
        | Type::List(_)
        | Type::Map(_)
        | Type::StringList
        | Type::SchemaOrArray(_)
        | Type::SchemaOrBool(_)
        | Type::SchemaOrStringArray(_) => {}
    }
}

fn write_zero_parts(out: &mut Output, schema: &Schema, layout: &Layout) {
    for (number, part) in layout.parts_from_last() {
        match part {
            Part::Embedded(inner) => {
                let before = out.len();
                write_zero_parts(out, schema, inner);
                out.close(number, before);
            }
            Part::Field(index) | Part::Text { index, .. } => {
                let field = &schema.fields[*index];
                if !field.pointer {
                    write_zero(out, number, &field.ty);
                }
            }
        }
    }
}
