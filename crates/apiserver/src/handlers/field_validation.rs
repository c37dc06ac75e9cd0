//! [`FieldValidation`], the treatment of unknown and duplicate fields.

/// The treatment of fields that are unknown or occur twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}
