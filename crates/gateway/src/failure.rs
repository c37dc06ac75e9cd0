//! [`Failure`], the answer to a request that cannot be answered otherwise.

use axum::response::IntoResponse;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use klient_client::ErrorKind;
use serde_json::{Value, json};

use crate::response::{self, Response};

/// The header `WWW-Authenticate` of responses to requests without a token that is known (RFC 6750). Browsers show no form for it.
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"klient gateway\"");

/// A failure of a request: a code that programs compare, an HTTP status and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// Defines the codes, their words and their HTTP status.
macro_rules! codes {
    ($($name:ident $word:literal $status:ident;)*) => {
        /// The code of a failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($name,)* }

        impl Code {
            /// All codes, for the description of the API.
            pub(crate) const ALL: &[Code] = &[$(Code::$name,)*];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Code::$name => $word,)* }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" BAD_REQUEST;
    BadPath "bad_path" BAD_REQUEST;
    BadSelector "bad_selector" BAD_REQUEST;
    Unauthorized "unauthorized" UNAUTHORIZED;
    Forbidden "forbidden" FORBIDDEN;
    OriginRefused "origin_refused" FORBIDDEN;
    ReadOnly "read_only" FORBIDDEN;
    ExecOff "exec_off" FORBIDDEN;
    SecretsHidden "secrets_hidden" FORBIDDEN;
    NotFound "not_found" NOT_FOUND;
    KindUnknown "kind_unknown" NOT_FOUND;
    ContextUnknown "context_unknown" NOT_FOUND;
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED;
    Conflict "conflict" CONFLICT;
    Expired "expired" GONE;
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE;
    HostRefused "host_refused" MISDIRECTED_REQUEST;
    Invalid "invalid" UNPROCESSABLE_ENTITY;
    TooManyStreams "too_many_streams" TOO_MANY_REQUESTS;
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS;
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE;
    Internal "internal" INTERNAL_SERVER_ERROR;
    Unreachable "unreachable" BAD_GATEWAY;
    ClusterError "cluster_error" BAD_GATEWAY;
    ContextUnusable "context_unusable" BAD_GATEWAY;
    TooManyKinds "too_many_kinds" SERVICE_UNAVAILABLE;
    TooManyObjects "too_many_objects" SERVICE_UNAVAILABLE;
    NotSynced "not_synced" SERVICE_UNAVAILABLE;
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Failure { code, message: message.into() }
    }

    /// The failure for a path that leads nowhere.
    pub(crate) fn not_found(path: &str) -> Self {
        Failure::new(Code::NotFound, format!("there is nothing at {path}; /openapi.json has the paths"))
    }

    /// The failure that a status code of the API server stands for.
    pub(crate) fn of_status(status: Option<u16>, message: impl Into<String>) -> Self {
        let code = match status {
            Some(400) => Code::BadRequest,
            Some(401) => Code::Unauthorized,
            Some(403) => Code::Forbidden,
            Some(404) => Code::NotFound,
            Some(405) => Code::MethodNotAllowed,
            Some(409) => Code::Conflict,
            Some(410) => Code::Expired,
            Some(413) => Code::BodyTooLarge,
            Some(422) => Code::Invalid,
            Some(429) => Code::TooManyRequests,
            Some(_) => Code::ClusterError,
            None => Code::Unreachable,
        };
        Failure::new(code, message)
    }

    /// The value of `error` in a response.
    pub(crate) fn to_value(&self) -> Value {
        json!({
            "code": self.code.as_str(),
            "message": self.message,
            "status": self.code.status().as_u16(),
        })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = response::json(self.code.status(), &json!({ "error": self.to_value() }));
        let headers = response.headers_mut();
        match self.code.status() {
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(RETRY_AFTER, HeaderValue::from_static("2")),
            StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, CHALLENGE),
            _ => None,
        };
        response
    }
}

impl From<klient_client::Error> for Failure {
    fn from(error: klient_client::Error) -> Self {
        match error.kind() {
            // A name or a namespace that no path can have.
            ErrorKind::Request => Failure::new(Code::BadRequest, error.to_string()),
            ErrorKind::NoMatch => Failure::new(Code::KindUnknown, error.to_string()),
            ErrorKind::Decode => Failure::new(Code::ClusterError, error.to_string()),
            _ => Failure::of_status(error.code(), error.to_string()),
        }
    }
}
