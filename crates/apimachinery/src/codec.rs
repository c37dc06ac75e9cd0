//! How objects go over the wire.

pub mod json;
pub mod protobuf;

use std::fmt;

use crate::schema::Schema;

/// How a type goes over the wire.
pub trait Wire: Sized + Send + Sync + 'static {
    /// Reads JSON.
    ///
    /// # Errors
    ///
    /// If the bytes are not JSON, or not JSON of this type; the error says where.
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Appends JSON to `out`.
    fn to_json(&self, out: &mut Vec<u8>);
}

/// A type with an `apiVersion` and a `kind` of its own.
pub trait Kind {
    /// Such as `apps/v1`.
    const API_VERSION: &'static str;
    /// Such as `Deployment`.
    const KIND: &'static str;
    /// What is known of the struct.
    const SCHEMA: &'static Schema;
}

/// Bytes that are not what was asked for.
#[derive(Debug)]
pub struct DecodeError {
    path: String,
    problem: String,
}

impl DecodeError {
    pub(crate) fn new(path: String, problem: impl fmt::Display) -> Self {
        Self { path, problem: problem.to_string() }
    }

    /// Of a document that is no API object.
    pub fn of_document(problem: impl fmt::Display) -> Self {
        Self::new(String::new(), problem)
    }

    /// The same fault in something that stands at `place`.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{place}{dot}{}", self.path);
        self
    }

    /// The path of the field at fault, such as `spec.containers[0].image`; empty where the bytes are no object.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for DecodeError {}
