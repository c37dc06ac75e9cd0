//! Protobuf encoding of API structs, written once for all of them.
//!
//! The output is that of Go, byte for byte: value fields even if they are zero, pointers only if they are set, maps
//! sorted by key. Zero is read as absent if Go's field is a value that JSON leaves out when empty. Fields that this
//! build does not know are kept as they came.

mod check;
mod cut;
mod decode;
mod encode;
mod envelope;
mod field;
mod frame;
pub(crate) mod wire;

pub(crate) use check::check;
pub(crate) use cut::without_managed_fields;
pub use decode::decode;
pub use encode::encode;
pub(crate) use envelope::read_type_meta;
pub use envelope::{Envelope, MAGIC, from_slice, list_to_vec, to_vec};
pub(crate) use field::value_at;
pub use frame::{Event, ListPart, fields, list_parts};
