//! Types of the fields of API objects.

mod clock;
mod instant;
mod int_or_string;
mod map;
mod quantity;
mod raw;
mod str;
mod time;

pub use clock::VirtualClock;
pub use int_or_string::IntOrString;
pub use map::{Iter as MapIter, Map};
pub use quantity::Quantity;
pub use raw::{ByteString, FieldsV1, InvalidBase64, Json, RawExtension};
pub use str::Str;
pub use time::{Duration, InvalidValue, MicroTime, Time};
