//! [`Error`], why fields cannot be set or their owners told.

use std::error::Error as StdError;
use std::fmt;

use klient_apimachinery::WithCauses;

use crate::{Conflict, Conflicts, ConvertError};

/// Why fields cannot be set or their owners told.
///
/// ```
/// use klient_structured_merge::{Duplicates, Schema, Typed};
/// use serde_json::json;
///
/// let schema = Schema::builtin(&klient_schema::core_v1::POD);
/// let pod = json!({"spec": {"nodeName": 1}});
/// let error = Typed::new(pod.as_object().expect("an object"), &schema, Duplicates::Allow).unwrap_err();
/// assert!(error.is_invalid());
/// assert_eq!(error.problems()[0].path, ".spec.nodeName");
/// ```
#[derive(Debug)]
pub struct Error(Box<Repr>);

#[derive(Debug)]
enum Repr {
    Fields(String),
    Schema(String),
    Invalid(Vec<Problem>),
    ManagedFields(String),
    Forbidden(&'static str),
    Conversion { to: String, source: ConvertError },
    Missing(String),
    Conflict(Conflicts),
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A text is no set of fields.
    Fields,
    /// The schema of a custom kind says what none can.
    Schema,
    /// An object does not follow its schema.
    Invalid,
    /// `metadata.managedFields` holds what it cannot.
    ManagedFields,
    /// A configuration says what none may; an API server answers 400.
    Forbidden,
    /// An object cannot be had in another version.
    Conversion,
    /// Others own fields that would change; an API server answers 409.
    Conflict,
}

/// What is wrong at one place of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place, such as `.spec.replicas`; empty for the object itself.
    pub path: String,
    /// What is wrong, in upstream's words.
    pub message: String,
}

impl Error {
    pub(crate) fn fields(problem: &dyn fmt::Display) -> Self {
        Error(Box::new(Repr::Fields(problem.to_string())))
    }

    pub(crate) fn schema(problem: String) -> Self {
        Error(Box::new(Repr::Schema(problem)))
    }

    pub(crate) fn invalid(problems: Vec<Problem>) -> Self {
        Error(Box::new(Repr::Invalid(problems)))
    }

    pub(crate) fn managed_fields(problem: String) -> Self {
        Error(Box::new(Repr::ManagedFields(problem)))
    }

    pub(crate) fn forbidden(problem: &'static str) -> Self {
        Error(Box::new(Repr::Forbidden(problem)))
    }

    pub(crate) fn conversion(to: &str, source: ConvertError) -> Self {
        Error(Box::new(Repr::Conversion { to: to.to_owned(), source }))
    }

    pub(crate) fn missing(version: &str) -> Self {
        Error(Box::new(Repr::Missing(version.to_owned())))
    }

    pub(crate) fn conflict(conflicts: Conflicts) -> Self {
        Error(Box::new(Repr::Conflict(conflicts)))
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Repr::Fields(_) => ErrorKind::Fields,
            Repr::Schema(_) => ErrorKind::Schema,
            Repr::Invalid(_) => ErrorKind::Invalid,
            Repr::ManagedFields(_) => ErrorKind::ManagedFields,
            Repr::Forbidden(_) => ErrorKind::Forbidden,
            Repr::Conversion { .. } | Repr::Missing(_) => ErrorKind::Conversion,
            Repr::Conflict(_) => ErrorKind::Conflict,
        }
    }

    /// Whether a text is no set of fields.
    pub fn is_fields(&self) -> bool {
        self.kind() == ErrorKind::Fields
    }

    /// Whether a schema says what none can.
    pub fn is_schema(&self) -> bool {
        self.kind() == ErrorKind::Schema
    }

    /// Whether an object does not follow its schema; [`problems`](Self::problems) says where.
    pub fn is_invalid(&self) -> bool {
        self.kind() == ErrorKind::Invalid
    }

    /// Whether `metadata.managedFields` holds what it cannot.
    pub fn is_managed_fields(&self) -> bool {
        self.kind() == ErrorKind::ManagedFields
    }

    /// Whether a configuration says what none may.
    pub fn is_forbidden(&self) -> bool {
        self.kind() == ErrorKind::Forbidden
    }

    /// Whether an object cannot be had in another version.
    pub fn is_conversion(&self) -> bool {
        self.kind() == ErrorKind::Conversion
    }

    /// Whether others own fields that would change; [`conflicts`](Self::conflicts) says who and which.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// What is wrong with an object that does not follow its schema.
    pub fn problems(&self) -> &[Problem] {
        match &*self.0 {
            Repr::Invalid(problems) => problems,
            _ => &[],
        }
    }

    /// The fields that others own.
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
            Repr::Conversion { to, source } => {
                write!(f, "cannot convert the object to {to}: {}", WithCauses(&**source))
            }
            Repr::Missing(version) => write!(f, "there is no version {version}"),
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

/// Its text holds the causes.
impl StdError for Error {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}
