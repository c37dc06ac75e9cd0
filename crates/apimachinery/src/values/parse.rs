//! JSON text to values, with a note of every key that stands twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{MOST_NOTES, Map, syntax};

/// Reads one JSON value. The second part of the answer names fields that stand twice, as `data.a`.
///
/// # Errors
///
/// What is wrong, in Go's words.
pub fn parse(text: &[u8]) -> Result<(Value, Vec<String>), String> {
    let mut reader = Reader::default();
    // As Go, which reads what is no UTF-8 and puts U+FFFD in its place.
    let lossy = String::from_utf8_lossy(text);
    let mut json = serde_json::Deserializer::from_str(&lossy);
    let value = Seed(&mut reader).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, reader.duplicates)),
        Err(error) => Err(syntax::problem(text).unwrap_or_else(|| match error.to_string() {
            // Go reads deeper, but here too there is an end.
            deep if deep.starts_with("recursion limit") => "exceeded max depth".to_owned(),
            other => other,
        })),
    }
}

#[derive(Default)]
struct Reader {
    path: String,
    duplicates: Vec<String>,
}

struct Seed<'a>(&'a mut Reader);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        let len = self.0.path.len();
        loop {
            self.0.path.push_str(&format!("[{}]", items.len()));
            let item = seq.next_element_seed(Seed(self.0))?;
            self.0.path.truncate(len);
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut noted = HashSet::new();
        let len = self.0.path.len();
        while let Some(key) = access.next_key::<String>()? {
            if len > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&key);
            if map.contains_key(&key)
                && self.0.duplicates.len() < MOST_NOTES
                && noted.insert(key.clone())
                && !self.0.duplicates.contains(&self.0.path)
            {
                self.0.duplicates.push(self.0.path.clone());
            }
            let value = access.next_value_seed(Seed(self.0))?;
            map.insert(key, value);
            self.0.path.truncate(len);
        }
        Ok(Value::Object(map))
    }
}
