//! Defaults of volumes and claims.

use klient_apimachinery::values::{Map, map_at, text_at};
use serde_json::json;

use super::pod::pull_policy;
use super::{fill, object_mut};

pub(super) fn volume(volume: &mut Map) {
    if volume.keys().all(|name| name == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    if let Some(image) = object_mut(volume, "image") {
        let policy = pull_policy(text_at(image, &["reference"]));
        fill(image, "pullPolicy", policy);
    }
}

pub(super) fn azure_disk(disk: &mut Map) {
    fill(disk, "cachingMode", "ReadWrite");
    fill(disk, "kind", "Shared");
}

pub(super) fn persistent_volume(object: &mut Map) {
    fill(map_at(object, "status"), "phase", "Pending");
    let spec = map_at(object, "spec");
    fill(spec, "persistentVolumeReclaimPolicy", "Retain");
    fill(spec, "volumeMode", "Filesystem");
}

pub(super) fn claim(object: &mut Map) {
    fill(map_at(object, "status"), "phase", "Pending");
}
