//! [`Fields`], the fields of a configuration, and [`IntoJson`], their values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub(crate) use klient_apimachinery::{ByteString, Duration, IntOrString, MicroTime, Quantity, Time};
use serde::Serialize;
pub(crate) use serde_json::Value;

use crate::Map;

/// The fields that a configuration sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Fields(pub(crate) Map);

impl Fields {
    /// An object of a kind, with a name.
    pub(crate) fn of_kind(api_version: &str, kind: &str, name: String) -> Self {
        Fields::default()
            .set::<String>("apiVersion", api_version)
            .set::<String>("kind", kind)
            .within("metadata", |metadata| metadata.set::<String>("name", name))
    }

    /// Sets a field, replacing its value.
    pub(crate) fn set<V: IntoJson>(mut self, name: &str, value: impl Into<V>) -> Self {
        self.0.insert(name.to_owned(), value.into().into_json());
        self
    }

    /// Appends items to a list.
    pub(crate) fn append<V: IntoJson>(
        mut self,
        name: &str,
        items: impl IntoIterator<Item = impl Into<V>>,
    ) -> Self {
        let list = self.0.entry(name).or_insert(Value::Null);
        if !list.is_array() {
            *list = Value::Array(Vec::new());
        }
        let list = list.as_array_mut().expect("it was made a list");
        list.extend(items.into_iter().map(|item| item.into().into_json()));
        self
    }

    /// Inserts entries into a map.
    pub(crate) fn merge<V: IntoJson>(
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
pub(crate) trait IntoJson {
    fn into_json(self) -> Value;
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
as_it_is! { String bool i32 i64 f64 Value }

macro_rules! as_text {
    ($($ty:ty)*) => {
        $(impl IntoJson for $ty {
            fn into_json(self) -> Value {
                self.to_string().into()
            }
        })*
    };
}

as_text! { Duration MicroTime Quantity Time }

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
