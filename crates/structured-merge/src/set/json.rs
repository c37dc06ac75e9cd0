//! Serialization of a set as JSON, `FieldsV1`.
//!
//! An object has an entry for each element; `{}` means that it is in the set, `{".":{},…}` that it is and has others
//! below. Parsing is one pass over the input that allocates the set only.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{Entry, FieldSet, shared};
use crate::{Error, PathElement};

impl FieldSet {
    /// Parses the JSON of `fieldsV1`, its entries in any order. Entries of unknown types are left out; of duplicate
    /// entries, the last one counts.
    ///
    /// # Errors
    ///
    /// [`is_fields`](Error::is_fields) if the JSON is not valid, or nested deeper than 127 levels.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::fields(&error))
    }

    /// The JSON of `fieldsV1`, as Kubernetes writes it.
    ///
    /// ```
    /// use klient_structured_merge::FieldSet;
    /// let set = FieldSet::from_json(r#"{"f:b": {"f:c": {}, ".": {}}, "f:a": {}}"#)?;
    /// assert_eq!(set.to_json(), r#"{"f:a":{},"f:b":{".":{},"f:c":{}}}"#);
    /// # Ok::<(), klient_structured_merge::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("keys are strings and a String takes all bytes")
    }
}

impl Serialize for FieldSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Contents { set: Some(self), own: false }.serialize(serializer)
    }
}

struct Contents<'a> {
    set: Option<&'a FieldSet>,
    /// True if the field that contains this level is in the set.
    own: bool,
}

impl Serialize for Contents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(set) = self.set {
            if self.own {
                map.serialize_entry(".", &Contents { set: None, own: false })?;
            }
            for entry in &set.entries {
                let contents = Contents { set: entry.below.as_deref(), own: entry.member };
                map.serialize_entry(&entry.element.to_text(), &contents)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FieldSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Level.deserialize(deserializer).map(|(set, _)| set)
    }
}

/// Reads one level, and the membership of the field that contains it.
struct Level;

impl<'de> DeserializeSeed<'de> for Level {
    type Value = (FieldSet, bool);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = (FieldSet, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of fields")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok((FieldSet::EMPTY, true))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut own = false;
        while let Some(Name(key)) = access.next_key()? {
            if key == "." {
                own = true;
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            let Some(element) = PathElement::parse(&key).map_err(A::Error::custom)? else {
                access.next_value::<IgnoredAny>()?;
                continue;
            };
            let (below, member) = access.next_value_seed(Level)?;
            entries.push(Entry { element, member, below: shared(below) });
        }
        let set = FieldSet::from_unsorted(entries);
        let member = own || set.is_empty();
        Ok((set, member))
    }
}

/// A key, borrowed from the input where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, written: &str) {
        let set = FieldSet::from_json(json).expect("it is a set");
        assert_eq!(set.to_json(), written);
        assert_eq!(FieldSet::from_json(written).expect("it is a set"), set);
        let value = serde_json::to_value(&set).expect("it is JSON");
        assert_eq!(FieldSet::deserialize(&value).expect("it is a set"), set);
    }

    #[test]
    fn sets_are_written_in_the_order_of_elements() {
        check(
            r#"{"i:1":{},"v:\"b\"":{},"v:2":{},"k:{\"n\":1}":{"f:x":{},".":{}},"f:b":{},"f:a":{"f:c":{}}}"#,
            r#"{"f:a":{"f:c":{}},"f:b":{},"k:{\"n\":1}":{".":{},"f:x":{}},"v:2":{},"v:\"b\"":{},"i:1":{}}"#,
        );
        check("{}", "{}");
        check("null", "{}");
        check(r#"{".":{}}"#, "{}");
        check(r#"{"f:\u0001\"<":null}"#, r#"{"f:\u0001\"<":{}}"#);
        check(r#"{"v:\"<\"":{}}"#, r#"{"v:\"\\u003c\"":{}}"#);
    }

    #[test]
    fn what_stands_twice_or_is_not_known_is_left_out() {
        check(r#"{"f:a":{"x:b":[1,{}]},"y:":1}"#, r#"{"f:a":{}}"#);
        check(r#"{"f:b":{},"f:a":{"f:x":{}},"f:a":{"f:y":{}}}"#, r#"{"f:a":{"f:y":{}},"f:b":{}}"#);
        check(r#"{"f:a":{"f:x":{}},"f:a":{}}"#, r#"{"f:a":{".":{},"f:x":{}}}"#);
        check(r#"{"v:1":{},"v:1.0":{}}"#, r#"{"v:1":{}}"#);
    }

    #[test]
    fn hostile_text_is_an_error() {
        let deep = format!("{}null{}", r#"{"f:a":"#.repeat(200), "}".repeat(200));
        for (json, problem) in [
            ("", "EOF while parsing a value"),
            (r#"{"f:a":1}"#, "expected an object of fields"),
            (r#"{"f:a":{}} x"#, "trailing characters"),
            (r#"{"fa":{}}"#, "missing colon: fa"),
            (r#"{"k:{":{}}"#, "EOF while parsing an object"),
            (r#"["f:a"]"#, "expected an object of fields"),
            (&*deep, "recursion limit exceeded"),
        ] {
            let error = FieldSet::from_json(json).expect_err("it is no set");
            assert!(error.is_fields());
            assert!(error.to_string().contains(problem), "{error}");
        }
        let many: String = (0..20_000).rev().map(|n| format!(r#""i:{n}":{{}},"#)).collect();
        let many = FieldSet::from_json(&format!(r#"{{{many}"f:a":{{}}}}"#)).expect("it is a set");
        assert_eq!(many.len(), 20_001);
    }
}
