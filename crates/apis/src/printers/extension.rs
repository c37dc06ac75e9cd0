//! Rows of custom resource definitions, API services and storage version migrations.

use serde_json::Value;

use super::row::Row;
use super::text::{joined, qualified, text};

pub(super) fn custom_resource_definition(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text(&["spec", "scope"]).into(),
        versions(row.list(&["spec", "versions"])).into(),
        row.created(),
        row.text(&["spec", "group"]).into(),
        row.text(&["spec", "names", "kind"]).into(),
        joined(row.list(&["spec", "names", "shortNames"])).into(),
        row.any_true("Established").into(),
    ]
}

/// The served versions, sorted as strings.
fn versions(versions: &[Value]) -> String {
    let label = |version: &Value| {
        let stored = if version["storage"] == true { "(storage)" } else { "" };
        format!("{}{stored}", text(version, "name"))
    };
    let mut labels: Vec<String> =
        versions.iter().filter(|version| version["served"] == true).map(label).collect();
    labels.sort_unstable();
    labels.join(",")
}

pub(super) fn api_service(row: &Row<'_>) -> Vec<Value> {
    let service = match row.at(&["spec", "service"]) {
        Value::Null => "Local".to_owned(),
        service => format!("{}/{}", text(service, "namespace"), text(service, "name")),
    };
    vec![row.name(), service.into(), availability(row).into(), row.age()]
}

fn availability(row: &Row<'_>) -> String {
    let Some(condition) = row.condition("Available") else { return "Unknown".to_owned() };
    match (text(condition, "status"), text(condition, "reason")) {
        (status @ "True", _) | (status, "") => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

pub(super) fn version_migration(row: &Row<'_>) -> Vec<Value> {
    let resource = row.at(&["spec", "resource"]);
    let states = ["Running", "Failed", "Succeeded"];
    let conditions = row.list(&["status", "conditions"]).iter().rev();
    let state = conditions
        .filter(|condition| condition["status"] == "True")
        .map(|condition| text(condition, "type"))
        .find(|ty| states.contains(ty));
    vec![
        row.name(),
        qualified(text(resource, "resource"), text(resource, "group")).into(),
        state.unwrap_or("Unknown").into(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn definitions_show_what_they_serve() {
        check(
            "apiextensions.k8s.io/v1/customresourcedefinitions",
            json!({
                "spec": {
                    "group": "x.io", "scope": "Namespaced",
                    "names": {"plural": "gadgets", "kind": "Gadget", "shortNames": ["g", "gd"]},
                    "versions": [
                        {"name": "v1beta1", "served": true, "storage": false},
                        {"name": "v1alpha1", "served": false, "storage": false},
                        {"name": "v1", "served": true, "storage": true},
                    ],
                },
                "status": {"conditions": [{"type": "Established", "status": "True"}]},
            }),
            json!([
                "a",
                "Namespaced",
                "v1(storage),v1beta1",
                "2026-01-10T11:59:38Z",
                "x.io",
                "Gadget",
                "g,gd",
                true
            ]),
        );
    }

    #[test]
    fn api_services_say_who_serves_and_whether() {
        for (service, condition, shown) in [
            (
                json!(null),
                json!({"type": "Available", "status": "True", "reason": "Local"}),
                ["Local", "True"],
            ),
            (
                json!({"namespace": "ns", "name": "s"}),
                json!({"type": "Available", "status": "False", "reason": "Missing"}),
                ["ns/s", "False (Missing)"],
            ),
            (json!(null), json!({"type": "Available", "status": "False"}), ["Local", "False"]),
            (json!(null), json!({"type": "Other", "status": "True"}), ["Local", "Unknown"]),
        ] {
            let [service_cell, available] = shown;
            check(
                "apiregistration.k8s.io/v1/apiservices",
                json!({"spec": {"service": service}, "status": {"conditions": [condition]}}),
                json!(["a", service_cell, available, "22s"]),
            );
        }
    }

    #[test]
    fn migrations_show_how_far_they_are() {
        let condition = |ty: &str, status: &str| json!({"type": ty, "status": status});
        for (conditions, expected) in [
            (vec![], "Unknown"),
            (vec![condition("Running", "True")], "Running"),
            (vec![condition("Running", "False"), condition("Succeeded", "True")], "Succeeded"),
            (vec![condition("Failed", "True"), condition("Other", "True")], "Failed"),
        ] {
            check(
                "storagemigration.k8s.io/v1/storageversionmigrations",
                json!({
                    "spec": {"resource": {"group": "apps", "resource": "deployments"}},
                    "status": {"conditions": conditions},
                }),
                json!(["a", "deployments.apps", expected]),
            );
        }
    }
}
