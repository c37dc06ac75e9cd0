//! Objects that configure admission, which cases alter.

use serde_json::{Value, json};

/// An object of a resource with some fields: of the specification of a policy or binding, or of the only webhook of a
/// configuration. `null` removes a field; `metadata` is that of the object, and `webhooks` are all of them.
pub(super) fn defined(plural: &str, fields: &Value) -> Value {
    let is_webhook = plural.ends_with("webhookconfigurations");
    let (kind, mut of_it) = base(plural);
    let mut object = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "a.example.com"},
    });
    for (name, value) in fields.as_object().expect("fields") {
        match (name.as_str(), value) {
            ("metadata" | "webhooks", value) => object[name] = value.clone(),
            (name, Value::Null) => drop(of_it.as_object_mut().expect("an object").remove(name)),
            (name, value) => of_it[name] = value.clone(),
        }
    }
    if !is_webhook {
        object["spec"] = of_it;
    } else if object["webhooks"].is_null() {
        object["webhooks"] = json!([of_it]);
    }
    object
}

/// A configuration of webhooks with these names, between blanks; each is called for objects that are [`labelled`] so.
pub(super) fn called(plural: &str, names: &str) -> Value {
    let webhook = |name: &str| {
        json!({
            "name": format!("{name}.example.com"),
            "clientConfig": format!("HOOK/{name}"),
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
            }],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "objectSelector": {"matchLabels": {"hook": name}},
            "namespaceSelector": {"matchLabels": {"e2e.klient.example/admission": "yes"}},
        })
    };
    let webhooks: Vec<Value> = names.split(' ').map(webhook).collect();
    let (kind, _) = base(plural);
    json!({"kind": kind, "metadata": {"name": "admission-responses"}, "webhooks": webhooks})
}

/// An object for which the webhook of a name is called.
pub(super) fn labelled(name: &str) -> Value {
    json!({"metadata": {"name": "c", "labels": {"hook": name}}, "data": {"a": "1"}})
}

/// The kind of a resource, and an object that is valid.
fn base(plural: &str) -> (&'static str, Value) {
    let rule = json!({
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"],
    });
    let webhook = json!({
        "name": "w.example.com", "clientConfig": "HOOK/allow", "rules": [rule], "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    });
    let constraints = json!({"resourceRules": [rule]});
    match plural {
        "validatingwebhookconfigurations" => ("ValidatingWebhookConfiguration", webhook),
        "mutatingwebhookconfigurations" => ("MutatingWebhookConfiguration", webhook),
        "validatingadmissionpolicies" => (
            "ValidatingAdmissionPolicy",
            json!({"matchConstraints": constraints, "validations": [{"expression": "true"}]}),
        ),
        "validatingadmissionpolicybindings" => {
            ("ValidatingAdmissionPolicyBinding", json!({"policyName": "p", "validationActions": ["Deny"]}))
        }
        "mutatingadmissionpolicies" => {
            let mutation = json!({
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {'a': 'b'}}}"},
            });
            let policy = json!({
                "matchConstraints": constraints, "mutations": [mutation], "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
            });
            ("MutatingAdmissionPolicy", policy)
        }
        "mutatingadmissionpolicybindings" => ("MutatingAdmissionPolicyBinding", json!({"policyName": "p"})),
        other => panic!("{other} do not configure admission"),
    }
}
