//! Certificate signing requests: usages, signers, and the conditions that approvers and signers set.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, at, list_at, text_at};
use serde_json::Value;

use super::at::At;
use super::form::{dns_label, dns_subdomain};

/// The usages of a certificate, sorted.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";

/// The shortest lifetime of a certificate, in seconds.
const SHORTEST: i64 = 600;

/// The longest names of DNS, in bytes.
const SUBDOMAIN_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// The conditions that are true if they are there, and stay.
const FINAL: [&str; 3] = ["Approved", "Denied", "Failed"];

/// The part of a CertificateSigningRequest that a request writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningRequestPart {
    /// The object itself, on create and on update.
    Spec,
    /// The subresource `status`, with which a signer sets the certificate.
    Status,
    /// The subresource `approval`.
    Approval,
}

/// A CertificateSigningRequest to validate, apart from its metadata.
#[derive(Debug)]
pub struct SigningRequest<'a> {
    /// The new state.
    pub object: &'a Map,
    /// The state before, unless it is new.
    pub old: Option<&'a Map>,
    /// The written part.
    pub part: SigningRequestPart,
    /// The reason why its PKCS#10 request cannot be read or verified.
    pub request_problem: Option<String>,
    /// The reason why its certificate is not valid PEM.
    pub certificate_problem: Option<String>,
}

impl SigningRequest<'_> {
    /// The errors, in upstream's order.
    pub fn errors(&self) -> Vec<FieldError> {
        let mut problems = ErrorList::default();
        let spec = At::new(self.object, "spec");
        if let Some(problem) = &self.request_problem {
            problems.add(spec.get("request").invalid_text(problem));
        }
        self.usages(&spec.get("usages"), &mut problems);
        let signer = spec.get("signerName");
        if signer.text() != LEGACY_SIGNER {
            signer_name(&signer, &mut problems);
        } else if self.old_text(&["spec", "signerName"]) != LEGACY_SIGNER {
            problems.add(signer.invalid("the legacy signerName is not allowed via this API version"));
        }
        let expiration = spec.get("expirationSeconds");
        if expiration.int().is_some_and(|seconds| seconds < SHORTEST) {
            let detail = "may not specify a duration less than 600 seconds (10 minutes)";
            problems.add(expiration.invalid(detail));
        }
        self.conditions(&mut problems);
        let written = text_at(self.object, &["status", "certificate"]);
        let before = self.old_text(&["status", "certificate"]);
        if let Some(problem) = &self.certificate_problem
            && written != before
        {
            problems.add(FieldError::invalid("status.certificate", "<certificate data>", problem));
        }
        if self.old.is_some() {
            self.changes(&mut problems);
        }
        self.decisions(&mut problems);
        problems.0
    }

    fn old_text(&self, path: &[&str]) -> &str {
        self.old.map(|old| text_at(old, path)).unwrap_or_default()
    }

    fn usages(&self, usages: &At<'_, '_>, problems: &mut ErrorList) {
        usages.must_be_set("", problems);
        // The spec never changes: what is stored stays valid.
        if self.old.is_some() {
            return;
        }
        for usage in usages.items() {
            usage.must_be_one_of(&USAGES, problems);
        }
        let mut seen = HashSet::new();
        for usage in usages.items().filter(|usage| !seen.insert(usage.text())) {
            problems.add(usage.duplicate(usage.text()));
        }
    }

    fn conditions(&self, problems: &mut ErrorList) {
        let mut seen: Vec<&str> = Vec::new();
        let conditions = At::new(self.object, "status.conditions");
        for condition in conditions.items() {
            let (ty, status) = (condition.get("type"), condition.get("status"));
            ty.must_be_set("", problems);
            if FINAL.contains(&ty.text()) {
                status.must_have_one_of(&["True"], problems);
            } else {
                status.must_have_one_of(&["False", "True", "Unknown"], problems);
            }
            if seen.contains(&ty.text()) {
                problems.add(ty.duplicate(ty.text()));
            }
            seen.push(ty.text());
        }
    }

    /// Checks that a request is not both approved and denied, as upstream's declarative validation.
    fn decisions(&self, problems: &mut ErrorList) {
        let conditions = list_at(self.object, &["status", "conditions"]);
        let has = |ty: &str| conditions.iter().any(|condition| condition["type"] == ty);
        if has("Approved") && has("Denied") {
            let [approved, denied] =
                ["Approved", "Denied"].map(|ty| format!(r#"conditions[{{"type": "{ty}"}}]"#));
            let detail = format!("must specify at most one of: `{approved}`, `{denied}`");
            let shown = format!("{{{approved}, {denied}}}");
            problems.add(FieldError::invalid("status.conditions", shown, detail));
        }
    }

    /// Checks that approvals and the certificate are changed by those alone who may, and stay.
    fn changes(&self, problems: &mut ErrorList) {
        let of_type = |object: Option<&Map>, ty: &str| -> Vec<Value> {
            let conditions = object.map(|object| list_at(object, &["status", "conditions"]));
            let conditions = conditions.unwrap_or_default().iter();
            conditions.filter(|condition| condition["type"] == ty).cloned().collect()
        };
        let both = |ty: &str| (of_type(Some(self.object), ty), of_type(self.old, ty));
        let refuse = |verb: &str, ty: &str| {
            let detail = format!("updates may not {verb} a condition of type {}", quoted(ty));
            FieldError::forbidden("status.conditions", detail)
        };
        for ty in FINAL {
            let (new, old) = both(ty);
            if new.len() < old.len() {
                problems.add(refuse("remove", ty));
            }
        }
        for ty in ["Approved", "Denied"].into_iter().filter(|_| self.part != SigningRequestPart::Approval) {
            let (new, old) = both(ty);
            if new.len() > old.len() {
                problems.add(refuse("add", ty));
            } else if new.len() == old.len() && new != old {
                problems.add(refuse("modify", ty));
            }
        }
        let certificate = |object: &Map| at(object, &["status", "certificate"]).cloned();
        let (new, old) = (certificate(self.object), self.old.and_then(certificate));
        if new == old {
            return;
        }
        let problem = if self.part != SigningRequestPart::Status {
            "updates may not set certificate content"
        } else if old.is_some() {
            "updates may not modify existing certificate content"
        } else {
            return;
        };
        problems.add(FieldError::forbidden("status.certificate", problem));
    }
}

/// Checks that a signer's name is a domain and a path.
fn signer_name(name: &At<'_, '_>, problems: &mut ErrorList) {
    if name.is_empty() {
        return problems.add(name.required(""));
    }
    let Some((domain, path)) = name.text().split_once('/').filter(|(_, path)| !path.contains('/')) else {
        let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return problems.add(name.invalid(detail));
    };
    if domain.len() > SUBDOMAIN_MAX {
        problems.add(name.too_long(SUBDOMAIN_MAX));
    }
    labels(name, domain, dns_label, problems);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        problems.add(name.invalid_as(domain, detail));
    }
    labels(name, path, dns_subdomain, problems);
    let longest = SUBDOMAIN_MAX + 1 + SUBDOMAIN_MAX + LABEL_MAX + 1;
    if name.text().len() > longest {
        problems.add(name.too_long(longest));
    }
}

/// Checks the labels of a part of a signer's name, up to the first that is not valid.
fn labels(name: &At<'_, '_>, part: &str, rule: fn(&str) -> Vec<String>, problems: &mut ErrorList) {
    let mut labels = part.split('.').map(|label| (label, rule(label)));
    let Some((label, errors)) = labels.find(|(_, errors)| !errors.is_empty()) else { return };
    for error in errors {
        problems.add(name.invalid_as(part, format!("validating label {}: {error}", quoted(label))));
    }
}
