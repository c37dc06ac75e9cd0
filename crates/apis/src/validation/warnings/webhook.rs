//! Admission webhooks and policies.

use super::Written;

/// Resources for which webhooks are never called.
const EXCLUDED: [(&str, &str); 6] = [
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
];

const RESERVED: &str = ".static.k8s.io";

pub(super) fn registration(kind: &str, written: Written<'_>, warnings: &mut Vec<String>) {
    let is_configuration = matches!(kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration");
    let is_policy = kind.ends_with("AdmissionPolicy") || kind.ends_with("AdmissionPolicyBinding");
    let name = written.at("metadata.name").text();
    // For new objects it is an error.
    if !written.is_new() && (is_configuration || is_policy) && name.ends_with(RESERVED) {
        warnings.push(format!(
            "metadata.name: names ending with \"{RESERVED}\" are reserved for static manifest-based configurations and \
             cannot be managed via the API"
        ));
    }
    if !is_configuration {
        return;
    }
    for webhook in written.at("webhooks").items() {
        for rule in webhook.get("rules").items() {
            let (groups, resources) = (rule.get("apiGroups"), rule.get("resources"));
            if groups.texts().chain(resources.texts()).any(|text| text == "*") {
                continue;
            }
            let mut seen = Vec::new();
            for named in groups.texts().flat_map(|group| resources.texts().map(move |name| (group, name))) {
                if EXCLUDED.contains(&named) && !seen.contains(&named) {
                    seen.push(named);
                    warnings.push(format!(
                        "{}: {}.{} is excluded from admission webhooks; this rule will have no effect",
                        rule.path(),
                        named.1,
                        named.0
                    ));
                }
            }
        }
    }
}
