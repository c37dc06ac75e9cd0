//! Keys of objects: [`ObjectKey`], and their strings.

pub use klient_apimachinery::{InvalidKey, ObjectKey};

/// Splits `NAMESPACE/NAME` or `NAME`; the namespace of the latter is empty.
pub(crate) fn split(key: &str) -> (&str, &str) {
    key.split_once('/').unwrap_or(("", key))
}
