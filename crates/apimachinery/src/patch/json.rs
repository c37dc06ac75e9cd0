//! JSON patch (RFC 6902) as the API server applies it.
//!
//! Where the server departs from the RFC, so does this: indices may be negative and count from the end,
//! `replace` of a missing key of an object adds it, and `test` for `null` passes where there is nothing.

use std::fmt;

use serde_json::Value;

/// The most operations one patch may have.
pub const MAX_OPERATIONS: usize = 10_000;

/// The most bytes that `copy` operations of one patch may add.
const MAX_COPIED: usize = 3 * 1024 * 1024;

/// A parsed patch.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPatch(Vec<Value>);

/// Why a patch could not be read or applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonPatchError {
    /// The body is no list of operations.
    Malformed(String),
    /// There are more than [`MAX_OPERATIONS`].
    TooMany(usize),
    /// The operation at this index does not apply.
    Failed {
        /// Which one, counted from 0.
        index: usize,
        /// Why not.
        problem: String,
    },
}

impl fmt::Display for JsonPatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(f, "error decoding patch: {problem}"),
            Self::TooMany(count) => {
                write!(f, "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}")
            }
            Self::Failed { index, problem } => write!(f, "operation {index} does not apply: {problem}"),
        }
    }
}

impl std::error::Error for JsonPatchError {}

impl JsonPatch {
    /// Reads a patch.
    ///
    /// # Errors
    ///
    /// If it is no list of objects, or too long a one.
    pub fn parse(body: &[u8]) -> Result<Self, JsonPatchError> {
        let value: Value =
            serde_json::from_slice(body).map_err(|error| JsonPatchError::Malformed(error.to_string()))?;
        let kind = match value {
            Value::Array(operations) if operations.len() > MAX_OPERATIONS => {
                return Err(JsonPatchError::TooMany(operations.len()));
            }
            Value::Array(operations) => return Ok(JsonPatch(operations)),
            Value::Object(_) => "object",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Null => return Ok(JsonPatch(Vec::new())),
        };
        let problem = format!("json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp");
        Err(JsonPatchError::Malformed(problem))
    }

    /// Applies all operations in order.
    ///
    /// # Errors
    ///
    /// If one does not apply; the document is then half changed and to be thrown away.
    pub fn apply(&self, document: &mut Value) -> Result<(), JsonPatchError> {
        let mut copied = 0;
        for (index, operation) in self.0.iter().enumerate() {
            apply(document, operation, &mut copied)
                .map_err(|problem| JsonPatchError::Failed { index, problem })?;
        }
        Ok(())
    }
}

fn apply(document: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), String> {
    let text =
        |name: &str| operation.get(name).and_then(Value::as_str).ok_or_else(|| format!("it has no {name}"));
    let path = Pointer::parse(text("path")?)?;
    let value = || operation.get("value").cloned().unwrap_or(Value::Null);
    match text("op")? {
        "add" => path.add(document, value()),
        "remove" => path.remove(document).map(drop),
        "replace" => path.replace(document, value()),
        "move" => {
            let moved = Pointer::parse(text("from")?)?.remove(document)?;
            path.add(document, moved)
        }
        "copy" => {
            let from = Pointer::parse(text("from")?)?;
            let value = from
                .get(document)
                .cloned()
                .ok_or_else(|| format!("there is nothing at {}", text("from").unwrap_or_default()))?;
            *copied += value.to_string().len();
            if *copied > MAX_COPIED {
                return Err(format!("copies add more than {MAX_COPIED} bytes"));
            }
            path.add(document, value)
        }
        "test" => {
            let found = path.get(document).unwrap_or(&Value::Null);
            if *found == value() { Ok(()) } else { Err("the value is another".to_owned()) }
        }
        other => Err(format!("unknown operation {other:?}")),
    }
}

/// A JSON pointer (RFC 6901).
struct Pointer(Vec<String>);

impl Pointer {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Pointer(Vec::new()));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| format!("path {text:?} does not begin with /"))?;
        Ok(Pointer(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()))
    }

    fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, part| match value {
            Value::Object(entries) => entries.get(part),
            Value::Array(items) => items.get(index(part, items.len())?),
            _ => None,
        })
    }

    fn parent<'a>(&self, document: &'a mut Value) -> Result<(&'a mut Value, &str), String> {
        let (last, parents) = self.0.split_last().ok_or("the whole document cannot be changed")?;
        let mut value = document;
        for part in parents {
            let next = match value {
                Value::Object(entries) => entries.get_mut(part),
                Value::Array(items) => index(part, items.len()).and_then(|at| items.get_mut(at)),
                _ => None,
            };
            value = next.ok_or_else(|| format!("there is no {part}"))?;
        }
        Ok((value, last))
    }

    fn add(&self, document: &mut Value, value: Value) -> Result<(), String> {
        match self.parent(document)? {
            (Value::Object(entries), key) => {
                entries.insert(key.to_owned(), value);
                Ok(())
            }
            (Value::Array(items), "-") => Ok(items.push(value)),
            (Value::Array(items), part) => {
                // One behind the last is a place to add to; counted from the end, -1 is that place.
                let at =
                    index(part, items.len() + 1).ok_or_else(|| format!("index {part} is out of range"))?;
                Ok(items.insert(at, value))
            }
            (_, part) => Err(format!("{part} is in no object or list")),
        }
    }

    fn remove(&self, document: &mut Value) -> Result<Value, String> {
        match self.parent(document)? {
            (Value::Object(entries), key) => entries.remove(key).ok_or_else(|| format!("there is no {key}")),
            (Value::Array(items), part) => {
                let at = index(part, items.len()).ok_or_else(|| format!("index {part} is out of range"))?;
                Ok(items.remove(at))
            }
            (_, part) => Err(format!("{part} is in no object or list")),
        }
    }

    fn replace(&self, document: &mut Value, value: Value) -> Result<(), String> {
        match self.parent(document)? {
            (Value::Object(entries), key) => {
                entries.insert(key.to_owned(), value);
                Ok(())
            }
            (Value::Array(items), part) => {
                let at = index(part, items.len()).ok_or_else(|| format!("index {part} is out of range"))?;
                items[at] = value;
                Ok(())
            }
            (_, part) => Err(format!("{part} is in no object or list")),
        }
    }
}

/// The place an index means in a list of `len` places.
fn index(part: &str, len: usize) -> Option<usize> {
    let at: i64 = part.parse().ok()?;
    let at = if at < 0 { at + i64::try_from(len).ok()? } else { at };
    usize::try_from(at).ok().filter(|at| *at < len)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(mut document: Value, patch: Value, expected: Value) {
        let patch = JsonPatch::parse(patch.to_string().as_bytes()).expect("a patch");
        patch.apply(&mut document).expect("it applies");
        assert_eq!(document, expected);
    }

    #[track_caller]
    fn fails(mut document: Value, operation: Value) {
        let patch = JsonPatch::parse(json!([operation]).to_string().as_bytes()).expect("a patch");
        assert!(matches!(patch.apply(&mut document), Err(JsonPatchError::Failed { index: 0, .. })));
    }

    #[test]
    fn every_operation_does_what_the_rfc_says() {
        check(json!({"a": 1}), json!([{"op": "add", "path": "/b", "value": 2}]), json!({"a": 1, "b": 2}));
        check(json!([1, 3]), json!([{"op": "add", "path": "/1", "value": 2}]), json!([1, 2, 3]));
        check(json!([1]), json!([{"op": "add", "path": "/-", "value": 2}]), json!([1, 2]));
        check(json!({"a": 1}), json!([{"op": "remove", "path": "/a"}]), json!({}));
        check(
            json!({"a": {"b": 1}}),
            json!([{"op": "move", "from": "/a/b", "path": "/c"}]),
            json!({"a": {}, "c": 1}),
        );
        check(
            json!({"a": [1]}),
            json!([{"op": "copy", "from": "/a", "path": "/b"}]),
            json!({"a": [1], "b": [1]}),
        );
        check(
            json!({"a/b~c": 1}),
            json!([{"op": "test", "path": "/a~1b~0c", "value": 1}]),
            json!({"a/b~c": 1}),
        );
    }

    #[test]
    fn the_servers_liberties_are_taken() {
        check(json!([1, 2, 3]), json!([{"op": "remove", "path": "/-1"}]), json!([1, 2]));
        check(json!({}), json!([{"op": "replace", "path": "/a", "value": 1}]), json!({"a": 1}));
        check(json!({}), json!([{"op": "test", "path": "/a", "value": null}]), json!({}));
    }

    #[test]
    fn what_does_not_apply_fails() {
        fails(json!({}), json!({"op": "remove", "path": "/a"}));
        fails(json!({}), json!({"op": "add", "path": "/a/b", "value": 1}));
        fails(json!([1]), json!({"op": "add", "path": "/3", "value": 1}));
        fails(json!([1]), json!({"op": "replace", "path": "/1", "value": 1}));
        fails(json!({"a": 1}), json!({"op": "test", "path": "/a", "value": 2}));
        fails(json!({}), json!({"op": "jump", "path": "/a"}));
        fails(json!({}), json!({"op": "add", "path": "", "value": 1}));
        fails(json!({}), json!({"op": "add", "path": "a", "value": 1}));
        fails(json!({}), json!({"op": "copy", "path": "/a", "from": "/b"}));
        fails(json!({}), json!({}));
    }

    #[test]
    fn copies_and_operations_are_bounded() {
        let mut document = json!({"a": "x".repeat(1024 * 1024)});
        let copy = |to: &str| json!({"op": "copy", "from": "/a", "path": to});
        let patch = json!([copy("/b"), copy("/c"), copy("/d")]).to_string();
        let failed = JsonPatch::parse(patch.as_bytes()).expect("a patch").apply(&mut document);
        assert!(matches!(failed, Err(JsonPatchError::Failed { index: 2, .. })));
        let many = Value::Array(vec![json!({}); MAX_OPERATIONS + 1]).to_string();
        assert_eq!(
            JsonPatch::parse(many.as_bytes()).unwrap_err().to_string(),
            "The allowed maximum operations in a JSON patch is 10000, got 10001"
        );
        assert_eq!(
            JsonPatch::parse(b"{}").unwrap_err().to_string(),
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        );
    }
}
