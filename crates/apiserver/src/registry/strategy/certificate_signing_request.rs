//! CertificateSigningRequests: they name their requester, their spec never changes, and their status is written by
//! approvers, who set conditions, and signers, who set the certificate.

use klient_apimachinery::Time;
use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, at, list_at, map_at, set, text_at};
use klient_apis::validation::{self, SigningRequest, SigningRequestPart};
use serde_json::{Value, json};

use super::{Paths, Strategy, Validated, metadata_errors};
use crate::auth::User;
use crate::certificates::{self, CertificateRequest};

pub(super) struct CertificateSigningRequest(pub(super) &'static ResourceSchema);

/// The conditions that approvers alone set.
const APPROVALS: [&str; 2] = ["Approved", "Denied"];

impl CertificateSigningRequest {
    fn errors(&self, object: &Map, old: Option<&Map>, part: SigningRequestPart) -> Vec<FieldError> {
        let request = CertificateRequest::of(object).and_then(|request| request.verify());
        let certificate = certificates::check_pem(object);
        SigningRequest {
            object,
            old,
            part,
            request_problem: request.err(),
            certificate_problem: certificate.err(),
        }
        .errors()
    }
}

impl Strategy for CertificateSigningRequest {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }

    fn record_requester(&self, object: &mut Map, user: &User) {
        let spec = map_at(object, "spec");
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        set(spec, "username", text(&user.name).as_ref());
        set(spec, "uid", text(&user.uid).as_ref());
        set(spec, "groups", Some(&json!(user.groups)));
        let extra = (!user.extra.is_empty()).then(|| json!(user.extra));
        set(spec, "extra", extra.as_ref());
    }

    fn prepare_for_update(&self, object: &mut Map, old: &Map) {
        set(object, "spec", old.get("spec"));
    }

    fn prepare_subresource(&self, object: &mut Map, old: &Map, subresource: &str) {
        match subresource {
            "approval" => set(map_at(object, "status"), "certificate", at(old, &["status", "certificate"])),
            _ => keep_approvals(object, old),
        }
        set_condition_times(object, old);
    }

    fn validate(&self, object: &Map) -> Vec<FieldError> {
        let mut errors = validation::create(self.0, object);
        errors.extend(self.errors(object, None, SigningRequestPart::Spec));
        errors
    }

    fn validate_update(&self, object: &Map, old: &Map) -> Validated {
        let mut errors = validation::update(self.0, object, old);
        errors.extend(self.errors(object, Some(old), SigningRequestPart::Spec));
        errors.into()
    }

    fn validate_subresource(&self, object: &Map, old: &Map, subresource: &str) -> Vec<FieldError> {
        let part = match subresource {
            "approval" => SigningRequestPart::Approval,
            _ => SigningRequestPart::Status,
        };
        let mut errors = metadata_errors(object, old);
        errors.extend(self.errors(object, Some(old), part));
        errors
    }

    fn fields_reset(&self, _has_status: bool) -> Paths {
        &[&["spec"], &["status"]]
    }

    fn fields_reset_by_status(&self) -> Paths {
        &[&["spec"], &["status", "conditions"]]
    }
}

/// Keeps approvals and denials as they are. Added or removed ones stay so, for validation to reject them.
fn keep_approvals(object: &mut Map, old: &Map) {
    for ty in APPROVALS {
        let is_of_type = |condition: &&Value| condition["type"] == ty;
        let kept: Vec<Value> =
            list_at(old, &["status", "conditions"]).iter().filter(is_of_type).cloned().collect();
        let conditions = map_at(object, "status").get_mut("conditions").and_then(Value::as_array_mut);
        let mut written: Vec<&mut Value> =
            conditions.into_iter().flatten().filter(|condition| condition["type"] == ty).collect();
        if written.len() == kept.len() {
            written.iter_mut().zip(kept).for_each(|(written, kept)| **written = kept);
        }
    }
}

/// Sets the missing times of conditions. A condition that has kept its status has kept its time.
fn set_condition_times(object: &mut Map, old: &Map) {
    let now = Value::from(Time::now().to_string());
    let before = list_at(old, &["status", "conditions"]);
    let conditions = map_at(object, "status").get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        let is_missing = |condition: &Map, time: &str| text_at(condition, &[time]).is_empty();
        if is_missing(condition, "lastUpdateTime") {
            condition.insert("lastUpdateTime".to_owned(), now.clone());
        }
        if is_missing(condition, "lastTransitionTime") {
            let same = |field: &str, other: &Value| other.get(field) == condition.get(field);
            let was = before.iter().find(|other| same("type", other) && same("status", other));
            let time = was.and_then(|was| was.get("lastTransitionTime")).filter(|time| !time.is_null());
            let time = time.unwrap_or(&now).clone();
            condition.insert("lastTransitionTime".to_owned(), time);
        }
    }
}
