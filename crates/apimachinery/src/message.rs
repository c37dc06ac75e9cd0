//! [`Message`]: API structs that can be read and written field by field.
//!
//! Generated structs only declare their fields; codecs, comparison and `Debug` are written once, over [`Ref`] and
//! [`Mut`]. So a crate with thirteen hundred structs compiles in seconds, and a codec is not compiled again for every
//! type in every crate that uses it.

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

/// An API struct with access to its fields by position.
pub trait Message: Send + Sync + 'static {
    /// The schema of the struct.
    fn schema(&self) -> &'static Schema;

    /// The field at a position of the schema.
    fn field(&self, index: usize) -> Ref<'_>;

    /// The field at a position of the schema, for writing.
    fn field_mut(&mut self, index: usize) -> Mut<'_>;

    /// The fields that this build does not know, as received.
    fn unknown(&self) -> &Unknown;

    /// The fields that this build does not know, for writing.
    fn unknown_mut(&mut self) -> &mut Unknown;
}

/// The value of a field, for reading.
#[derive(Clone, Copy)]
pub enum Ref<'a> {
    /// No value.
    Absent,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// A string.
    Str(&'a str),
    /// An amount of a resource, as a string.
    Quantity(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A time in seconds.
    Time(Time),
    /// A time in microseconds.
    MicroTime(MicroTime),
    /// A duration.
    Duration(Duration),
    /// A JSON value, as a string.
    Json(&'a str),
    /// A struct.
    Message(&'a dyn Message),
    /// A list.
    List(&'a dyn List),
    /// A map.
    Map(&'a dyn Entries),
}

/// A field, for writing.
pub enum Mut<'a> {
    /// A string.
    Text(&'a mut Str),
    /// A string that may be absent.
    OptionalText(&'a mut Option<Str>),
    /// Another scalar.
    Scalar(&'a mut dyn Scalar),
    /// An amount of a resource, which keeps numbers as they are written.
    Quantity(&'a mut dyn Scalar),
    /// A JSON value.
    Json(&'a mut dyn JsonSlot),
    /// A struct that is always present.
    Message(&'a mut dyn Message),
    /// A struct that may be absent.
    Optional(&'a mut dyn Optional),
    /// A member of a union, by its index there.
    OneOf(&'a mut dyn OneOf, usize),
    /// A struct, or a simpler value in its place.
    Either(&'a mut dyn Either),
    /// A list.
    List(&'a mut dyn List),
    /// A map.
    Map(&'a mut dyn Entries),
}

/// A type that a field can have.
pub trait Value: Default + Send + Sync + 'static {
    /// The value, for reading.
    fn view(&self) -> Ref<'_>;

    /// The field, for writing.
    fn view_mut(&mut self) -> Mut<'_>;
}

/// A struct that may be absent.
pub trait Optional {
    /// Makes it absent.
    fn clear(&mut self);

    /// The struct, created if it is absent.
    fn make(&mut self) -> &mut dyn Message;
}

/// A struct, or a boolean or list in its place, as in a CRD's schema.
pub trait Either {
    /// Makes it absent.
    fn clear(&mut self);

    /// Changes it to a struct.
    fn message(&mut self) -> &mut dyn Message;

    /// Changes it to a list, if its type allows one.
    fn list(&mut self) -> Option<&mut dyn List>;

    /// Changes it to a boolean, if its type allows one.
    fn bool(&mut self) -> Option<&mut dyn Scalar>;
}

/// A union of structs of which at most one should be set.
pub trait OneOf {
    /// The member at `index`, if it is set.
    fn member(&self, index: usize) -> Option<&dyn Message>;

    /// Makes the member absent.
    fn clear(&mut self, index: usize);

    /// The member, created if it is absent.
    fn make(&mut self, index: usize) -> &mut dyn Message;
}

/// The member of a union at `index`, if it is set.
pub fn union_member(union: &dyn OneOf, index: usize) -> Ref<'_> {
    union.member(index).map_or(Ref::Absent, Ref::Message)
}

/// A list of values.
pub trait List {
    /// The number of items.
    fn len(&self) -> usize;

    /// Returns true if there are no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at `index`, which must be less than [`len`](List::len).
    fn item(&self, index: usize) -> Ref<'_>;

    /// Removes all items.
    fn clear(&mut self);

    /// Reserves capacity for exactly so many more items.
    fn reserve(&mut self, more: usize);

    /// Gives unused capacity back.
    fn shrink(&mut self);

    /// Appends an item, for writing.
    fn push(&mut self) -> Mut<'_>;
}

/// A map from strings to values.
pub trait Entries {
    /// The number of entries.
    fn len(&self) -> usize;

    /// Returns true if there are no entries.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry at `index` in the order of keys; `index` must be less than [`len`](Entries::len).
    fn entry(&self, index: usize) -> (&str, Ref<'_>);

    /// Removes all entries.
    fn clear(&mut self);

    /// Reserves capacity for exactly so many more entries.
    fn reserve(&mut self, more: usize);

    /// Gives unused capacity back.
    fn shrink(&mut self);

    /// Appends an entry, its value for writing, without regard to the order of keys. [`settle`](Entries::settle) must
    /// follow.
    fn append(&mut self, key: Str) -> Mut<'_>;

    /// Sorts appended entries by key. Of entries with the same key the last one is kept.
    fn settle(&mut self);
}

/// A field with a JSON value.
pub trait JsonSlot {
    /// Sets the string of one JSON value, which a parser has checked.
    ///
    /// # Errors
    ///
    /// If the type restricts the JSON and this does not follow it.
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
    /// Returns true if there is no value, or an empty list or map.
    pub fn is_empty(&self) -> bool {
        match self {
            Ref::Absent => true,
            Ref::List(list) => list.is_empty(),
            Ref::Map(map) => map.is_empty(),
            _ => false,
        }
    }

    /// Returns true for Go's zero value.
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

    /// Returns true if JSON leaves the field out.
    pub(crate) fn is_left_out(&self, field: &Field) -> bool {
        match self {
            Ref::Absent => true,
            // The one field of Go's structs with `omitzero`; other zero times are null.
            Ref::Time(crate::Time::ZERO) if field.json == "creationTimestamp" => true,
            _ if !field.omit_empty => false,
            // An optional field that is present was set on purpose.
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

/// Returns true if two structs of one type have equal fields.
pub fn equal(a: &dyn Message, b: &dyn Message) -> bool {
    a.schema() == b.schema()
        && (0..a.schema().fields.len()).all(|i| a.field(i) == b.field(i))
        && a.unknown() == b.unknown()
}

/// Prints a struct as derived `Debug` would, without absent fields and with secrets masked.
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
