//! [`Message`]: API structs that can be read and written field by field.
//!
//! Generated structs name their fields here and nothing more; codecs, comparison and `Debug` are written once,
//! over [`Ref`] and [`Mut`]. So a crate with thirteen hundred structs compiles in seconds, and a codec is not
//! compiled again for every type in every crate that uses it.

use std::fmt;

use crate::schema::{Field, Schema};
use crate::{Duration, MicroTime, Str, Time};

mod dynamic;
mod scalar;
mod schema_or;
mod unknown;

pub use dynamic::Dynamic;
pub use scalar::{Scalar, Token};
pub use schema_or::{SchemaOrArray, SchemaOrBool, SchemaOrStringArray};
pub use unknown::Unknown;

/// An API struct that describes itself.
pub trait Message: Send + Sync + 'static {
    /// What is known of the struct.
    fn schema(&self) -> &'static Schema;

    /// The field at a position of the schema.
    fn field(&self, index: usize) -> Ref<'_>;

    /// The field at a position of the schema, to be written.
    fn field_mut(&mut self, index: usize) -> Mut<'_>;

    /// Fields this build does not know, as they came.
    fn unknown(&self) -> &Unknown;

    /// Fields this build does not know, to be written.
    fn unknown_mut(&mut self) -> &mut Unknown;
}

/// What a field holds, to be read.
#[derive(Clone, Copy)]
pub enum Ref<'a> {
    /// Nothing.
    Absent,
    /// A boolean.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Str(&'a str),
    /// An amount of a resource, as text.
    Quantity(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An instant.
    Time(Time),
    /// An instant to the microsecond.
    MicroTime(MicroTime),
    /// A span of time.
    Duration(Duration),
    /// JSON text.
    Json(&'a str),
    /// A struct.
    Message(&'a dyn Message),
    /// A list.
    List(&'a dyn List),
    /// A map.
    Map(&'a dyn Entries),
}

/// A place to write what a field holds.
pub enum Mut<'a> {
    /// Text.
    Text(&'a mut Str),
    /// Text that may be absent.
    OptionalText(&'a mut Option<Str>),
    /// Another plain value.
    Scalar(&'a mut dyn Scalar),
    /// An amount, which takes numbers as they are written.
    Quantity(&'a mut dyn Scalar),
    /// JSON text.
    Json(&'a mut dyn JsonSlot),
    /// A struct that is always there.
    Message(&'a mut dyn Message),
    /// A struct that may be absent.
    Optional(&'a mut dyn Optional),
    /// A member of a union, by its index there.
    OneOf(&'a mut dyn OneOf, usize),
    /// A struct, or something simpler in its place.
    Either(&'a mut dyn Either),
    /// A list.
    List(&'a mut dyn List),
    /// A map.
    Map(&'a mut dyn Entries),
}

/// A type that a field can have.
pub trait Value: Default + Send + Sync + 'static {
    /// Shows what it holds.
    fn view(&self) -> Ref<'_>;

    /// Gives the place to write to.
    fn view_mut(&mut self) -> Mut<'_>;
}

/// A struct that may be absent.
pub trait Optional {
    /// Makes it absent.
    fn clear(&mut self);

    /// The struct, made if it is absent.
    fn make(&mut self) -> &mut dyn Message;
}

/// A struct, or a boolean or list in its place, as in a CRD's schema.
pub trait Either {
    /// Makes it absent.
    fn clear(&mut self);

    /// Makes it a struct.
    fn message(&mut self) -> &mut dyn Message;

    /// Makes it a list, if it can be one.
    fn list(&mut self) -> Option<&mut dyn List>;

    /// Makes it a boolean, if it can be one.
    fn bool(&mut self) -> Option<&mut dyn Scalar>;
}

/// A union of structs of which one should be set at most.
pub trait OneOf {
    /// The member at `index`, if it is set.
    fn member(&self, index: usize) -> Option<&dyn Message>;

    /// Makes the member absent.
    fn clear(&mut self, index: usize);

    /// The member, made if it is absent.
    fn make(&mut self, index: usize) -> &mut dyn Message;
}

/// The member of a union at `index`, if it is set.
pub fn union_member(union: &dyn OneOf, index: usize) -> Ref<'_> {
    union.member(index).map_or(Ref::Absent, Ref::Message)
}

/// A list of values.
pub trait List {
    /// How many items there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`, which is below [`len`](List::len).
    fn item(&self, index: usize) -> Ref<'_>;

    /// Drops all items.
    fn clear(&mut self);

    /// Makes room for so many more items, and no more.
    fn reserve(&mut self, more: usize);

    /// Gives back the room that no item takes.
    fn shrink(&mut self);

    /// Adds an item and gives the place to write it.
    fn push(&mut self) -> Mut<'_>;
}

/// A map from strings to values.
pub trait Entries {
    /// How many entries there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry at `index` in the order of keys; `index` is below [`len`](Entries::len).
    fn entry(&self, index: usize) -> (&str, Ref<'_>);

    /// Drops all entries.
    fn clear(&mut self);

    /// Makes room for so many more entries, and no more.
    fn reserve(&mut self, more: usize);

    /// Gives back the room that no entry takes.
    fn shrink(&mut self);

    /// Adds an entry behind the last and gives the place to write its value. [`settle`](Entries::settle) must
    /// follow.
    fn append(&mut self, key: Str) -> Mut<'_>;

    /// Brings appended entries into the order of keys. Of those with one key the last is kept.
    fn settle(&mut self);
}

/// A place for JSON text.
pub trait JsonSlot {
    /// Takes the text of one JSON value, which a parser has checked.
    ///
    /// # Errors
    ///
    /// If the type asks for more than JSON and does not find it.
    fn set(&mut self, text: &str) -> Result<(), String>;

    /// Makes it absent.
    fn clear(&mut self);
}

impl<T: Message + Default> Value for T {
    fn view(&self) -> Ref<'_> {
        Ref::Message(self)
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::Message(self)
    }
}

impl<T: Message + Default> Value for Option<Box<T>> {
    fn view(&self) -> Ref<'_> {
        self.as_deref().map_or(Ref::Absent, |message| Ref::Message(message))
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::Optional(self)
    }
}

impl<T: Message + Default> Optional for Option<Box<T>> {
    fn clear(&mut self) {
        *self = None;
    }

    fn make(&mut self) -> &mut dyn Message {
        &mut **self.get_or_insert_default()
    }
}

impl<T: Value> Value for Vec<T> {
    fn view(&self) -> Ref<'_> {
        Ref::List(self)
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::List(self)
    }
}

impl<T: Value> List for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Ref<'_> {
        self[index].view()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn reserve(&mut self, more: usize) {
        self.reserve_exact(more);
    }

    fn shrink(&mut self) {
        self.shrink_to_fit();
    }

    fn push(&mut self) -> Mut<'_> {
        self.push(T::default());
        let last = self.len() - 1;
        self[last].view_mut()
    }
}

impl<T: Value> Value for crate::Map<T> {
    fn view(&self) -> Ref<'_> {
        Ref::Map(self)
    }

    fn view_mut(&mut self) -> Mut<'_> {
        Mut::Map(self)
    }
}

impl<T: Value> Entries for crate::Map<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn entry(&self, index: usize) -> (&str, Ref<'_>) {
        self.entry_at(index).map_or(("", Ref::Absent), |(key, value)| (key, value.view()))
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn reserve(&mut self, more: usize) {
        self.reserve(more);
    }

    fn shrink(&mut self) {
        self.shrink_to_fit();
    }

    fn append(&mut self, key: Str) -> Mut<'_> {
        crate::Map::append(self, key, T::default()).view_mut()
    }

    fn settle(&mut self) {
        crate::Map::settle(self);
    }
}

impl Ref<'_> {
    /// Whether there is nothing: no value, an empty list or an empty map.
    pub fn is_empty(&self) -> bool {
        match self {
            Ref::Absent => true,
            Ref::List(list) => list.is_empty(),
            Ref::Map(map) => map.is_empty(),
            _ => false,
        }
    }

    /// Whether Go would call it zero.
    fn is_zero(&self) -> bool {
        match self {
            Ref::Bool(value) => !value,
            Ref::Int(value) => *value == 0,
            Ref::Double(value) => *value == 0.0,
            Ref::Str(text) => text.is_empty(),
            Ref::Bytes(bytes) => bytes.is_empty(),
            _ => self.is_empty(),
        }
    }

    /// Whether JSON leaves the field out.
    pub(crate) fn is_left_out(&self, field: &Field) -> bool {
        match self {
            Ref::Absent => true,
            // Of Go's structs this is the one with `omitzero`; other times are null.
            Ref::Time(crate::Time::ZERO) if field.json == "creationTimestamp" => true,
            _ if !field.omit_empty => false,
            // What may be absent and is not was put there on purpose.
            _ if field.required && !field.pointer => self.is_zero(),
            _ => self.is_empty(),
        }
    }
}

impl PartialEq for Ref<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Ref::Absent, Ref::Absent) => true,
            (Ref::Bool(a), Ref::Bool(b)) => a == b,
            (Ref::Int(a), Ref::Int(b)) => a == b,
            (Ref::Double(a), Ref::Double(b)) => a == b,
            (Ref::Str(a), Ref::Str(b)) | (Ref::Json(a), Ref::Json(b)) => a == b,
            (Ref::Quantity(a), Ref::Quantity(b)) => crate::Quantity::from(a) == crate::Quantity::from(b),
            (Ref::Bytes(a), Ref::Bytes(b)) => a == b,
            (Ref::Time(a), Ref::Time(b)) => a == b,
            (Ref::MicroTime(a), Ref::MicroTime(b)) => a == b,
            (Ref::Duration(a), Ref::Duration(b)) => a == b,
            (Ref::Message(a), Ref::Message(b)) => equal(a, b),
            (Ref::List(a), Ref::List(b)) => {
                a.len() == b.len() && (0..a.len()).all(|i| a.item(i) == b.item(i))
            }
            (Ref::Map(a), Ref::Map(b)) => {
                a.len() == b.len() && (0..a.len()).all(|i| a.entry(i) == b.entry(i))
            }
            _ => false,
        }
    }
}

/// Whether two structs of one type hold the same.
pub fn equal(a: &dyn Message, b: &dyn Message) -> bool {
    a.schema() == b.schema()
        && (0..a.schema().fields.len()).all(|i| a.field(i) == b.field(i))
        && a.unknown() == b.unknown()
}

/// Prints a struct as Rust would, without the fields that are absent and with secrets masked.
pub fn debug(message: &dyn Message, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let schema = message.schema();
    let mut out = f.debug_struct(schema.name);
    for (index, field) in schema.fields.iter().enumerate() {
        let value = message.field(index);
        if value.is_empty() {
            continue;
        }
        if field.secret {
            out.field(field.json, &format_args!("***"));
        } else {
            out.field(field.json, &value);
        }
    }
    if !message.unknown().is_empty() {
        out.field("unknown", message.unknown());
    }
    out.finish()
}

impl fmt::Debug for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ref::Absent => f.write_str("None"),
            Ref::Bool(value) => value.fmt(f),
            Ref::Int(value) => value.fmt(f),
            Ref::Double(value) => value.fmt(f),
            Ref::Str(text) | Ref::Quantity(text) => text.fmt(f),
            Ref::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Ref::Time(time) => time.fmt(f),
            Ref::MicroTime(time) => time.fmt(f),
            Ref::Duration(span) => span.fmt(f),
            Ref::Json(text) => f.write_str(text),
            Ref::Message(message) => debug(*message, f),
            Ref::List(list) => f.debug_list().entries((0..list.len()).map(|i| list.item(i))).finish(),
            Ref::Map(map) => f.debug_map().entries((0..map.len()).map(|i| map.entry(i))).finish(),
        }
    }
}
