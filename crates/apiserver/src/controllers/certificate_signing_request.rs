//! The signers of CertificateSigningRequests: they sign the approved requests to the signers of `kubernetes.io`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use klient_apimachinery::{BoxFuture, Time};
use serde_json::{Value, json};

use crate::certificates::{self, CertificateRequest, Template, Usages};
use crate::registry::Resource;
use crate::registry::pipeline::Pipeline;
use crate::state::{Committed, Controller, State};
use crate::storage::Object;
use crate::tls::Authority;
use crate::warnings::Warnings;

/// The time before the signature from which a certificate is valid, in seconds.
const BACKDATE: i64 = 5 * 60;

/// The lifetime, in seconds, below which the end of a certificate is not backdated.
const SHORT: i64 = 8 * 60 * 60;

pub(super) struct CertificateSigningRequests;

impl Controller for CertificateSigningRequests {
    fn committed<'a>(&'a self, state: &'a Arc<State>, change: &'a Committed<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Committed { resource, object, deleted, .. } = *change;
            let is_request = resource.is_built_in("certificates.k8s.io", "certificatesigningrequests");
            if is_request && !deleted && is_to_be_signed(&object.value()) {
                sign(state, resource, object).await;
            }
        })
    }
}

/// Returns true if a request is approved, and neither signed nor failed.
fn is_to_be_signed(request: &Map) -> bool {
    let conditions = list_at(request, &["status", "conditions"]);
    let has = |ty: &str| conditions.iter().any(|condition| condition["type"] == ty);
    let is_signed = !text_at(request, &["status", "certificate"]).is_empty();
    has("Approved") && !has("Denied") && !has("Failed") && !is_signed
}

async fn sign(state: &Arc<State>, resource: &Arc<Resource>, object: &Object) {
    let warnings = Warnings::default();
    let pipeline =
        Pipeline::of_server(state, resource, Some("status"), Some("kube-controller-manager"), &warnings);
    let mut update = |old: &Map, _: &Object| {
        let mut new = old.clone();
        if is_to_be_signed(old) {
            finish(&state.authority, &mut new);
        }
        Ok(new)
    };
    if let Err(failure) = pipeline.guaranteed_update(&object.key, &mut update).await {
        tracing::warn!(request = %object.key, code = failure.code(), "a certificate could not be signed");
    }
}

/// Sets the certificate of an approved request, or the condition `Failed`. Requests to other signers are left to these.
fn finish(authority: &Authority, request: &mut Map) {
    match certificate(authority, request) {
        None => {}
        Some(Ok(pem)) => {
            map_at(request, "status").insert("certificate".to_owned(), BASE64.encode(pem).into());
        }
        Some(Err(problem)) => {
            let mut conditions = list_at(request, &["status", "conditions"]).to_vec();
            conditions.push(json!({
                "type": "Failed",
                "status": "True",
                "reason": "SignerValidationFailure",
                "message": problem,
                "lastUpdateTime": Time::now().to_string(),
            }));
            map_at(request, "status").insert("conditions".to_owned(), conditions.into());
        }
    }
}

/// The certificate for a request, as PEM; `None` if its signer is not one of this server.
fn certificate(authority: &Authority, object: &Map) -> Option<Result<String, String>> {
    let request = CertificateRequest::of(object).ok()?;
    let usages = list_at(object, &["spec", "usages"]).iter().filter_map(Value::as_str);
    let usages: Vec<&str> = usages.collect();
    if let Err(problem) = certificates::check(text_at(object, &["spec", "signerName"]), &request, &usages)? {
        return Some(Err(problem));
    }
    let requested = at(object, &["spec", "expirationSeconds"]).and_then(Value::as_i64);
    let (lifetime, now) = (certificates::lifetime(requested), Time::now().unix());
    let end = if lifetime < SHORT { now + lifetime } else { now + lifetime - BACKDATE };
    let template = Template {
        subject: request.name,
        public_key: request.public_key,
        not_before: Time::from_unix(now - BACKDATE),
        not_after: Time::from_unix(end),
        usages: Usages::of(&usages),
        alt_names: request.alt_names.der,
    };
    Some(authority.sign(&template).map_err(|error| error.to_string()))
}
