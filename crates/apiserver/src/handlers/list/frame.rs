//! [`Frame`], the bytes around the items of a list.

use bytes::Bytes;
use klient_apimachinery::codec::protobuf::ListPart;
use klient_apimachinery::meta::v1::schema::LIST_META;
use klient_apimachinery::values::{self, Map};
use serde_json::json;

use crate::negotiate::Media;
use crate::protobuf;
use crate::registry::Resource;
use crate::respond;

/// The bytes of a list before its first item and behind its last.
pub(super) struct Frame {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    pub(super) media: Media,
}

impl Frame {
    /// Of a list of a resource's objects as JSON. Lists of custom resources have no struct upstream: they are
    /// sorted, and have a token even where there is none.
    pub(super) fn of(resource: &Resource, metadata: &Map) -> Frame {
        let (kind, api_version) = (&resource.list_kind, resource.info.api_version());
        if !resource.is_custom() {
            return Frame::typed(kind, &api_version, metadata);
        }
        let mut metadata = metadata.clone();
        metadata.entry("continue").or_insert_with(|| "".into());
        let tail = json!({ "kind": kind, "metadata": metadata });
        let mut end = b"],".to_vec();
        end.extend_from_slice(respond::to_bytes(&tail).get(1..).unwrap_or_default());
        let mut head = br#"{"apiVersion":"#.to_vec();
        values::encode_untyped(&api_version, &mut head);
        head.extend_from_slice(br#","items":["#);
        Frame { head, tail: end, media: Media::Json }
    }

    /// Of a list of structs as JSON.
    pub(super) fn typed(kind: &str, api_version: &str, metadata: &Map) -> Frame {
        let mut head = br#"{"kind":"#.to_vec();
        values::encode_untyped(kind, &mut head);
        head.extend_from_slice(br#","apiVersion":"#);
        values::encode_untyped(api_version, &mut head);
        head.extend_from_slice(br#","metadata":"#);
        values::encode(metadata, &LIST_META, &mut head);
        head.extend_from_slice(br#","items":["#);
        Frame { head, tail: b"]}".to_vec(), media: Media::Json }
    }

    /// The frame of a protobuf list of structs, which begins with the list's length.
    pub(super) fn protobuf(kind: &str, api_version: &str, metadata: &Map, items: &[Bytes]) -> Frame {
        let mut json = Vec::new();
        values::encode(metadata, &LIST_META, &mut json);
        let metadata = protobuf::raw(&json, &LIST_META);
        let (head, tail) = protobuf::around_list(api_version, kind, &metadata, items);
        Frame { head, tail, media: Media::Protobuf }
    }

    /// The list of these items.
    pub(super) fn around(self, items: impl Iterator<Item = Bytes>) -> Vec<u8> {
        let mut out = self.head;
        for (index, item) in items.enumerate() {
            push_item(self.media, index, &item, &mut out);
        }
        out.extend(self.tail);
        out
    }
}

/// Appends an item to a list's bytes.
pub(super) fn push_item(media: Media, index: usize, item: &[u8], out: &mut Vec<u8>) {
    if media == Media::Protobuf {
        return ListPart::Item(item).push(out);
    }
    if index > 0 {
        out.push(b',');
    }
    out.extend_from_slice(item);
}

/// An item of a list. Items of built-in kinds have no `kind` and `apiVersion` of their own.
pub(super) fn item(resource: &Resource, json: Bytes) -> Bytes {
    if resource.is_custom() { respond::kind::with_kind(resource, &json).into() } else { json }
}
