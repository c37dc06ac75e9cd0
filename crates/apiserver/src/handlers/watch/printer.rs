//! [`Printer`], the form of a watch's events.

use std::sync::Arc;

use bytes::Bytes;
use klient_apimachinery::INITIAL_EVENTS_END;
use klient_apimachinery::codec::protobuf::Event;
use klient_apimachinery::meta::v1::schema::{PARTIAL_OBJECT_METADATA, STATUS};
use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{self, Map, map_at};
use serde_json::Value;

use crate::negotiate::{Format, Media, Transform};
use crate::protobuf;
use crate::registry::Resource;
use crate::respond;
use crate::status::Failure;
use crate::storage::{ChangeKind, Object};
use crate::table;

/// Converts events into the requested form.
pub(super) struct Printer {
    pub(super) resource: Arc<Resource>,
    pub(super) format: Format,
    /// True if the next Table is the first, which defines the columns.
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
        let shown = if self.format.transform == Transform::None && object.version == version {
            match self.format.media {
                Media::Protobuf => respond::in_protobuf(resource, &resource.render_protobuf(object)),
                _ => respond::kind::with_kind(resource, &resource.render(object)),
            }
        } else {
            let mut value = resource.read(object);
            // An object that ceases to be selected is shown as it was, at the version of the change.
            map_at(&mut value, "metadata").insert("resourceVersion".to_owned(), version.to_string().into());
            self.show(value)
        };
        self.frame(kind, &shown)
    }

    pub(super) fn bookmark(&mut self, version: u64, initial_events_end: bool) -> Bytes {
        let mut object = self.resource.schema().map(values::empty).unwrap_or_default();
        if self.resource.info.group == "apps" {
            show_as_converted(&self.resource.info.kind, &mut object);
        }
        let metadata = map_at(&mut object, "metadata");
        metadata.insert("resourceVersion".to_owned(), version.to_string().into());
        if initial_events_end {
            map_at(metadata, "annotations").insert(INITIAL_EVENTS_END.to_owned(), "true".into());
        }
        let shown = self.show(object);
        self.frame("BOOKMARK", &shown)
    }

    pub(super) fn error(&self, failure: &Failure) -> Bytes {
        let status = respond::status(failure.status());
        self.frame("ERROR", &self.encode(status, Some(&STATUS)))
    }

    fn show(&mut self, object: Map) -> Vec<u8> {
        let resource = &self.resource;
        match self.format.transform {
            Transform::None => {
                let json = respond::kind::with_kind(resource, &resource.encode(&object));
                self.encode(json, resource.schema())
            }
            Transform::Partial(version) => {
                self.encode(respond::kind::partial(version, &object), Some(&PARTIAL_OBJECT_METADATA))
            }
            Transform::Table(version) => {
                let with_columns = std::mem::take(&mut self.columns);
                table::of_one(version, resource, object, self.format.include, with_columns)
            }
        }
    }

    /// Encodes an object in JSON in the media type of the watch; protobuf requires a schema.
    fn encode(&self, json: Vec<u8>, schema: Option<&'static Schema>) -> Vec<u8> {
        match schema.filter(|_| self.format.media == Media::Protobuf) {
            Some(schema) => protobuf::object(&json, schema),
            None => json,
        }
    }

    /// Frames an event whose object is already in the media type of the watch.
    fn frame(&self, kind: &str, object: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(object.len() + 64);
        if self.format.media == Media::Protobuf {
            Event { kind, object }.write(&mut out);
        } else {
            out.extend_from_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
            out.extend_from_slice(object);
            out.extend_from_slice(b"}\n");
        }
        out.into()
    }
}

/// Sets the fields that upstream's conversion from the internal type leaves in an empty object of apps/v1.
fn show_as_converted(kind: &str, object: &mut Map) {
    match kind {
        "DaemonSet" => {
            let annotation = ("deprecated.daemonset.template.generation".to_owned(), "0".into());
            map_at(map_at(object, "metadata"), "annotations").extend([annotation]);
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" => {
            map_at(object, "spec").insert("replicas".to_owned(), 0.into());
        }
        _ => return,
    }
    map_at(object, "spec").insert("selector".to_owned(), Value::Null);
}
