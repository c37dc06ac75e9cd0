//! [`FieldError`], a validation error of a field.

use std::fmt;

use serde_json::Value;

use crate::go::quoted;

/// A validation error of a field, in the words of `k8s.io/apimachinery/pkg/util/validation/field`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// The path, such as `spec.containers[0].name`.
    pub field: String,
    kind: Kind,
    detail: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Required,
    Invalid(Value),
    /// An invalid value shown as this string.
    InvalidShown(String),
    TypeInvalid(Value),
    NotSupported(Value),
    Duplicate(Value),
    DuplicateShown(String),
    Forbidden,
    TooLong,
    TooMany,
    NotFound(Value),
    /// An invalid value that is not shown.
    InvalidOmitted,
    /// A duplicate that is not shown.
    DuplicateOmitted,
    Internal,
}

impl FieldError {
    fn new(field: impl Into<String>, kind: Kind, detail: impl Into<String>) -> Self {
        FieldError { field: field.into(), kind, detail: detail.into() }
    }

    /// A required value is missing.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::new(field, Kind::Required, detail)
    }

    /// An invalid value, shown in the message.
    pub fn invalid(field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        Self::new(field, Kind::Invalid(value.into()), detail)
    }

    /// An invalid value, shown as `shown` instead of its JSON.
    pub fn invalid_shown(
        field: impl Into<String>,
        shown: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(field, Kind::InvalidShown(shown.into()), detail)
    }

    /// A value of the wrong type.
    pub fn type_invalid(
        field: impl Into<String>,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(field, Kind::TypeInvalid(value.into()), detail)
    }

    /// A value that is not one of those allowed.
    pub fn not_supported(field: impl Into<String>, value: impl Into<Value>, allowed: &[&str]) -> Self {
        let allowed: Vec<String> = allowed.iter().map(quoted).collect();
        let detail = if allowed.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", allowed.join(", "))
        };
        Self::new(field, Kind::NotSupported(value.into()), detail)
    }

    /// A duplicate of a value that must be unique.
    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(field, Kind::Duplicate(value.into()), "")
    }

    /// A duplicate, shown as `shown` instead of its JSON.
    pub fn duplicate_shown(field: impl Into<String>, shown: String) -> Self {
        Self::new(field, Kind::DuplicateShown(shown), "")
    }

    /// An invalid value that is not shown, such as a whole object.
    pub fn invalid_omitted(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, Kind::InvalidOmitted, detail)
    }

    /// A duplicate that is not shown.
    pub fn duplicate_omitted(field: impl Into<String>) -> Self {
        Self::new(field, Kind::DuplicateOmitted, "")
    }

    /// A problem that is not the client's.
    pub fn internal(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, Kind::Internal, detail)
    }

    /// A field that must not be set.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, Kind::Forbidden, detail)
    }

    /// A string of more than `max` bytes.
    pub fn too_long(field: impl Into<String>, max: usize) -> Self {
        Self::new(field, Kind::TooLong, format!("may not be more than {max} bytes"))
    }

    /// A list with too many items.
    pub fn too_many(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, Kind::TooMany, detail)
    }

    /// A reference to an object that does not exist.
    pub fn not_found(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(field, Kind::NotFound(value.into()), "")
    }

    /// The value of `reason` in a cause of a `Status`.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            Kind::Required => "FieldValueRequired",
            Kind::Invalid(_) | Kind::InvalidShown(_) | Kind::InvalidOmitted => "FieldValueInvalid",
            Kind::TypeInvalid(_) => "FieldValueTypeInvalid",
            Kind::NotSupported(_) => "FieldValueNotSupported",
            Kind::Duplicate(_) | Kind::DuplicateShown(_) | Kind::DuplicateOmitted => "FieldValueDuplicate",
            Kind::Forbidden => "FieldValueForbidden",
            Kind::TooLong => "FieldValueTooLong",
            Kind::TooMany => "FieldValueTooMany",
            Kind::NotFound(_) => "FieldValueNotFound",
            Kind::Internal => "InternalError",
        }
    }

    /// The message with the field, and without a value that [`invalid_shown`](Self::invalid_shown) was given: such a value is
    /// a whole struct of the object, as the rule of which the message quotes the part that is wrong.
    pub fn brief(&self) -> String {
        match self.kind {
            Kind::InvalidShown(_) => format!("{}: {}", self.field, self.detail),
            _ => self.to_string(),
        }
    }

    /// The message without the field.
    pub fn body(&self) -> String {
        let head = match &self.kind {
            Kind::Required => "Required value".to_owned(),
            Kind::Invalid(value) | Kind::TypeInvalid(value) => format!("Invalid value: {}", shown(value)),
            Kind::InvalidShown(shown) => format!("Invalid value: {shown}"),
            Kind::NotSupported(value) => format!("Unsupported value: {}", shown(value)),
            Kind::Duplicate(value) => format!("Duplicate value: {}", shown(value)),
            Kind::DuplicateShown(shown) => format!("Duplicate value: {shown}"),
            Kind::Forbidden => "Forbidden".to_owned(),
            Kind::TooLong => "Too long".to_owned(),
            Kind::TooMany => "Too many".to_owned(),
            Kind::NotFound(value) => format!("Not found: {}", shown(value)),
            Kind::InvalidOmitted => "Invalid value".to_owned(),
            Kind::DuplicateOmitted => "Duplicate value".to_owned(),
            Kind::Internal => "Internal error".to_owned(),
        };
        if self.detail.is_empty() { head } else { format!("{head}: {}", self.detail) }
    }
}

/// A value as messages show it: a string as Go's `%q`, others as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        value => value.to_string(),
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A list of field errors (`field.ErrorList`).
#[derive(Default)]
pub struct ErrorList(pub Vec<FieldError>);

impl ErrorList {
    /// Adds an error.
    pub fn add(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Adds one error for each problem of a value.
    pub fn invalid(&mut self, field: &str, value: &str, problems: Vec<String>) {
        self.0.extend(problems.into_iter().map(|problem| FieldError::invalid(field, value, problem)));
    }
}
