//! YAML as Kubernetes reads and writes it.
//!
//! Manifests are YAML 1.1: `yes`, `on` and `y` are booleans, `0777` is octal. [`documents`] reads a stream of YAML or
//! JSON documents one by one, as kubectl does; [`from_str`] and [`from_slice`] read one; [`to_string`] writes as
//! kubectl's `-o yaml` does. The parser is libyaml's, of which kubectl's is a port, so that error messages are the same
//! to the letter.

mod bytes;
mod decode;
mod documents;
mod emit;
mod encode;
mod scalar;

use std::fmt;

pub use bytes::{from_slice, from_slice_with_duplicates, text};
pub use decode::{DuplicateKey, from_str, from_str_with_duplicates};
pub use documents::{Documents, documents, single_document};
pub use encode::to_string;

/// A string that is not YAML, or YAML that cannot be JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    kind: ErrorKind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    Yaml,
    Json,
    /// YAML whose value JSON cannot have.
    Conversion,
    Stream,
    OutOfRange,
}

impl YamlError {
    fn yaml(problem: impl fmt::Display) -> Self {
        YamlError { kind: ErrorKind::Yaml, text: format!("yaml: {problem}") }
    }

    fn json(problem: impl fmt::Display) -> Self {
        YamlError { kind: ErrorKind::Json, text: problem.to_string() }
    }

    fn stream(problem: impl fmt::Display) -> Self {
        YamlError { kind: ErrorKind::Stream, text: problem.to_string() }
    }

    fn conversion(problem: impl fmt::Display) -> Self {
        YamlError { kind: ErrorKind::Conversion, text: problem.to_string() }
    }

    fn out_of_range(problem: impl fmt::Display) -> Self {
        YamlError { kind: ErrorKind::OutOfRange, text: problem.to_string() }
    }

    /// Returns true if the document was read as YAML, false if as JSON.
    pub fn is_yaml(&self) -> bool {
        matches!(self.kind, ErrorKind::Yaml | ErrorKind::Conversion)
    }

    /// Returns true for a number of a JSON document that no 64-bit float can hold. Nothing else is wrong with the text:
    /// kubectl reports it where it decodes the object, not where it parses the file.
    pub fn is_out_of_range(&self) -> bool {
        self.kind == ErrorKind::OutOfRange
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for YamlError {}
