//! [`PathElement`], one step of a path to a field.

use klient_apimachinery::go::quoted;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Str;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::value;

/// One step of a path: from a value to a field or item in it.
///
/// The order of elements is Kubernetes': fields, keys, values, indices.
///
/// ```
/// use klient_structured_merge::PathElement;
/// let port = PathElement::key([("protocol", "TCP".into()), ("containerPort", 80.into())]);
/// assert_eq!(port.to_string(), r#"[containerPort=80,protocol="TCP"]"#);
/// assert_eq!(port.to_text(), r#"k:{"containerPort":80,"protocol":"TCP"}"#);
/// assert!(PathElement::field("spec") < port);
/// ```
#[derive(Clone, Debug)]
pub enum PathElement {
    /// The field of an object.
    Field(Str),
    /// The item of an associative list with these key fields.
    Key(Key),
    /// The item of a set with this value.
    Value(Arc<Value>),
    /// The item of a list at this index.
    Index(i64),
}

/// The key fields that identify an item of a list, sorted by name.
#[derive(Clone, Debug)]
pub struct Key(Arc<[(Str, Value)]>);

impl Key {
    /// The fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl PathElement {
    /// The field of an object.
    pub fn field(name: impl Into<Str>) -> Self {
        PathElement::Field(name.into())
    }

    /// The item with these key fields, given in any order.
    pub fn key<N: Into<Str>>(fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        let mut fields: Vec<(Str, Value)> =
            fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
        fields.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
        PathElement::Key(Key(fields.into()))
    }

    /// The item of a set with this value.
    pub fn value(value: impl Into<Value>) -> Self {
        PathElement::Value(Arc::new(value.into()))
    }

    /// The item at an index.
    pub const fn index(index: i64) -> Self {
        PathElement::Index(index)
    }

    /// The element as written in `managedFields`: `f:spec`, `k:{"name":"a"}`, `v:"a"`, `i:0`.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        match self {
            PathElement::Field(name) => {
                out.push_str("f:");
                out.push_str(name);
            }
            PathElement::Key(key) => {
                out.push_str("k:{");
                for (index, (name, value)) in key.0.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value::write_text(name, false, &mut out);
                    out.push(':');
                    value::write_json(value, &mut out);
                }
                out.push('}');
            }
            PathElement::Value(value) => {
                out.push_str("v:");
                value::write_json(value, &mut out);
            }
            PathElement::Index(index) => {
                out.push_str("i:");
                out.push_str(&index.to_string());
            }
        }
        out
    }

    /// Parses the output of [`to_text`](Self::to_text). `None` for an unknown element type, which a later Kubernetes
    /// version may add.
    ///
    /// # Errors
    ///
    /// The syntax error in the string.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let (ty, rest) = match text.as_bytes() {
            [ty, b':', ..] => (*ty, &text[2..]),
            [_, _, ..] => return Err(format!("missing colon: {text}")),
            _ => return Err(format!("a path element has at least 2 characters, not {}", quoted(text))),
        };
        let problem = |error: &dyn fmt::Display| format!("path element {}: {error}", quoted(text));
        match ty {
            b'f' => Ok(Some(PathElement::field(rest))),
            b'v' => match serde_json::from_str::<Value>(rest) {
                Ok(value) => Ok(Some(PathElement::value(value))),
                Err(error) => Err(problem(&error)),
            },
            b'k' => match serde_json::from_str::<KeyFields>(rest) {
                Ok(KeyFields(fields)) => Ok(Some(PathElement::key(fields))),
                Err(error) => Err(problem(&error)),
            },
            b'i' => match rest.parse() {
                Ok(index) => Ok(Some(PathElement::Index(index))),
                Err(error) => Err(problem(&error)),
            },
            _ => Ok(None),
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (PathElement::Field(left), PathElement::Field(right)) => left.as_str().cmp(right.as_str()),
            (PathElement::Key(left), PathElement::Key(right)) => left.cmp(right),
            (PathElement::Value(left), PathElement::Value(right)) => value::compare(left, right),
            (PathElement::Index(left), PathElement::Index(right)) => left.cmp(right),
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }
}

impl PathElement {
    fn rank(&self) -> u8 {
        match self {
            PathElement::Field(_) => 0,
            PathElement::Key(_) => 1,
            PathElement::Value(_) => 2,
            PathElement::Index(_) => 3,
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let fields = self.0.iter().zip(other.0.iter());
        let mut differences = fields.map(|((name, value), (other_name, other))| {
            name.as_str().cmp(other_name.as_str()).then_with(|| value::compare(value, other))
        });
        let first = differences.find(|order| order.is_ne());
        first.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// The form used in messages: `.spec`, `[name="a"]`, `[="a"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathElement::Field(name) => write!(f, ".{name}"),
            PathElement::Key(key) => {
                f.write_str("[")?;
                for (index, (name, value)) in key.fields().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{name}={}", value::show(value))?;
                }
                f.write_str("]")
            }
            PathElement::Value(value) => write!(f, "[={}]", value::show(value)),
            PathElement::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// The fields of a key as given in JSON; names may be duplicated.
struct KeyFields(Vec<(Str, Value)>);

impl<'de> serde::Deserialize<'de> for KeyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = KeyFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_unit<E>(self) -> Result<KeyFields, E> {
                Ok(KeyFields(Vec::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<KeyFields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = access.next_entry::<Str, &RawValue>()? {
                    fields.push((name, serde_json::from_str(value.get()).map_err(A::Error::custom)?));
                }
                Ok(KeyFields(fields))
            }
        }

        deserializer.deserialize_any(Fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_have_one_order() {
        let ordered = [
            PathElement::field("a"),
            PathElement::field("b"),
            PathElement::key([("a", json!(1))]),
            PathElement::key([("a", json!(1)), ("b", json!(1))]),
            PathElement::key([("a", json!("x"))]),
            PathElement::key([("b", json!(0))]),
            PathElement::value(1),
            PathElement::value("a"),
            PathElement::value(true),
            PathElement::value(Value::Null),
            PathElement::index(-1),
            PathElement::index(2),
        ];
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(left.cmp(right), at.cmp(&other), "{left} {right}");
            }
            assert_eq!(PathElement::parse(&left.to_text()).unwrap().as_ref(), Some(left));
        }
    }

    #[test]
    fn elements_are_read_in_every_spelling() {
        let parse = |text| PathElement::parse(text).unwrap().map(|element| element.to_string());
        for (text, shown) in [
            (r#"k:{"b": 1.0, "a":"x"}"#, r#"[a="x",b=1]"#),
            ("k:null", "[]"),
            ("i:+7", "[7]"),
            ("f:", "."),
            (r#"v: "a" "#, r#"[="a"]"#),
        ] {
            assert_eq!(parse(text).as_deref(), Some(shown), "{text}");
        }
        assert_eq!(parse("x:1"), None);
    }

    #[test]
    fn what_is_no_element_is_refused() {
        for (text, problem) in [
            ("f", r#"a path element has at least 2 characters, not "f""#),
            ("fa", "missing colon: fa"),
            ("i:x", r#"path element "i:x": invalid digit found in string"#),
            ("v:1 2", r#"path element "v:1 2": trailing characters at line 1 column 3"#),
            ("k:[]", r#"path element "k:[]": invalid type: sequence, expected an object at line 1 column 2"#),
        ] {
            assert_eq!(PathElement::parse(text).unwrap_err(), problem);
        }
        let deep = format!("v:{}", "[".repeat(100_000));
        assert!(PathElement::parse(&deep).is_err());
    }
}
