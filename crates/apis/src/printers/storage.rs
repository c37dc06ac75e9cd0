//! Rows of volumes, claims, storage classes, drivers and attachments.

use serde_json::Value;

use super::row::Row;
use super::text::{NONE, UNSET, joined, or, text};

pub(super) fn volume(row: &Row<'_>) -> Vec<Value> {
    let claim = match row.at(&["spec", "claimRef"]) {
        Value::Null => String::new(),
        claim => format!("{}/{}", text(claim, "namespace"), text(claim, "name")),
    };
    vec![
        row.name(),
        row.text_or(&["spec", "capacity", "storage"], "0").into(),
        access_modes(row.list(&["spec", "accessModes"])).into(),
        row.text(&["spec", "persistentVolumeReclaimPolicy"]).into(),
        phase(row).into(),
        claim.into(),
        class(row).into(),
        row.text_or(&["spec", "volumeAttributesClassName"], UNSET).into(),
        row.text(&["status", "reason"]).into(),
        row.age(),
        row.text_or(&["spec", "volumeMode"], UNSET).into(),
    ]
}

/// A claim's capacity and access modes are printed once it has a volume.
pub(super) fn claim(row: &Row<'_>) -> Vec<Value> {
    let volume = row.text(&["spec", "volumeName"]);
    let (capacity, modes) = match volume {
        "" => ("", String::new()),
        _ => (
            row.text_or(&["status", "capacity", "storage"], "0"),
            access_modes(row.list(&["status", "accessModes"])),
        ),
    };
    vec![
        row.name(),
        phase(row).into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        class(row).into(),
        row.text_or(&["spec", "volumeAttributesClassName"], UNSET).into(),
        row.age(),
        row.text_or(&["spec", "volumeMode"], UNSET).into(),
    ]
}

fn phase<'a>(row: &Row<'a>) -> &'a str {
    if row.deleted() { "Terminating" } else { row.text(&["status", "phase"]) }
}

/// The old annotation takes precedence over the field.
fn class<'a>(row: &Row<'a>) -> &'a str {
    let annotation = row.at(&["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]);
    annotation.as_str().unwrap_or(row.text(&["spec", "storageClassName"]))
}

fn access_modes(modes: &[Value]) -> String {
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |name: &str| modes.iter().any(|mode| mode == name);
    let short: Vec<&str> = known.iter().filter(|(name, _)| has(name)).map(|(_, short)| *short).collect();
    short.join(",")
}

pub(super) fn storage_class(row: &Row<'_>) -> Vec<Value> {
    let default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|annotation| row.text(&["metadata", "annotations", annotation]) == "true");
    let suffix = if default { " (default)" } else { "" };
    vec![
        format!("{}{suffix}", row.text(&["metadata", "name"])).into(),
        row.text(&["provisioner"]).into(),
        row.text_or(&["reclaimPolicy"], "Delete").into(),
        row.text_or(&["volumeBindingMode"], "Immediate").into(),
        row.flag(&["allowVolumeExpansion"]).into(),
        row.age(),
    ]
}

pub(super) fn attributes_class(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text(&["driverName"]).into(), row.age()]
}

pub(super) fn attachment(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text(&["spec", "attacher"]).into(),
        row.text(&["spec", "source", "persistentVolumeName"]).into(),
        row.text(&["spec", "nodeName"]).into(),
        row.flag(&["status", "attached"]).into(),
        row.age(),
    ]
}

pub(super) fn csi_driver(row: &Row<'_>) -> Vec<Value> {
    let requests = row.list(&["spec", "tokenRequests"]).iter();
    let audiences: Vec<&str> = requests.map(|request| text(request, "audience")).collect();
    let tokens = if audiences.is_empty() { UNSET.to_owned() } else { audiences.join(",") };
    vec![
        row.name(),
        row.at(&["spec", "attachRequired"]).as_bool().unwrap_or(true).into(),
        row.flag(&["spec", "podInfoOnMount"]).into(),
        row.flag(&["spec", "storageCapacity"]).into(),
        tokens.into(),
        row.flag(&["spec", "requiresRepublish"]).into(),
        or(&joined(row.list(&["spec", "volumeLifecycleModes"])), NONE).into(),
        row.age(),
    ]
}

pub(super) fn csi_node(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.size(&["spec", "drivers"]).into(), row.age()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn volumes_show_their_claim() {
        check(
            "v1/persistentvolumes",
            json!({
                "spec": {
                    "capacity": {"storage": "1024Mi"},
                    "accessModes": ["ReadWriteMany", "ReadWriteOnce", "ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "claimRef": {"namespace": "ns", "name": "c"},
                    "storageClassName": "fast", "volumeMode": "Block", "volumeAttributesClassName": "gold",
                },
                "status": {"phase": "Bound", "reason": "why"},
            }),
            json!(["a", "1Gi", "RWO,RWX", "Retain", "Bound", "ns/c", "fast", "gold", "why", "22s", "Block"]),
        );
        check(
            "v1/persistentvolumes",
            json!({"metadata": {"deletionTimestamp": "2026-01-10T12:00:00Z"}, "status": {"phase": "Bound"}}),
            json!(["a", "0", "", "", "Terminating", "", "", "<unset>", "", "22s", "<unset>"]),
        );
    }

    #[test]
    fn claims_show_what_they_hold_once_bound() {
        let status =
            json!({"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOncePod"]});
        check(
            "v1/persistentvolumeclaims",
            json!({"spec": {"volumeName": "v", "storageClassName": "fast"}, "status": status}),
            json!(["a", "Bound", "v", "1Gi", "RWOP", "fast", "<unset>", "22s", "<unset>"]),
        );
        check(
            "v1/persistentvolumeclaims",
            json!({
                "metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "old"}},
                "spec": {"storageClassName": "fast", "volumeMode": "Filesystem"}, "status": status,
            }),
            json!(["a", "Bound", "", "", "", "old", "<unset>", "22s", "Filesystem"]),
        );
    }

    #[test]
    fn storage_classes_say_which_is_the_default() {
        for prefix in ["storageclass", "storageclass.beta"] {
            let annotation = format!("{prefix}.kubernetes.io/is-default-class");
            check(
                "storage.k8s.io/v1/storageclasses",
                json!({
                    "metadata": {"annotations": {annotation: "true"}},
                    "provisioner": "x.io/p", "reclaimPolicy": "Retain",
                    "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true,
                }),
                json!(["a (default)", "x.io/p", "Retain", "WaitForFirstConsumer", true, "22s"]),
            );
        }
        check(
            "storage.k8s.io/v1/storageclasses",
            json!({"provisioner": "x.io/p"}),
            json!(["a", "x.io/p", "Delete", "Immediate", false, "22s"]),
        );
    }

    #[test]
    fn drivers_and_attachments_show_booleans() {
        check(
            "storage.k8s.io/v1/csidrivers",
            json!({"spec": {
                "attachRequired": false, "podInfoOnMount": true,
                "tokenRequests": [{"audience": "x"}, {"audience": "y"}],
                "volumeLifecycleModes": ["Persistent", "Ephemeral"],
            }}),
            json!(["a", false, true, false, "x,y", false, "Persistent,Ephemeral", "22s"]),
        );
        check(
            "storage.k8s.io/v1/csidrivers",
            json!({}),
            json!(["a", true, false, false, "<unset>", false, "<none>", "22s"]),
        );
        check(
            "storage.k8s.io/v1/volumeattachments",
            json!({
                "spec": {"attacher": "x.io", "nodeName": "n", "source": {"persistentVolumeName": "v"}},
                "status": {"attached": true},
            }),
            json!(["a", "x.io", "v", "n", true, "22s"]),
        );
        check(
            "storage.k8s.io/v1/csinodes",
            json!({"spec": {"drivers": [{"name": "d", "nodeID": "n"}]}}),
            json!(["a", 1, "22s"]),
        );
    }
}
