//! Field paths in errors.

use std::fmt::Display;

/// The path of a field below another.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The path of an item of a list, or of an entry of a map.
pub(super) fn key(path: &str, key: impl Display) -> String {
    format!("{path}[{key}]")
}
