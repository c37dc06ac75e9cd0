//! [`rewritten`], a value of any serde format as JSON.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value as the JSON that [`serde_json::Value`] would write, with its fields in the order in which they come.
///
/// # Errors
///
/// Those of the deserializer, and for keys that are no strings.
pub(super) fn rewritten<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let mut json = Vec::new();
    Rewrite(&mut json).deserialize(deserializer)?;
    String::from_utf8(json).map_err(D::Error::custom)
}

/// Appends a value to JSON.
struct Rewrite<'o>(&'o mut Vec<u8>);

impl Rewrite<'_> {
    fn write<E: Error>(self, value: impl Serialize) -> Result<(), E> {
        serde_json::to_writer(self.0, &value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Rewrite<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rewrite<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.write(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.write(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let json = self.0;
        json.push(b'[');
        let begin = json.len();
        loop {
            let before = json.len();
            if before > begin {
                json.push(b',');
            }
            if seq.next_element_seed(Rewrite(json))?.is_none() {
                json.truncate(before);
                json.push(b']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let json = self.0;
        json.push(b'{');
        let begin = json.len();
        loop {
            let before = json.len();
            if before > begin {
                json.push(b',');
            }
            if map.next_key_seed(Key(json))?.is_none() {
                json.truncate(before);
                json.push(b'}');
                return Ok(());
            }
            json.push(b':');
            map.next_value_seed(Rewrite(json))?;
        }
    }
}

/// Appends a key to JSON.
struct Key<'o>(&'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        Rewrite(self.0).write(key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_rewritten_is_the_same_value() {
        for json in [
            "null",
            "[]",
            "{}",
            r#"[1,-1,1.5,1e+300,true,null,"",[[],{}]]"#,
            r#"{"b":{"f:a":{},".":{}},"a":["x\n\u0001é"],"\"k":18446744073709551615}"#,
        ] {
            let mut deserializer = serde_json::Deserializer::from_str(json);
            assert_eq!(rewritten(&mut deserializer).unwrap(), json);
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&rewritten(&value).unwrap()).unwrap(), value);
        }
        assert!(rewritten(&mut serde_json::Deserializer::from_str(r#"{"a":[1}"#)).is_err());
    }
}
