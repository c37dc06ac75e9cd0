//! Rows of admission webhooks and policies.

use serde_json::Value;

use super::row::Row;
use super::text::{UNSET, text};

pub(super) fn webhooks(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.size(&["webhooks"]).into(), row.age()]
}

pub(super) fn validating_policy(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.size(&["spec", "validations"]).into(), param_kind(row), row.age()]
}

pub(super) fn mutating_policy(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), row.size(&["spec", "mutations"]).into(), param_kind(row), row.age()]
}

fn param_kind(row: &Row<'_>) -> Value {
    match row.at(&["spec", "paramKind"]) {
        Value::Null => UNSET.into(),
        kind => format!("{}/{}", text(kind, "apiVersion"), text(kind, "kind")).into(),
    }
}

pub(super) fn policy_binding(row: &Row<'_>) -> Vec<Value> {
    let parameter = param(row.at(&["spec", "paramRef"]));
    vec![row.name(), row.text(&["spec", "policyName"]).into(), parameter.into(), row.age()]
}

fn param(reference: &Value) -> String {
    match (text(reference, "namespace"), text(reference, "name"), &reference["selector"]) {
        (_, "", Value::Null) => UNSET.to_owned(),
        (_, "", selector) => go_selector(selector),
        ("", name, _) => format!("*/{name}"),
        (namespace, name, _) => format!("{namespace}/{name}"),
    }
}

/// A selector in Go's format of the struct, which upstream prints here.
fn go_selector(selector: &Value) -> String {
    let label = |(key, value): (&String, &Value)| format!("{key}: {},", value.as_str().unwrap_or_default());
    let labels: String = selector["matchLabels"].as_object().into_iter().flatten().map(label).collect();
    let expressions: String =
        selector["matchExpressions"].as_array().into_iter().flatten().map(go_requirement).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}

fn go_requirement(requirement: &Value) -> String {
    let values = requirement["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let values: Vec<&str> = values.collect();
    let (key, operator) = (text(requirement, "key"), text(requirement, "operator"));
    format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn webhooks_and_rules_are_counted() {
        for resource in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            let resource = format!("admissionregistration.k8s.io/v1/{resource}");
            check(&resource, json!({"webhooks": [{"name": "x"}, {"name": "y"}]}), json!(["a", 2, "22s"]));
        }
        check(
            "admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            json!({"spec": {"validations": [{"expression": "true"}]}}),
            json!(["a", 1, "<unset>", "22s"]),
        );
        check(
            "admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
            json!({"spec": {"mutations": [{}], "paramKind": {"apiVersion": "x.io/v1", "kind": "Limit"}}}),
            json!(["a", 1, "x.io/v1/Limit", "22s"]),
        );
    }

    #[test]
    fn bindings_show_where_parameters_come_from() {
        for (reference, expected) in [
            (json!(null), "<unset>"),
            (json!({}), "<unset>"),
            (json!({"name": "p"}), "*/p"),
            (json!({"name": "p", "namespace": "ns"}), "ns/p"),
            (
                json!({"selector": {
                    "matchLabels": {"b": "2", "a": "1"},
                    "matchExpressions": [{"key": "k", "operator": "In", "values": ["x", "y"]}],
                }}),
                "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},\
                 MatchExpressions:[]LabelSelectorRequirement{\
                 LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}",
            ),
            (
                json!({"selector": {}}),
                "&LabelSelector{MatchLabels:map[string]string{},\
                 MatchExpressions:[]LabelSelectorRequirement{},}",
            ),
        ] {
            for resource in ["mutatingadmissionpolicybindings", "validatingadmissionpolicybindings"] {
                check(
                    &format!("admissionregistration.k8s.io/v1/{resource}"),
                    json!({"spec": {"policyName": "p", "paramRef": reference}}),
                    json!(["a", "p", expected, "22s"]),
                );
            }
        }
    }
}
