//! [`Failure`], the answer of the proxy itself.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;
use klient_client::{Error, ResponseBody};

/// A request that the proxy answers itself, with a Status.
pub(crate) enum Failure {
    Status(Reason, String),
    /// The server could not be reached, or did not answer.
    Unreachable(Arc<Error>),
    HeadersTooLarge,
    /// The body has more bytes than this.
    BodyTooLarge(u64),
    TooManyUpgrades,
}

impl Failure {
    pub(crate) fn into_response(self) -> Response<ResponseBody> {
        let (status, error) = match self {
            Failure::Status(reason, message) => (Status::failure(reason, message), None),
            Failure::Unreachable(error) => {
                let message = format!("error trying to reach service: {error}");
                (Status::failure(Reason::ServiceUnavailable, message), Some(error))
            }
            Failure::HeadersTooLarge => {
                // No reason of the API is of this code.
                let message = "the headers of the request are too large";
                let mut status = Status::failure(Reason::BadRequest, message);
                status.code = Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.as_u16().into());
                status.reason = None;
                (status, None)
            }
            Failure::BodyTooLarge(limit) => {
                let message = format!("Request entity too large: limit is {limit}");
                (Status::failure(Reason::RequestEntityTooLarge, message), None)
            }
            Failure::TooManyUpgrades => {
                let message = "too many upgraded connections through the proxy, please try again later";
                (Status::failure(Reason::TooManyRequests, message), None)
            }
        };
        let mut json = Vec::new();
        status.to_json(&mut json);
        let mut response = Response::new(ResponseBody::new(Full::from(json)));
        let code = status.code.and_then(|code| u16::try_from(code).ok());
        *response.status_mut() =
            code.and_then(|code| StatusCode::from_u16(code).ok()).expect("each of them has a code of HTTP");
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(error) = error {
            response.extensions_mut().insert(error);
        }
        response
    }
}
