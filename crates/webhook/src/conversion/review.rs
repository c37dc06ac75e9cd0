//! The objects of a ConversionReview.

use klient_api::apiextensions::v1::{ConversionRequest, ConversionResponse};
use klient_apimachinery::Str;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;

use super::{Versions, object};

/// Converts the objects of a request: all, or none if one of them fails. Others run between two of them.
pub(crate) async fn convert(all: &[Versions], request: ConversionRequest) -> ConversionResponse {
    let mut converted_objects = Vec::with_capacity(request.objects.len());
    for (index, original) in request.objects.iter().enumerate() {
        match object::convert(all, original, &request.desired_api_version) {
            Ok(converted) => converted_objects.push(converted),
            Err(problem) => {
                return failed(request.uid, format!("request.objects[{index}]: {problem}"));
            }
        }
        tokio::task::yield_now().await;
    }
    let result = Status { status: Some("Success".into()), ..Default::default() };
    ConversionResponse { uid: request.uid, converted_objects, result, ..Default::default() }
}

/// The response to a request that failed.
pub(crate) fn failed(uid: Str, problem: String) -> ConversionResponse {
    let result = Status::failure(Reason::InternalError, problem);
    ConversionResponse { uid, result, ..Default::default() }
}
