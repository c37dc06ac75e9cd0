//! [`Refusal`], the response to a request that is none for the webhook, or that has no answer.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;

use super::response_body::ResponseBody;

/// A response with a Status, which the API server prints to the user; the `failurePolicy` decides on the write.
#[derive(Debug)]
pub(crate) struct Refusal {
    reason: Reason,
    message: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Refusal { reason, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn into_response(self) -> Response<ResponseBody> {
        let mut json = Vec::new();
        Status::failure(self.reason, self.message).to_json(&mut json);
        let mut response = Response::new(ResponseBody::from(json));
        *response.status_mut() =
            StatusCode::from_u16(self.reason.code()).expect("the code of a reason is one of HTTP");
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.reason == Reason::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}
