//! Removal of `managedFields` from an object's JSON.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::key::Is;
use super::{is_cut, value_at};
use crate::codec::DecodeError;

const KEY: &[u8] = br#""managedFields""#;

/// An object's bytes, and their length in the input.
type Item = (Box<[u8]>, usize);

/// Copies the object at the beginning of `bytes` without its `metadata.managedFields`, and returns its length in the
/// input; `None` if the bytes end within it. An object without them, or with a value of another type, is copied
/// unchanged.
pub(crate) fn item_without_managed_fields(bytes: &[u8]) -> Result<Option<Item>, DecodeError> {
    let mut found = Found::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match (Look { is_metadata: false, found: &mut found }).deserialize(&mut json) {
        Ok(()) => {}
        Err(error) if is_cut(&error, bytes) => return Ok(None),
        // Metadata may be of another type, such as null. This reports the syntax error, if there is one.
        Err(_) => return Ok(value_at(bytes)?.map(|value| (value.into(), value.len()))),
    }
    let end = json.into_iter::<IgnoredAny>().byte_offset();
    let object = &bytes[..end];
    std::str::from_utf8(object).map_err(|_| DecodeError::of_document("it is not UTF-8"))?;
    let begin = object.iter().position(|byte| *byte == b'{').unwrap_or_default();
    // Of duplicate fields the last one counts, so that removing one would uncover another.
    let cut = found.last.filter(|_| found.count == 1).and_then(|value| {
        let at = value.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        member(object, at..at + value.len())
    });
    let copy = match cut {
        None => object[begin..].into(),
        Some(cut) => [&object[begin..cut.start], &object[cut.end..]].concat().into_boxed_slice(),
    };
    Ok(Some((copy, end)))
}

/// The range of an object's member with one adjacent comma, from the range of its value.
fn member(object: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let before = object.get(..value.start)?.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end();
    let before = before.strip_suffix(KEY)?;
    let begin = before.len();
    let before = before.trim_ascii_end();
    if before.ends_with(b",") {
        return Some(before.len() - 1..value.end);
    }
    let after = object.get(value.end..)?.trim_ascii_start();
    match after.strip_prefix(b",") {
        Some(after) => Some(begin..object.len() - after.len()),
        None => Some(begin..value.end),
    }
}

/// The occurrences of `managedFields`.
#[derive(Default)]
struct Found<'de> {
    last: Option<&'de str>,
    count: usize,
}

/// The object in which `managedFields` is searched: the top-level object, or its metadata.
struct Look<'m, 'de> {
    is_metadata: bool,
    found: &'m mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Look<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Look { is_metadata, found } = self;
        while let Some(is_it) =
            map.next_key_seed(Is(if is_metadata { "managedFields" } else { "metadata" }))?
        {
            if !is_it {
                map.next_value::<IgnoredAny>()?;
            } else if is_metadata {
                found.last = Some(map.next_value::<&RawValue>()?.get());
                found.count += 1;
            } else {
                map.next_value_seed(Look { is_metadata: true, found })?;
            }
        }
        Ok(())
    }
}
