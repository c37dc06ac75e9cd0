//! Rows of configuration, quotas and other small kinds of a cluster.

use serde_json::Value;

use super::row::Row;
use super::text::text;

pub(super) fn config_map(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), (row.size(&["data"]) + row.size(&["binaryData"])).into(), row.age()]
}

pub(super) fn secret(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text(&["type"]).into(), row.size(&["data"]).into(), row.age()]
}

pub(super) fn namespace(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text(&["status", "phase"]).into(), row.age()]
}

pub(super) fn component_status(row: &Row<'_>) -> Vec<Value> {
    let healthy = row.list(&["conditions"]).iter().find(|condition| condition["type"] == "Healthy");
    let field = |name| healthy.map_or("", |condition| text(condition, name)).into();
    let status = match healthy {
        Some(condition) if condition["status"] == "True" => "Healthy",
        Some(_) => "Unhealthy",
        None => "Unknown",
    };
    vec![row.name(), status.into(), field("message"), field("error")]
}

pub(super) fn resource_quota(row: &Row<'_>) -> Vec<Value> {
    let hard = row.at(&["status", "hard"]).as_object();
    let amounts = hard.into_iter().flatten().map(|(resource, hard)| {
        let used = row.text_or(&["status", "used", resource], "0");
        (resource, format!("{resource}: {used}/{}", hard.as_str().unwrap_or("0")))
    });
    let (limits, requests): (Vec<_>, Vec<_>) =
        amounts.partition(|(resource, _)| resource.starts_with("limits."));
    let [requests, limits] = [requests, limits].map(|amounts| {
        let amounts: Vec<String> = amounts.into_iter().map(|(_, amount)| amount).collect();
        Value::from(amounts.join(", "))
    });
    vec![row.name(), requests, limits, row.age()]
}

pub(super) fn lease(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text(&["spec", "holderIdentity"]).into(), row.age()]
}

pub(super) fn runtime_class(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text(&["handler"]).into(), row.age()]
}

pub(super) fn priority_class(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.number(&["value"]).into(),
        row.flag(&["globalDefault"]).into(),
        row.age(),
        row.text(&["preemptionPolicy"]).into(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn data_is_counted() {
        check(
            "v1/configmaps",
            json!({"data": {"x": "1", "y": "2"}, "binaryData": {"z": "AA=="}}),
            json!(["a", 3, "22s"]),
        );
        check(
            "v1/secrets",
            json!({"type": "Opaque", "data": {"x": "AA=="}}),
            json!(["a", "Opaque", 1, "22s"]),
        );
    }

    #[test]
    fn quotas_split_requests_from_limits() {
        check(
            "v1/resourcequotas",
            json!({"status": {
                "hard": {
                    "requests.cpu": "2", "limits.cpu": "4", "limits.memory": "1Gi", "limits": "1",
                    "pods": "10",
                },
                "used": {"requests.cpu": "500m", "limits.cpu": "1"},
            }}),
            json!([
                "a",
                "limits: 0/1, pods: 0/10, requests.cpu: 500m/2",
                "limits.cpu: 1/4, limits.memory: 0/1Gi",
                "22s",
            ]),
        );
    }

    #[test]
    fn components_are_healthy_or_not() {
        let condition =
            |status: &str| json!([{"type": "Healthy", "status": status, "message": "m", "error": "e"}]);
        for (conditions, expected) in [
            (json!([]), ["Unknown", "", ""]),
            (condition("True"), ["Healthy", "m", "e"]),
            (condition("False"), ["Unhealthy", "m", "e"]),
        ] {
            let [status, message, error] = expected;
            check(
                "v1/componentstatuses",
                json!({"conditions": conditions}),
                json!(["a", status, message, error]),
            );
        }
    }

    #[test]
    fn small_kinds_show_their_fields() {
        check("v1/namespaces", json!({"status": {"phase": "Active"}}), json!(["a", "Active", "22s"]));
        check(
            "coordination.k8s.io/v1/leases",
            json!({"spec": {"holderIdentity": "me"}}),
            json!(["a", "me", "22s"]),
        );
        check("node.k8s.io/v1/runtimeclasses", json!({"handler": "gvisor"}), json!(["a", "gvisor", "22s"]));
        check(
            "scheduling.k8s.io/v1/priorityclasses",
            json!({"value": 1000, "globalDefault": true, "preemptionPolicy": "Never"}),
            json!(["a", 1000, true, "22s", "Never"]),
        );
    }
}
