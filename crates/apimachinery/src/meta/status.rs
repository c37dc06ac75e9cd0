//! [`Reason`], the reason of a failure in a [`Status`].

use std::fmt;
use std::time::Duration;

use super::v1::{Status, StatusCause};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal;)*) => {
        /// The reason of a failure, `Status.reason`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// The value of `Status.reason`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Reason::$name => stringify!($name),)*
                }
            }

            /// The HTTP status code of responses with the reason.
            pub const fn code(self) -> u16 {
                match self {
                    $(Reason::$name => $code,)*
                }
            }

            /// Parses the value of `Status.reason`.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $(stringify!($name) => Some(Reason::$name),)*
                    _ => None,
                }
            }
        }
    };
}

reasons! {
    /// The request has no valid credentials.
    Unauthorized 401;
    /// The user is not allowed to make the request.
    Forbidden 403;
    /// The object or resource does not exist.
    NotFound 404;
    /// An object with that name exists already.
    AlreadyExists 409;
    /// The object has changed, or a field belongs to another manager.
    Conflict 409;
    /// The resource existed once and is gone for good.
    Gone 410;
    /// The object violates the rules of its kind.
    Invalid 422;
    /// The server did not finish in time; the request can be repeated.
    ServerTimeout 500;
    /// An object in storage cannot be decoded or decrypted.
    StorageReadError 500;
    /// The request took too long.
    Timeout 504;
    /// Too many requests at once.
    TooManyRequests 429;
    /// The request is malformed.
    BadRequest 400;
    /// The resource does not support the verb.
    MethodNotAllowed 405;
    /// The server supports none of the accepted media types.
    NotAcceptable 406;
    /// The request body is too large.
    RequestEntityTooLarge 413;
    /// The media type of the body is not supported.
    UnsupportedMediaType 415;
    /// An internal error of the server.
    InternalError 500;
    /// The resourceVersion or continue token is too old.
    Expired 410;
    /// The server is not ready.
    ServiceUnavailable 503;
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Status {
    /// A failure with its reason, code and message.
    pub fn failure(reason: Reason, message: impl Into<String>) -> Self {
        Status {
            status: Some("Failure".into()),
            message: Some(message.into().into()),
            reason: Some(reason.as_str().into()),
            code: Some(reason.code().into()),
            ..Default::default()
        }
    }

    /// Returns true if the status is `Failure`.
    pub fn is_failure(&self) -> bool {
        self.status.as_deref() == Some("Failure")
    }

    /// The reason, if it is a known one.
    pub fn known_reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::parse)
    }

    /// The time after which the server asks for another attempt, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.details.as_ref()?.retry_after_seconds?;
        u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// The causes in the details.
    pub fn causes(&self) -> &[StatusCause] {
        self.details.as_ref().map_or(&[], |details| &details.causes)
    }
}
