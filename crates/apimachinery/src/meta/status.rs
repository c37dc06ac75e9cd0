//! The reasons a [`Status`] gives for a failure.

use std::fmt;
use std::time::Duration;

use super::v1::{Status, StatusCause};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal;)*) => {
        /// Why a request failed, as the server says it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// The word in `Status.reason`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Reason::$name => stringify!($name),)*
                }
            }

            /// The HTTP status code it comes with.
            pub const fn code(self) -> u16 {
                match self {
                    $(Reason::$name => $code,)*
                }
            }

            /// Reads the word in `Status.reason`.
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
    /// The server does not know who is asking.
    Unauthorized 401;
    /// Who is asking may not do it.
    Forbidden 403;
    /// There is no such object or resource.
    NotFound 404;
    /// An object of that name is there already.
    AlreadyExists 409;
    /// The object has changed, or a field belongs to another manager.
    Conflict 409;
    /// What was there once is gone for good.
    Gone 410;
    /// The object breaks the rules of its kind.
    Invalid 422;
    /// The server did not finish in time and may be asked again.
    ServerTimeout 500;
    /// The server holds too new or too much for now.
    StoreReadError 500;
    /// The request took too long.
    Timeout 504;
    /// Too many requests at once.
    TooManyRequests 429;
    /// The request makes no sense.
    BadRequest 400;
    /// The resource has no such verb.
    MethodNotAllowed 405;
    /// No accepted form of the answer can be given.
    NotAcceptable 406;
    /// The body is too large.
    RequestEntityTooLarge 413;
    /// The body is in a form the server does not read.
    UnsupportedMediaType 415;
    /// Something broke inside the server.
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
    /// A failure with its code and message.
    pub fn failure(reason: Reason, message: impl Into<String>) -> Self {
        Status {
            status: Some("Failure".into()),
            message: Some(message.into().into()),
            reason: Some(reason.as_str().into()),
            code: Some(reason.code().into()),
            ..Default::default()
        }
    }

    /// Whether it says that the request failed.
    pub fn is_failure(&self) -> bool {
        self.status.as_deref() == Some("Failure")
    }

    /// Why the request failed, if the reason is a known one.
    pub fn known_reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::parse)
    }

    /// After what time the server asks to be asked again, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.details.as_ref()?.retry_after_seconds?;
        u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// The causes in the details.
    pub fn causes(&self) -> &[StatusCause] {
        self.details.as_ref().map_or(&[], |details| &details.causes)
    }
}
