//! The replies of the webhooks of cases, by their path.

use serde_json::{Value, json};

use crate::hook::{Posted, Reply};

pub(super) fn reply(posted: &Posted) -> Reply {
    let path = posted.path.split('?').next().unwrap_or_default();
    let response = |response: Value| Reply::Response(response);
    let denied = |status: Value| Reply::Response(json!({"allowed": false, "status": status}));
    let review = |kind: &str, version: &str, uid: &str| {
        let response = json!({"uid": uid, "allowed": true});
        Reply::Review(json!({"kind": kind, "apiVersion": version, "response": response}))
    };
    let uid = posted.request()["uid"].as_str().unwrap_or_default();
    let patch = |patch_type: Value, patch: &str| {
        use base64::Engine as _;
        let patch = base64::engine::general_purpose::STANDARD.encode(patch);
        let mut response = json!({"allowed": true, "patch": patch});
        if !patch_type.is_null() {
            response["patchType"] = patch_type;
        }
        Reply::Response(response)
    };
    let json_patch = |operations: &str| patch("JSONPatch".into(), operations);
    match path {
        "/allow" => Reply::allow(),
        "/allow-with-status" => {
            response(json!({"allowed": true, "status": {"code": 500, "message": "of no meaning"}}))
        }
        "/deny" => response(json!({"allowed": false})),
        "/deny-message" => denied(json!({"message": "no"})),
        "/deny-reason" => denied(json!({"reason": "Conflict"})),
        "/deny-code" => denied(json!({"code": 409})),
        "/deny-all" => denied(json!({
            "code": 422, "reason": "Invalid", "message": "no", "status": "Success",
            "details": {"name": "n", "causes": [{"field": "a", "message": "b"}], "retryAfterSeconds": 7},
        })),
        "/deny-success" => denied(json!({"code": 200, "status": "Success", "message": "odd"})),
        "/deny-and-warn" => response(json!({"allowed": false, "warnings": ["one"]})),
        "/warn" => {
            response(json!({"allowed": true, "warnings": ["one", "", "two\nlines", "quo\"ted", "one"]}))
        }
        "/warn-long" => response(json!({"allowed": true, "warnings": ["long".repeat(100)]})),
        "/patch" => json_patch(r#"[{"op": "add", "path": "/data/patched", "value": "yes"}]"#),
        "/patch-twice" => json_patch(
            r#"[{"op": "add", "path": "/data/a", "value": "1"}, {"op": "copy", "from": "/data/a", "path": "/data/b"}]"#,
        ),
        "/patch-nothing" => json_patch("[]"),
        "/patch-same" => json_patch(r#"[{"op": "replace", "path": "/kind", "value": "ConfigMap"}]"#),
        "/patch-without-type" => patch(Value::Null, "[]"),
        "/patch-of-type" => patch("MergePatch".into(), r#"{"data": null}"#),
        "/patch-of-empty-type" => patch("".into(), "[]"),
        "/type-without-patch" => response(json!({"allowed": true, "patchType": "JSONPatch"})),
        "/patch-garbage" => json_patch("garbage"),
        "/patch-object" => json_patch("{}"),
        "/patch-numbers" => json_patch("[1]"),
        "/patch-op" => json_patch(r#"[{"op": "increase", "path": "/data/a"}]"#),
        "/patch-missing" => json_patch(r#"[{"op": "remove", "path": "/data/none"}]"#),
        "/patch-replace" => json_patch(r#"[{"op": "replace", "path": "/data/none", "value": "1"}]"#),
        "/patch-test" => json_patch(r#"[{"op": "test", "path": "/data/a", "value": "other"}]"#),
        "/patch-wrong-type" => json_patch(r#"[{"op": "add", "path": "/data", "value": 5}]"#),
        "/patch-unknown" => json_patch(r#"[{"op": "add", "path": "/unknown", "value": 5}]"#),
        "/patch-name" => json_patch(r#"[{"op": "replace", "path": "/metadata/name", "value": "other"}]"#),
        "/patch-namespace" => {
            json_patch(r#"[{"op": "replace", "path": "/metadata/namespace", "value": "other"}]"#)
        }
        "/patch-invalid" => json_patch(r#"[{"op": "add", "path": "/data/sp ace", "value": "1"}]"#),
        "/patch-all" => json_patch(r#"[{"op": "replace", "path": "", "value": null}]"#),
        "/patch-managed-fields" => json_patch(
            r#"[{"op": "add", "path": "/metadata/managedFields", "value": [{"operation": "Other"}]}]"#,
        ),
        "/other-uid" => review("AdmissionReview", "admission.k8s.io/v1", "other"),
        "/other-kind" => review("Other", "admission.k8s.io/v1", uid),
        "/no-kind" => review("", "", uid),
        "/other-version" => review("AdmissionReview", "admission.k8s.io/v2", uid),
        "/older-version" => review("AdmissionReview", "admission.k8s.io/v1beta1", uid),
        "/other-group" => review("AdmissionReview", "example.com/v1", uid),
        "/no-response" => {
            Reply::Review(json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}))
        }
        "/wrong-type" => response(json!({"allowed": "yes"})),
        "/wrong-warnings" => response(json!({"allowed": true, "warnings": "one"})),
        "/unknown-field" => response(json!({"allowed": true, "unknown": 1})),
        "/empty" => Reply::Raw(200, Vec::new()),
        "/garbage" => Reply::Raw(200, b"garbage".to_vec()),
        "/array" => Reply::Raw(200, b"[]".to_vec()),
        "/null" => Reply::Raw(200, b"null".to_vec()),
        "/cut" => Reply::Raw(200, br#"{"kind": "AdmissionRe"#.to_vec()),
        "/status" => {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "of the webhook", "code": 403,
            });
            Reply::Raw(403, status.to_string().into_bytes())
        }
        "/status-200" => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "odd"});
            Reply::Raw(200, status.to_string().into_bytes())
        }
        code => match code.trim_start_matches('/').parse() {
            Ok(code) => Reply::Raw(code, b"of the webhook".to_vec()),
            Err(_) => Reply::Raw(404, Vec::new()),
        },
    }
}
