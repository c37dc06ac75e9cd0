//! Admission webhooks.

mod broken;
pub(crate) mod matching;
mod mutating;
mod validating;
