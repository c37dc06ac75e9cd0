//! The reviews in requests and responses.

use bytes::Bytes;
use klient_api::admission::v1::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use klient_api::apiextensions::v1::{ConversionRequest, ConversionResponse, ConversionReview};
use klient_apimachinery::codec::{SchemaKind, Wire};
use klient_apimachinery::go::quoted;
use serde::Deserialize;

use super::refusal::Refusal;

/// Reads the request of an AdmissionReview.
///
/// # Errors
///
/// 400 if it is none of version 1.
pub(super) fn admission(body: &[u8]) -> Result<AdmissionRequest, Refusal> {
    let review: AdmissionReview = read(body, "admissionReviewVersions")?;
    review.request.map(|request| *request).ok_or_else(without_request::<AdmissionReview>)
}

/// Reads the request of a ConversionReview.
///
/// # Errors
///
/// 400 if it is none of version 1.
pub(super) fn conversion(body: &[u8]) -> Result<ConversionRequest, Refusal> {
    let review: ConversionReview = read(body, "conversionReviewVersions")?;
    review.request.map(|request| *request).ok_or_else(without_request::<ConversionReview>)
}

pub(super) fn admission_response(response: AdmissionResponse) -> Bytes {
    encoded(&AdmissionReview { response: Some(Box::new(response)), ..Default::default() })
}

pub(super) fn conversion_response(response: ConversionResponse) -> Bytes {
    encoded(&ConversionReview { response: Some(Box::new(response)), ..Default::default() })
}

fn encoded<T: Wire>(review: &T) -> Bytes {
    let mut json = Vec::new();
    review.to_json(&mut json);
    json.into()
}

/// The names of a review.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TypeMeta {
    api_version: String,
    kind: String,
}

/// Reads a review. `versions` is the field of the configuration with the versions that the API server may send.
fn read<T: Wire + SchemaKind>(body: &[u8], versions: &str) -> Result<T, Refusal> {
    let (api_version, kind) = (T::API_VERSION, T::KIND);
    let undecodable = |error: &dyn std::fmt::Display| {
        Refusal::bad_request(format!("the body is no {kind} of {api_version}: {error}"))
    };
    let found: TypeMeta = serde_json::from_slice(body).map_err(|error| undecodable(&error))?;
    if found.kind != kind {
        return Err(undecodable(&format!("its kind is {}", shortened(&found.kind))));
    }
    if found.api_version != api_version {
        let found = shortened(&found.api_version);
        return Err(Refusal::bad_request(format!(
            "the body is {kind} of {found}, and the webhook takes {api_version} only: set {versions} to [\"v1\"]"
        )));
    }
    T::from_json(body).map_err(|error| undecodable(&error))
}

/// A name of the request in quotes, which may be no name at all.
fn shortened(text: &str) -> String {
    const LENGTH: usize = 60;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => quoted(format!("{}...", &text[..end])),
        None => quoted(text),
    }
}

fn without_request<T: SchemaKind>() -> Refusal {
    Refusal::bad_request(format!("the {} has no request", T::KIND))
}
