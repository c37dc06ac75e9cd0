//! Objects as JSON values, read and written by the schemas of their types.
//!
//! The API server has no struct for a Pod: its type is a table. [`parse`](parse()) reads JSON and records duplicate
//! keys, [`decode`](decode()) brings a value into the form that Go would give it (unknown fields dropped and recorded,
//! empty ones left out, quantities canonical), [`encode`](encode()) writes fields in Go's order.

mod decode;
mod depth;
mod embedded;
mod encode;
mod numbers;
mod parse;
mod path;
mod strict;
pub mod syntax;
mod text;

pub use decode::{Decoded, UnmarshalTypeError, decode, decode_with_numbers, empty};
pub use depth::{MAX_OBJECT_DEPTH, exceeds_parse_depth, is_too_deep};
pub use encode::{encode, encode_untyped, encode_value};
pub use numbers::Numbers;
pub use parse::{Parsed, parse};
pub use path::{at, at_mut, list_at, map_at, push_field, set, text_at};
pub use strict::{Target, strict_errors};

use serde_json::Value;

use crate::schema::Schema;

/// The maximum number of unknown and duplicate fields that are reported for one object, as upstream's. Each is reported
/// with its whole path, which may be long.
pub const MAX_STRICT_ERRORS: usize = 100;

/// A JSON object.
pub type Map = serde_json::Map<String, Value>;

/// Returns true for the type whose structs have `apiVersion` and `kind` within another object: the claims of a
/// StatefulSet, and no others.
fn names_its_kind(schema: &Schema) -> bool {
    (schema.package, schema.name) == ("core/v1", "PersistentVolumeClaim")
}
