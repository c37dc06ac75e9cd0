//! The causes of an error.

use std::error::Error as StdError;
use std::fmt;

use super::not_sent::NotSent;

/// An error and its causes, from the outermost.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// The text of a cause and of all beneath it: `tcp connect error: Connection refused (os error 111)`.
pub(crate) struct CauseText<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for CauseText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It only repeats the kind of the error.
        let says_more = |cause: &&(dyn StdError + 'static)| !cause.is::<NotSent>();
        for (index, cause) in causes(self.0).filter(says_more).enumerate() {
            f.write_str(if index == 0 { "" } else { ": " })?;
            let text = cause.to_string();
            // An end of TLS without its alert, whose text has a link to its documentation.
            let is_end = text.starts_with("peer closed connection without sending TLS close_notify");
            f.write_str(if is_end { "unexpected EOF" } else { &text })?;
        }
        Ok(())
    }
}
