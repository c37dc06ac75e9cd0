//! [`List`], objects with the resourceVersion they were listed at.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Str;
use crate::codec::json::{Reader, Slot};
use crate::codec::{DecodeError, Kind, Wire};
use crate::message::{Message, Value};
use crate::meta::v1::ListMeta;

/// Objects of one kind, and the resourceVersion they were listed at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List<K> {
    /// The resourceVersion of the whole, and how to go on when there is more.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<K>,
}

impl<K> List<K> {
    /// The token that the next chunk is asked with, if there is one.
    pub fn continue_token(&self) -> Option<&str> {
        self.metadata.continue_.as_deref().filter(|token| !token.is_empty())
    }

    /// The resourceVersion of the list, from which a watch goes on.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }
}

impl<K> IntoIterator for List<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, K> IntoIterator for &'a List<K> {
    type Item = &'a K;
    type IntoIter = std::slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<K: Message + Default + Kind + Serialize> Wire for List<K> {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut list = List { metadata: ListMeta::default(), items: Vec::new() };
        let mut reader = Reader::raw();
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let done = json
            .deserialize_map(ListVisitor { list: &mut list, reader: &mut reader })
            .and_then(|()| json.end());
        done.map_err(|error| DecodeError::new(reader.path(), error))?;
        Ok(list)
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("a Vec takes all bytes and every key is a string");
    }
}

impl<K: Kind + Serialize> Serialize for List<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", &format_args!("{}List", K::KIND))?;
        map.serialize_entry("apiVersion", K::API_VERSION)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

impl<'de, K: Message + Default + Kind> de::Deserialize<'de> for List<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = List { metadata: ListMeta::default(), items: Vec::new() };
        let mut reader = Reader::default();
        deserializer.deserialize_map(ListVisitor { list: &mut list, reader: &mut reader })?;
        Ok(list)
    }
}

struct ListVisitor<'a, K> {
    list: &'a mut List<K>,
    reader: &'a mut Reader,
}

impl<'de, K: Message + Default + Kind> Visitor<'de> for ListVisitor<'_, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}List", K::KIND)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Str>()? {
            match key.as_str() {
                "metadata" => {
                    map.next_value_seed(self.reader.enter("metadata", self.list.metadata.view_mut()))?
                }
                "items" => map.next_value_seed(self.reader.enter("items", self.list.items.view_mut()))?,
                "kind" => {
                    let kind: Str = map.next_value()?;
                    if kind.strip_suffix("List") != Some(K::KIND) && kind != "List" {
                        return Err(de::Error::custom(format_args!(
                            "expected a {}List, found a {kind}",
                            K::KIND
                        )));
                    }
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            self.reader.leave();
        }
        Ok(())
    }
}

impl Reader {
    fn enter<'a>(
        &'a mut self,
        name: &'static str,
        place: crate::message::Mut<'a>,
    ) -> impl for<'de> DeserializeSeed<'de, Value = ()> {
        self.push(name);
        Slot { place, reader: self }
    }
}
