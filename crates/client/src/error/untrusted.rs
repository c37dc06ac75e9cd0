//! Certificates that are not trusted.

use std::error::Error as StdError;
use std::io;

use super::causes::causes;

/// Returns true if no connection was made since the server's certificate is not trusted, which is permanent.
pub(super) fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let is_certificate = |error: &rustls::Error| matches!(error, rustls::Error::InvalidCertificate(_));
    causes(error).any(|cause| {
        // What is within an I/O error is not its source.
        let within = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = within.and_then(|within| within.downcast_ref()).or_else(|| cause.downcast_ref());
        tls.is_some_and(is_certificate)
    })
}
