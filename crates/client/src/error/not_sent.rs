//! [`NotSent`], the error of a request of which the server got nothing.

use std::error::Error as StdError;
use std::fmt;

/// The error of a request of which the server got nothing. Its cause says all of it.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// There is no connection.
    Connect(Box<dyn StdError + Send + Sync>),
    /// The connection was closed before the request was sent.
    Closed(hyper::Error),
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotSent::Connect(_) => "cannot connect",
            NotSent::Closed(_) => "the connection was closed before the request was sent",
        })
    }
}

impl StdError for NotSent {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            NotSent::Connect(error) => Some(&**error),
            NotSent::Closed(error) => Some(error),
        }
    }
}
