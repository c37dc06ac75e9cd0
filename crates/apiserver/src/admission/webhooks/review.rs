//! AdmissionReviews: the request to a webhook, and its response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::values::{Map, at, list_at, text_at};
use klient_schema::{admission_v1, admission_v1beta1};
use serde_json::{Value, json};

use super::forms::Forms;
use crate::admission::matching::Matched;
use crate::admission::{Attributes, conditions};
use crate::respond;
use crate::webhook::{Review, printed_kind};

const KIND: &str = "AdmissionReview";

/// The review of a version.
pub(super) fn review(version: &str) -> Review {
    match version {
        "v1beta1" => Review {
            kind: KIND,
            api_version: "admission.k8s.io/v1beta1",
            schema: &admission_v1beta1::ADMISSION_REVIEW,
        },
        _ => {
            Review { kind: KIND, api_version: "admission.k8s.io/v1", schema: &admission_v1::ADMISSION_REVIEW }
        }
    }
}

/// The JSON of the request to a webhook, with objects in the version that has matched.
pub(super) fn request(
    uid: &str,
    review: Review,
    attributes: &Attributes<'_>,
    matched: &Matched,
    forms: &Forms,
) -> Vec<u8> {
    let mut request = conditions::request(attributes, matched);
    request["uid"] = uid.into();
    let review = json!({"kind": review.kind, "apiVersion": review.api_version, "request": request});
    let mut json = respond::to_bytes(&review);
    let objects = [(&b",\"object\":"[..], &forms.object), (b",\"oldObject\":", &forms.old)];
    // The request is the last field, and has some.
    json.truncate(json.len() - b"}}".len());
    json.reserve_exact(forms.object.len() + forms.old.len() + 64);
    for (field, object) in objects {
        json.extend_from_slice(field);
        json.extend_from_slice(object);
    }
    json.extend_from_slice(b"}}");
    json
}

/// The response of a webhook.
pub(super) struct Response {
    pub(super) allowed: bool,
    /// The JSON of a patch; empty without one.
    pub(super) patch: Vec<u8>,
    pub(super) patch_type: String,
    pub(super) warnings: Vec<String>,
    pub(super) annotations: Vec<(String, String)>,
    result: Option<Status>,
}

impl Response {
    /// Checks the response in a review.
    ///
    /// # Errors
    ///
    /// In upstream's words, if it is not valid.
    pub(super) fn of(review: Review, answer: &Map, uid: &str, is_mutating: bool) -> Result<Response, String> {
        let Some(Value::Object(response)) = answer.get("response") else {
            return Err("webhook response was absent".to_owned());
        };
        let is_checked = review.api_version == "admission.k8s.io/v1";
        if is_checked {
            let found = text_at(response, &["uid"]);
            if found != uid {
                return Err(format!("expected response.uid={}, got {}", quoted(uid), quoted(found)));
            }
            let found = printed_kind(answer);
            if found != "admission.k8s.io/v1, Kind=AdmissionReview" {
                return Err(format!(
                    "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {found}"
                ));
            }
        }
        let patch = BASE64.decode(text_at(response, &["patch"])).unwrap_or_default();
        let patch_type = response.get("patchType").and_then(Value::as_str);
        let problem = match (is_mutating, patch_type) {
            _ if !is_checked => None,
            (true, None) if !patch.is_empty() => {
                Some("webhook returned response.patch but not response.patchType")
            }
            (true, Some(_)) if patch.is_empty() => {
                Some("webhook returned response.patchType but not response.patch")
            }
            (true, Some("")) => Some(r#"webhook returned invalid response.patchType of """#),
            (false, _) if !patch.is_empty() => Some("validating webhook may not return response.patch"),
            (false, Some(_)) => Some("validating webhook may not return response.patchType"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(problem.to_owned());
        }
        let texts = list_at(response, &["warnings"]).iter().filter_map(Value::as_str);
        let annotations = at(response, &["auditAnnotations"]).and_then(Value::as_object);
        let annotations = annotations.into_iter().flatten();
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        Ok(Response {
            allowed: response.get("allowed") == Some(&Value::Bool(true)),
            patch_type: if is_checked { patch_type.unwrap_or_default() } else { "JSONPatch" }.to_owned(),
            patch,
            warnings: texts.map(str::to_owned).collect(),
            annotations: annotations.filter_map(text).collect(),
            result: response.get("status").and_then(|status| serde_json::from_value(status.clone()).ok()),
        })
    }

    /// The rejection of a write by a webhook: the Status in its response, completed.
    pub(super) fn rejection(self, webhook: &str) -> Status {
        let mut status = self.result.unwrap_or_default();
        status.code = Some(status.code.unwrap_or_default().max(400));
        if matches!(status.status.as_deref(), None | Some("" | "Success")) {
            status.status = Some("Failure".into());
        }
        let denied = format!("admission webhook {} denied the request", quoted(webhook));
        let given = |text: &Option<klient_apimachinery::Str>| {
            text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let message = match given(&status.message).or_else(|| given(&status.reason)) {
            Some(explanation) => format!("{denied}: {explanation}"),
            None => format!("{denied} without explanation"),
        };
        status.message = Some(message.into());
        status
    }
}
