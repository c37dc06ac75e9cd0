//! [`Dynamic`], a struct whose type is known at run time only.

use std::fmt;

use super::{
    Either, Entries, JsonSlot, List, Message, Mut, Optional, Ref, Scalar, Token, Unknown, Value, debug, equal,
};
use crate::schema::{Schema, Type};
use crate::{ByteString, Duration, IntOrString, Json, Map, MicroTime, Quantity, Str, Time};

/// An API struct whose type is known at run time only: it has the fields of a schema, and works with the same codecs as
/// the generated structs.
///
/// ```
/// use klient_apimachinery::codec::json;
/// use klient_apimachinery::message::Dynamic;
/// use klient_apimachinery::meta::v1::schema::STATUS;
///
/// let mut status = Dynamic::new(&STATUS);
/// json::decode(br#"{"reason":"NotFound","code":404}"#, &mut status)?;
/// let mut protobuf = Vec::new();
/// klient_apimachinery::codec::protobuf::encode(&status, &mut protobuf);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Dynamic {
    schema: &'static Schema,
    /// The fields that were written, by position: most structs have few of the fields of their schema.
    fields: Vec<(usize, Any)>,
    unknown: Unknown,
}

/// The value of a field.
struct Any {
    ty: &'static Type,
    held: Held,
}

enum Held {
    Nothing,
    Bool(bool),
    Int32(i32),
    Int64(i64),
    Double(f64),
    Str(Str),
    Bytes(ByteString),
    Time(Time),
    MicroTime(MicroTime),
    Duration(Duration),
    Quantity(Quantity),
    IntOrString(IntOrString),
    Json(Json),
    Message(Box<Dynamic>),
    List(Vec<Any>),
    Map(Map<Any>),
}

impl Dynamic {
    /// A struct with all fields absent.
    pub fn new(schema: &'static Schema) -> Self {
        Dynamic { schema, fields: Vec::new(), unknown: Unknown::default() }
    }
}

impl Message for Dynamic {
    fn schema(&self) -> &'static Schema {
        self.schema
    }

    fn field(&self, index: usize) -> Ref<'_> {
        match self.fields.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => self.fields[at].1.view(),
            Err(_) => Ref::Absent,
        }
    }

    fn field_mut(&mut self, index: usize) -> Mut<'_> {
        let at = self.fields.binary_search_by_key(&index, |(index, _)| *index).unwrap_or_else(|at| {
            self.fields.insert(at, (index, Any::new(&self.schema.fields[index].ty)));
            at
        });
        self.fields[at].1.view_mut()
    }

    fn unknown(&self) -> &Unknown {
        &self.unknown
    }

    fn unknown_mut(&mut self) -> &mut Unknown {
        &mut self.unknown
    }
}

impl PartialEq for Dynamic {
    fn eq(&self, other: &Self) -> bool {
        equal(self, other)
    }
}

impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self, f)
    }
}

static STRING: Type = Type::String;

impl Any {
    fn new(ty: &'static Type) -> Self {
        Any { ty, held: Held::Nothing }
    }

    fn view(&self) -> Ref<'_> {
        match &self.held {
            Held::Nothing => Ref::Absent,
            Held::Bool(value) => value.view(),
            Held::Int32(value) => value.view(),
            Held::Int64(value) => value.view(),
            Held::Double(value) => value.view(),
            Held::Str(value) => value.view(),
            Held::Bytes(value) => value.view(),
            Held::Time(value) => value.view(),
            Held::MicroTime(value) => value.view(),
            Held::Duration(value) => value.view(),
            Held::Quantity(value) => value.view(),
            Held::IntOrString(value) => value.view(),
            Held::Json(value) => value.view(),
            Held::Message(message) => Ref::Message(&**message),
            Held::List(_) => Ref::List(self),
            Held::Map(_) => Ref::Map(self),
        }
    }

    fn view_mut(&mut self) -> Mut<'_> {
        match self.ty {
            Type::Json | Type::RawExtension | Type::FieldsV1 => Mut::Json(self),
            Type::Message(_) => Mut::Optional(self),
            Type::SchemaOrArray(_) | Type::SchemaOrBool(_) | Type::SchemaOrStringArray(_) => {
                Mut::Either(self)
            }
            Type::List(_) | Type::StringList => Mut::List(self),
            Type::Map(_) => Mut::Map(self),
            Type::Quantity => Mut::Quantity(self),
            _ => Mut::Scalar(self),
        }
    }

    fn make_message(&mut self, schema: &'static Schema) -> &mut dyn Message {
        if !matches!(self.held, Held::Message(_)) {
            self.held = Held::Message(Box::new(Dynamic::new(schema)));
        }
        match &mut self.held {
            Held::Message(message) => &mut **message,
            _ => unreachable!("it was made above"),
        }
    }

    fn items(&self) -> &[Any] {
        match &self.held {
            Held::List(items) => items,
            _ => &[],
        }
    }

    fn items_mut(&mut self) -> &mut Vec<Any> {
        if !matches!(self.held, Held::List(_)) {
            self.held = Held::List(Vec::new());
        }
        match &mut self.held {
            Held::List(items) => items,
            _ => unreachable!("it was made above"),
        }
    }

    fn entries_mut(&mut self) -> &mut Map<Any> {
        if !matches!(self.held, Held::Map(_)) {
            self.held = Held::Map(Map::new());
        }
        match &mut self.held {
            Held::Map(entries) => entries,
            _ => unreachable!("it was made above"),
        }
    }

    /// The type of a list's items or a map's values.
    fn inner(&self) -> &'static Type {
        match self.ty {
            Type::List(inner) | Type::Map(inner) => inner,
            // Each item is a schema, where a list of them replaces one.
            Type::SchemaOrArray(_) => self.ty,
            _ => &STRING,
        }
    }
}

impl Scalar for Any {
    fn set(&mut self, token: Token<'_>) -> Result<(), &'static str> {
        /// Reads a scalar as its type does.
        fn read<T: Scalar + Default>(token: Token<'_>, hold: fn(T) -> Held) -> Result<Held, &'static str> {
            let mut value = T::default();
            value.set(token)?;
            Ok(hold(value))
        }
        if let Token::Null = token {
            self.held = Held::Nothing;
            return Ok(());
        }
        self.held = match self.ty {
            Type::Bool | Type::SchemaOrBool(_) => read(token, Held::Bool),
            Type::Int32 => read(token, Held::Int32),
            Type::Int64 => read(token, Held::Int64),
            Type::Double => read(token, Held::Double),
            Type::Bytes => read(token, Held::Bytes),
            Type::Time => read(token, Held::Time),
            Type::MicroTime => read(token, Held::MicroTime),
            Type::Duration => read(token, Held::Duration),
            Type::Quantity => read(token, Held::Quantity),
            Type::IntOrString => read(token, Held::IntOrString),
            _ => read(token, Held::Str),
        }?;
        Ok(())
    }
}

impl JsonSlot for Any {
    fn set(&mut self, text: &str) -> Result<(), String> {
        self.held = Held::Json(Json::from_checked(text));
        Ok(())
    }

    fn clear(&mut self) {
        self.held = Held::Nothing;
    }
}

impl Optional for Any {
    fn clear(&mut self) {
        self.held = Held::Nothing;
    }

    fn make(&mut self) -> &mut dyn Message {
        match self.ty {
            Type::Message(schema) => self.make_message(schema),
            _ => unreachable!("only structs are viewed as optional"),
        }
    }
}

impl Either for Any {
    fn clear(&mut self) {
        self.held = Held::Nothing;
    }

    fn message(&mut self) -> &mut dyn Message {
        match self.ty {
            Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema) => {
                self.make_message(schema)
            }
            _ => unreachable!("only these are viewed as either"),
        }
    }

    fn list(&mut self) -> Option<&mut dyn List> {
        if matches!(self.ty, Type::SchemaOrBool(_)) {
            return None;
        }
        self.held = Held::List(Vec::new());
        Some(self)
    }

    fn bool(&mut self) -> Option<&mut dyn Scalar> {
        matches!(self.ty, Type::SchemaOrBool(_)).then_some(self)
    }
}

impl List for Any {
    fn len(&self) -> usize {
        self.items().len()
    }

    fn item(&self, index: usize) -> Ref<'_> {
        self.items()[index].view()
    }

    fn clear(&mut self) {
        self.items_mut().clear();
    }

    fn reserve(&mut self, more: usize) {
        self.items_mut().reserve_exact(more);
    }

    fn shrink(&mut self) {
        self.items_mut().shrink_to_fit();
    }

    fn push(&mut self) -> Mut<'_> {
        let mut item = Any::new(self.inner());
        // Items are never absent: Go has no absent items.
        item.fill();
        let items = self.items_mut();
        items.push(item);
        let last = items.len() - 1;
        items[last].view_mut()
    }
}

impl Entries for Any {
    fn len(&self) -> usize {
        match &self.held {
            Held::Map(entries) => entries.len(),
            _ => 0,
        }
    }

    fn entry(&self, index: usize) -> (&str, Ref<'_>) {
        let entry = match &self.held {
            Held::Map(entries) => entries.entry_at(index),
            _ => None,
        };
        entry.map_or(("", Ref::Absent), |(key, value)| (key, value.view()))
    }

    fn clear(&mut self) {
        self.entries_mut().clear();
    }

    fn reserve(&mut self, more: usize) {
        self.entries_mut().reserve(more);
    }

    fn shrink(&mut self) {
        self.entries_mut().shrink_to_fit();
    }

    fn append(&mut self, key: Str) -> Mut<'_> {
        let mut fresh = Any::new(self.inner());
        fresh.fill();
        self.entries_mut().append(key, fresh).view_mut()
    }

    fn settle(&mut self) {
        self.entries_mut().settle();
    }
}

impl Any {
    /// Sets the zero value of its type: items of lists and values of maps are never absent.
    fn fill(&mut self) {
        if !matches!(self.held, Held::Nothing) {
            return;
        }
        self.held = match self.ty {
            Type::Bool => Held::Bool(false),
            Type::Int32 => Held::Int32(0),
            Type::Int64 => Held::Int64(0),
            Type::Double => Held::Double(0.0),
            Type::String => Held::Str(Str::default()),
            Type::Bytes => Held::Bytes(ByteString::default()),
            Type::Time => Held::Time(Time::default()),
            Type::MicroTime => Held::MicroTime(MicroTime::default()),
            Type::Duration => Held::Duration(Duration::default()),
            Type::Quantity => Held::Quantity(Quantity::default()),
            Type::IntOrString => Held::IntOrString(IntOrString::default()),
            Type::Json | Type::RawExtension | Type::FieldsV1 => Held::Json(Json::default()),
            Type::Message(schema) => Held::Message(Box::new(Dynamic::new(schema))),
            Type::List(_) | Type::StringList => Held::List(Vec::new()),
            Type::Map(_) => Held::Map(Map::new()),
            Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema) => {
                Held::Message(Box::new(Dynamic::new(schema)))
            }
        };
    }
}
