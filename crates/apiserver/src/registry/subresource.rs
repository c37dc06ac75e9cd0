//! The parts of an object that its subresources write.

use klient_apimachinery::values::{Map, at, map_at, set};

use super::Resource;
use super::resize::take_resources;
use super::strategy::Paths;

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
            copy_metadata(&[&["metadata"]], map_at(&mut object, "metadata"), &new);
        }
    } else if subresource == "resize" {
        take_resources(&mut object, &new);
    } else {
        set(&mut object, "status", new.get("status"));
        if !resource.is_custom() {
            set(&mut object, "metadata", new.get("metadata"));
            copy_metadata(resource.strategy.fields_reset_by_status(), map_at(&mut object, "metadata"), old);
        }
    }
    let managed_fields = at(&new, &["metadata", "managedFields"]);
    set(map_at(&mut object, "metadata"), "managedFields", managed_fields);
    object
}

/// Copies the metadata at paths of an object, of all of it that which clients write.
fn copy_metadata(paths: Paths, metadata: &mut Map, object: &Map) {
    const ALL: [&str; 5] = ["annotations", "deletionTimestamp", "finalizers", "labels", "ownerReferences"];
    for path in paths {
        let names = match path {
            ["metadata"] => &ALL[..],
            ["metadata", name] => &[*name],
            _ => &[],
        };
        for name in names {
            set(metadata, name, at(object, &["metadata", name]));
        }
    }
}
