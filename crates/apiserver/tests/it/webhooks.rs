//! Admission webhooks.

mod broken;
pub(crate) mod matching;
pub(crate) mod mutating;
mod validating;
