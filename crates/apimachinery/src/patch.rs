//! The patch types of Kubernetes, over JSON values.
//!
//! - [`json`]: JSON patch (RFC 6902), as lenient as the API server;
//! - [`merge`]: JSON merge patch (RFC 7386), and the three-way patch with which custom resources are applied;
//! - [`strategic`]: strategic merge patch, which merges the lists of built-in types, and the three-way patch with which
//!   they are applied.
//!
//! Results and error messages are those of Kubernetes. For inputs on which it panics, such as a null in a merged list,
//! there is an error.

mod error;
pub mod json;
pub mod merge;
mod precondition;
pub mod strategic;

pub use error::PatchError;
pub use precondition::Precondition;

#[cfg(test)]
mod random;
