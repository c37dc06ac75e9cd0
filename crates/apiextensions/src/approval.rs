//! The approval of definitions in groups of Kubernetes' community, which is an annotation.

use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{Map, text_at};
use klient_cel::format::is_uri;

use super::condition::Condition;
use super::path::{child, key};

const ANNOTATION: &str = "api-approved.kubernetes.io";

/// The state of the annotation, which community groups require.
#[derive(Clone, Copy, PartialEq)]
enum Approval {
    Missing,
    Bypassed,
    Approved,
    Invalid,
}

impl Approval {
    fn of(object: &Map) -> Approval {
        match given(object) {
            "" => Approval::Missing,
            text if text.starts_with("unapproved") => Approval::Bypassed,
            text => {
                let host = text
                    .split_once("://")
                    .is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'));
                if host && is_uri(text) { Approval::Approved } else { Approval::Invalid }
            }
        }
    }

    /// The reason in the condition of a definition, and the message, given the annotation.
    fn reason(self, given: &str) -> (&'static str, String) {
        let must = format!("protected groups must have approval annotation {}", quoted(ANNOTATION));
        let see = "see https://github.com/kubernetes/enhancements/pull/1111";
        match self {
            Approval::Missing => ("MissingAnnotation", format!("{must}, {see}")),
            Approval::Bypassed => ("UnapprovedAnnotation", format!("not approved: {}", quoted(given))),
            Approval::Approved => ("ApprovedAnnotation", format!("approved in {given}")),
            Approval::Invalid => {
                let form = r#"with either a URL or a reason starting with "unapproved""#;
                ("InvalidAnnotation", format!("{must} {form}, {see}"))
            }
        }
    }
}

fn given(object: &Map) -> &str {
    text_at(object, &["metadata", "annotations", ANNOTATION])
}

/// Returns true if definitions of the group of this one are approved.
fn is_protected(object: &Map) -> bool {
    let group = text_at(object, &["spec", "group"]);
    ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        group.strip_suffix(domain).is_some_and(|parent| parent.is_empty() || parent.ends_with('.'))
    })
}

/// Returns true if the states of two definitions differ.
pub(super) fn is_changed(object: &Map, old: &Map) -> bool {
    Approval::of(object) != Approval::of(old)
}

/// The error of a definition that must be approved and is not.
pub(super) fn problem(object: &Map) -> Option<FieldError> {
    if !is_protected(object) {
        return None;
    }
    let approval = Approval::of(object);
    let path = key(&child("metadata", "annotations"), ANNOTATION);
    let (_, message) = approval.reason("");
    match approval {
        Approval::Missing => Some(FieldError::required(path, &message)),
        Approval::Invalid => Some(FieldError::invalid(path, given(object), message)),
        Approval::Bypassed | Approval::Approved => None,
    }
}

/// Returns true if the annotation of a definition has changed, for which it gets another condition.
pub fn is_annotated_anew(object: &Map, old: &Map) -> bool {
    given(object) != given(old)
}

/// Sets the condition of a definition that must be approved.
pub(super) fn set_condition(object: &mut Map, now: Time) {
    if is_protected(object) {
        let approval = Approval::of(object);
        let (reason, message) = approval.reason(given(object));
        let is_approved = approval == Approval::Approved;
        Condition::new("KubernetesAPIApprovalPolicyConformant", is_approved, reason, &message)
            .set(object, now);
    }
}
