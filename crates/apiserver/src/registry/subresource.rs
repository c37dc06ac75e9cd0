//! The parts of an object that its subresources write.

use klient_apimachinery::values::{Map, at, map_at, set};

use super::Resource;
use super::resize::take_resources;
use super::strategy::Paths;

/// The metadata that clients write.
const METADATA: [&str; 5] = ["annotations", "deletionTimestamp", "finalizers", "labels", "ownerReferences"];

/// Joins the new state of the part that a request writes, and its managed fields, with the rest of the old object.
pub(crate) fn join(resource: &Resource, subresource: Option<&str>, mut new: Map, old: &Map) -> Map {
    let Some(subresource) = subresource else {
        if resource.has_status() {
            set(&mut new, "status", old.get("status"));
        }
        return new;
    };
    let mut object = old.clone();
    let part = match subresource {
        "finalize" => Some("finalizers"),
        "ephemeralcontainers" => Some("ephemeralContainers"),
        _ => None,
    };
    if let Some(part) = part {
        set(map_at(&mut object, "spec"), part, at(&new, &["spec", part]));
        if subresource == "finalize" {
            for field in METADATA {
                set(map_at(&mut object, "metadata"), field, at(&new, &["metadata", field]));
            }
        }
    } else if subresource == "resize" {
        take_resources(&mut object, &new);
    } else {
        set(&mut object, "status", new.get("status"));
        if !resource.is_custom() {
            set(&mut object, "metadata", new.get("metadata"));
            keep_metadata(resource.strategy.fields_reset_by_status(), map_at(&mut object, "metadata"), old);
        }
    }
    let managed_fields = at(&new, &["metadata", "managedFields"]);
    set(map_at(&mut object, "metadata"), "managedFields", managed_fields);
    object
}

/// Keeps the metadata that a write to the status cannot change.
fn keep_metadata(kept: Paths, metadata: &mut Map, old: &Map) {
    for path in kept {
        let names = match path {
            ["metadata"] => &METADATA[..],
            ["metadata", name] => &[*name],
            _ => &[],
        };
        for name in names {
            set(metadata, name, at(old, &["metadata", name]));
        }
    }
}
