//! [`Printer`], the form of a watch's events.

use std::sync::Arc;

use bytes::Bytes;
use klient_apimachinery::INITIAL_EVENTS_END;
use serde_json::json;

use crate::negotiate::Transform;
use crate::registry::Resource;
use crate::respond;
use crate::storage::{ChangeKind, Object};
use crate::table::{self, Include};
use crate::values::{self, map_at};

/// Puts events into the form that was asked for.
pub(super) struct Printer {
    pub(super) resource: Arc<Resource>,
    pub(super) transform: Transform,
    pub(super) include: Include,
    /// Whether the next Table is the first, which defines the columns.
    pub(super) columns: bool,
}

impl Printer {
    pub(super) fn event(&mut self, kind: ChangeKind, object: &Object, version: u64) -> Bytes {
        let kind = match kind {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        };
        let resource = &self.resource;
        let shown = if self.transform == Transform::None && object.version == version {
            respond::with_kind(resource, &resource.render(object))
        } else {
            let mut value = resource.read(object);
            // An object that ceases to be selected is shown as it was, at the version of the change.
            map_at(&mut value, "metadata").insert("resourceVersion".to_owned(), version.to_string().into());
            match self.transform {
                Transform::None => respond::with_kind(resource, &resource.encode(&value)),
                Transform::Partial(version) => respond::partial(version, &value),
                Transform::Table(version) => {
                    let with_columns = std::mem::take(&mut self.columns);
                    table::of_one(version, resource, value, self.include, with_columns)
                }
            }
        };
        event(kind, &shown)
    }

    pub(super) fn bookmark(&mut self, version: u64, initial_events_end: bool) -> Bytes {
        let resource = &self.resource;
        let mut object = resource.schema().map(values::empty).unwrap_or_default();
        let metadata = map_at(&mut object, "metadata");
        metadata.insert("resourceVersion".to_owned(), version.to_string().into());
        if initial_events_end {
            metadata.insert("annotations".to_owned(), json!({ INITIAL_EVENTS_END: "true" }));
        }
        let shown = match self.transform {
            Transform::None => respond::with_kind(resource, &resource.encode(&object)),
            Transform::Partial(version) => respond::partial(version, &object),
            Transform::Table(version) => {
                let with_columns = std::mem::take(&mut self.columns);
                table::of_one(version, resource, object, self.include, with_columns)
            }
        };
        event("BOOKMARK", &shown)
    }
}

/// A line of a watch; `object` is JSON.
pub(super) fn event(kind: &str, object: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(object.len() + 40);
    out.extend_from_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    out.into()
}
