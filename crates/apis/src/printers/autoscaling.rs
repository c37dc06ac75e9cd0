//! Rows of horizontal pod autoscalers.

use serde_json::Value;

use super::age::UNKNOWN;
use super::row::Row;
use super::text::{NONE, UNSET, first_few, text};

pub(super) fn autoscaler(row: &Row<'_>) -> Vec<Value> {
    let target = row.at(&["spec", "scaleTargetRef"]);
    let minimum = row.at(&["spec", "minReplicas"]).as_i64();
    vec![
        row.name(),
        format!("{}/{}", text(target, "kind"), text(target, "name")).into(),
        targets(row).into(),
        minimum.map_or_else(|| UNSET.to_owned(), |minimum| minimum.to_string()).into(),
        row.number(&["spec", "maxReplicas"]).into(),
        row.number(&["status", "currentReplicas"]).into(),
        row.age(),
    ]
}

fn targets(row: &Row<'_>) -> String {
    // `autoscaling/v1` has no other target than this.
    let cpu = row.at(&["spec", "targetCPUUtilizationPercentage"]);
    if cpu.is_number() {
        let current = row.at(&["status", "currentCPUUtilizationPercentage"]);
        return format!("cpu: {}/{}", percent(current, UNKNOWN), percent(cpu, UNKNOWN));
    }
    let statuses = row.list(&["status", "currentMetrics"]);
    let specs = row.list(&["spec", "metrics"]).iter().enumerate();
    let metrics: Vec<String> =
        specs.map(|(index, spec)| metric(spec, statuses.get(index).unwrap_or(&Value::Null))).collect();
    if metrics.is_empty() { NONE.to_owned() } else { first_few(&metrics, 2, ", ") }
}

/// The current and the target value of a metric.
fn metric(spec: &Value, status: &Value) -> String {
    let source = match text(spec, "type") {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let (target, current) = (&spec[source]["target"], &status[source]["current"]);
    let name = text(&spec[source], "name");
    match (source, target["averageValue"].is_null()) {
        ("pods", _) => pair(target, current, "averageValue"),
        ("external" | "object", false) if current["averageValue"].is_null() => {
            format!("{UNKNOWN}/{} (avg)", amount(target, "averageValue"))
        }
        ("external" | "object", false) => format!("{} (avg)", pair(target, current, "averageValue")),
        ("external" | "object", true) => pair(target, current, "value"),
        (_, false) => format!("{name}: {}", pair(target, current, "averageValue")),
        (_, true) => {
            let [target, current] = [target, current].map(|values| &values["averageUtilization"]);
            format!("{name}: {}/{}", percent(current, UNKNOWN), percent(target, "<auto>"))
        }
    }
}

fn pair(target: &Value, current: &Value, field: &str) -> String {
    let current = if current.is_object() { amount(current, field) } else { UNKNOWN };
    format!("{current}/{}", amount(target, field))
}

fn amount<'a>(values: &'a Value, field: &str) -> &'a str {
    values[field].as_str().unwrap_or("<nil>")
}

fn percent(value: &Value, absent: &str) -> String {
    value.as_i64().map_or_else(|| absent.to_owned(), |value| format!("{value}%"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    #[track_caller]
    fn check_targets(specs: Value, statuses: Value, expected: &str) {
        check(
            "autoscaling/v2/horizontalpodautoscalers",
            json!({
                "spec": {
                    "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                    "minReplicas": 2, "maxReplicas": 5, "metrics": specs,
                },
                "status": {"currentReplicas": 3, "currentMetrics": statuses},
            }),
            json!(["a", "Deployment/web", expected, "2", 5, 3, "22s"]),
        );
    }

    #[track_caller]
    fn check_metric(ty: &str, source: &str, spec: Value, status: Value, expected: &str) {
        check_targets(
            json!([{"type": ty, source: spec}]),
            if status.is_null() { json!([]) } else { json!([{"type": ty, source: status}]) },
            expected,
        );
    }

    #[test]
    fn resources_are_compared_by_utilization_or_amount() {
        for (ty, source) in [("Resource", "resource"), ("ContainerResource", "containerResource")] {
            let spec = |target: Value| json!({"name": "cpu", "target": target});
            let status = |current: Value| json!({"name": "cpu", "current": current});
            let utilization = || spec(json!({"type": "Utilization", "averageUtilization": 80}));
            let amount = || spec(json!({"type": "AverageValue", "averageValue": "500m"}));
            for (spec, status, expected) in [
                (utilization(), Value::Null, "cpu: <unknown>/80%"),
                (utilization(), status(json!({"averageUtilization": 10})), "cpu: 10%/80%"),
                (utilization(), status(json!({"averageValue": "1"})), "cpu: <unknown>/80%"),
                (spec(json!({"type": "Utilization"})), Value::Null, "cpu: <unknown>/<auto>"),
                (amount(), Value::Null, "cpu: <unknown>/500m"),
                (amount(), status(json!({"averageValue": "100m"})), "cpu: 100m/500m"),
            ] {
                check_metric(ty, source, spec, status, expected);
            }
        }
    }

    #[test]
    fn metrics_of_pods_objects_and_the_world_are_compared_by_amount() {
        let with = |key: &str, amounts: &Value| json!({"metric": {"name": "m"}, key: amounts});
        let (average, value) = (json!({"averageValue": "10"}), json!({"value": "7"}));
        for (ty, source, target, current, expected) in [
            ("Pods", "pods", &average, None, "<unknown>/10"),
            ("Pods", "pods", &average, Some(json!({"averageValue": "4"})), "4/10"),
            ("External", "external", &average, None, "<unknown>/10 (avg)"),
            ("External", "external", &average, Some(json!({"value": "4"})), "<unknown>/10 (avg)"),
            ("External", "external", &average, Some(json!({"averageValue": "4"})), "4/10 (avg)"),
            ("External", "external", &value, None, "<unknown>/7"),
            ("Object", "object", &value, Some(json!({"value": "4"})), "4/7"),
            ("Object", "object", &value, Some(json!({"averageValue": "4"})), "<nil>/7"),
            ("Object", "object", &average, Some(json!({"averageValue": "4"})), "4/10 (avg)"),
        ] {
            let status = current.map_or(Value::Null, |current| with("current", &current));
            check_metric(ty, source, with("target", target), status, expected);
        }
    }

    #[test]
    fn two_metrics_are_shown_and_the_others_counted() {
        let target = json!({"averageUtilization": 50});
        let metric = |name: &str| json!({"type": "Resource", "resource": {"name": name, "target": target}});
        check_targets(json!([]), json!([]), "<none>");
        check_targets(json!([{"type": "Guess"}]), json!([]), "<unknown type>");
        check_targets(
            json!([metric("cpu"), metric("memory")]),
            json!([]),
            "cpu: <unknown>/50%, memory: <unknown>/50%",
        );
        check_targets(
            json!([metric("cpu"), metric("memory"), metric("disk"), metric("net")]),
            json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 5}}}]),
            "cpu: 5%/50%, memory: <unknown>/50% + 2 more...",
        );
    }

    #[test]
    fn version_1_knows_cpu_only() {
        for (target, current, expected) in [
            (json!(null), json!(null), "<none>"),
            (json!(80), json!(null), "cpu: <unknown>/80%"),
            (json!(80), json!(10), "cpu: 10%/80%"),
        ] {
            check(
                "autoscaling/v1/horizontalpodautoscalers",
                json!({
                    "spec": {"targetCPUUtilizationPercentage": target, "maxReplicas": 5},
                    "status": {"currentCPUUtilizationPercentage": current},
                }),
                json!(["a", "/", expected, "<unset>", 5, 0, "22s"]),
            );
        }
    }
}
