//! [`WithCauses`], an error with its causes.

use std::error::Error;
use std::fmt;

/// Displays an error and its chain of [`source`](Error::source)s, separated by colons: `cannot connect: connection
/// refused`.
///
/// ```
/// use klient_apimachinery::WithCauses;
///
/// let error = std::io::Error::other("the cable is cut");
/// assert_eq!(WithCauses(&error).to_string(), "the cable is cut");
/// ```
#[derive(Debug)]
pub struct WithCauses<'a>(pub &'a dyn Error);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
