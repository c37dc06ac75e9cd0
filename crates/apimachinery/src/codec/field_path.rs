//! [`FieldPath`], the path of a scalar field: `spec.nodeName`.

mod parse;
mod resolve;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Format, KindTable, Wire, json, protobuf};
use crate::go::quoted;
use crate::message::{Entries, Message, Ref};
use crate::schema::{Field, Type};

/// The path of a scalar field of kind `K`, as users of kubectl write it: `spec.nodeName`,
/// `metadata.labels['shop.example/tier']`, `metadata.annotations[tier]` or `.metadata.labels.shop\.example/tier`.
///
/// The value is read as a string, from an [encoded](super::Encoded) object without decoding it, or from a decoded one.
/// It is as in JSON; `None` for a field that JSON leaves out, such as one with Go's zero value.
///
/// ```
/// use klient_apimachinery::codec::{Encoded, FieldPath};
/// use klient_apimachinery::meta::v1::PartialObjectMetadata;
///
/// let mut object = PartialObjectMetadata::default();
/// object.metadata.name = Some("web-0".into());
/// object.metadata.labels.insert("shop.example/tier", "front".into());
///
/// let name = FieldPath::of("metadata.name")?;
/// let tier = FieldPath::of("metadata.labels['shop.example/tier']")?;
/// let encoded = Encoded::of(&object);
/// assert_eq!(encoded.text_at(&name).as_deref(), Some("web-0"));
/// assert_eq!(encoded.text_at(&tier).as_deref(), Some("front"));
/// assert_eq!(tier.text_in(&object).as_deref(), Some("front"));
///
/// let error = FieldPath::<PartialObjectMetadata>::of("metadata.nmae").unwrap_err().to_string();
/// assert!(error.contains(r#"ObjectMeta has no field "nmae", but name, "#), "{error}");
/// # Ok::<(), klient_apimachinery::codec::InvalidPath>(())
/// ```
pub struct FieldPath<K> {
    path: Box<str>,
    steps: Box<[Step]>,
    kind: PhantomData<fn() -> K>,
}

/// One step on a path.
#[derive(Clone)]
pub(crate) enum Step {
    /// A field of a struct with a schema.
    Field { index: usize, field: &'static Field },
    /// A key of a map, or of an object without a schema.
    Key(Box<str>),
}

/// A string that is not the path of a scalar field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPath {
    path: Box<str>,
    problem: String,
}

impl<K: Wire> FieldPath<K> {
    /// Parses a path.
    ///
    /// # Errors
    ///
    /// If it is malformed, or the kind has a schema without such a field, or the field is not a scalar. For kinds
    /// without a schema every path is valid; if there is no such field, no value is found.
    pub fn of(path: &str) -> Result<Self, InvalidPath> {
        let invalid = |problem| InvalidPath { path: path.into(), problem };
        let names = parse::names(path).map_err(invalid)?;
        let steps = match K::table() {
            Some(KindTable { schema, .. }) => resolve::steps(schema, names).map_err(invalid)?,
            None => names.into_iter().map(Step::Key).collect(),
        };
        Ok(FieldPath { path: path.into(), steps, kind: PhantomData })
    }

    /// The value of the field in an object, as a string.
    pub fn text_in<'a>(&self, object: &'a K) -> Option<Cow<'a, str>> {
        object.text_at(self)
    }
}

impl<K> FieldPath<K> {
    /// The path as given.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The value of the field in an object's bytes: see [`Encoded::text_at`](super::Encoded::text_at).
    pub fn text_in_bytes<'a>(&self, format: Format, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        match format {
            Format::Protobuf => self.text(protobuf::value_at(bytes, &self.steps)?),
            Format::Json => {
                let text = json::text_at(bytes, &self.steps)?;
                // Another writer may have written a value that Go leaves out.
                let is_zero = match self.field_that_leaves_zero_out().map(|field| &field.ty) {
                    None => false,
                    Some(Type::String) => text.is_empty(),
                    Some(_) => text == "false" || text.parse() == Ok(0.0),
                };
                (!is_zero).then_some(text)
            }
        }
    }

    /// The value of the field in a struct.
    #[doc(hidden)]
    pub fn text_in_message<'a>(&self, message: &'a dyn Message) -> Option<Cow<'a, str>> {
        let mut value = Ref::Message(message);
        for step in &self.steps {
            value = match (step, value) {
                (Step::Field { index, .. }, Ref::Message(message)) => message.field(*index),
                (Step::Key(key), Ref::Map(map)) => entry(map, key)?,
                _ => return None,
            };
        }
        self.text(value)
    }

    /// The field of a JSON object as a string; `None` if it is absent, null, a list or an object.
    pub(crate) fn text_in_json<'a>(&self, object: &'a Map<String, Value>) -> Option<Cow<'a, str>> {
        let (first, rest) = self.steps.split_first()?;
        let value = rest.iter().try_fold(object.get(first.name())?, |value, step| value.get(step.name()))?;
        match value {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn text<'a>(&self, value: Ref<'a>) -> Option<Cow<'a, str>> {
        let is_left_out = match value {
            Ref::Str(text) => text.is_empty(),
            Ref::Bool(value) => !value,
            Ref::Int(value) => value == 0,
            Ref::Double(value) => value == 0.0,
            _ => false,
        };
        if is_left_out && self.field_that_leaves_zero_out().is_some() {
            return None;
        }
        Some(match value {
            Ref::Str(text) | Ref::Quantity(text) => Cow::Borrowed(text),
            Ref::Bool(true) => Cow::Borrowed("true"),
            Ref::Bool(false) => Cow::Borrowed("false"),
            Ref::Int(value) => Cow::Owned(value.to_string()),
            // JSON has 1 for 1.0.
            Ref::Double(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                Cow::Owned((value as i64).to_string())
            }
            Ref::Double(value) => Cow::Owned(Value::from(value).to_string()),
            Ref::Time(crate::Time::ZERO) | Ref::MicroTime(crate::MicroTime::ZERO) => return None,
            Ref::Time(time) => Cow::Owned(time.to_string()),
            Ref::MicroTime(time) => Cow::Owned(time.to_string()),
            Ref::Duration(span) => Cow::Owned(span.to_string()),
            _ => return None,
        })
    }

    /// The last field of the path, if Go leaves it out when it is zero.
    fn field_that_leaves_zero_out(&self) -> Option<&'static Field> {
        match self.steps.last()? {
            Step::Field { field, .. } if field.omit_empty && !field.pointer => match field.ty {
                Type::String | Type::Bool | Type::Int32 | Type::Int64 | Type::Double => Some(field),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The value of a key in a map sorted by key.
fn entry<'a>(map: &'a dyn Entries, key: &str) -> Option<Ref<'a>> {
    let (mut begin, mut end) = (0, map.len());
    while begin < end {
        let middle = begin + (end - begin) / 2;
        let (found, value) = map.entry(middle);
        match found.cmp(key) {
            std::cmp::Ordering::Less => begin = middle + 1,
            std::cmp::Ordering::Greater => end = middle,
            std::cmp::Ordering::Equal => return Some(value),
        }
    }
    None
}

impl Step {
    /// The name in JSON.
    pub(crate) fn name(&self) -> &str {
        match self {
            Step::Field { field, .. } => field.json,
            Step::Key(key) => key,
        }
    }

    /// The protobuf numbers of the embedded structs around the field.
    pub(crate) fn within(&self) -> &'static [u32] {
        match self {
            Step::Field { field, .. } => field.within,
            Step::Key(_) => &[],
        }
    }
}

impl<K: Wire> FromStr for FieldPath<K> {
    type Err = InvalidPath;

    fn from_str(path: &str) -> Result<Self, InvalidPath> {
        Self::of(path)
    }
}

impl<K> Clone for FieldPath<K> {
    fn clone(&self) -> Self {
        FieldPath { path: self.path.clone(), steps: self.steps.clone(), kind: PhantomData }
    }
}

impl<K> fmt::Display for FieldPath<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl<K> fmt::Debug for FieldPath<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({})", self.path)
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field path {}: {}", quoted(&self.path), self.problem)
    }
}

impl std::error::Error for InvalidPath {}
