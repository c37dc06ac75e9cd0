//! [`Response`], a whole response, and the failure that a response reports.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use klient_apimachinery::codec::protobuf::Envelope;
use klient_apimachinery::codec::{Format, Identity, SchemaKind as _, Wire};
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause, StatusDetails};

use super::body_record::BodyRecord;
use super::format::format_of;
use super::stream::ByteStream;
use crate::call::Call;
use crate::error::Error;
use crate::http_trace::HttpTrace;
use crate::priority_and_fairness::PriorityAndFairness;
use crate::transport::{ResponseBody, is_upgrade};
use crate::warning::Warning;

/// The longest failure that is read. A Status is as long as the errors of an object, which has 3 MiB at most.
const LONGEST_FAILURE: usize = 8 << 20;

/// The longest refusal of a switch to another protocol that is read, as the longest message about a command whose connection
/// is switched. It is about no object.
const LONGEST_REFUSAL: usize = 1 << 20;

/// The longest text of a failure that is repeated in an error.
const LONGEST_TEXT: usize = 2048;

/// A whole answer that is no failure.
pub struct Response {
    call: Arc<Call>,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Response {
    pub(super) async fn read(
        call: &Arc<Call>,
        response: http::Response<ResponseBody>,
        record: BodyRecord,
    ) -> Result<Self, Error> {
        let (head, body) = response.into_parts();
        let body = ByteStream::new(call.clone(), &head.headers, body).recorded(record).whole().await?;
        Ok(Response { call: call.clone(), status: head.status, headers: head.headers, body })
    }

    /// The HTTP status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The warnings that the server sent beside the response. [`Config::warnings`](crate::Config::warnings) gets them too.
    pub fn warnings(&self) -> Vec<Warning> {
        Warning::of(&self.headers).collect()
    }

    /// The flow schema and priority level by which the server classified the request, if it names them.
    pub fn priority_and_fairness(&self) -> Option<PriorityAndFairness> {
        PriorityAndFairness::of(&self.headers)
    }

    /// The format the answer is in.
    pub(crate) fn format(&self) -> Format {
        format_of(&self.headers)
    }

    /// The response.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The response 304 Not Modified with the body that it confirms.
    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Response { body, ..self }
    }

    /// The answer as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer as an object.
    ///
    /// # Errors
    ///
    /// If it is not of that type ([`undecodable_object`](Error::undecodable_object) names it), or a failure with a code
    /// of success.
    pub fn decode<T: Wire>(&self) -> Result<T, Error> {
        if let Some(status) = failure_in(self.format(), &self.body) {
            return Err(Error::status(self.call.to_string(), status, None));
        }
        T::decode(self.format(), &self.body).map_err(|error| {
            let object = Identity::of_document(self.format(), &self.body);
            // What has no name is a list, or no object at all.
            let error = if object.name.is_empty() { error } else { error.of_object(object) };
            Error::decode(self.call.to_string(), error)
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} with {} bytes", self.call, self.status, self.body.len())
    }
}

/// The failure in a response whose code is one of success.
pub(crate) fn failure_in(format: Format, bytes: &[u8]) -> Option<Status> {
    let may_be = match format {
        Format::Json => bytes.starts_with(br#"{"kind":"Status""#),
        Format::Protobuf => Envelope::parse(bytes).is_ok_and(|envelope| envelope.kind == Status::KIND),
    };
    let status = may_be.then(|| Status::decode(format, bytes).ok()).flatten();
    status.filter(Status::is_failure)
}

/// The delay of `Retry-After`.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The error that a response reports: its Status, or its code and text.
pub(super) async fn failure(
    call: &Arc<Call>,
    response: http::Response<ResponseBody>,
    trace: HttpTrace,
) -> Error {
    let what = call.to_string();
    let (head, body) = response.into_parts();
    let (code, headers) = (head.status, head.headers);
    let (wait, by) = (retry_after(&headers), PriorityAndFairness::of(&headers));
    let record = BodyRecord::begin(trace, call, None);
    let stream = ByteStream::new(call.clone(), &headers, body).recorded(record);
    let longest = if is_upgrade(&call.headers) { LONGEST_REFUSAL } else { LONGEST_FAILURE };
    let body = match stream.at_most(longest).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    let format = format_of(&headers);
    if let Some(status) = Status::decode(format, &body).ok().filter(Status::is_failure) {
        return Error::status(what, status, wait).with_priority_and_fairness(by);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.is_empty() || content_type.starts_with("text/");
    let text = match is_text {
        true => String::from_utf8_lossy(&body[..body.len().min(LONGEST_TEXT)]),
        false if body.len() >= longest => format!("the response is longer than {longest} bytes").into(),
        false => "".into(),
    };
    let mut status = status_of(call, code, text.trim());
    if let Some(location) = headers.get(LOCATION).filter(|_| code.is_redirection()) {
        // To follow it would send the credentials there.
        let location = String::from_utf8_lossy(location.as_bytes());
        status.message = Some(format!("the server redirects to {location}, which is not followed").into());
    }
    Error::status(what, status, wait).with_priority_and_fairness(by)
}

/// The reason of the cause that has the text of a response without a Status (`CauseTypeUnexpectedServerResponse`).
const UNEXPECTED_RESPONSE: &str = "UnexpectedServerResponse";

/// The message of client-go for a response without a Status.
fn status_of(call: &Call, code: StatusCode, text: &str) -> Status {
    let (reason, message) = match code.as_u16() {
        400 => (Reason::BadRequest, "the server rejected our request for an unknown reason".to_owned()),
        401 => (Reason::Unauthorized, "the server has asked for the client to provide credentials".to_owned()),
        403 => (Reason::Forbidden, text.to_owned()),
        404 => (Reason::NotFound, "the server could not find the requested resource".to_owned()),
        405 => (Reason::MethodNotAllowed, "the server does not allow this method on the requested resource".to_owned()),
        406 => (Reason::NotAcceptable, "the server was unable to respond with a content type that the client supports".to_owned()),
        409 if call.method == http::Method::POST => {
            (Reason::AlreadyExists, "the server reported a conflict".to_owned())
        }
        409 => (Reason::Conflict, "the server reported a conflict".to_owned()),
        410 => (Reason::Gone, "the requested resource is no longer available".to_owned()),
        413 => (Reason::RequestEntityTooLarge, "the request is too large for the server".to_owned()),
        415 => (Reason::UnsupportedMediaType, "the server does not read the form of the request's body".to_owned()),
        422 => (Reason::Invalid, "the server rejected our request due to an error in our request".to_owned()),
        429 => (Reason::TooManyRequests, "the server has received too many requests and has asked us to try again later".to_owned()),
        503 => (Reason::ServiceUnavailable, "the server is currently unable to handle the request".to_owned()),
        504 => (Reason::Timeout, "the server was unable to return a response in the time allotted, but may still be processing the request".to_owned()),
        code if code >= 500 => (
            Reason::InternalError,
            format!("an error on the server ({text}) has prevented the request from succeeding", text = quoted(text)),
        ),
        other => {
            let message = format!("the server responded with the status code {other} but did not return more information");
            return Status {
                status: Some("Failure".into()),
                message: Some(message.into()),
                code: Some(other.into()),
                ..Default::default()
            };
        }
    };
    let mut status = Status::failure(reason, message);
    status.code = Some(code.as_u16().into());
    if !text.is_empty() {
        let cause = StatusCause {
            reason: Some(UNEXPECTED_RESPONSE.into()),
            message: Some(text.to_owned().into()),
            ..Default::default()
        };
        status.details = Some(Box::new(StatusDetails { causes: vec![cause], ..Default::default() }));
    }
    status
}
