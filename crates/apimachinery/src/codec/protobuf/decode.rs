//! Decoding of structs.

use std::borrow::Cow;

use super::wire::{Input, Output, Problem, TOO_DEEP, WRONG_WIRE, WireType};
use crate::codec::{DecodeError, ManagedFields};
use crate::message::{Either, Entries, List, Message, Mut, Scalar as _, Token};
use crate::schema::{Field, Layout, Part, Schema, Type};
use crate::{Duration, MicroTime, Time};

/// The maximum nesting of structs.
pub(super) const DEPTH: usize = 200;

const NOT_TEXT: Problem = "text is not UTF-8";

/// Decodes protobuf into a struct, over its present values.
///
/// # Errors
///
/// If the bytes are not protobuf, or a known field has another type.
pub fn decode(
    bytes: &[u8],
    message: &mut dyn Message,
    managed_fields: ManagedFields,
) -> Result<(), DecodeError> {
    let layout = message.schema().layout();
    let top = Place { depth: 0, within: None, managed_fields };
    read(Input(bytes), message, layout, top).map_err(|error| error.into_error())
}

/// A decoding error with its path, the innermost step first.
pub(super) struct PathError {
    problem: Cow<'static, str>,
    steps: Vec<Step>,
}

enum Step {
    Field(&'static str),
    Index(usize),
    Key(String),
}

pub(super) type Result<T, E = Box<PathError>> = std::result::Result<T, E>;

impl From<Problem> for Box<PathError> {
    #[cold]
    fn from(problem: Problem) -> Self {
        Box::new(PathError { problem: problem.into(), steps: Vec::new() })
    }
}

impl PathError {
    fn into_error(self) -> DecodeError {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Field(name) => push_name(&mut path, name),
                Step::Key(name) => push_name(&mut path, name),
            }
        }
        DecodeError::new(path, self.problem)
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// Adds a step to the path of an error.
#[cold]
fn at(mut error: Box<PathError>, step: Step) -> Box<PathError> {
    error.steps.push(step);
    error
}

/// The depth of a struct, and the embedded struct that is being read.
#[derive(Clone, Copy)]
struct Place<'a> {
    depth: usize,
    within: Option<&'a Embedded<'a>>,
    managed_fields: ManagedFields,
}

/// An embedded struct, by its number.
struct Embedded<'a> {
    number: u32,
    outer: Option<&'a Embedded<'a>>,
}

impl Place<'_> {
    fn deeper(self) -> Result<Self> {
        if self.depth == DEPTH {
            return Err(TOO_DEEP.into());
        }
        Ok(Place { depth: self.depth + 1, within: None, ..self })
    }
}

fn read(input: Input<'_>, message: &mut dyn Message, layout: &Layout, place: Place<'_>) -> Result<()> {
    let mut maps = Maps::default();
    let read = read_fields(input, message, layout, place, &mut maps);
    maps.settle(message);
    read
}

/// The maps of a struct to which entries were appended, by the indices of their fields.
#[derive(Default)]
struct Maps(u64);

impl Maps {
    fn note(&mut self, index: usize, message: &mut dyn Message) {
        match u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)) {
            Some(bit) => self.0 |= bit,
            // No struct of the API has as many fields.
            None => settle(message, index),
        }
    }

    fn settle(mut self, message: &mut dyn Message) {
        while self.0 != 0 {
            settle(message, self.0.trailing_zeros() as usize);
            self.0 &= self.0 - 1;
        }
    }
}

fn settle(message: &mut dyn Message, index: usize) {
    if let Mut::Map(map) = message.field_mut(index) {
        map.settle();
    }
}

fn read_fields(
    mut input: Input<'_>,
    message: &mut dyn Message,
    layout: &Layout,
    place: Place<'_>,
    maps: &mut Maps,
) -> Result<()> {
    let fields = message.schema().fields;
    while !input.is_empty() {
        let begin = input.0;
        let (number, wire) = input.tag()?;
        match layout.part(number) {
            Some(Part::Field(index)) => {
                let field = &fields[*index];
                if place.managed_fields == ManagedFields::Skip && field.is_managed_fields() {
                    input.skip(wire)?;
                    continue;
                }
                let slot = message.field_mut(*index);
                let read = read_field(field, slot, number, wire, &mut input, place);
                if matches!(field.ty, Type::Map(_)) {
                    maps.note(*index, message);
                }
                read.map_err(|error| at(error, Step::Field(field.json)))?;
            }
            Some(Part::Text { index, empty_is_absent }) => {
                let slot = message.field_mut(*index);
                read_text(slot, *empty_is_absent, wire, &mut input)
                    .map_err(|error| at(error, Step::Field(fields[*index].json)))?;
            }
            Some(Part::Embedded(inner)) => {
                let bytes = input.length_delimited(wire)?;
                let embedded = Embedded { number, outer: place.within };
                let place = Place { within: Some(&embedded), ..place.deeper()? };
                read(Input(bytes), message, inner, place)?;
            }
            None => {
                input.skip(wire)?;
                let raw = &begin[..begin.len() - input.0.len()];
                keep(raw, place.within, message);
            }
        }
    }
    Ok(())
}

/// Keeps an unknown field, with the tags of the embedded structs around it. Readers of protobuf merge embedded structs
/// that come in pieces.
fn keep(raw: &[u8], mut within: Option<&Embedded<'_>>, message: &mut dyn Message) {
    let mut field = Output::with_capacity(raw.len() + 8);
    field.prepend(raw);
    while let Some(embedded) = within {
        field.close(embedded.number, 0);
        within = embedded.outer;
    }
    message.unknown_mut().push_protobuf(field.written());
}

fn read_text(slot: Mut<'_>, empty_is_absent: bool, wire: WireType, input: &mut Input<'_>) -> Result<()> {
    let text = text(input.length_delimited(wire)?)?;
    match slot {
        Mut::Text(place) => *place = text.into(),
        Mut::OptionalText(place) => {
            *place = if text.is_empty() && empty_is_absent { None } else { Some(text.into()) };
        }
        slot => set(slot, if text.is_empty() && empty_is_absent { Token::Null } else { Token::Str(text) })?,
    }
    Ok(())
}

fn read_field(
    field: &'static Field,
    slot: Mut<'_>,
    number: u32,
    wire: WireType,
    input: &mut Input<'_>,
    place: Place<'_>,
) -> Result<()> {
    match (&field.ty, slot) {
        (Type::List(item), Mut::List(list)) => read_item(item, list, number, wire, input, place),
        (Type::Map(value), Mut::Map(map)) => {
            if map.is_empty() {
                map.reserve(input.run(number));
            }
            read_entry(value, map, input.length_delimited(wire)?, place)
        }
        (Type::StringList, Mut::List(list)) => {
            list.clear();
            read_strings(1, list, input.length_delimited(wire)?)
        }
        (ty, slot) => {
            let zero_is_absent = !field.pointer && field.omit_empty;
            read_value(ty, slot, wire, input, zero_is_absent, place)
        }
    }
}

fn read_item(
    ty: &'static Type,
    list: &mut dyn List,
    number: u32,
    wire: WireType,
    input: &mut Input<'_>,
    place: Place<'_>,
) -> Result<()> {
    let is_number = matches!(ty, Type::Bool | Type::Int32 | Type::Int64);
    if is_number && wire == WireType::Bytes {
        let mut packed = Input(input.bytes()?);
        while !packed.is_empty() {
            read_value(ty, list.push(), WireType::Varint, &mut packed, false, place)?;
        }
        return Ok(());
    }
    if list.is_empty() && wire == WireType::Bytes {
        list.reserve(input.run(number));
    }
    let index = list.len();
    read_value(ty, list.push(), wire, input, false, place).map_err(|error| at(error, Step::Index(index)))
}

fn read_entry(ty: &'static Type, map: &mut dyn Entries, entry: &[u8], place: Place<'_>) -> Result<()> {
    let mut input = Input(entry);
    let mut key = "";
    let mut value = None;
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        match number {
            1 => key = text(input.length_delimited(wire)?)?,
            2 => {
                value = Some((wire, input));
                input.skip(wire)?;
            }
            _ => input.skip(wire)?,
        }
    }
    let slot = map.append(key.into());
    let Some((wire, mut input)) = value else { return Ok(()) };
    let read = match (ty, slot) {
        (Type::StringList, Mut::List(list)) => {
            let bytes = input.length_delimited(wire).map_err(Into::into);
            bytes.and_then(|bytes| read_strings(1, list, bytes))
        }
        (ty, slot) => read_value(ty, slot, wire, &mut input, false, place),
    };
    read.map_err(|error| at(error, Step::Key(key.to_owned())))
}

/// The strings under a number of a message that is only a list.
fn read_strings(wanted: u32, list: &mut dyn List, bytes: &[u8]) -> Result<()> {
    let mut input = Input(bytes);
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        if number != wanted {
            input.skip(wire)?;
            continue;
        }
        if list.is_empty() {
            list.reserve(input.run(number));
        }
        let text = text(input.length_delimited(wire)?)?;
        set(list.push(), Token::Str(text))?;
    }
    Ok(())
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|_| NOT_TEXT)
}

fn set(slot: Mut<'_>, token: Token<'_>) -> Result<()> {
    match slot {
        Mut::Scalar(scalar) | Mut::Quantity(scalar) => Ok(scalar.set(token)?),
        Mut::Text(place) => Ok(place.set(token)?),
        Mut::OptionalText(place) => Ok(place.set(token)?),
        _ => Err(WRONG_WIRE.into()),
    }
}

/// Reads a scalar or a struct.
fn read_value(
    ty: &'static Type,
    slot: Mut<'_>,
    wire: WireType,
    input: &mut Input<'_>,
    zero_is_absent: bool,
    place: Place<'_>,
) -> Result<()> {
    // Go's zero values.
    let unless_zero = |is_zero: bool, token| if is_zero && zero_is_absent { Token::Null } else { token };
    match ty {
        Type::Bool | Type::Int32 | Type::Int64 => {
            if wire != WireType::Varint {
                return Err(WRONG_WIRE.into());
            }
            let value = input.varint()? as i64;
            let token = match ty {
                Type::Bool => Token::Bool(value != 0),
                // As Go, which truncates integers that are too long.
                Type::Int32 => Token::Int((value as i32).into()),
                _ => Token::Int(value),
            };
            set(slot, unless_zero(value == 0, token))
        }
        Type::Double => {
            if wire != WireType::Fixed64 {
                return Err(WRONG_WIRE.into());
            }
            let value = f64::from_bits(input.fixed64()?);
            set(slot, unless_zero(value == 0.0, Token::Double(value)))
        }
        _ => {
            let bytes = input.length_delimited(wire)?;
            match ty {
                Type::String => set(slot, unless_zero(bytes.is_empty(), Token::Str(text(bytes)?))),
                Type::Bytes => set(slot, unless_zero(bytes.is_empty(), Token::Bytes(bytes))),
                Type::Message(schema) => read_message(schema, slot, bytes, place.deeper()?),
                _ => read_special(ty, slot, bytes, place),
            }
        }
    }
}

fn read_message(schema: &'static Schema, slot: Mut<'_>, bytes: &[u8], place: Place<'_>) -> Result<()> {
    let message = match slot {
        Mut::Message(message) => message,
        Mut::Optional(optional) => optional.make(),
        Mut::OneOf(union, index) => union.make(index),
        Mut::Either(either) => either.message(),
        _ => return Err(WRONG_WIRE.into()),
    };
    read(Input(bytes), message, schema.layout(), place)
}

/// Reads a type with a protobuf message of its own.
fn read_special(ty: &'static Type, slot: Mut<'_>, bytes: &[u8], place: Place<'_>) -> Result<()> {
    match ty {
        Type::Time => set(
            slot,
            timestamp(bytes)?.map_or(Token::Null, |(seconds, _)| Token::Time(Time::from_unix(seconds))),
        ),
        Type::MicroTime => set(slot, micro_time(bytes)?.map_or(Token::Null, Token::MicroTime)),
        Type::Duration => {
            let nanos = numbers::<1>(bytes)?[0];
            set(slot, Token::Duration(Duration::from_nanos(nanos)))
        }
        Type::Quantity => {
            let text = part(bytes, 1)?.map(text).transpose()?.filter(|text| !text.is_empty());
            set(slot, Token::Str(text.unwrap_or("0")))
        }
        Type::IntOrString => {
            let [is_string, number] = numbers::<2>(bytes)?;
            if is_string == 0 {
                return set(slot, Token::Int((number as i32).into()));
            }
            set(slot, Token::Str(text(part(bytes, 3)?.unwrap_or_default())?))
        }
        Type::Json | Type::RawExtension | Type::FieldsV1 => {
            let Mut::Json(slot) = slot else { return Err(WRONG_WIRE.into()) };
            match part(bytes, 1)? {
                None | Some([]) => slot.clear(),
                Some(json) => {
                    let json = text(json)?;
                    // Managed fields are a quarter of many objects, only the server writes them, and few read them:
                    // they are parsed when they are written.
                    if !matches!(ty, Type::FieldsV1) {
                        let valid = serde_json::from_str::<&serde_json::value::RawValue>(json);
                        valid.map_err(|_| "what should be JSON is none")?;
                    }
                    slot.set(json).map_err(|problem| {
                        Box::new(PathError { problem: problem.into(), steps: Vec::new() })
                    })?;
                }
            }
            Ok(())
        }
        Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema) => {
            let Mut::Either(either) = slot else { return Err(WRONG_WIRE.into()) };
            read_either(ty, schema, either, bytes, place.deeper()?)
        }
        _ => Err(WRONG_WIRE.into()),
    }
}

/// Seconds and nanoseconds since 1970; `None` for Go's zero time.
pub(super) fn timestamp(bytes: &[u8]) -> Result<Option<(i64, i32)>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let [seconds, nanos] = numbers::<2>(bytes)?;
    Ok(Some((seconds, nanos as i32)))
}

/// A time to the microsecond, if there is one.
pub(super) fn micro_time(bytes: &[u8]) -> Result<Option<MicroTime>> {
    let Some((seconds, nanos)) = timestamp(bytes)? else { return Ok(None) };
    let micros = seconds.checked_mul(1_000_000).and_then(|micros| micros.checked_add((nanos / 1000).into()));
    Ok(Some(MicroTime::from_unix_micros(micros.ok_or("a time is out of range")?)))
}

/// The numbers of a message's first fields.
pub(super) fn numbers<const N: usize>(bytes: &[u8]) -> Result<[i64; N]> {
    let mut values = [0; N];
    let mut input = Input(bytes);
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        match values.get_mut(number as usize - 1) {
            Some(value) if wire == WireType::Varint => *value = input.varint()? as i64,
            Some(_) => return Err(WRONG_WIRE.into()),
            None => input.skip(wire)?,
        }
    }
    Ok(values)
}

/// The bytes under a number of a message.
pub(super) fn part(bytes: &[u8], wanted: u32) -> Result<Option<&[u8]>, Problem> {
    let mut input = Input(bytes);
    let mut found = None;
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        if number == wanted && wire == WireType::Bytes {
            found = Some(input.bytes()?);
        } else {
            input.skip(wire)?;
        }
    }
    Ok(found)
}

fn read_either(
    ty: &'static Type,
    schema: &'static Schema,
    either: &mut dyn Either,
    bytes: &[u8],
    place: Place<'_>,
) -> Result<()> {
    let number_of_schema = if matches!(ty, Type::SchemaOrBool(_)) { 2 } else { 1 };
    if let Some(bytes) = part(bytes, number_of_schema)? {
        return read(Input(bytes), either.message(), schema.layout(), place);
    }
    match ty {
        Type::SchemaOrBool(_) => {
            let allows = numbers::<1>(bytes)?[0] != 0;
            let bool = either.bool().ok_or(WRONG_WIRE)?;
            Ok(bool.set(Token::Bool(allows))?)
        }
        Type::SchemaOrStringArray(_) => read_strings(2, either.list().ok_or(WRONG_WIRE)?, bytes),
        _ => {
            let list = either.list().ok_or(WRONG_WIRE)?;
            let mut input = Input(bytes);
            while !input.is_empty() {
                let (number, wire) = input.tag()?;
                if number != 2 {
                    input.skip(wire)?;
                    continue;
                }
                let bytes = input.length_delimited(wire)?;
                read_message(schema, list.push(), bytes, place)?;
            }
            Ok(())
        }
    }
}
