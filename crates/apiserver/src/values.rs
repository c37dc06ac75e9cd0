//! Objects as JSON values, read and written by the tables of their types.
//!
//! The server holds no typed Pod: what a type is, is data. [`parse`] reads JSON and notes keys that stand twice,
//! [`decode`] brings a value into the form Go would give it (unknown fields dropped and noted, empty ones left
//! out, quantities made canonical), [`encode`] writes fields in Go's order.

mod decode;
mod depth;
mod encode;
mod parse;
mod path;
mod strict;
pub(crate) mod syntax;

pub(crate) use decode::{Decoded, Mismatch, decode, empty};
pub(crate) use depth::is_too_deep;
pub(crate) use encode::{encode, encode_value, plain};
pub(crate) use parse::parse;
pub(crate) use path::{at, at_mut, list_at, map_at, set, text_at};
pub(crate) use strict::{Target, strict_notes};

use serde_json::Value;

/// The most fields of one object of which is said that they are unknown or stand twice. Upstream says no more
/// either: each is named with the whole path to it, which may be long.
pub(crate) const MOST_NOTES: usize = 100;

/// A JSON object.
pub(crate) type Map = serde_json::Map<String, Value>;
