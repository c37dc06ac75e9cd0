//! Rows of role bindings and certificates.

use klient_apimachinery::duration::human;
use serde_json::Value;

use super::row::Row;
use super::text::{NONE, labels, or, text};

pub(super) fn role_binding(row: &Row<'_>) -> Vec<Value> {
    let role = row.at(&["roleRef"]);
    vec![
        row.name(),
        format!("{}/{}", text(role, "kind"), text(role, "name")).into(),
        row.age(),
        subjects(row, "User"),
        subjects(row, "Group"),
        subjects(row, "ServiceAccount"),
    ]
}

fn subjects(row: &Row<'_>, kind: &str) -> Value {
    let name = |subject: &Value| match kind {
        "ServiceAccount" => format!("{}/{}", text(subject, "namespace"), text(subject, "name")),
        _ => text(subject, "name").to_owned(),
    };
    let of_kind = row.list(&["subjects"]).iter().filter(|subject| subject["kind"] == kind);
    of_kind.map(name).collect::<Vec<_>>().join(", ").into()
}

pub(super) fn signing_request(row: &Row<'_>) -> Vec<Value> {
    let duration = row.at(&["spec", "expirationSeconds"]).as_i64();
    vec![
        row.name(),
        row.age(),
        or(row.text(&["spec", "signerName"]), NONE).into(),
        row.text(&["spec", "username"]).into(),
        duration.map_or_else(|| NONE.to_owned(), human).into(),
        signing_state(row).into(),
    ]
}

/// The state of a signing request. The presence of a condition is enough: none of these is ever false.
fn signing_state(row: &Row<'_>) -> String {
    let has = |ty| row.condition(ty).is_some();
    let decision = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    };
    let failed = if has("Failed") { ",Failed" } else { "" };
    let issued = if row.text(&["status", "certificate"]).is_empty() { "" } else { ",Issued" };
    format!("{decision}{failed}{issued}")
}

pub(super) fn trust_bundle(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), or(row.text(&["spec", "signerName"]), NONE).into()]
}

pub(super) fn pod_certificate_request(row: &Row<'_>) -> Vec<Value> {
    let states = ["Issued", "Denied", "Failed"];
    let types = row.list(&["status", "conditions"]).iter().rev().map(|condition| text(condition, "type"));
    let state = types.into_iter().find(|ty| states.contains(ty)).unwrap_or("Pending");
    let spec = |name| row.text(&["spec", name]).into();
    vec![
        row.name(),
        spec("podName"),
        spec("serviceAccountName"),
        spec("nodeName"),
        spec("signerName"),
        state.into(),
        labels(row.at(&["spec", "unverifiedUserAnnotations"])).into(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::printers::tests::check;

    #[test]
    fn bindings_show_their_role_and_subjects() {
        let subject = |kind: &str, name: &str| json!({"kind": kind, "namespace": "ns", "name": name});
        let subjects = [
            subject("User", "ann"),
            subject("Group", "devs"),
            subject("ServiceAccount", "bot"),
            subject("User", "bob"),
            subject("Robot", "x"),
        ];
        for resource in ["rolebindings", "clusterrolebindings"] {
            check(
                &format!("rbac.authorization.k8s.io/v1/{resource}"),
                json!({
                    "roleRef": {"apiGroup": "", "kind": "ClusterRole", "name": "view"},
                    "subjects": subjects,
                }),
                json!(["a", "ClusterRole/view", "22s", "ann, bob", "devs", "ns/bot"]),
            );
        }
    }

    #[test]
    fn signing_requests_show_what_was_decided() {
        let conditions =
            |types: &[&str]| types.iter().map(|ty| json!({"type": ty, "status": "True"})).collect::<Vec<_>>();
        for (types, certificate, expected) in [
            (&[][..], "", "Pending"),
            (&["Approved"], "", "Approved"),
            (&["Approved"], "AA==", "Approved,Issued"),
            (&["Approved", "Denied"], "", "Denied"),
            (&["Approved", "Failed"], "", "Approved,Failed"),
        ] {
            check(
                "certificates.k8s.io/v1/certificatesigningrequests",
                json!({
                    "spec": {"signerName": "x.io/s", "username": "ann", "expirationSeconds": 3600},
                    "status": {"conditions": conditions(types), "certificate": certificate},
                }),
                json!(["a", "22s", "x.io/s", "ann", "60m", expected]),
            );
        }
        check(
            "certificates.k8s.io/v1/certificatesigningrequests",
            json!({}),
            json!(["a", "22s", "<none>", "", "<none>", "Pending"]),
        );
    }

    #[test]
    fn other_certificates_show_their_signer() {
        check(
            "certificates.k8s.io/v1/clustertrustbundles",
            json!({"spec": {"signerName": "x.io/s"}}),
            json!(["a", "x.io/s"]),
        );
        check("certificates.k8s.io/v1/clustertrustbundles", json!({}), json!(["a", "<none>"]));
        check(
            "certificates.k8s.io/v1/podcertificaterequests",
            json!({
                "spec": {
                    "podName": "p", "serviceAccountName": "sa", "nodeName": "n", "signerName": "x.io/s",
                    "unverifiedUserAnnotations": {"x.io/k": "v"},
                },
                "status": {
                    "conditions": [{"type": "Issued", "status": "True"}, {"type": "Other", "status": "True"}],
                },
            }),
            json!(["a", "p", "sa", "n", "x.io/s", "Issued", "x.io/k=v"]),
        );
    }
}
