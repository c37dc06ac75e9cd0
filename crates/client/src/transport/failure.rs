//! Classification of transport errors.

use std::error::Error as StdError;
use std::io;

use super::body::UnreadBody;
use crate::error::ErrorKind;
use crate::error::causes::causes;

/// The kind of an error.
pub(crate) fn kind(error: &(dyn StdError + 'static)) -> ErrorKind {
    let all = || causes(error);
    let is_connect = |error: &hyper_util::client::legacy::Error| error.is_connect();
    if all().any(|cause| cause.downcast_ref().is_some_and(is_connect)) {
        ErrorKind::Connect
    } else if all().any(|cause| cause.is::<UnreadBody>()) {
        ErrorKind::Timeout
    } else if all().any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse)) {
        ErrorKind::Decode
    } else {
        ErrorKind::Connection
    }
}

/// Returns true if the peer closed the connection during a request, as a server does that restarts or closes idle
/// connections. client-go calls it a "probable EOF".
pub(crate) fn is_cut(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
            return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            // The time-out is that of an HTTP/2 ping without a response.
            return error.is_incomplete_message() || error.is_canceled() || error.is_timeout();
        }
        cause.downcast_ref().is_some_and(h2::Error::is_go_away)
    })
}
