//! Objects as JSON values, read and written by the tables of their types.
//!
//! The server holds no typed Pod: what a type is, is data. [`parse`] reads JSON and notes keys that stand twice,
//! [`decode`] brings a value into the form Go would give it (unknown fields dropped and noted, empty ones left
//! out, quantities made canonical), [`encode`] writes fields in Go's order.

mod decode;
mod encode;
mod parse;
mod path;
pub(crate) mod syntax;

pub(crate) use decode::{Decoded, Mismatch, decode, empty};
pub(crate) use encode::{encode, plain};
pub(crate) use parse::parse;
pub(crate) use path::{at, at_mut, list_at, map_at, text_at};

use serde_json::Value;

/// A JSON object.
pub(crate) type Map = serde_json::Map<String, Value>;
