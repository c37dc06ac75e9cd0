//! [`Response`], a whole answer, and [`ByteStream`], one that is read as it comes.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;

use super::retry::retry_after;
use crate::client::Call;
use crate::error::{Error, ErrorKind, Problem};
use crate::transport::ResponseBody;

/// The longest text of a failure that is repeated in an error.
const LONGEST_TEXT: usize = 2048;

/// A whole answer that is no failure.
pub struct Response {
    /// The request, for messages.
    what: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Response {
    pub(super) async fn read(call: &Call, response: http::Response<ResponseBody>) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let what = call.to_string();
        let body = collect(&what, body).await?;
        Ok(Response { what, status: parts.status, headers: parts.headers, body })
    }

    /// The HTTP status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What was answered.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The answer as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer as an object.
    ///
    /// # Errors
    ///
    /// If it is none of that type.
    pub fn decode<T: Wire>(&self) -> Result<T, Error> {
        T::from_json(&self.body).map_err(|error| Error::decode(self.what.clone(), error))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} with {} bytes", self.what, self.status, self.body.len())
    }
}

async fn collect(what: &str, body: ResponseBody) -> Result<Bytes, Error> {
    let collected = body.collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| Error::new(ErrorKind::Connection, what, error))
}

/// The error that an answer tells of: the Status in it, or what its code and text say.
pub(super) async fn failure(call: &Call, response: http::Response<ResponseBody>) -> Error {
    let (parts, body) = response.into_parts();
    let what = call.to_string();
    let wait = retry_after(&parts.headers);
    let body = match collect(&what, body).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    if let Some(status) = Status::from_json(&body).ok().filter(Status::is_failure) {
        return Error::status(what, status, wait);
    }
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = content_type.is_empty() || content_type.starts_with("text/");
    let text =
        if is_text { String::from_utf8_lossy(&body[..body.len().min(LONGEST_TEXT)]) } else { "".into() };
    Error::status(what, status_of(call, parts.status, text.trim()), wait)
}

/// What client-go makes of an answer that holds no Status.
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
            format!("an error on the server ({text:?}) has prevented the request from succeeding"),
        ),
        _ => (Reason::BadRequest, format!("the server responded with the status code {} but did not return more information", code.as_u16())),
    };
    let mut status = Status::failure(reason, message);
    status.code = Some(code.as_u16().into());
    status
}

/// The text of a `Warning` header (RFC 7234): `299 - "text"`. Other codes are not for people.
pub(crate) fn warning_text(header: &str) -> Option<String> {
    let rest = header.trim().strip_prefix("299 ")?;
    let (_, quoted) = rest.split_once(' ')?;
    let mut text = String::new();
    let mut chars = quoted.trim().strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text).filter(|text| !text.is_empty()),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

/// An answer that is read as it comes. Dropping it ends the request.
pub struct ByteStream {
    /// The request, for messages.
    pub(crate) what: String,
    body: ResponseBody,
    buffer: BytesMut,
}

impl ByteStream {
    pub(super) async fn new(what: String, response: http::Response<ResponseBody>) -> Result<Self, Error> {
        Ok(ByteStream { what, body: response.into_body(), buffer: BytesMut::new() })
    }

    /// The next part, as it came; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.buffer.is_empty() {
            return Ok(Some(self.buffer.split().freeze()));
        }
        self.read().await
    }

    /// The next line, if it is here already.
    pub(crate) fn buffered_line(&mut self) -> Option<Bytes> {
        self.split_line(0)
    }

    fn split_line(&mut self, searched: usize) -> Option<Bytes> {
        let at = self.buffer[searched..].iter().position(|byte| *byte == b'\n')?;
        let mut line = self.buffer.split_to(searched + at + 1).freeze();
        line.truncate(line.len() - 1);
        Some(line)
    }

    /// The next line, without its end; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the answer ends in the middle of a line.
    pub async fn line(&mut self) -> Result<Option<Bytes>, Error> {
        let mut searched = 0;
        loop {
            if let Some(line) = self.split_line(searched) {
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            match self.read().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    let problem = Problem("the answer ended in the middle of a line".to_owned());
                    return Err(Error::new(ErrorKind::Connection, self.what.clone(), problem));
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| Error::new(ErrorKind::Connection, self.what.clone(), error))?;
            match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a stream", self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_for_people_are_read() {
        assert_eq!(warning_text(r#"299 - "unknown field \"a\"""#).as_deref(), Some(r#"unknown field "a""#));
        assert_eq!(warning_text(r#"199 - "no""#), None);
        assert_eq!(warning_text(r#"299 - "cut"#), None);
        assert_eq!(warning_text("299"), None);
    }
}
