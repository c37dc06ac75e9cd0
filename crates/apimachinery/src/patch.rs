//! The patches Kubernetes understands, over JSON values.
//!
//! - [`json`]: JSON patch (RFC 6902), with the liberties the API server takes;
//! - [`merge`]: JSON merge patch (RFC 7386), and the three-way one by which custom resources are applied;
//! - [`strategic`]: strategic merge patch, which knows the lists of built-in types, and the three-way one by
//!   which they are applied.

pub mod json;
pub mod merge;
pub mod strategic;

use std::fmt;

use serde_json::Value;

/// A value as Go's `%v` prints it, which is how the API server quotes values in messages.
pub struct GoValue<'a>(pub &'a Value);

impl fmt::Display for GoValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separated =
            |f: &mut fmt::Formatter<'_>, index: usize| if index > 0 { f.write_str(" ") } else { Ok(()) };
        match self.0 {
            Value::Null => f.write_str("<nil>"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(value) => value.fmt(f),
            Value::String(text) => f.write_str(text),
            Value::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    separated(f, index)?;
                    GoValue(item).fmt(f)?;
                }
                f.write_str("]")
            }
            Value::Object(entries) => {
                f.write_str("map[")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    separated(f, index)?;
                    write!(f, "{key}:{}", GoValue(value))?;
                }
                f.write_str("]")
            }
        }
    }
}
