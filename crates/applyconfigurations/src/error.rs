//! [`Error`], a failure to read or extract a configuration.

use std::error::Error as StdError;
use std::fmt;

use klient_apimachinery::WithCauses;

use crate::subject::Subject;

/// A failure to read a configuration or to extract one from an object.
///
/// ```
/// # #[cfg(feature = "apps")] {
/// use klient_applyconfigurations::apps::v1::Deployment;
/// let yaml = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replica: 3}}";
/// let error = Deployment::from_yaml(yaml).unwrap_err();
/// assert!(error.is_invalid());
/// assert_eq!(error.to_string(), "apps/v1 Deployment: .spec.replica: field not declared in schema");
/// # }
/// ```
#[derive(Debug)]
pub struct Error(Box<Repr>);

#[derive(Debug)]
struct Repr {
    /// The kind or struct of the configuration.
    subject: String,
    problem: Cause,
}

#[derive(Debug)]
enum Cause {
    Syntax(Box<dyn StdError + Send + Sync>),
    Kind(String),
    Invalid(Vec<Problem>),
    ManagedFields(klient_structured_merge::Error),
}

/// The category of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is not valid JSON or YAML.
    Syntax,
    /// The configuration is of another kind or version, or lacks `apiVersion` or `kind`.
    WrongKind,
    /// A field is not declared, or has a value of another type.
    Invalid,
    /// The managed fields of an object cannot be read.
    ManagedFields,
}

/// A violation of the schema at one path.
#[derive(Debug)]
pub(crate) struct Problem {
    path: String,
    message: String,
}

impl Problem {
    pub(crate) fn new(path: &str, message: &str) -> Self {
        Problem { path: path.to_owned(), message: message.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.message)
    }
}

impl Error {
    fn new(subject: &Subject, problem: Cause) -> Self {
        Error(Box::new(Repr { subject: subject.to_string(), problem }))
    }

    pub(crate) fn syntax(subject: &Subject, source: impl StdError + Send + Sync + 'static) -> Self {
        Error::new(subject, Cause::Syntax(Box::new(source)))
    }

    pub(crate) fn wrong_kind(subject: &Subject, api_version: &str, kind: &str) -> Self {
        let problem = match (api_version, kind) {
            ("", _) => "apiVersion is not set".to_owned(),
            (_, "") => "kind is not set".to_owned(),
            _ => format!("it is {api_version} {kind}"),
        };
        Error::new(subject, Cause::Kind(problem))
    }

    pub(crate) fn invalid(subject: &Subject, problems: Vec<Problem>) -> Self {
        Error::new(subject, Cause::Invalid(problems))
    }

    pub(crate) fn managed_fields(subject: &Subject, source: klient_structured_merge::Error) -> Self {
        Error::new(subject, Cause::ManagedFields(source))
    }

    /// The category of the error.
    pub fn kind(&self) -> ErrorKind {
        match self.0.problem {
            Cause::Syntax(_) => ErrorKind::Syntax,
            Cause::Kind(_) => ErrorKind::WrongKind,
            Cause::Invalid(_) => ErrorKind::Invalid,
            Cause::ManagedFields(_) => ErrorKind::ManagedFields,
        }
    }

    /// Returns true if the input is not valid JSON or YAML.
    pub fn is_syntax(&self) -> bool {
        self.kind() == ErrorKind::Syntax
    }

    /// Returns true if the configuration is of another kind or version, or lacks `apiVersion` or `kind`.
    pub fn is_wrong_kind(&self) -> bool {
        self.kind() == ErrorKind::WrongKind
    }

    /// Returns true if a field is not declared, or has a value of another type.
    pub fn is_invalid(&self) -> bool {
        self.kind() == ErrorKind::Invalid
    }

    /// Returns true if the managed fields of an object cannot be read.
    pub fn is_managed_fields(&self) -> bool {
        self.kind() == ErrorKind::ManagedFields
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.subject)?;
        match &self.0.problem {
            Cause::Syntax(cause) => write!(f, "cannot be read: {}", WithCauses(&**cause)),
            Cause::Kind(problem) => f.write_str(problem),
            Cause::Invalid(problems) => {
                for (index, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if index > 0 { "; " } else { "" })?;
                }
                Ok(())
            }
            Cause::ManagedFields(cause) => write!(f, "its managedFields cannot be read: {cause}"),
        }
    }
}

/// The message includes the causes.
impl StdError for Error {}
