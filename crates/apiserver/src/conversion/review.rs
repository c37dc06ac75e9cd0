//! ConversionReviews: the request to a conversion webhook, and its response.

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, text_at};
use klient_schema::apiextensions_v1::CONVERSION_REVIEW;
use serde_json::{Value, json};

use crate::webhook::{self, Review};

const V1: Review =
    Review { kind: "ConversionReview", api_version: "apiextensions.k8s.io/v1", schema: &CONVERSION_REVIEW };

/// The fields are the same.
const V1BETA1: Review = Review { api_version: "apiextensions.k8s.io/v1beta1", ..V1 };

/// The review of the first version that is known.
pub(super) fn of(versions: &[String]) -> Option<Review> {
    versions.iter().find_map(|version| match &**version {
        "v1" => Some(V1),
        "v1beta1" => Some(V1BETA1),
        _ => None,
    })
}

pub(super) fn request(review: Review, uid: &str, desired: &str, objects: &[Value]) -> Value {
    json!({
        "kind": review.kind,
        "apiVersion": review.api_version,
        "request": { "uid": uid, "desiredAPIVersion": desired, "objects": objects },
        "response": { "uid": "", "convertedObjects": null, "result": { "metadata": {} } },
    })
}

/// The objects in an answer.
///
/// # Errors
///
/// In upstream's words, if it is not valid.
pub(super) fn converted_objects(
    review: Review,
    mut answer: Map,
    uid: &str,
) -> std::result::Result<Vec<Value>, String> {
    let is_checked = review.api_version == V1.api_version;
    let kind = webhook::printed_kind(&answer);
    if is_checked && kind != "apiextensions.k8s.io/v1, Kind=ConversionReview" {
        return Err(format!(
            "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got {kind}"
        ));
    }
    let Some(Value::Object(mut response)) = answer.remove("response") else {
        return Err("no response provided".to_owned());
    };
    let found = text_at(&response, &["uid"]);
    if is_checked && found != uid {
        return Err(format!("expected response.uid={}, got {}", quoted(uid), quoted(found)));
    }
    let status = text_at(&response, &["result", "status"]);
    if status != "Success" {
        let message = text_at(&response, &["result", "message"]);
        return Err(if message.is_empty() {
            format!("response.result.status was '{status}', not 'Success'")
        } else {
            message.to_owned()
        });
    }
    match response.remove("convertedObjects") {
        Some(Value::Array(objects)) => Ok(objects),
        _ => Ok(Vec::new()),
    }
}

/// The kind of an object, as Go prints it.
pub(super) fn printed_kind(object: Option<&Value>) -> String {
    object.and_then(Value::as_object).map(webhook::printed_kind).unwrap_or_default()
}
