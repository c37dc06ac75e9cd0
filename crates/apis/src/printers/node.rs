//! Rows of nodes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::age::UNKNOWN;
use super::row::Row;
use super::text::{NONE, or, text};

pub(super) fn node(row: &Row<'_>) -> Vec<Value> {
    let info = row.at(&["status", "nodeInfo"]);
    vec![
        row.name(),
        status(row).into(),
        roles(row).into(),
        row.age(),
        text(info, "kubeletVersion").into(),
        address(row, "InternalIP").into(),
        address(row, "ExternalIP").into(),
        or(text(info, "osImage"), UNKNOWN).into(),
        kernel(info).into(),
        or(text(info, "containerRuntimeVersion"), UNKNOWN).into(),
    ]
}

fn status(row: &Row<'_>) -> String {
    let conditions = row.list(&["status", "conditions"]).iter();
    let ready = match conditions.rev().find(|condition| condition["type"] == "Ready") {
        Some(condition) if condition["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if row.flag(&["spec", "unschedulable"]) { ",SchedulingDisabled" } else { "" };
    format!("{ready}{cordoned}")
}

/// Roles are the names or the values of labels.
fn roles(row: &Row<'_>) -> String {
    let labels = row.at(&["metadata", "labels"]).as_object();
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => value.as_str().map(str::to_owned),
        None => None,
    };
    let roles: BTreeSet<String> =
        labels.into_iter().flatten().filter_map(role).filter(|role| !role.is_empty()).collect();
    if roles.is_empty() {
        return NONE.to_owned();
    }
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address<'a>(row: &Row<'a>, ty: &str) -> &'a str {
    let addresses = row.list(&["status", "addresses"]);
    addresses.iter().find(|address| address["type"] == ty).map_or(NONE, |address| text(address, "address"))
}

fn kernel(info: &Value) -> String {
    let version = or(text(info, "kernelVersion"), UNKNOWN);
    match text(info, "architecture") {
        "" => version.to_owned(),
        architecture => format!("{version} ({architecture})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn nodes_show_readiness_roles_and_system() {
        check(
            "v1/nodes",
            json!({
                "metadata": {"labels": {
                    "node-role.kubernetes.io/worker": "",
                    "node-role.kubernetes.io/control-plane": "",
                    "node-role.kubernetes.io/": "",
                    "kubernetes.io/role": "edge",
                }},
                "spec": {"unschedulable": true},
                "status": {
                    "conditions": [
                        {"type": "MemoryPressure", "status": "False"},
                        {"type": "Ready", "status": "True"},
                    ],
                    "addresses": [
                        {"type": "Hostname", "address": "n1"},
                        {"type": "InternalIP", "address": "10.0.0.1"},
                        {"type": "InternalIP", "address": "fd00::1"},
                    ],
                    "nodeInfo": {
                        "kubeletVersion": "v1.37.0", "osImage": "Debian", "kernelVersion": "6.1",
                        "architecture": "arm64", "containerRuntimeVersion": "containerd://2.0",
                    },
                },
            }),
            json!([
                "a",
                "Ready,SchedulingDisabled",
                "control-plane,edge,worker",
                "22s",
                "v1.37.0",
                "10.0.0.1",
                "<none>",
                "Debian",
                "6.1 (arm64)",
                "containerd://2.0",
            ]),
        );
    }

    #[test]
    fn what_is_not_known_of_a_node_is_said() {
        for (conditions, status) in [
            (json!([]), "Unknown"),
            (json!([{"type": "Ready", "status": "False"}]), "NotReady"),
            (json!([{"type": "Ready", "status": "Unknown"}]), "NotReady"),
            (json!([{"type": "Ready", "status": "False"}, {"type": "Ready", "status": "True"}]), "Ready"),
        ] {
            check(
                "v1/nodes",
                json!({"status": {"conditions": conditions}}),
                json!([
                    "a",
                    status,
                    "<none>",
                    "22s",
                    "",
                    "<none>",
                    "<none>",
                    "<unknown>",
                    "<unknown>",
                    "<unknown>"
                ]),
            );
        }
    }
}
