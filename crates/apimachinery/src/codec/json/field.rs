//! Reads one field of a JSON object, and no further.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::key::Is;
use crate::codec::field_path::Step;

/// The value at a path of names as a string: of a string, a number or a boolean. Of duplicate names the first counts.
pub(crate) fn text_at<'a>(bytes: &'a [u8], steps: &[Step]) -> Option<Cow<'a, str>> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // It fails on purpose to stop at the value.
    let _ = Look { steps, found: &mut found }.deserialize(&mut json);
    text(found?)
}

/// The JSON of a top-level field.
pub(crate) fn field<'a>(bytes: &'a [u8], name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // It fails on purpose to stop at the value.
    let _ = Look { steps: &[Step::Key(name.into())], found: &mut found }.deserialize(&mut json);
    found
}

fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'{' | b'[' | b'n' => None,
        b'"' if json.contains('\\') => serde_json::from_str(json).ok().map(Cow::Owned),
        b'"' => Some(Cow::Borrowed(&json[1..json.len() - 1])),
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Searches for the remaining steps.
struct Look<'s, 'de> {
    steps: &'s [Step],
    found: &'s mut Option<&'de str>,
}

impl<'de> DeserializeSeed<'de> for Look<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            *self.found = Some(<&RawValue>::deserialize(deserializer)?.get());
            return Ok(());
        }
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.steps.split_first() else { return Ok(()) };
        while let Some(found) = map.next_key_seed(Is(step.name()))? {
            if !found {
                map.next_value::<de::IgnoredAny>()?;
                continue;
            }
            map.next_value_seed(Look { steps: rest, found: self.found })?;
            return Err(de::Error::custom("it is found, or not there"));
        }
        Ok(())
    }
}
