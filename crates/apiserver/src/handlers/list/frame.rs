//! [`Frame`], what stands around the items of a list.

use std::sync::Arc;

use klient_apimachinery::meta::v1::schema::LIST_META;
use serde_json::json;

use crate::registry::Resource;
use crate::respond;
use crate::storage::Object;
use crate::values::{self, Map};

/// The JSON of a list before its first item and behind its last.
pub(in crate::handlers) struct Frame {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Frame {
    /// Of a list of a resource's objects. Lists of custom resources have no struct upstream: they are sorted, and
    /// have a token even where there is none.
    pub(in crate::handlers) fn of(resource: &Resource, metadata: &Map) -> Frame {
        let (kind, api_version) = (&resource.list_kind, resource.info.api_version());
        if !resource.is_custom() {
            return Frame::typed(kind, &api_version, metadata);
        }
        let mut metadata = metadata.clone();
        metadata.entry("continue").or_insert_with(|| "".into());
        let tail = json!({ "kind": kind, "metadata": metadata });
        let mut end = b"],".to_vec();
        end.extend_from_slice(respond::to_bytes(&tail).get(1..).unwrap_or_default());
        Frame { head: format!(r#"{{"apiVersion":{api_version:?},"items":["#).into_bytes(), tail: end }
    }

    /// Of a list of `PartialObjectMetadata`.
    pub(super) fn of_partials(version: &str, metadata: &Map) -> Frame {
        Frame::typed("PartialObjectMetadataList", &format!("meta.k8s.io/{version}"), metadata)
    }

    fn typed(kind: &str, api_version: &str, metadata: &Map) -> Frame {
        let mut head = format!(r#"{{"kind":{kind:?},"apiVersion":{api_version:?},"metadata":"#).into_bytes();
        values::encode(metadata, &LIST_META, &mut head);
        head.extend_from_slice(br#","items":["#);
        Frame { head, tail: b"]}".to_vec() }
    }

    /// The list of these objects.
    pub(in crate::handlers) fn around(self, resource: &Resource, objects: &[Arc<Object>]) -> Vec<u8> {
        let items = objects.iter().map(|object| {
            let mut item = Vec::with_capacity(object.json.len());
            push_item(resource, object, &mut item);
            item
        });
        self.around_json(items)
    }

    /// The list of what is JSON already.
    pub(super) fn around_json(self, items: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut out = self.head;
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend(item);
        }
        out.extend(self.tail);
        out
    }
}

/// Items of built-in kinds leave out their kind; the list says it.
pub(super) fn push_item(resource: &Resource, object: &Object, out: &mut Vec<u8>) {
    let json = resource.render(object);
    if resource.is_custom() {
        out.extend(respond::with_kind(resource, &json));
    } else {
        out.extend_from_slice(&json);
    }
}
