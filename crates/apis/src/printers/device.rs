//! Rows of dynamic resource allocation: devices and claims.

use serde_json::Value;

use super::row::Row;
use super::text::text;

pub(super) fn claim(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), state(row).into(), row.age()]
}

fn state(row: &Row<'_>) -> &'static str {
    let allocated = !row.at(&["status", "allocation"]).is_null();
    let reserved = !row.list(&["status", "reservedFor"]).is_empty();
    match (row.deleted(), allocated, reserved) {
        (false, false, _) => "pending",
        (false, true, false) => "allocated",
        (false, true, true) => "allocated,reserved",
        (true, false, _) => "deleted",
        (true, true, false) => "deleted,allocated",
        (true, true, true) => "deleted,allocated,reserved",
    }
}

pub(super) fn slice(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text(&["spec", "nodeName"]).into(),
        row.text(&["spec", "driver"]).into(),
        row.text(&["spec", "pool", "name"]).into(),
        row.age(),
    ]
}

pub(super) fn taint_rule(row: &Row<'_>) -> Vec<Value> {
    let taint = row.at(&["spec", "taint"]);
    let added = match text(taint, "timeAdded") {
        "" => String::new(),
        time => row.age_of(time),
    };
    vec![
        row.name(),
        text(taint, "key").into(),
        text(taint, "value").into(),
        text(taint, "effect").into(),
        added.into(),
        row.age(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::printers::tests::check;

    #[test]
    fn claims_say_how_far_they_are() {
        let allocated = json!({"allocation": {}});
        let reserved =
            json!({"allocation": {}, "reservedFor": [{"resource": "pods", "name": "p", "uid": ""}]});
        for (status, deleted, expected) in [
            (json!({}), false, "pending"),
            (json!({}), true, "deleted"),
            (allocated.clone(), false, "allocated"),
            (allocated, true, "deleted,allocated"),
            (reserved.clone(), false, "allocated,reserved"),
            (reserved, true, "deleted,allocated,reserved"),
        ] {
            let deleted = if deleted { json!("2026-01-10T12:00:00Z") } else { Value::Null };
            check(
                "resource.k8s.io/v1/resourceclaims",
                json!({"metadata": {"deletionTimestamp": deleted}, "status": status}),
                json!(["a", expected, "22s"]),
            );
        }
    }

    #[test]
    fn slices_and_taints_show_their_devices() {
        check(
            "resource.k8s.io/v1/resourceslices",
            json!({"spec": {"nodeName": "n", "driver": "x.io", "pool": {"name": "p"}}}),
            json!(["a", "n", "x.io", "p", "22s"]),
        );
        let taint =
            |added: Value| json!({"key": "k", "value": "v", "effect": "NoExecute", "timeAdded": added});
        for (added, expected) in [(Value::Null, ""), (json!("2026-01-10T11:50:00Z"), "10m")] {
            check(
                "resource.k8s.io/v1/devicetaintrules",
                json!({"spec": {"taint": taint(added)}}),
                json!(["a", "k", "v", "NoExecute", expected, "22s"]),
            );
        }
    }
}
