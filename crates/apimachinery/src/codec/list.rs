//! The encodings of [`List`]: JSON, protobuf and serde.

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DecodeError, Format, ListReader, SchemaKind, Wire, check_list, json};
use crate::List;
use crate::meta::v1::ListMeta;

impl<K: Wire> Wire for List<K> {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        ListReader::read(Format::Json, bytes)
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        let (api_version, kind) = K::list_type(&self.items);
        out.extend_from_slice(b"{\"kind\":");
        json::write(&kind, out);
        out.extend_from_slice(b",\"apiVersion\":");
        json::write(&api_version, out);
        out.extend_from_slice(b",\"metadata\":");
        json::encode(&self.metadata, out);
        out.extend_from_slice(b",\"items\":[");
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            item.to_json(out);
        }
        out.extend_from_slice(b"]}");
    }

    fn has_protobuf() -> bool {
        K::has_protobuf()
    }

    fn from_protobuf(bytes: &[u8]) -> Result<Self, DecodeError> {
        ListReader::read(Format::Protobuf, bytes)
    }

    fn to_protobuf(&self, out: &mut Vec<u8>) {
        K::list_to_protobuf(self, out);
    }
}

impl<K: SchemaKind + Serialize> Serialize for List<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", &format_args!("{}List", K::KIND))?;
        map.serialize_entry("apiVersion", K::API_VERSION)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

impl<'de, K: SchemaKind + Deserialize<'de>> Deserialize<'de> for List<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", bound(deserialize = "K: Deserialize<'de>"))]
        struct Fields<K> {
            api_version: Option<String>,
            kind: Option<String>,
            metadata: Option<ListMeta>,
            items: Option<Vec<K>>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let (api_version, kind) = (fields.api_version.unwrap_or_default(), fields.kind.unwrap_or_default());
        check_list::<K>(&api_version, &kind).map_err(D::Error::custom)?;
        Ok(List { metadata: fields.metadata.unwrap_or_default(), items: fields.items.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unstructured;

    #[test]
    fn the_head_of_a_list_is_json_whatever_the_kind() {
        let list = List { items: vec![Unstructured::new("v1", "Ké\u{200b}\"", "a")], ..List::default() };
        let mut json = Vec::new();
        list.to_json(&mut json);
        let read: serde_json::Value = serde_json::from_slice(&json).expect("it is JSON");
        assert_eq!((&read["apiVersion"], &read["kind"]), (&"v1".into(), &"Ké\u{200b}\"List".into()));
    }
}
