//! Answers that the server has not given.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use klient_client::ResponseBody;
use serde_json::json;

use crate::target::Target;

/// 409, as to an update of a version that is not the last.
pub(crate) fn conflict(target: &Target) -> Response<ResponseBody> {
    let name = target.name.as_deref().unwrap_or_default();
    let message = format!(
        "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to the \
         latest version and try again",
        target.resource()
    );
    status(StatusCode::CONFLICT, "Conflict", &message)
}

/// 500, as of a server that has lost its storage.
pub(crate) fn server_error() -> Response<ResponseBody> {
    let message = "Internal error occurred: the storage is not available";
    status(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
}

/// 429, as of a server that has no room for a request now, with the seconds after which to send it again.
pub(crate) fn too_many_requests(retry_after: u32) -> Response<ResponseBody> {
    let message = "Too many requests, please try again later.";
    let mut response = status(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
    response.headers_mut().insert(RETRY_AFTER, retry_after.into());
    response
}

/// 504, as to a request that took longer than the server lets it.
pub(crate) fn timeout() -> Response<ResponseBody> {
    let message = "Timeout: request did not complete within the allotted timeout";
    status(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
}

/// 422, as of a server without streamed lists.
pub(crate) fn no_streamed_lists() -> Response<ResponseBody> {
    let message = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for \
                   watch unless the WatchList feature gate is enabled";
    status(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
}

fn status(code: StatusCode, reason: &str, message: &str) -> Response<ResponseBody> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code.as_u16(),
    });
    let mut response = Response::new(ResponseBody::new(Full::from(status.to_string())));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
