//! Classification of transport errors.

use std::error::Error as StdError;
use std::io;

use super::unread_body::UnreadBody;
use crate::error::ErrorKind;
use crate::error::causes::causes;
use crate::error::not_sent::NotSent;

/// The kind of an error.
pub(crate) fn kind(error: &(dyn StdError + 'static)) -> ErrorKind {
    let all = || causes(error);
    if all().any(|cause| matches!(cause.downcast_ref(), Some(NotSent::Connect(_)))) {
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
/// connections. client-go calls it a "probable EOF". What the transport has sent again in vain is no such error, nor is a
/// breach of HTTP/2 by the server.
pub(crate) fn is_cut(error: &(dyn StdError + 'static)) -> bool {
    if is_unprocessed(error) {
        return false;
    }
    causes(error).any(|cause| {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
            return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>() {
            // The time-out is that of an HTTP/2 ping without a response.
            return error.is_incomplete_message() || error.is_canceled() || error.is_timeout();
        }
        // The client itself closes a connection on which it has cancelled many requests.
        let is_calmed = |error: &h2::Error| error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
        let has_ended = |error: &h2::Error| error.is_go_away() && (error.is_remote() || is_calmed(error));
        cause.downcast_ref().is_some_and(has_ended)
    })
}

/// Returns true if the server did not process the request, so that every verb can be sent again (RFC 9113 section
/// 8.7): it refused the stream, or closes the connection and says that the stream is not among those that it processes;
/// or the connection was closed before the request was sent.
pub(super) fn is_unprocessed(error: &(dyn StdError + 'static)) -> bool {
    if matches!(error.downcast_ref(), Some(NotSent::Closed(_))) {
        return true;
    }
    causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>()).any(|error| {
        // h2 gives the error of a GOAWAY of the server to the streams after its last stream identifier only.
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || is_refused)
    })
}
