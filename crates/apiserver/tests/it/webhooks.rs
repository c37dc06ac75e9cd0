//! Admission webhooks.

mod broken;
mod matching;
mod mutating;
mod validating;
