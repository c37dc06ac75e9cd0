//! JSON encoding of API structs, written once for all of them.
//!
//! Input that Go accepts is accepted: `null` for absent, numbers and strings for quantities, and fields in any order.
//! Fields that this build does not know are kept. Decoding from bytes keeps raw JSON as it came; through other serde
//! formats it is rewritten as JSON.

mod check;
mod cut;
mod field;
mod key;
mod loose;
mod rewrite;
mod scalars;

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::{DecodeError, ManagedFields, SchemaKind};
use crate::message::{Entries, List, Message, Mut, Ref, Scalar, Token};
use crate::schema::Schema;
use crate::{Json, Str, go};

pub(crate) use check::check;
pub(crate) use cut::item_without_managed_fields;
pub(crate) use field::{field, text_at};
pub(crate) use loose::{check_any, meta_of_any};
use rewrite::rewritten;

/// Decodes JSON into a struct, over its present values.
///
/// # Errors
///
/// If the bytes are not JSON, or a known field has a value of another type.
pub fn decode(bytes: &[u8], message: &mut dyn Message) -> Result<(), DecodeError> {
    let mut reader = Reader::raw();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let done = Slot { place: Mut::Message(message), reader: &mut reader }.deserialize(&mut json);
    done.and_then(|()| json.end()).map_err(|error| DecodeError::new(reader.path(), error))
}

/// Appends a struct as JSON.
pub fn encode(message: &dyn Message, out: &mut Vec<u8>) {
    let view = View { value: Ref::Message(message), raw: true };
    write(&view, out);
}

/// Decodes an object of a known kind.
///
/// # Errors
///
/// If the bytes are not JSON, name another kind, or a known field has a value of another type.
pub fn from_slice<T: Message + Default + SchemaKind>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut object = T::default();
    let mut reader = Reader { raw: true, type_meta: Some(TypeMeta::default()), ..Reader::default() };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let done = Slot { place: Mut::Message(&mut object), reader: &mut reader }.deserialize(&mut json);
    if let Err(error) = done.and_then(|()| json.end()) {
        return Err(DecodeError::new(reader.path(), error));
    }
    match reader.wrong_kind::<T>() {
        Some(problem) => Err(DecodeError::new(String::new(), problem)),
        None => Ok(object),
    }
}

/// Returns true if more bytes could mend the error: serde_json calls `1e` an invalid number.
fn is_cut(error: &serde_json::Error, bytes: &[u8]) -> bool {
    let is_at_the_end = || {
        let line = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
        error.line() == lines && error.column() >= line.len()
    };
    error.is_eof() || is_at_the_end()
}

/// The JSON value at the beginning of `bytes`; `None` if the bytes end within it.
pub(crate) fn value_at(bytes: &[u8]) -> Result<Option<&[u8]>, DecodeError> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    match values.next() {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value.get().as_bytes())),
        Some(Err(error)) if is_cut(&error, bytes) => Ok(None),
        Some(Err(error)) => Err(DecodeError::of_document(error)),
    }
}

/// Decodes the object of a known kind at the beginning of `bytes` and returns it with its length; `None` if the bytes
/// end within it.
///
/// # Errors
///
/// The same as those of [`from_slice`].
pub fn item<T: Message + Default + SchemaKind>(
    bytes: &[u8],
    managed_fields: ManagedFields,
) -> Result<Option<(T, usize)>, DecodeError> {
    let mut object = T::default();
    let type_meta = Some(TypeMeta::default());
    let mut reader = Reader { raw: true, type_meta, managed_fields, ..Reader::default() };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match (Slot { place: Mut::Message(&mut object), reader: &mut reader }).deserialize(&mut json) {
        Err(error) if is_cut(&error, bytes) => return Ok(None),
        Err(error) => return Err(DecodeError::new(reader.path(), error)),
        Ok(()) => {}
    }
    match reader.wrong_kind::<T>() {
        Some(problem) => Err(DecodeError::of_document(problem)),
        None => Ok(Some((object, json.into_iter::<de::IgnoredAny>().byte_offset()))),
    }
}

/// Appends an object of a known kind.
pub fn to_vec<T: Message + SchemaKind>(object: &T, out: &mut Vec<u8>) {
    let object = Object { message: object, api_version: T::API_VERSION, kind: T::KIND, raw: true };
    write(&object, out);
}

/// Appends JSON, with numbers as Go writes them.
pub(crate) fn write(value: &impl Serialize, out: &mut Vec<u8>) {
    let done = value.serialize(&mut serde_json::Serializer::with_formatter(out, go::JsonNumbers));
    done.expect("a Vec takes all bytes and every key is a string");
}

/// `Deserialize` of an object of a known kind, from any serde format.
///
/// # Errors
///
/// The same as those of [`from_slice`].
pub fn deserialize_kind<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Message + Default + SchemaKind,
    D: Deserializer<'de>,
{
    let mut object = T::default();
    let mut reader = Reader { type_meta: Some(TypeMeta::default()), ..Reader::default() };
    Slot { place: Mut::Message(&mut object), reader: &mut reader }
        .deserialize(deserializer)
        .map_err(|error| reader.at(error))?;
    match reader.wrong_kind::<T>() {
        Some(problem) => Err(de::Error::custom(problem)),
        None => Ok(object),
    }
}

/// `Deserialize` of a struct, from any serde format.
///
/// # Errors
///
/// If a known field has a value of another type.
pub fn deserialize<'de, T: Message + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut message = T::default();
    let mut reader = Reader::default();
    Slot { place: Mut::Message(&mut message), reader: &mut reader }
        .deserialize(deserializer)
        .map_err(|error| reader.at(error))?;
    Ok(message)
}

/// `Serialize` of an object of a known kind, to any serde format.
///
/// # Errors
///
/// The errors of the serializer.
pub fn serialize_kind<T: Message + SchemaKind, S: Serializer>(
    object: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    Object { message: object, api_version: T::API_VERSION, kind: T::KIND, raw: false }.serialize(serializer)
}

/// `Serialize` of a struct, to any serde format.
///
/// # Errors
///
/// The errors of the serializer.
pub fn serialize<S: Serializer>(message: &dyn Message, serializer: S) -> Result<S::Ok, S::Error> {
    View { value: Ref::Message(message), raw: false }.serialize(serializer)
}

/// State of a decoding: the path of the present field, and the kind found.
#[derive(Default)]
pub(crate) struct Reader {
    /// True for serde_json over bytes, which can hand out raw JSON.
    raw: bool,
    /// Set while the fields of a top-level object are read.
    type_meta: Option<TypeMeta>,
    managed_fields: ManagedFields,
    found: TypeMeta,
    steps: Vec<Step>,
}

#[derive(Default)]
struct TypeMeta {
    api_version: Str,
    kind: Str,
}

enum Step {
    Field(&'static str),
    Key(Str),
    Index(usize),
}

impl Reader {
    /// A reader for serde_json over bytes.
    pub(crate) fn raw() -> Self {
        Reader { raw: true, ..Reader::default() }
    }

    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Field(name) => push_name(&mut path, name),
                Step::Key(name) => push_name(&mut path, name),
            }
        }
        path
    }

    fn at<E: de::Error>(&self, error: E) -> E {
        if self.steps.is_empty() { error } else { E::custom(format_args!("{}: {error}", self.path())) }
    }

    fn wrong_kind<T: SchemaKind>(&self) -> Option<String> {
        let TypeMeta { api_version, kind } = &self.found;
        let other = is_other_kind((T::API_VERSION, T::KIND), (api_version, kind));
        other.then(|| format!("expected {} {}, found {api_version} {kind}", T::API_VERSION, T::KIND))
    }

    /// Reads any value and passes its JSON to `take`.
    fn json<'de, D: Deserializer<'de>>(
        &self,
        deserializer: D,
        take: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<(), D::Error> {
        let taken = if self.raw {
            take(<&RawValue as de::Deserialize>::deserialize(deserializer)?.get())
        } else {
            take(&rewritten(deserializer)?)
        };
        taken.map_err(de::Error::custom)
    }
}

/// Returns true if an `apiVersion` and `kind`, either of which may be empty, are not those expected.
fn is_other_kind(expected: (&str, &str), (api_version, kind): (&str, &str)) -> bool {
    (!kind.is_empty() && kind != expected.1)
        || (!api_version.is_empty() && api_version != expected.0 && kind.is_empty())
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// A field for writing, as a serde seed and visitor.
pub(crate) struct Slot<'a, 'r> {
    pub(crate) place: Mut<'a>,
    pub(crate) reader: &'r mut Reader,
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Mut::Json(slot) => self.reader.json(deserializer, |text| {
                if text == "null" {
                    slot.clear();
                    return Ok(());
                }
                slot.set(text)
            }),
            Mut::Quantity(_) if self.reader.raw => {
                let text = <&RawValue as de::Deserialize>::deserialize(deserializer)?.get();
                // A number is kept as it is written: a float would lose digits.
                let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                if is_number {
                    return self.scalar(Token::Str(text));
                }
                let unescaped = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                if let Some(text) = unescaped.filter(|text| !text.contains('\\')) {
                    return self.scalar(Token::Str(text));
                }
                let mut value = serde_json::Deserializer::from_str(text);
                value.deserialize_any(self).map_err(de::Error::custom)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl Slot<'_, '_> {
    fn scalar<E: de::Error>(self, token: Token<'_>) -> Result<(), E> {
        let set = |scalar: &mut dyn Scalar| {
            scalar
                .set(token)
                .map_err(|expected| E::custom(format_args!("expected {expected}, found {}", Shown(token))))
        };
        match (self.place, token) {
            (Mut::Scalar(scalar) | Mut::Quantity(scalar), _) => set(scalar),
            (Mut::Text(text), _) => set(text),
            (Mut::OptionalText(text), _) => set(text),
            (Mut::Either(either), Token::Bool(_)) => match either.bool() {
                Some(scalar) => set(scalar),
                None => Err(E::custom("expected an object or a list, found a boolean")),
            },
            (Mut::Message(_), Token::Null) => Ok(()),
            (Mut::Optional(optional), Token::Null) => Ok(optional.clear()),
            (Mut::OneOf(union, index), Token::Null) => Ok(union.clear(index)),
            (Mut::Either(either), Token::Null) => Ok(either.clear()),
            (Mut::List(list), Token::Null) => Ok(list.clear()),
            (Mut::Map(map), Token::Null) => Ok(map.clear()),
            (Mut::List(_), token) => Err(E::custom(format_args!("expected a list, found {}", Shown(token)))),
            (_, token) => Err(E::custom(format_args!("expected an object, found {}", Shown(token)))),
        }
    }
}

/// A token as errors show it: its type without its value, which may be secret.
struct Shown<'a>(Token<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Token::Null => f.write_str("null"),
            Token::Bool(_) => f.write_str("a boolean"),
            Token::Int(_) | Token::Double(_) => f.write_str("a number"),
            Token::Str(text) => write!(f, "a string of {} bytes", text.len()),
            Token::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Token::Time(_) | Token::MicroTime(_) => f.write_str("a time"),
            Token::Duration(_) => f.write_str("a duration"),
        }
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Mut::Scalar(_) | Mut::Quantity(_) | Mut::Text(_) | Mut::OptionalText(_) => "a plain value",
            Mut::List(_) => "a list",
            _ => "an object",
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.scalar(Token::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.scalar(Token::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Token::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Token::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.scalar(Token::Int(value)),
            Err(_) if matches!(self.place, Mut::Quantity(_)) => self.scalar(Token::Str(&value.to_string())),
            Err(_) => self.scalar(Token::Double(value as f64)),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Token::Double(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.place {
            Mut::Text(place) => *place = text.into(),
            Mut::OptionalText(place) => *place = Some(text.into()),
            _ => return self.scalar(Token::Str(text)),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        match self.place {
            Mut::List(list) => self.reader.list(list, seq),
            Mut::Either(either) => match either.list() {
                Some(list) => self.reader.list(list, seq),
                None => Err(de::Error::custom("expected an object or a boolean, found a list")),
            },
            Mut::Scalar(_) | Mut::Quantity(_) | Mut::Text(_) | Mut::OptionalText(_) => {
                Err(de::Error::custom("expected a plain value, found a list"))
            }
            _ => Err(de::Error::custom("expected an object, found a list")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.place {
            Mut::Message(message) => self.reader.message(message, map),
            Mut::Optional(optional) => self.reader.message(optional.make(), map),
            Mut::OneOf(union, index) => self.reader.message(union.make(index), map),
            Mut::Either(either) => self.reader.message(either.message(), map),
            Mut::Map(entries) => self.reader.entries(entries, map),
            Mut::List(_) => Err(de::Error::custom("expected a list, found an object")),
            _ => Err(de::Error::custom("expected a plain value, found an object")),
        }
    }
}

impl Reader {
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut dyn List, mut seq: A) -> Result<(), A::Error> {
        list.clear();
        loop {
            self.steps.push(Step::Index(list.len()));
            let more = seq.next_element_seed(Item { list, reader: self })?;
            self.steps.pop();
            if more.is_none() {
                list.shrink();
                return Ok(());
            }
        }
    }

    fn entries<'de, A: MapAccess<'de>>(
        &mut self,
        entries: &mut dyn Entries,
        mut map: A,
    ) -> Result<(), A::Error> {
        entries.clear();
        let read = self.unordered(entries, &mut map);
        entries.settle();
        entries.shrink();
        read
    }

    fn unordered<'de, A: MapAccess<'de>>(
        &mut self,
        entries: &mut dyn Entries,
        map: &mut A,
    ) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Str>()? {
            self.steps.push(Step::Key(key.clone()));
            map.next_value_seed(Slot { place: entries.append(key), reader: self })?;
            self.steps.pop();
        }
        Ok(())
    }

    fn message<'de, A: MapAccess<'de>>(
        &mut self,
        message: &mut dyn Message,
        mut map: A,
    ) -> Result<(), A::Error> {
        let schema = message.schema();
        let top = self.type_meta.take().is_some();
        let mut next = 0;
        while let Some(name) = map.next_key_seed(Name { schema, hint: next, top })? {
            match name {
                Found::Field(index) => {
                    next = index + 1;
                    if self.managed_fields == ManagedFields::Skip && schema.fields[index].is_managed_fields()
                    {
                        map.next_value::<de::IgnoredAny>()?;
                        continue;
                    }
                    self.steps.push(Step::Field(schema.fields[index].json));
                    map.next_value_seed(Slot { place: message.field_mut(index), reader: self })?;
                    self.steps.pop();
                }
                Found::ApiVersion => {
                    self.found.api_version = map.next_value::<Option<Str>>()?.unwrap_or_default()
                }
                Found::Kind => self.found.kind = map.next_value::<Option<Str>>()?.unwrap_or_default(),
                Found::Unknown(name) => {
                    let unknown = message.unknown_mut();
                    map.next_value_seed(Other {
                        reader: self,
                        take: |text: &str| {
                            unknown.insert(&name, Json::from_checked(text));
                        },
                    })?;
                }
            }
        }
        Ok(())
    }
}

struct Item<'a, 'r> {
    list: &'a mut dyn List,
    reader: &'r mut Reader,
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Slot { place: self.list.push(), reader: self.reader }.deserialize(deserializer)
    }
}

struct Other<'r, F> {
    reader: &'r Reader,
    take: F,
}

impl<'de, F: FnOnce(&str)> DeserializeSeed<'de> for Other<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.reader.json(deserializer, |text| Ok((self.take)(text)))
    }
}

/// Finds the field with the name of a key.
struct Name {
    schema: &'static Schema,
    hint: usize,
    top: bool,
}

enum Found {
    Field(usize),
    ApiVersion,
    Kind,
    Unknown(Str),
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Found, E> {
        Ok(match self.schema.position(name, self.hint) {
            Some(index) => Found::Field(index),
            None if self.top && name == "apiVersion" => Found::ApiVersion,
            None if self.top && name == "kind" => Found::Kind,
            None => Found::Unknown(name.into()),
        })
    }
}

/// A value, for `Serialize`.
struct View<'a> {
    value: Ref<'a>,
    /// True if the serializer is serde_json's, which takes raw JSON.
    raw: bool,
}

/// An object with its kind, for `Serialize`.
struct Object<'a> {
    message: &'a dyn Message,
    api_version: &'static str,
    kind: &'static str,
    raw: bool,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind)?;
        map.serialize_entry("apiVersion", self.api_version)?;
        write_fields(&mut map, self.message, self.raw)?;
        map.end()
    }
}

fn write_fields<M: SerializeMap>(map: &mut M, message: &dyn Message, raw: bool) -> Result<(), M::Error> {
    for (index, field) in message.schema().fields.iter().enumerate() {
        let value = message.field(index);
        if !value.is_left_out(field) {
            map.serialize_entry(field.json, &View { value, raw })?;
        }
    }
    for (name, value) in message.unknown().iter() {
        map.serialize_entry(name, &View { value: Ref::Json(value.as_str()), raw })?;
    }
    Ok(())
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = self.raw;
        match self.value {
            Ref::Absent => serializer.serialize_unit(),
            Ref::Bool(value) => serializer.serialize_bool(value),
            Ref::Int(value) => serializer.serialize_i64(value),
            // Go writes 1 for 1.0.
            Ref::Double(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                serializer.serialize_i64(value as i64)
            }
            Ref::Double(value) => serializer.serialize_f64(value),
            Ref::Str(text) => serializer.serialize_str(text),
            // Go has one way to write an amount. Strings that are no quantity are left to the server to reject.
            Ref::Quantity("") => serializer.serialize_str("0"),
            Ref::Quantity(text) => match crate::Quantity::from(text).canonical() {
                Ok(canonical) => serializer.serialize_str(&canonical),
                Err(_) => serializer.serialize_str(text),
            },
            Ref::Bytes(bytes) => serializer.collect_str(&base64::display::Base64Display::new(
                bytes,
                &base64::engine::general_purpose::STANDARD,
            )),
            Ref::Time(crate::Time::ZERO) | Ref::MicroTime(crate::MicroTime::ZERO) => {
                serializer.serialize_unit()
            }
            Ref::Time(time) => serializer.collect_str(&time),
            Ref::MicroTime(time) => serializer.collect_str(&time),
            Ref::Duration(span) => serializer.collect_str(&span),
            Ref::Json(text) if raw => match serde_json::from_str::<&RawValue>(text) {
                Ok(value) => value.serialize(serializer),
                Err(_) => serializer.serialize_unit(),
            },
            Ref::Json(text) => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value) => value.serialize(serializer),
                Err(_) => serializer.serialize_unit(),
            },
            Ref::Message(message) => {
                let mut map = serializer.serialize_map(None)?;
                write_fields(&mut map, message, raw)?;
                map.end()
            }
            Ref::List(list) => {
                serializer.collect_seq((0..list.len()).map(|i| View { value: list.item(i), raw }))
            }
            Ref::Map(map) => serializer.collect_map((0..map.len()).map(|i| {
                let (key, value) = map.entry(i);
                (key, View { value, raw })
            })),
        }
    }
}
