//! Validation of a struct's bytes without building the struct.
//!
//! It accepts exactly the input that [`decode`](super::decode) decodes.
//!
//! UTF-8 is checked for all strings at once. Bytes that are not ASCII are counted in the whole object, and then, on the
//! way through it, outside strings: in tags, lengths and numbers. If none is left over, all strings are ASCII; else the
//! object is read once more and every string is checked.

use std::borrow::Cow;

use super::decode::{DEPTH, PathError, micro_time, numbers, part, text, timestamp};
use super::wire::{Input, Problem, WireType};
use crate::codec::encoded::metadata_number;
use crate::codec::{EncodedMeta, EncodedOwner};
use crate::meta::v1::schema::OBJECT_META;
use crate::schema::{Inner, Layout, Schema, Type};

/// The metadata of an object; `None` if its bytes are not protobuf of its struct.
pub(crate) fn check<'a>(schema: &'static Schema, bytes: &'a [u8]) -> Option<EncodedMeta<'a>> {
    let mut walk = Walk::<false>::default();
    let mut meta = walk.object(Input(bytes), schema).ok()?;
    if walk.not_ascii != not_ascii(bytes) {
        meta = Walk::<true>::default().object(Input(bytes), schema).ok()?;
    }
    meta.keep_last_labels();
    Some(meta)
}

/// The number of bytes that are not ASCII.
fn not_ascii(bytes: &[u8]) -> usize {
    // Counts in pieces whose sum fits into a byte, which compilers vectorize.
    let count = |piece: &[u8]| piece.iter().fold(0_u8, |count, byte| count + (byte >> 7));
    bytes.chunks(255).map(|piece| usize::from(count(piece))).sum()
}

/// The input is invalid. Callers decode it to get the error.
struct Invalid;

type Result<T = ()> = std::result::Result<T, Invalid>;

impl From<Problem> for Invalid {
    fn from(_: Problem) -> Self {
        Invalid
    }
}

impl From<Box<PathError>> for Invalid {
    fn from(_: Box<PathError>) -> Self {
        Invalid
    }
}

/// A pass over an object's bytes.
///
/// The input of its loops is passed to other functions as a copy only, so that it can stay in registers.
#[derive(Default)]
struct Walk<const EACH_TEXT: bool> {
    /// The number of bytes that are not ASCII, outside strings.
    not_ascii: usize,
}

impl<const EACH_TEXT: bool> Walk<EACH_TEXT> {
    fn object<'a>(&mut self, mut input: Input<'a>, schema: &'static Schema) -> Result<EncodedMeta<'a>> {
        let layout = schema.layout();
        let metadata = metadata_number(schema);
        let mut meta = EncodedMeta::default();
        while !input.is_empty() {
            let (number, wire) = self.tag(&mut input)?;
            if Some(number) == metadata {
                let bytes = self.bytes(wire, &mut input)?;
                self.metadata(Input(bytes), &mut meta)?;
            } else {
                self.field(number, wire, &mut input, layout, 0)?;
            }
        }
        Ok(meta)
    }

    /// Duplicate fields are merged as decoding does: the last string counts, and lists grow.
    fn metadata<'a>(&mut self, mut input: Input<'a>, meta: &mut EncodedMeta<'a>) -> Result {
        let layout = OBJECT_META.layout();
        while !input.is_empty() {
            let (number, wire) = self.tag(&mut input)?;
            match number {
                1 => meta.name = borrowed(self.bytes(wire, &mut input)?)?,
                3 => meta.namespace = borrowed(self.bytes(wire, &mut input)?)?,
                5 => meta.uid = borrowed(self.bytes(wire, &mut input)?)?,
                6 => meta.resource_version = borrowed(self.bytes(wire, &mut input)?)?,
                11 => {
                    if meta.labels.is_empty() {
                        meta.labels.reserve_exact(input.run(number));
                    }
                    let bytes = self.bytes(wire, &mut input)?;
                    meta.labels.push(self.label(bytes)?);
                }
                13 => {
                    if meta.owners.is_empty() {
                        meta.owners.reserve_exact(input.run(number));
                    }
                    let bytes = self.bytes(wire, &mut input)?;
                    meta.owners.push(self.owner(bytes)?);
                }
                _ => {
                    let mut apart = input;
                    self.field(number, wire, &mut apart, layout, 1)?;
                    input = apart;
                }
            }
        }
        Ok(())
    }

    fn label<'a>(&mut self, bytes: &'a [u8]) -> Result<(Cow<'a, str>, Cow<'a, str>)> {
        let (key, value) = self.parts_of_entry(bytes)?;
        let value = match value {
            Some((wire, mut input)) => borrowed(self.bytes(wire, &mut input)?)?,
            None => Cow::default(),
        };
        Ok((borrowed(key)?, value))
    }

    fn owner<'a>(&mut self, bytes: &'a [u8]) -> Result<EncodedOwner<'a>> {
        let mut owner = EncodedOwner::default();
        let mut input = Input(bytes);
        while !input.is_empty() {
            let (number, wire) = self.tag(&mut input)?;
            match number {
                1 => owner.kind = borrowed(self.bytes(wire, &mut input)?)?,
                3 => owner.name = borrowed(self.bytes(wire, &mut input)?)?,
                4 => owner.uid = borrowed(self.bytes(wire, &mut input)?)?,
                5 => owner.api_version = borrowed(self.bytes(wire, &mut input)?)?,
                6 => {
                    let value = input;
                    self.varint(wire, &mut input)?;
                    owner.controller = { value }.varint()? != 0;
                }
                7 => self.varint(wire, &mut input)?,
                _ => {
                    let mut apart = input;
                    self.unknown(number, wire, &mut apart)?;
                    input = apart;
                }
            }
        }
        Ok(owner)
    }

    /// A struct, and the structs in it. Few are nested deep, so that the way back out of them is kept here instead of
    /// on the stack.
    fn fields(&mut self, bytes: &[u8], layout: &Layout, depth: usize) -> Result {
        const HELD: usize = 12;
        let (mut input, mut layout) = (Input(bytes), layout);
        let mut outer: [(&[u8], &Layout); HELD] = [(&[], layout); HELD];
        let mut level = 0;
        loop {
            while input.is_empty() {
                if level == 0 {
                    return Ok(());
                }
                level -= 1;
                (input.0, layout) = outer[level];
            }
            let (number, wire) = self.tag(&mut input)?;
            let shape = layout.shape(number);
            // The most common case is tested first: a jump with many targets is predicted badly.
            if shape.wire == wire && matches!(shape.inner, Inner::Plain) {
                if wire != BYTES {
                    self.varint(wire, &mut input)?;
                } else {
                    let bytes = self.bytes(wire, &mut input)?;
                    self.text(bytes)?;
                }
                continue;
            }
            let Some(inner) = layout.inner(number) else {
                let mut apart = input;
                self.field(number, wire, &mut apart, layout, depth + level)?;
                input = apart;
                continue;
            };
            let bytes = self.bytes(wire, &mut input)?;
            let deeper = deeper(depth + level)?;
            if level == HELD {
                self.fields(bytes, inner, deeper)?;
                continue;
            }
            outer[level] = (input.0, layout);
            level += 1;
            (input, layout) = (Input(bytes), inner);
        }
    }

    fn field(
        &mut self,
        number: u32,
        wire: u8,
        input: &mut Input<'_>,
        layout: &Layout,
        depth: usize,
    ) -> Result {
        let shape = layout.shape(number);
        match shape.inner {
            Inner::Plain if shape.wire != wire => Err(Invalid),
            Inner::Plain if wire != BYTES => self.varint(wire, input),
            Inner::Plain => {
                let bytes = self.bytes(wire, input)?;
                self.text(bytes)
            }
            Inner::Message(_) | Inner::Embedded => {
                let bytes = self.bytes(wire, input)?;
                let inner = layout.inner(number).ok_or(Invalid)?;
                self.fields(bytes, inner, deeper(depth)?)
            }
            Inner::TextEntry => {
                let bytes = self.bytes(wire, input)?;
                self.entry(&Type::String, bytes, depth)
            }
            Inner::Other(ty) => self.other(ty, wire, input, depth),
            Inner::Unknown => self.unknown(number, wire, input),
        }
    }

    #[cold]
    fn unknown(&mut self, number: u32, wire: u8, input: &mut Input<'_>) -> Result {
        let before = input.0;
        let wire = WireType::of(wire).filter(|_| number > 0).ok_or(Invalid)?;
        input.skip(wire)?;
        self.not_ascii += not_ascii(&before[..before.len() - input.0.len()]);
        Ok(())
    }

    fn other(&mut self, ty: &'static Type, wire: u8, input: &mut Input<'_>, depth: usize) -> Result {
        match ty {
            Type::Map(value) => {
                let bytes = self.bytes(wire, input)?;
                self.entry(value, bytes, depth)
            }
            Type::List(Type::Bool | Type::Int32 | Type::Int64) if wire == BYTES => {
                let bytes = self.bytes(wire, input)?;
                self.not_ascii += not_ascii(bytes);
                let mut packed = Input(bytes);
                while !packed.is_empty() {
                    packed.varint()?;
                }
                Ok(())
            }
            Type::List(item) => self.value(item, wire, input, depth),
            Type::StringList => {
                let bytes = self.bytes(wire, input)?;
                self.apart(bytes, strings(1, bytes))
            }
            ty => self.value(ty, wire, input, depth),
        }
    }

    fn entry(&mut self, ty: &'static Type, bytes: &[u8], depth: usize) -> Result {
        let (key, value) = self.parts_of_entry(bytes)?;
        self.text(key)?;
        let Some((wire, mut input)) = value else { return Ok(()) };
        match ty {
            Type::StringList => {
                let bytes = self.bytes(wire, &mut input)?;
                self.apart(bytes, strings(1, bytes))
            }
            ty => self.value(ty, wire, &mut input, depth),
        }
    }

    /// As in decoding, a value that another one follows is not checked, and every key is.
    fn parts_of_entry<'a>(&mut self, bytes: &'a [u8]) -> Result<Entry<'a>> {
        let mut input = Input(bytes);
        let (mut key, mut value): Entry<'_> = (&[], None);
        while !input.is_empty() {
            let (number, wire) = self.tag(&mut input)?;
            match number {
                1 => {
                    self.text(key)?;
                    key = self.bytes(wire, &mut input)?;
                }
                2 if wire == BYTES => {
                    // The value is not counted before it is checked.
                    value = Some((wire, input));
                    input.0 = after_bytes(input.0)?;
                }
                _ => {
                    let mut apart = input;
                    value = if number == 2 { Some((wire, apart)) } else { value };
                    apart.skip(WireType::of(wire).filter(|_| number > 0).ok_or(Invalid)?)?;
                    input = apart;
                }
            }
        }
        Ok((key, value))
    }

    /// A scalar or a struct.
    fn value(&mut self, ty: &'static Type, wire: u8, input: &mut Input<'_>, depth: usize) -> Result {
        match ty {
            Type::Bool | Type::Int32 | Type::Int64 => self.varint(wire, input),
            Type::Double if wire == FIXED64 => {
                self.not_ascii += not_ascii(&input.fixed64()?.to_ne_bytes());
                Ok(())
            }
            Type::Double => Err(Invalid),
            _ => {
                let bytes = self.bytes(wire, input)?;
                match ty {
                    Type::String => self.text(bytes),
                    Type::Message(schema) => self.fields(bytes, schema.layout(), deeper(depth)?),
                    Type::Time | Type::IntOrString if !EACH_TEXT => self.parts(bytes, 2),
                    Type::Duration if !EACH_TEXT => self.parts(bytes, 1),
                    Type::Quantity | Type::FieldsV1 if !EACH_TEXT => self.parts(bytes, 0),
                    _ => self.apart(bytes, special(ty, bytes, depth)),
                }
            }
        }
    }

    /// Fields that may be any numbers or strings. The first `numbers` fields are numbers (see [`numbers`]).
    fn parts(&mut self, bytes: &[u8], numbers: u32) -> Result {
        let mut input = Input(bytes);
        while !input.is_empty() {
            match self.tag(&mut input)? {
                (1.., VARINT) => self.varint(VARINT, &mut input)?,
                (number @ 1.., _) if number <= numbers => return Err(Invalid),
                (1.., BYTES) => drop(self.bytes(BYTES, &mut input)?),
                (number, wire) => self.unknown(number, wire, &mut input)?,
            }
        }
        Ok(())
    }

    /// Bytes of which each string was checked separately.
    fn apart(&mut self, bytes: &[u8], checked: Result) -> Result {
        self.not_ascii += not_ascii(bytes);
        checked
    }

    #[inline(always)]
    fn text(&self, bytes: &[u8]) -> Result {
        if EACH_TEXT { is_text(bytes) } else { Ok(()) }
    }

    /// A field's number and wire type.
    #[inline(always)]
    fn tag(&mut self, input: &mut Input<'_>) -> Result<(u32, u8)> {
        match input.0 {
            [tag, rest @ ..] if *tag < 0x80 => {
                input.0 = rest;
                Ok((u32::from(tag >> 3), tag & 7))
            }
            [low, high, rest @ ..] if *high < 0x80 => {
                input.0 = rest;
                self.not_ascii += 1;
                let tag = u32::from(low & 0x7f) | u32::from(*high) << 7;
                Ok((tag >> 3, tag as u8 & 7))
            }
            before => {
                let mut apart = Input(before);
                let (number, wire) = apart.tag()?;
                input.0 = apart.0;
                self.not_ascii += before.len() - apart.0.len() - 1;
                Ok((number, wire as u8))
            }
        }
    }

    #[inline(always)]
    fn bytes<'a>(&mut self, wire: u8, input: &mut Input<'a>) -> Result<&'a [u8]> {
        if wire != BYTES {
            return Err(Invalid);
        }
        if let [length, rest @ ..] = input.0
            && *length < 0x80
        {
            let (bytes, rest) = rest.split_at_checked(usize::from(*length)).ok_or(Invalid)?;
            input.0 = rest;
            return Ok(bytes);
        }
        let mut apart = *input;
        let bytes = apart.bytes()?;
        self.not_ascii += input.0.len() - apart.0.len() - bytes.len() - 1;
        input.0 = apart.0;
        Ok(bytes)
    }

    #[inline(always)]
    fn varint(&mut self, wire: u8, input: &mut Input<'_>) -> Result {
        if wire != VARINT {
            return Err(Invalid);
        }
        if let [number, rest @ ..] = input.0
            && *number < 0x80
        {
            input.0 = rest;
            return Ok(());
        }
        let mut apart = *input;
        self.not_ascii += apart.skip_varint()? - 1;
        input.0 = apart.0;
        Ok(())
    }
}

/// A map's entry: its key, and the wire type and position of its value.
type Entry<'a> = (&'a [u8], Option<(u8, Input<'a>)>);

/// The bytes behind a length-delimited value.
fn after_bytes(input: &[u8]) -> Result<&[u8]> {
    match input {
        [length, rest @ ..] if *length < 0x80 => rest.get(usize::from(*length)..).ok_or(Invalid),
        _ => {
            let mut apart = Input(input);
            apart.bytes()?;
            Ok(apart.0)
        }
    }
}

const VARINT: u8 = WireType::Varint as u8;
const FIXED64: u8 = WireType::Fixed64 as u8;
const BYTES: u8 = WireType::Bytes as u8;

fn borrowed(bytes: &[u8]) -> Result<Cow<'_, str>> {
    Ok(Cow::Borrowed(text(bytes)?))
}

fn strings(wanted: u32, bytes: &[u8]) -> Result {
    let mut input = Input(bytes);
    while !input.is_empty() {
        let (number, wire) = input.tag()?;
        if number == wanted {
            is_text(input.length_delimited(wire)?)?;
        } else {
            input.skip(wire)?;
        }
    }
    Ok(())
}

/// Types with a protobuf message of their own.
fn special(ty: &'static Type, bytes: &[u8], depth: usize) -> Result {
    match ty {
        Type::Bytes => Ok(()),
        Type::Time => Ok(timestamp(bytes).map(drop)?),
        Type::MicroTime => Ok(micro_time(bytes).map(drop)?),
        Type::Duration => Ok(numbers::<1>(bytes).map(drop)?),
        Type::Quantity => is_text(part(bytes, 1)?.unwrap_or_default()),
        Type::IntOrString => {
            let [is_string, _] = numbers::<2>(bytes)?;
            if is_string == 0 { Ok(()) } else { is_text(part(bytes, 3)?.unwrap_or_default()) }
        }
        Type::FieldsV1 => is_text(part(bytes, 1)?.unwrap_or_default()),
        Type::Json | Type::RawExtension => match part(bytes, 1)? {
            None | Some([]) => Ok(()),
            Some(json) => serde_json::from_str::<&serde_json::value::RawValue>(text(json)?)
                .map(drop)
                .map_err(|_| Invalid),
        },
        Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema) => {
            either(ty, schema, bytes, deeper(depth)?)
        }
        _ => Err(Invalid),
    }
}

fn either(ty: &Type, schema: &'static Schema, bytes: &[u8], depth: usize) -> Result {
    let number_of_schema = if matches!(ty, Type::SchemaOrBool(_)) { 2 } else { 1 };
    if let Some(bytes) = part(bytes, number_of_schema)? {
        return fields(bytes, schema, depth);
    }
    match ty {
        Type::SchemaOrBool(_) => Ok(numbers::<1>(bytes).map(drop)?),
        Type::SchemaOrStringArray(_) => strings(2, bytes),
        _ => {
            let mut input = Input(bytes);
            while !input.is_empty() {
                let (number, wire) = input.tag()?;
                if number == 2 {
                    let bytes = input.length_delimited(wire)?;
                    fields(bytes, schema, depth)?;
                } else {
                    input.skip(wire)?;
                }
            }
            Ok(())
        }
    }
}

/// A struct within a value that is checked separately.
fn fields(bytes: &[u8], schema: &'static Schema, depth: usize) -> Result {
    Walk::<true>::default().fields(bytes, schema.layout(), depth)
}

fn deeper(depth: usize) -> Result<usize> {
    if depth == DEPTH { Err(Invalid) } else { Ok(depth + 1) }
}

/// Nearly all strings are ASCII, which is checked eight bytes at a time.
#[inline]
fn is_text(bytes: &[u8]) -> Result {
    if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() { Ok(()) } else { Err(Invalid) }
}

#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    // The last bytes may be checked twice, so that there is no rest of odd length.
    if let Some(last) = bytes.last_chunk::<8>() {
        let (chunks, _) = bytes.as_chunks::<8>();
        let all =
            chunks.iter().fold(u64::from_ne_bytes(*last), |all, chunk| all | u64::from_ne_bytes(*chunk));
        return all & 0x8080_8080_8080_8080 == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return (u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & 0x8080_8080 == 0;
    }
    bytes.iter().all(u8::is_ascii)
}
