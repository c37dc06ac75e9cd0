//! [`Fields`], the fields of a configuration, and [`IntoJson`], their values.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub(crate) use klient_apimachinery::{ByteString, Duration, IntOrString, MicroTime, Quantity, Time};
use klient_apimachinery::{Str, Unstructured};
use serde::Serialize;
pub(crate) use serde_json::Value;

use crate::Map;
use crate::subject::Subject;

/// The fields that a configuration sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Fields(pub(crate) Map);

impl Fields {
    /// An object of a kind, with a name.
    pub fn of_kind(subject: &Subject, name: String) -> Self {
        Fields::default()
            .set::<String>("apiVersion", subject.api_version)
            .set::<String>("kind", subject.name)
            .set_metadata("name", name)
    }

    /// The fields as a map.
    pub fn as_map(&self) -> &Map {
        &self.0
    }

    /// The fields as a JSON object.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Sets a field, replacing its value.
    pub fn set<V: IntoJson>(mut self, name: &str, value: impl Into<V>) -> Self {
        self.0.insert(name.to_owned(), value.into().into_json());
        self
    }

    /// Sets a field to the JSON of a value.
    ///
    /// # Panics
    ///
    /// If the value cannot be JSON, such as a map with keys that are not strings.
    pub fn set_value(mut self, name: &str, value: &impl Serialize) -> Self {
        self.0.insert(name.to_owned(), json_of(value));
        self
    }

    /// Sets the fields of a struct or map that is flattened into this one.
    ///
    /// # Panics
    ///
    /// If the value is no JSON object, which serde cannot flatten either.
    pub fn set_flattened(mut self, value: Value) -> Self {
        match value {
            Value::Object(fields) => self.0.extend(fields),
            Value::Null => {}
            value => panic!("can only flatten structs and maps, got {value}"),
        }
        self
    }

    /// Appends items to a list.
    pub fn append<V: IntoJson>(mut self, name: &str, items: impl IntoIterator<Item = impl Into<V>>) -> Self {
        let list = self.0.entry(name).or_insert(Value::Null);
        if !list.is_array() {
            *list = Value::Array(Vec::new());
        }
        let list = list.as_array_mut().expect("it was made a list");
        list.extend(items.into_iter().map(|item| item.into().into_json()));
        self
    }

    /// Inserts entries into a map.
    pub fn merge<V: IntoJson>(
        self,
        name: &str,
        entries: impl IntoIterator<Item = (impl Into<String>, impl Into<V>)>,
    ) -> Self {
        self.within(name, |mut map| {
            map.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into().into_json())));
            map
        })
    }

    /// Inserts lists of strings into a map.
    pub(crate) fn merge_lists(
        self,
        name: &str,
        entries: impl IntoIterator<Item = (impl Into<String>, impl IntoIterator<Item = impl Into<String>>)>,
    ) -> Self {
        self.merge::<Value>(
            name,
            entries
                .into_iter()
                .map(|(key, items)| (key, items.into_iter().map(Into::into).collect::<Vec<String>>())),
        )
    }

    /// Sets a field of the metadata.
    pub fn set_metadata(self, name: &str, value: impl Into<String>) -> Self {
        self.within("metadata", |metadata| metadata.set::<String>(name, value))
    }

    /// Inserts entries into a map of the metadata.
    pub fn merge_metadata(
        self,
        name: &str,
        entries: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        self.within("metadata", |metadata| metadata.merge::<String>(name, entries))
    }

    /// Appends items to a list of the metadata.
    pub fn append_metadata<V: IntoJson>(
        self,
        name: &str,
        items: impl IntoIterator<Item = impl Into<V>>,
    ) -> Self {
        self.within("metadata", |metadata| metadata.append::<V>(name, items))
    }

    /// Changes the object in a field; a missing field, or another value, becomes an empty object first.
    pub(crate) fn within(mut self, name: &str, change: impl FnOnce(Fields) -> Fields) -> Self {
        let before = match self.0.remove(name) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        self.0.insert(name.to_owned(), Value::Object(change(Fields(before)).0));
        self
    }
}

/// A value that a field can be set to.
pub trait IntoJson {
    /// The value as JSON.
    fn into_json(self) -> Value;
}

/// The JSON of a value.
///
/// # Panics
///
/// If the value cannot be JSON, such as a map with keys that are not strings.
pub fn json_of(value: &impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(value) => value,
        Err(error) => panic!("a value of an apply configuration cannot be JSON: {error}"),
    }
}

macro_rules! as_it_is {
    ($($ty:ty)*) => {
        $(impl IntoJson for $ty {
            fn into_json(self) -> Value {
                self.into()
            }
        })*
    };
}

// Floats without a JSON number, such as infinity, become null.
as_it_is! { String bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 Value Map }

macro_rules! as_text {
    ($($ty:ty)*) => {
        $(impl IntoJson for $ty {
            fn into_json(self) -> Value {
                self.to_string().into()
            }
        })*
    };
}

as_text! { Duration MicroTime Quantity Str Time }

impl IntoJson for IntOrString {
    fn into_json(self) -> Value {
        match self {
            IntOrString::Int(number) => number.into(),
            IntOrString::String(text) => text.as_str().into(),
        }
    }
}

impl IntoJson for ByteString {
    fn into_json(self) -> Value {
        STANDARD.encode(self).into()
    }
}

impl IntoJson for Unstructured {
    fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

impl<T: IntoJson> IntoJson for Vec<T> {
    fn into_json(self) -> Value {
        self.into_iter().map(IntoJson::into_json).collect()
    }
}

macro_rules! map {
    ($($ty:ident<K, V $(, $hasher:ident)?>)*) => {
        $(impl<K: Into<String>, V: IntoJson $(, $hasher)?> IntoJson for $ty<K, V $(, $hasher)?> {
            fn into_json(self) -> Value {
                self.into_iter().map(|(key, value)| (key.into(), value.into_json())).collect()
            }
        })*
    };
}

map! { BTreeMap<K, V> HashMap<K, V, S> }
