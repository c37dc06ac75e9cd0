//! [`FieldWriter`], a serializer that writes the fields of a struct as JSON, but those that are `null`.

use serde::ser::{Error as _, Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::Error;

/// Writes the fields of a struct, or the entries of a map, into a JSON object that has begun; or the value of one of them.
pub(super) struct FieldWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The length of the output before the present field.
    begin: usize,
    /// The field of which the value is written, and nothing else.
    only: Option<&'a str>,
    /// The present field is not written.
    is_left_out: bool,
}

impl<'a> FieldWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        FieldWriter { begin: out.len(), out, only: None, is_left_out: false }
    }

    /// Writes the value of one field.
    pub(super) fn only(name: &'a str, out: &'a mut Vec<u8>) -> Self {
        FieldWriter { only: Some(name), ..FieldWriter::new(out) }
    }
}

impl FieldWriter<'_> {
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.begin = self.out.len();
        if self.out.last().is_some_and(|last| *last != b'{') {
            self.out.push(b',');
        }
        let begin = self.out.len();
        serde_json::to_writer(&mut *self.out, key)?;
        let written = self.out.get(begin..).unwrap_or_default();
        let Some(name) = written.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")) else {
            return Err(Error::custom("key must be a string"));
        };
        match self.only {
            Some(only) => {
                self.is_left_out = name != only.as_bytes();
                self.out.truncate(self.begin);
            }
            None => self.out.push(b':'),
        }
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.is_left_out {
            return Ok(());
        }
        let begin = self.out.len();
        serde_json::to_writer(&mut *self.out, value)?;
        if self.out.get(begin..) == Some(b"null") {
            self.out.truncate(self.begin);
        }
        Ok(())
    }
}

impl SerializeStruct for FieldWriter<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.key(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl SerializeMap for FieldWriter<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// The error of a value that has no fields.
fn no_fields<T>() -> Result<T, Error> {
    Err(Error::custom("an object of a custom resource is a JSON object"))
}

macro_rules! scalars {
    ($($method:ident $type:ty)*) => {$(
        fn $method(self, _: $type) -> Result<(), Error> {
            no_fields()
        }
    )*};
}

impl Serializer for FieldWriter<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars! {
        serialize_bool bool serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_u8 u8
        serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_f32 f32 serialize_f64 f64 serialize_char char
        serialize_str &str serialize_bytes &[u8] serialize_unit_struct &'static str
    }

    fn serialize_none(self) -> Result<(), Error> {
        no_fields()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        no_fields()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Error> {
        no_fields()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        no_fields()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_fields()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_fields()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        no_fields()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_fields()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_fields()
    }
}
