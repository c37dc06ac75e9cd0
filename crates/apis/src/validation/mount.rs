//! Volume mounts and volume devices of containers.

use std::collections::{BTreeMap, HashSet};

use klient_apimachinery::validation::field::ErrorList;
use serde_json::Value;

use super::at::At;
use super::form::{descending_path, no_backsteps};

/// Checks `volumeMounts` and `volumeDevices` of a container against the volumes of its Pod.
pub(super) fn mounts(container: &At<'_, '_>, volumes: &BTreeMap<&str, &Value>, problems: &mut ErrorList) {
    volume_mounts(container, volumes, problems);
    volume_devices(container, volumes, problems);
}

fn volume_mounts(container: &At<'_, '_>, volumes: &BTreeMap<&str, &Value>, problems: &mut ErrorList) {
    let (mounts, devices) = (container.get("volumeMounts"), container.get("volumeDevices"));
    let (device_names, device_paths) = (texts(&devices, "name"), texts(&devices, "devicePath"));
    let mut paths = HashSet::new();
    for mount in mounts.items() {
        let (name, path) = (mount.get("name"), mount.get("mountPath"));
        name.must_be_set("", problems);
        if !volumes.contains_key(name.text()) {
            problems.add(name.not_found());
        }
        path.must_be_set("", problems);
        if paths.contains(&path.text()) {
            problems.add(path.invalid_text("must be unique"));
        }
        paths.insert(path.text());
        if device_names.contains(name.text()) {
            problems.add(name.invalid_text("must not already exist in volumeDevices"));
        }
        if device_paths.contains(path.text()) {
            problems.add(path.invalid_text("must not already exist as a path in volumeDevices"));
        }
        // Upstream leaves out which mount the rest is about.
        how_mounted(&mount, &mounts.holding(mount.raw()), container, problems);
    }
}

/// The texts that items of a list have under a name.
fn texts<'v>(list: &At<'_, 'v>, name: &str) -> HashSet<&'v str> {
    list.items().map(|item| item.get(name).text()).collect()
}

fn how_mounted(
    mount: &At<'_, '_>,
    unnumbered: &At<'_, '_>,
    container: &At<'_, '_>,
    problems: &mut ErrorList,
) {
    unnumbered.get("subPath").must_be(descending_path, problems);
    let expression = mount.get("subPathExpr");
    if !expression.is_empty() && !mount.get("subPath").is_empty() {
        problems.add(expression.invalid("subPathExpr and subPath are mutually exclusive"));
    }
    unnumbered.get("subPathExpr").must_be(descending_path, problems);
    let propagation = unnumbered.get("mountPropagation");
    if propagation.is_set() {
        propagation.must_be_one_of(&["Bidirectional", "HostToContainer", "None"], problems);
        if propagation.text() == "Bidirectional" && !container.get("securityContext.privileged").flag() {
            let problem = "Bidirectional mount propagation is available only to privileged containers";
            problems.add(propagation.forbidden(problem));
        }
    }
    let recursive = unnumbered.get("recursiveReadOnly");
    match recursive.text() {
        "" | "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.get("readOnly").flag() {
                problems.add(recursive.forbidden("may only be specified when readOnly is true"));
            }
            if !matches!(propagation.text(), "" | "None") {
                let problem = "may only be specified when mountPropagation is None or not specified";
                problems.add(recursive.forbidden(problem));
            }
        }
        _ => recursive.must_be_one_of(&["Disabled", "Enabled", "IfPossible"], problems),
    }
}

fn volume_devices(container: &At<'_, '_>, volumes: &BTreeMap<&str, &Value>, problems: &mut ErrorList) {
    let (mounts, devices) = (container.get("volumeMounts"), container.get("volumeDevices"));
    let (mount_names, mount_paths) = (texts(&mounts, "name"), texts(&mounts, "mountPath"));
    let (mut names, mut paths) = (HashSet::new(), HashSet::new());
    for device in devices.items() {
        let (name, path) = (device.get("name"), device.get("devicePath"));
        name.must_be_set("", problems);
        if names.contains(&name.text()) {
            problems.add(name.invalid_text("must be unique"));
        }
        match volumes.get(name.text()) {
            None => problems.add(name.not_found()),
            Some(volume) if volume.get("persistentVolumeClaim").or(volume.get("ephemeral")).is_none() => {
                let problem =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                problems.add(name.invalid_text(problem));
            }
            Some(_) => {}
        }
        path.must_be_set("", problems);
        if paths.contains(&path.text()) {
            problems.add(path.invalid_text("must be unique"));
        }
        if no_backsteps(path.text()).is_empty() {
            paths.insert(path.text());
        } else {
            problems.add(path.invalid("can not contain backsteps ('..')"));
        }
        if mount_names.contains(name.text()) {
            problems.add(name.invalid_text("must not already exist in volumeMounts"));
        }
        if mount_paths.contains(path.text()) {
            problems.add(path.invalid_text("must not already exist as a path in volumeMounts"));
        }
        names.insert(name.text());
    }
}
