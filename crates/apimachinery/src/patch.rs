//! The patches Kubernetes understands, over JSON values.
//!
//! - [`json`]: JSON patch (RFC 6902), with the liberties the API server takes;
//! - [`merge`]: JSON merge patch (RFC 7386), and the three-way one by which custom resources are applied;
//! - [`strategic`]: strategic merge patch, which knows the lists of built-in types, and the three-way one by
//!   which they are applied.
//!
//! Results and the texts of failures are those of Kubernetes. Where that one falls over, as over a null in a
//! merged list, these say so.

mod error;
pub mod json;
pub mod merge;
mod precondition;
pub mod strategic;

pub use error::PatchError;
pub use precondition::Precondition;

#[cfg(test)]
mod random;
