//! Reads one scalar field from an object's bytes.

use super::decode::{micro_time, numbers, part, text, timestamp};
use super::wire::{Input, WireType};
use crate::codec::field_path::Step;
use crate::message::Ref;
use crate::schema::Type;
use crate::{Duration, Time};

/// The value at a path of steps in a struct's bytes. As in decoding, the last of several counts, and the last entry of
/// a map. `None` if it is missing, or the bytes are invalid.
pub(crate) fn value_at<'a>(bytes: &'a [u8], steps: &[Step]) -> Option<Ref<'a>> {
    let mut found = None;
    in_struct(bytes, steps.first()?.within(), steps, &mut found)?;
    found
}

/// Searches for the first step in a struct, or in the remaining embedded structs.
fn in_struct<'a>(bytes: &'a [u8], within: &[u32], steps: &[Step], found: &mut Option<Ref<'a>>) -> Option<()> {
    let (Step::Field { field, .. }, rest) = steps.split_first()? else { return None };
    let wanted = *within.first().unwrap_or(&field.number);
    let mut input = Input(bytes);
    while !input.is_empty() {
        let (number, wire) = input.tag().ok()?;
        if number != wanted {
            input.skip(wire).ok()?;
        } else if within.is_empty() {
            in_value(&field.ty, wire, &mut input, rest, found)?;
        } else {
            in_struct(input.length_delimited(wire).ok()?, &within[1..], steps, found)?;
        }
    }
    Some(())
}

fn in_value<'a>(
    ty: &Type,
    wire: WireType,
    input: &mut Input<'a>,
    steps: &[Step],
    found: &mut Option<Ref<'a>>,
) -> Option<()> {
    match (ty, steps) {
        (_, []) => *found = Some(plain(ty, wire, input)?),
        (Type::Message(_), [next, ..]) => {
            in_struct(input.length_delimited(wire).ok()?, next.within(), steps, found)?;
        }
        (Type::Map(ty), [Step::Key(key), rest @ ..]) => {
            let mut entry = Input(input.length_delimited(wire).ok()?);
            let (mut name, mut value): (&[u8], _) = (&[], None);
            while !entry.is_empty() {
                let (number, wire) = entry.tag().ok()?;
                match (number, wire) {
                    (1, WireType::Bytes) => name = entry.bytes().ok()?,
                    (number, wire) => {
                        value = if number == 2 { Some((wire, entry)) } else { value };
                        entry.skip(wire).ok()?;
                    }
                }
            }
            if name == key.as_bytes() {
                *found = None;
                match value {
                    Some((wire, mut input)) => in_value(ty, wire, &mut input, rest, found)?,
                    None if rest.is_empty() => *found = zero(ty),
                    None => {}
                }
            }
        }
        _ => return None,
    }
    Some(())
}

fn plain<'a>(ty: &Type, wire: WireType, input: &mut Input<'a>) -> Option<Ref<'a>> {
    Some(match (ty, wire) {
        (Type::Bool, WireType::Varint) => Ref::Bool(input.varint().ok()? != 0),
        (Type::Int32, WireType::Varint) => Ref::Int((input.varint().ok()? as i32).into()),
        (Type::Int64, WireType::Varint) => Ref::Int(input.varint().ok()? as i64),
        (Type::Double, WireType::Fixed64) => Ref::Double(f64::from_bits(input.fixed64().ok()?)),
        (_, WireType::Bytes) => in_bytes(ty, input.bytes().ok()?)?,
        _ => return None,
    })
}

fn in_bytes<'a>(ty: &Type, bytes: &'a [u8]) -> Option<Ref<'a>> {
    Some(match ty {
        Type::String => Ref::Str(text(bytes).ok()?),
        Type::Quantity => match text(part(bytes, 1).ok()?.unwrap_or_default()).ok()? {
            "" => Ref::Quantity("0"),
            text => Ref::Quantity(text),
        },
        Type::IntOrString => match numbers::<2>(bytes).ok()? {
            [0, number] => Ref::Int((number as i32).into()),
            _ => Ref::Str(text(part(bytes, 3).ok()?.unwrap_or_default()).ok()?),
        },
        Type::Time => {
            timestamp(bytes).ok()?.map_or(Ref::Absent, |(seconds, _)| Ref::Time(Time::from_unix(seconds)))
        }
        Type::MicroTime => micro_time(bytes).ok()?.map_or(Ref::Absent, Ref::MicroTime),
        Type::Duration => Ref::Duration(Duration::from_nanos(numbers::<1>(bytes).ok()?[0])),
        _ => return None,
    })
}

/// The value of a map's entry without one.
fn zero(ty: &Type) -> Option<Ref<'static>> {
    match ty {
        Type::String => Some(Ref::Str("")),
        Type::Bool => Some(Ref::Bool(false)),
        Type::Int32 | Type::Int64 | Type::IntOrString => Some(Ref::Int(0)),
        Type::Double => Some(Ref::Double(0.0)),
        Type::Quantity => Some(Ref::Quantity("")),
        _ => None,
    }
}
