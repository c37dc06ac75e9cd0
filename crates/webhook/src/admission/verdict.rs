//! [`Allowed`] and [`Denied`], the answers of handlers.

use std::error::Error;
use std::fmt;

use klient_api::admission::v1::AdmissionResponse;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause};
use klient_apimachinery::{Map, Str, WithCauses};

/// The object of an [`Allowed`] write that is not changed: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {}

/// The answer of a handler that allows a write. That of a mutating one may have the object with its changes.
///
/// ```
/// use klient_webhook::Allowed;
/// let answer = Allowed::new().warning("spec.theme is deprecated: use spec.style").audit_annotation("theme", "dark");
/// ```
#[derive(Clone, Debug)]
pub struct Allowed<K = Unchanged> {
    pub(super) object: Option<K>,
    message: Option<Str>,
    notes: Notes,
}

/// The parts that all answers may have.
#[derive(Clone, Debug, Default)]
struct Notes {
    warnings: Vec<Str>,
    audit_annotations: Map<Str>,
}

impl Allowed {
    /// Allows a write as it is.
    pub fn new() -> Self {
        Self::unchanged()
    }
}

impl Default for Allowed {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Allowed<K> {
    /// Allows a write as it is, for handlers that change objects of other requests.
    pub fn unchanged() -> Self {
        Allowed { object: None, message: None, notes: Notes::default() }
    }

    /// Allows a write with changes: the fields in which the object differs from that of the request. Fields that the type
    /// does not know stay as they are.
    #[doc(alias = "PatchResponseFromRaw")]
    pub fn changed(object: K) -> Self {
        Allowed { object: Some(object), ..Self::unchanged() }
    }

    /// Adds a message, which servers ignore.
    pub fn message(mut self, message: impl Into<Str>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Adds a warning for the user, which kubectl prints: at most 256 characters, in words about the object.
    pub fn warning(mut self, warning: impl Into<Str>) -> Self {
        self.notes.warnings.push(warning.into());
        self
    }

    /// Adds an annotation to the audit event of the write; the server puts the name of the webhook in front of the key.
    pub fn audit_annotation(mut self, key: &str, value: impl Into<Str>) -> Self {
        self.notes.audit_annotations.insert(key, value.into());
        self
    }

    pub(super) fn into_response(self) -> AdmissionResponse {
        let status = self.message.map(|message| {
            Box::new(Status { code: Some(200), message: Some(message), ..Default::default() })
        });
        self.notes.add_to(AdmissionResponse { allowed: true, status, ..Default::default() })
    }
}

impl Notes {
    fn add_to(self, response: AdmissionResponse) -> AdmissionResponse {
        let Notes { warnings, audit_annotations } = self;
        AdmissionResponse { warnings, audit_annotations, ..response }
    }
}

/// The answer of a handler that denies a write. `?` makes one of any error, for a handler that cannot decide: code 500.
///
/// ```
/// use klient_apimachinery::meta::Reason;
/// use klient_webhook::Denied;
///
/// let forbidden = Denied::new("websites are frozen until Monday");
/// let invalid = Denied::of(Reason::Invalid, "the website is not valid")
///     .cause("spec.replicas", "FieldValueInvalid", "must be less than 10");
///
/// fn number(text: &str) -> Result<u8, Denied> {
///     Ok(text.parse()?)
/// }
/// assert_eq!(number("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
// No `std::error::Error`, so that `?` takes any error that is one.
#[derive(Clone)]
pub struct Denied(Box<Denial>);

#[derive(Clone)]
struct Denial {
    status: Status,
    notes: Notes,
}

impl Denied {
    /// Denies a write with code 403. The user gets the message after `admission webhook "NAME" denied the request: `.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(Reason::Forbidden, message)
    }

    /// Denies a write with a reason and its code.
    pub fn of(reason: Reason, message: impl Into<String>) -> Self {
        Denied(Box::new(Denial { status: Status::failure(reason, message), notes: Notes::default() }))
    }

    /// Replaces the code, which is 400 at least.
    pub fn code(mut self, code: u16) -> Self {
        self.0.status.code = Some(code.into());
        self
    }

    /// Adds the field at fault, such as `spec.replicas`, with a reason such as `FieldValueInvalid`.
    pub fn cause(mut self, field: &str, reason: &str, message: impl Into<Str>) -> Self {
        let cause = StatusCause {
            field: Some(field.into()),
            reason: Some(reason.into()),
            message: Some(message.into()),
            ..Default::default()
        };
        self.0.status.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// Adds a warning: see [`Allowed::warning`].
    pub fn warning(mut self, warning: impl Into<Str>) -> Self {
        self.0.notes.warnings.push(warning.into());
        self
    }

    /// Adds an annotation of the audit event: see [`Allowed::audit_annotation`].
    pub fn audit_annotation(mut self, key: &str, value: impl Into<Str>) -> Self {
        self.0.notes.audit_annotations.insert(key, value.into());
        self
    }

    pub(crate) fn into_response(self) -> AdmissionResponse {
        let Denial { status, notes } = *self.0;
        notes.add_to(AdmissionResponse { status: Some(Box::new(status)), ..Default::default() })
    }
}

impl<E: Error> From<E> for Denied {
    fn from(error: E) -> Self {
        Self::of(Reason::InternalError, WithCauses(&error).to_string())
    }
}

/// The message.
impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.status.message.as_deref().unwrap_or_default())
    }
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Denied({}: {self})", self.0.status.code.unwrap_or_default())
    }
}
