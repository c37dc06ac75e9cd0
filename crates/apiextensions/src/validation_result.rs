//! [`ValidationResult`], the result of validating a value against a schema.

use std::collections::HashSet;

use klient_apimachinery::go::{json_float, quoted};
use klient_apimachinery::validation::field::FieldError;
use serde_json::Value;

use super::data::Data;
use super::path::child;

/// Go's output for a nil path.
pub(super) const NO_PATH: &str = "<nil>";

/// The result of validating a value against a schema.
#[derive(Debug, Default)]
pub(super) struct ValidationResult {
    pub(super) errors: Vec<ValidationError>,
    /// The number of comparisons that succeeded; of several schemas that all reject a value, the errors of the one
    /// with the most are reported.
    pub(super) matches: usize,
}

impl ValidationResult {
    pub(super) fn merge(&mut self, other: ValidationResult) {
        self.errors.extend(other.errors);
        self.matches += other.matches;
    }

    pub(super) fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors as field errors below a path, without duplicates.
    pub(super) fn errors(self, path: Option<&str>) -> Vec<FieldError> {
        let mut said = HashSet::new();
        let new = self.errors.into_iter().filter(|error| said.insert(error.message.clone()));
        new.map(|error| error.error(path)).collect()
    }
}

impl From<ValidationError> for ValidationResult {
    fn from(error: ValidationError) -> Self {
        ValidationResult { errors: vec![error], matches: 0 }
    }
}

/// A violation of a schema.
#[derive(Debug)]
pub(super) struct ValidationError {
    path: String,
    kind: Kind,
    message: String,
}

#[derive(Debug)]
enum Kind {
    Required,
    NotSupported(Value, Vec<String>),
    TooLong(i64),
    TooMany(usize, usize),
    Type(&'static str),
    TypeOf(String),
    Invalid(Value),
    Shown(String),
    /// Not related to a field.
    General,
}

impl ValidationError {
    fn new(path: &str, kind: Kind, message: String) -> Self {
        ValidationError { path: path.to_owned(), kind, message }
    }

    /// A required field below the path.
    pub(super) fn required(path: &str, name: &str) -> Self {
        // Without a path, Go puts a dot before the field name.
        let path = format!("{path}.{name}");
        let message = format!("{path} in body is required");
        Self::new(&path, Kind::Required, message)
    }

    pub(super) fn not_supported(path: &str, value: Value, allowed: &[Value]) -> Self {
        let allowed = allowed.iter().map(|value| match Data::from(value) {
            Data::Text(text) => text.to_owned(),
            Data::Number(number) => json_float(number),
            _ => value.to_string(),
        });
        let allowed: Vec<String> = allowed.collect();
        let message = format!("{path} in body should be one of [{}]", allowed.join(" "));
        Self::new(path, Kind::NotSupported(value, allowed), message)
    }

    pub(super) fn too_long(path: &str, max: i64) -> Self {
        Self::new(path, Kind::TooLong(max), format!("{path} in body should be at most {max} chars long"))
    }

    /// Too many elements, such as `items`.
    pub(super) fn too_many(path: &str, len: usize, max: i64, of: &str) -> Self {
        let message = format!("{path} in body should have at most {max} {of}");
        Self::new(path, Kind::TooMany(len, usize::try_from(max).unwrap_or_default()), message)
    }

    /// A value of type `actual`, which Go reports instead of the value.
    pub(super) fn wrong_type(path: &str, expected: &str, actual: &'static str) -> Self {
        Self::new(
            path,
            Kind::Type(actual),
            format!("{path} in body must be of type {expected}: {}", quoted(actual)),
        )
    }

    pub(super) fn wrong_format(path: &str, format: &str, text: &str) -> Self {
        let message = format!("{path} in body must be of type {format}: {}", quoted(text));
        Self::new(path, Kind::TypeOf(text.to_owned()), message)
    }

    pub(super) fn invalid(path: &str, value: impl Into<Value>, message: String) -> Self {
        Self::new(path, Kind::Invalid(value.into()), message)
    }

    /// An invalid value reported as a string of its own, not as JSON.
    pub(super) fn shown(path: &str, shown: impl Into<String>, message: String) -> Self {
        Self::new(path, Kind::Shown(shown.into()), message)
    }

    pub(super) fn general(message: String) -> Self {
        Self::new("", Kind::General, message)
    }

    fn error(self, parent: Option<&str>) -> FieldError {
        let own = self.path.strip_prefix('.').unwrap_or(&self.path);
        let path = match (parent, own) {
            (None, "") => NO_PATH.to_owned(),
            (Some(parent), "") => parent.to_owned(),
            (None, own) => own.to_owned(),
            (Some(parent), own) => child(parent, own),
        };
        match self.kind {
            Kind::Required => FieldError::required(path, ""),
            Kind::NotSupported(value, allowed) => {
                let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
                FieldError::not_supported(path, value, &allowed)
            }
            Kind::TooLong(max) => FieldError::too_long(path, usize::try_from(max).unwrap_or_default()),
            Kind::TooMany(len, max) => too_many(path, len, max),
            Kind::Type(actual) => FieldError::type_invalid(path, actual, self.message),
            Kind::TypeOf(text) => FieldError::type_invalid(path, text, self.message),
            Kind::Invalid(value) => FieldError::invalid(path, value, self.message),
            Kind::Shown(shown) => FieldError::invalid_shown(path, shown, self.message),
            Kind::General => FieldError::invalid(path, "", self.message),
        }
    }
}

/// Too many items; the message includes their number, as in Go.
pub(super) fn too_many(path: impl Into<String>, len: usize, max: usize) -> FieldError {
    let items = if max == 1 { "item" } else { "items" };
    FieldError::too_many(path, format!("{len}: must have at most {max} {items}"))
}

/// The error reported instead of validation rules that were not evaluated, because other rules are broken.
pub(super) fn unchecked_expressions(errors: &[FieldError]) -> Option<FieldError> {
    const BLOCKING: [&str; 5] = [
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    ];
    let message = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    let blocked = errors.iter().any(|error| BLOCKING.contains(&error.reason()));
    blocked.then(|| FieldError::invalid(NO_PATH, Value::Null, message))
}
