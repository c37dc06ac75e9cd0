//! [`Error`], a failure to read, validate, convert or apply fields and their managers.

use std::error::Error as StdError;
use std::fmt;

use klient_apimachinery::WithCauses;

use crate::{Conflict, Conflicts};

/// A failure to read, validate, convert or apply fields and their managers.
///
/// ```
/// use klient_structured_merge::{Duplicates, Schema, Typed};
/// use serde_json::json;
///
/// let schema = Schema::builtin(&klient_schema::core_v1::POD);
/// let pod = json!({"spec": {"nodeName": 1}});
/// let error = Typed::new(pod.as_object().expect("an object"), &schema, Duplicates::Allow).unwrap_err();
/// assert!(error.is_invalid());
/// assert_eq!(error.validation_errors()[0].path, ".spec.nodeName");
/// ```
#[derive(Debug)]
pub struct Error(Box<Repr>);

#[derive(Debug)]
enum Repr {
    Fields(String),
    Schema(String),
    Invalid(Vec<ValidationError>),
    ManagedFields(String),
    Forbidden(&'static str),
    Conversion(ConvertError),
    Within(String, Error),
    Missing(String),
    Version(String),
    Conflict(Conflicts),
}

/// The category of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A string is not a valid set of fields.
    Fields,
    /// The schema of a custom kind is not valid.
    Schema,
    /// An object does not follow its schema.
    Invalid,
    /// `metadata.managedFields` is not valid.
    ManagedFields,
    /// A configuration sets what it may not; an API server answers 400.
    Forbidden,
    /// An object cannot be converted to another version.
    Conversion,
    /// Other managers own fields that would change; an API server answers 409.
    Conflict,
}

/// The reason for a failed conversion to another version.
pub type ConvertError = Box<dyn StdError + Send + Sync>;

/// A violation of the schema at one path of an object (`typed.ValidationError`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// The path, such as `.spec.replicas`; empty for the object itself.
    pub path: String,
    /// The message, worded as upstream's.
    pub message: String,
}

impl Error {
    pub(crate) fn fields(problem: &dyn fmt::Display) -> Self {
        Error(Box::new(Repr::Fields(problem.to_string())))
    }

    pub(crate) fn schema(problem: String) -> Self {
        Error(Box::new(Repr::Schema(problem)))
    }

    pub(crate) fn invalid(problems: Vec<ValidationError>) -> Self {
        Error(Box::new(Repr::Invalid(problems)))
    }

    pub(crate) fn managed_fields(problem: String) -> Self {
        Error(Box::new(Repr::ManagedFields(problem)))
    }

    pub(crate) fn forbidden(problem: &'static str) -> Self {
        Error(Box::new(Repr::Forbidden(problem)))
    }

    pub(crate) fn conversion(source: ConvertError) -> Self {
        Error(Box::new(Repr::Conversion(source)))
    }

    /// The error with the step of an algorithm that has failed, worded as upstream's.
    pub(crate) fn within(self, step: &str) -> Self {
        Error(Box::new(Repr::Within(step.to_owned(), self)))
    }

    /// An `apiVersion` of a manager that is none.
    pub(crate) fn no_version(version: &str) -> Self {
        Error(Box::new(Repr::Version(version.to_owned())))
    }

    pub(crate) fn missing(version: &str) -> Self {
        Error(Box::new(Repr::Missing(version.to_owned())))
    }

    pub(crate) fn conflict(conflicts: Conflicts) -> Self {
        Error(Box::new(Repr::Conflict(conflicts)))
    }

    /// The category of the error.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Repr::Fields(_) => ErrorKind::Fields,
            Repr::Schema(_) => ErrorKind::Schema,
            Repr::Invalid(_) => ErrorKind::Invalid,
            Repr::ManagedFields(_) => ErrorKind::ManagedFields,
            Repr::Forbidden(_) => ErrorKind::Forbidden,
            Repr::Conversion(_) | Repr::Missing(_) | Repr::Version(_) => ErrorKind::Conversion,
            Repr::Within(_, error) => error.kind(),
            Repr::Conflict(_) => ErrorKind::Conflict,
        }
    }

    /// Returns true if a string is not a valid set of fields.
    pub fn is_fields(&self) -> bool {
        self.kind() == ErrorKind::Fields
    }

    /// Returns true if the schema of a custom kind is not valid.
    pub fn is_schema(&self) -> bool {
        self.kind() == ErrorKind::Schema
    }

    /// Returns true if an object does not follow its schema; [`validation_errors`](Self::validation_errors) lists the
    /// violations.
    pub fn is_invalid(&self) -> bool {
        self.kind() == ErrorKind::Invalid
    }

    /// Returns true if `metadata.managedFields` is not valid.
    pub fn is_managed_fields(&self) -> bool {
        self.kind() == ErrorKind::ManagedFields
    }

    /// Returns true if a configuration sets what it may not, such as managed fields.
    pub fn is_forbidden(&self) -> bool {
        self.kind() == ErrorKind::Forbidden
    }

    /// Returns true if an object cannot be converted to another version.
    pub fn is_conversion(&self) -> bool {
        self.kind() == ErrorKind::Conversion
    }

    /// Returns true if other managers own fields that would change; [`conflicts`](Self::conflicts) lists them.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// The violations of the schema, if the object does not follow it; empty for other errors.
    pub fn validation_errors(&self) -> &[ValidationError] {
        match &*self.0 {
            Repr::Invalid(problems) => problems,
            _ => &[],
        }
    }

    /// The fields owned by other managers, if the error is a conflict; empty for other errors.
    pub fn conflicts(&self) -> &[Conflict] {
        match &*self.0 {
            Repr::Conflict(conflicts) => conflicts,
            _ => &[],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Repr::Fields(problem) => write!(f, "no set of fields: {problem}"),
            Repr::Schema(problem) => write!(f, "no schema to merge by: {problem}"),
            Repr::ManagedFields(problem) => f.write_str(problem),
            Repr::Forbidden(problem) => f.write_str(problem),
            Repr::Conversion(source) => WithCauses(&**source).fmt(f),
            Repr::Within(step, error) => write!(f, "{step}: {error}"),
            Repr::Missing(version) => {
                write!(f, "request to convert CR to an invalid group/version: {version}")
            }
            Repr::Version(version) => write!(f, "unexpected GroupVersion string: {version}"),
            Repr::Conflict(conflicts) => conflicts.fmt(f),
            Repr::Invalid(problems) => match problems.as_slice() {
                [problem] => problem.fmt(f),
                problems => {
                    f.write_str("errors:")?;
                    problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
                }
            },
        }
    }
}

/// The message includes the causes.
impl StdError for Error {}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}
