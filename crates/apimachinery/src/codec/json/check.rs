//! Validation of an object's JSON without building the object.
//!
//! It accepts exactly the input that [`item`](super::item) decodes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::is_other_kind;
use super::key::Any;
use crate::codec::{EncodedMeta, EncodedOwner, KindTable};
use crate::message::{Scalar, Token};
use crate::meta::v1::schema::{OBJECT_META, OWNER_REFERENCE};
use crate::schema::{Schema, Type};
use crate::{ByteString, Duration, MicroTime, Time};

/// The metadata of an object; `None` if its bytes are not JSON of its kind, or something follows.
pub(crate) fn check<'a>(table: &KindTable, bytes: &'a [u8]) -> Option<EncodedMeta<'a>> {
    // UTF-8 is checked once for all strings.
    let text = std::str::from_utf8(bytes).ok()?;
    let mut meta = EncodedMeta::default();
    let mut found = (Cow::Borrowed(""), Cow::Borrowed(""));
    let mut json = serde_json::Deserializer::from_str(text);
    Object { schema: table.schema, meta: &mut meta, found: &mut found }.deserialize(&mut json).ok()?;
    let is_whole = json.into_iter::<de::IgnoredAny>().byte_offset() == bytes.len();
    let (api_version, kind) = (&*found.0, &*found.1);
    if !is_whole || is_other_kind((table.api_version, table.kind), (api_version, kind)) {
        return None;
    }
    meta.keep_last_labels();
    Some(meta)
}

/// An error without a message: callers decode the object to get one.
fn invalid<T, E: de::Error>() -> Result<T, E> {
    Err(E::custom(""))
}

/// The top-level object.
struct Object<'m, 'de> {
    schema: &'static Schema,
    meta: &'m mut EncodedMeta<'de>,
    /// The `apiVersion` and `kind`.
    found: &'m mut (Cow<'de, str>, Cow<'de, str>),
}

/// A key of the top-level object.
enum Key {
    Field(usize),
    ApiVersion,
    Kind,
    Unknown,
}

macro_rules! deserialize_any {
    () => {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_any(self)
        }
    };
}

macro_rules! visit_object_or_null {
    () => {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E: de::Error>(self) -> Result<(), E> {
            Ok(())
        }
    };
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    visit_object_or_null!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Object { schema, meta, found } = self;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Name { schema, hint: next, top: true })? {
            match key {
                Key::Field(index) => {
                    next = index + 1;
                    let field = &schema.fields[index];
                    match &field.ty {
                        Type::Message(schema) if *schema == &OBJECT_META && field.json == "metadata" => {
                            map.next_value_seed(Metadata(meta))?;
                        }
                        ty => map.next_value_seed(Of(ty))?,
                    }
                }
                Key::ApiVersion => map.next_value_seed(Text(&mut found.0))?,
                Key::Kind => map.next_value_seed(Text(&mut found.1))?,
                Key::Unknown => map.next_value::<&RawValue>().map(drop)?,
            }
        }
        Ok(())
    }
}

/// The object's metadata. Duplicate fields are merged as decoding does.
struct Metadata<'m, 'de>(&'m mut EncodedMeta<'de>);

impl<'de> DeserializeSeed<'de> for Metadata<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Metadata<'_, 'de> {
    visit_object_or_null!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let meta = self.0;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Name { schema: &OBJECT_META, hint: next, top: false })? {
            let Key::Field(index) = key else {
                map.next_value::<&RawValue>()?;
                continue;
            };
            next = index + 1;
            let field = &OBJECT_META.fields[index];
            match field.json {
                "name" => map.next_value_seed(Text(&mut meta.name))?,
                "namespace" => map.next_value_seed(Text(&mut meta.namespace))?,
                "uid" => map.next_value_seed(Text(&mut meta.uid))?,
                "resourceVersion" => map.next_value_seed(Text(&mut meta.resource_version))?,
                "labels" => map.next_value_seed(Labels(&mut meta.labels))?,
                "ownerReferences" => map.next_value_seed(Owners(&mut meta.owners))?,
                _ => map.next_value_seed(Of(&field.ty))?,
            }
        }
        Ok(())
    }
}

/// A string or null.
pub(super) struct Text<'m, 'de>(pub(super) &'m mut Cow<'de, str>);

impl<'de> DeserializeSeed<'de> for Text<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Text<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        *self.0 = Cow::Borrowed("");
        Ok(())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        *self.0 = Cow::Borrowed(text);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Cow::Owned(text.to_owned());
        Ok(())
    }
}

struct Labels<'m, 'de>(&'m mut Vec<(Cow<'de, str>, Cow<'de, str>)>);

impl<'de> DeserializeSeed<'de> for Labels<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Labels<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.clear();
        let mut key = Cow::Borrowed("");
        while map.next_key_seed(Text(&mut key))?.is_some() {
            let mut value = Cow::Borrowed("");
            map.next_value_seed(Text(&mut value))?;
            self.0.push((std::mem::take(&mut key), value));
        }
        Ok(())
    }
}

struct Owners<'m, 'de>(&'m mut Vec<EncodedOwner<'de>>);

impl<'de> DeserializeSeed<'de> for Owners<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Owners<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.0.clear();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.clear();
        loop {
            let mut owner = EncodedOwner::default();
            if seq.next_element_seed(Owner(&mut owner))?.is_none() {
                return Ok(());
            }
            self.0.push(owner);
        }
    }
}

struct Owner<'m, 'de>(&'m mut EncodedOwner<'de>);

impl<'de> DeserializeSeed<'de> for Owner<'_, 'de> {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Owner<'_, 'de> {
    visit_object_or_null!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let owner = self.0;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Name { schema: &OWNER_REFERENCE, hint: next, top: false })? {
            let Key::Field(index) = key else {
                map.next_value::<&RawValue>()?;
                continue;
            };
            next = index + 1;
            let field = &OWNER_REFERENCE.fields[index];
            match field.json {
                "apiVersion" => map.next_value_seed(Text(&mut owner.api_version))?,
                "kind" => map.next_value_seed(Text(&mut owner.kind))?,
                "name" => map.next_value_seed(Text(&mut owner.name))?,
                "uid" => map.next_value_seed(Text(&mut owner.uid))?,
                "controller" => owner.controller = map.next_value::<Option<bool>>()?.unwrap_or_default(),
                _ => map.next_value_seed(Of(&field.ty))?,
            }
        }
        Ok(())
    }
}

/// A value of a type.
#[derive(Clone, Copy)]
struct Of(&'static Type);

impl<'de> DeserializeSeed<'de> for Of {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Type::Json | Type::RawExtension | Type::FieldsV1 => {
                <&RawValue as de::Deserialize>::deserialize(deserializer).map(drop)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

/// Checks that a type accepts a string.
fn reads<T: Scalar + Default, E: de::Error>(text: &str) -> Result<(), E> {
    T::default().set(Token::Str(text)).or_else(|_| invalid())
}

impl<'de> Visitor<'de> for Of {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what its field holds")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        if matches!(self.0, Type::Bool | Type::SchemaOrBool(_)) { Ok(()) } else { invalid() }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        match self.0 {
            Type::Int64 | Type::Double | Type::Quantity => Ok(()),
            Type::Int32 | Type::IntOrString if i32::try_from(value).is_ok() => Ok(()),
            _ => invalid(),
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        if matches!(self.0, Type::Double | Type::Quantity) { Ok(()) } else { invalid() }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.0 {
            Type::String | Type::Quantity | Type::IntOrString => Ok(()),
            Type::Bytes => reads::<ByteString, E>(text),
            Type::Time => reads::<Time, E>(text),
            Type::MicroTime => reads::<MicroTime, E>(text),
            Type::Duration => reads::<Duration, E>(text),
            _ => invalid(),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        match self.0 {
            Type::List(item) => while seq.next_element_seed(Of(item))?.is_some() {},
            Type::StringList | Type::SchemaOrStringArray(_) => {
                while seq.next_element_seed(Of(&Type::String))?.is_some() {}
            }
            Type::SchemaOrArray(schema) => while seq.next_element_seed(Struct(schema))?.is_some() {},
            _ => return invalid(),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.0 {
            Type::Message(schema)
            | Type::SchemaOrArray(schema)
            | Type::SchemaOrBool(schema)
            | Type::SchemaOrStringArray(schema) => Struct(schema).visit_map(map),
            Type::Map(value) => {
                while map.next_key_seed(Any)?.is_some() {
                    map.next_value_seed(Of(value))?;
                }
                Ok(())
            }
            _ => invalid(),
        }
    }
}

/// A struct.
struct Struct(&'static Schema);

impl<'de> DeserializeSeed<'de> for Struct {
    deserialize_any!();
}

impl<'de> Visitor<'de> for Struct {
    visit_object_or_null!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let schema = self.0;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Name { schema, hint: next, top: false })? {
            match key {
                Key::Field(index) => {
                    next = index + 1;
                    map.next_value_seed(Of(&schema.fields[index].ty))?;
                }
                _ => map.next_value::<&RawValue>().map(drop)?,
            }
        }
        Ok(())
    }
}

/// Finds the field with the name of a key.
struct Name {
    schema: &'static Schema,
    hint: usize,
    top: bool,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.schema.position(name, self.hint) {
            Some(index) => Key::Field(index),
            None if self.top && name == "apiVersion" => Key::ApiVersion,
            None if self.top && name == "kind" => Key::Kind,
            None => Key::Unknown,
        })
    }
}
