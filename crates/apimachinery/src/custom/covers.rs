//! [`covers`], which tells without building values that no received field is unknown.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Returns true if each field of a received object but its metadata is in the written one too, at any depth, so that there
/// is none to be added to it: see [`keep_unknown_fields`](super::merge::keep_unknown_fields). It is false in all cases of
/// doubt.
pub(super) fn covers(written: &[u8], received: &[u8]) -> bool {
    match (serde_json::from_slice(written), serde_json::from_slice(received)) {
        (Ok(Object(written)), Ok(Object(received))) => cover(&written, &received, false),
        _ => false,
    }
}

type Fields<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

/// The fields of an object that a type may not know.
struct Object<'a>(Fields<'a>);

/// JSON that borrows from its bytes.
#[derive(PartialEq)]
enum Node<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Fields<'a>),
}

/// Returns true if each received field is a written one. With `same`, the values that it was received with are the written
/// ones.
fn cover(written: &Fields<'_>, received: &Fields<'_>, same: bool) -> bool {
    received.iter().all(|(name, received)| {
        let written = written.iter().find(|(other, _)| other == name);
        written.is_some_and(|(_, written)| match (written, received) {
            (Node::Object(written), Node::Object(received)) => cover(written, received, same),
            // Items are matched by what is in them, which is unmistakable if all are what and where they were.
            (Node::List(written), Node::List(received)) => {
                written.len() == received.len() && is_same_list(written, received)
            }
            _ => !same || written == received,
        })
    })
}

fn is_same_list(written: &[Node<'_>], received: &[Node<'_>]) -> bool {
    written.iter().zip(received).all(|items| match items {
        (Node::Object(written), Node::Object(received)) => cover(written, received, true),
        (Node::List(written), Node::List(received)) => {
            written.len() == received.len() && is_same_list(written, received)
        }
        (written, received) => written == received,
    })
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Object)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Node::Text(name)) = map.next_key()? {
            match &*name {
                "apiVersion" | "kind" | "metadata" => drop(map.next_value::<IgnoredAny>()?),
                _ => fields.push((name, map.next_value()?)),
            }
        }
        Ok(fields)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Node::Text(name)) = map.next_key()? {
            fields.push((name, map.next_value()?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_covers_what_was_received_if_no_field_could_be_added_to_it() {
        for (received, written, expected) in [
            ("{}", "{}", true),
            // In any order, with other values, and with more.
            (r#"{"a": 1, "b": {"c": 2}}"#, r#"{"b": {"d": 0, "c": 3}, "a": "x"}"#, true),
            (r#"{"apiVersion": "v1", "kind": "A", "metadata": {"x": 1}}"#, "{}", true),
            // A value that is replaced by one of another type was set by the program.
            (r#"{"a": {"b": 1}}"#, r#"{"a": 1}"#, true),
            (r#"{"a": 1}"#, "{}", false),
            (r#"{"a": null}"#, "{}", false),
            (r#"{"a": {"b": 1}}"#, r#"{"a": {}}"#, false),
            // Items that are where they were, with the fields that they had.
            (r#"{"a": [{"n": "x", "t": 1}, 2]}"#, r#"{"a": [{"t": 1, "n": "x", "d": 0}, 2]}"#, true),
            (r#"{"a": [{"n": "x"}, {"n": "y"}]}"#, r#"{"a": [{"n": "y"}, {"n": "x"}]}"#, false),
            (r#"{"a": [{"n": "x"}]}"#, r#"{"a": [{"n": "x"}, {"n": "y"}]}"#, false),
            (r#"{"a": [{"n": "x", "u": 1}]}"#, r#"{"a": [{"n": "x"}]}"#, false),
            (r#"{"a": [[{"n": "x"}]]}"#, r#"{"a": [[{"n": "y"}]]}"#, false),
            (r#"{"a": "é"}"#, r#"{"a": "\u00e9"}"#, true),
            (r#"{"a": [1, -1, 1.5, true, null]}"#, r#"{"a": [1, -1, 1.5, true, null]}"#, true),
            ("[]", "{}", false),
            ("{", "{}", false),
        ] {
            assert_eq!(covers(written.as_bytes(), received.as_bytes()), expected, "{received} in {written}");
        }
    }
}
