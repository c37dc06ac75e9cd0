//! [`path_at`], the path of the field at which a JSON document could not be decoded.
//!
//! It is found by the position of the error, so that a struct is decoded by one kind of deserializer only: one that
//! keeps track of the path would be compiled for every struct a second time.

use std::fmt::Write as _;

/// An object or list that contains a position.
enum Container<'a> {
    /// An object, with the key of the present value as it is in JSON.
    Object(Option<&'a [u8]>),
    /// A list, with the index of the present item.
    List(usize),
}

/// The path of the value with which the beginning of a document ends, such as `spec.pages[1].title`; empty for the whole document.
pub(super) fn path_at(read: &[u8]) -> String {
    let mut containers = Vec::new();
    let mut string: &[u8] = b"";
    let mut at = 0;
    while let Some(byte) = read.get(at) {
        match (byte, containers.last_mut()) {
            (b'{', _) => containers.push(Container::Object(None)),
            (b'[', _) => containers.push(Container::List(0)),
            (b'}' | b']', _) => drop(containers.pop()),
            (b':', Some(Container::Object(key))) => *key = Some(string),
            (b',', Some(Container::Object(key))) => *key = None,
            (b',', Some(Container::List(index))) => *index += 1,
            (b'"', _) => {
                let end = end_of_string(read, at);
                string = &read[at..end];
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for container in containers {
        match container {
            Container::Object(Some(key)) => {
                let key: String = serde_json::from_slice(key).unwrap_or_default();
                let dot = if path.is_empty() { "" } else { "." };
                write!(path, "{dot}{key}").expect("a String takes all");
            }
            Container::Object(None) => {}
            Container::List(index) => write!(path, "[{index}]").expect("a String takes all"),
        }
    }
    path
}

/// The number of bytes before the position of an error.
pub(super) fn offset(json: &[u8], error: &serde_json::Error) -> usize {
    let lines = json.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column()
}

/// The offset behind a string that begins at an offset.
fn end_of_string(json: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Thing {
        number: Option<i8>,
        list: Vec<Thing>,
        map: BTreeMap<String, Thing>,
        part: Option<Box<Part>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    struct Part {
        #[serde(rename = "id")]
        _id: u8,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is decoded only")]
    enum Kind {
        Plain,
        Sized(u8),
    }

    #[test]
    fn the_path_of_a_value_is_found_by_the_position_of_the_error() {
        for (json, path) in [
            (r#"{"number": "x"}"#, "number"),
            (r#"{"number": "x", "list": []}"#, "number"),
            (r#"{"number":300}"#, "number"),
            (r#"{"number": 1.5 }"#, "number"),
            (r#"{"number": []}"#, "number"),
            (r#"{"number":true}"#, "number"),
            (r#"{"list": [{}, {"number": {}}]}"#, "list[1].number"),
            (r#"{"list": [3]}"#, "list[0]"),
            (r#"{"list": [{"list": []}, {}, "x"]}"#, "list[2]"),
            (r#"{"list": {}}"#, "list"),
            (r#"{"map": {"a": {}, "b\"}\u0041]": {"number": "\\\" } ]"}}}"#, "map.b\"}A].number"),
            ("{\n\"map\": {\n\"é\": {\"number\":\n\"x\"}}}", "map.é.number"),
            // A field that is missing is one of the object that has ended.
            (r#"{"list": [{"part": {}}]}"#, "list[0].part"),
            (r#"{"part":{"other":{"x":1}}}"#, "part"),
            (r#"{"part": {"id": -1}}"#, "part.id"),
            (r#"{"list": [{"nothing": 1}]}"#, "list[0]"),
            (r#"{"kind": "Other"}"#, "kind"),
            (r#"{"kind": {"Sized": "x"}}"#, "kind.Sized"),
            ("3", ""),
            ("", ""),
            (r#"{"list": [{"number": 1"#, "list[0].number"),
            (r#"{"map": {"a": tru"#, "map.a"),
        ] {
            let error = serde_json::from_str::<Thing>(json).unwrap_err();
            let end = offset(json.as_bytes(), &error).min(json.len());
            assert_eq!(path_at(&json.as_bytes()[..end]), path, "{json}: {error}");
        }
        assert!(
            serde_json::from_str::<Thing>(r#"{"list": [{"kind": "Plain"}, {"kind": {"Sized": 1}}]}"#).is_ok()
        );
    }
}
