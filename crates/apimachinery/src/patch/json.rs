//! JSON patch (RFC 6902) as the API server applies it.
//!
//! Deviations of the server from the RFC are followed:
//!
//! - indices may be negative and count from the end, and may have signs and leading zeros;
//! - `replace` of a missing key of an object adds it, and `copy` of one copies null;
//! - `test` for `null` succeeds for a missing value;
//! - characters of a path before its first `/` are ignored, and an empty path is the whole document for `test` and
//!   `replace` only.

mod pointer;

use std::fmt;

use crate::go::json_type;
use crate::values::{self, Numbers, Parsed};
use serde_json::{Map, Value};

use pointer::{Pointer, Problem};

#[cfg(test)]
mod tests;

/// The maximum number of operations in a patch.
pub const MAX_OPERATIONS: usize = 10_000;

/// The maximum number of bytes that the `copy` operations of a patch may add.
pub const MAX_COPIED: usize = 3 * 1024 * 1024;

/// The maximum nesting of values in a patch; one that exceeds it does not apply.
pub const MAX_DEPTH: usize = 400;

/// A parsed patch.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPatch(Vec<Operation>);

/// A failure to parse or apply a JSON patch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonPatchError {
    /// The body is not JSON.
    Syntax(String),
    /// The body is not a list of operations.
    Malformed(String),
    /// There are more than [`MAX_OPERATIONS`]: their number.
    TooMany(usize),
    /// An operation does not apply.
    Failed {
        /// Its index, from 0.
        index: usize,
        /// The reason, in the server's words.
        problem: String,
    },
}

impl fmt::Display for JsonPatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(problem) | Self::Malformed(problem) => write!(f, "error decoding patch: {problem}"),
            Self::TooMany(count) => {
                write!(f, "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}")
            }
            Self::Failed { index, problem } => write!(f, "operation {index} does not apply: {problem}"),
        }
    }
}

impl std::error::Error for JsonPatchError {}

impl JsonPatch {
    /// Parses a patch.
    ///
    /// # Errors
    ///
    /// If it is not a list of objects, one of them has an `op`, `path` or `from` that is not a string, or there are too
    /// many.
    pub fn parse(body: &[u8]) -> Result<Self, JsonPatchError> {
        Self::parse_with_numbers(body).map(|(patch, _)| patch)
    }

    /// Parses a patch as [`parse`](Self::parse), and returns the numbers as written, at the places where the operations
    /// put them.
    ///
    /// # Errors
    ///
    /// The same as those of [`parse`](Self::parse).
    pub fn parse_with_numbers(body: &[u8]) -> Result<(Self, Numbers), JsonPatchError> {
        let Parsed { value, mut numbers, .. } = values::parse(body).map_err(JsonPatchError::Syntax)?;
        if let Some(problem) = numbers.overflow_error() {
            let problem = problem.replace("Go value", "Go struct field jsonPatchOp.value");
            return Err(JsonPatchError::Malformed(problem));
        }
        let operations = list(value, "[]handlers.jsonPatchOp")?;
        let count = operations.len();
        let operations: Result<_, _> = operations.into_iter().map(Operation::parse).collect();
        let patch = JsonPatch(operations?);
        if count > MAX_OPERATIONS {
            return Err(JsonPatchError::TooMany(count));
        }
        let keys = |operation: &Operation| operation.path.as_deref().map(|path| Pointer(path).keys());
        numbers.place(&patch.0.iter().map(keys).collect::<Vec<_>>());
        Ok((patch, numbers))
    }

    /// Parses a patch of any length as admission does, which reads an operation when it applies it: a field of another
    /// type than a string is as good as none.
    ///
    /// # Errors
    ///
    /// If it is not a list of objects.
    pub fn parse_unchecked(body: &[u8]) -> Result<Self, JsonPatchError> {
        let Parsed { value, .. } = values::parse(body).map_err(JsonPatchError::Syntax)?;
        let operations = list(value, "jsonpatch.Patch")?.into_iter().map(Operation::parse_unchecked);
        Ok(JsonPatch(operations.collect::<Result<_, _>>()?))
    }

    /// Applies all operations in order.
    ///
    /// # Errors
    ///
    /// If one does not apply; the document is then partly changed and should be discarded.
    pub fn apply(&self, document: &mut Value) -> Result<(), JsonPatchError> {
        let mut copied = 0;
        for (index, operation) in self.0.iter().enumerate() {
            operation
                .apply(document, &mut copied)
                .map_err(|problem| JsonPatchError::Failed { index, problem: problem.to_string() })?;
        }
        Ok(())
    }

    /// Returns true if there are no operations.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of each operation, as keys from the root.
    pub fn paths(&self) -> impl Iterator<Item = Vec<String>> {
        let pointers = self.0.iter().flat_map(|operation| [&operation.path, &operation.from]).flatten();
        pointers.map(|pointer| Pointer(pointer).keys())
    }
}

/// The operations in a body that Go decodes as a type.
fn list(body: Value, ty: &str) -> Result<Vec<Value>, JsonPatchError> {
    match body {
        Value::Array(operations) => Ok(operations),
        Value::Null => Ok(Vec::new()),
        other => Err(mismatch(&other, &format!("Go value of type {ty}"))),
    }
}

/// The fields of an operation that Go decodes as a type.
fn fields(operation: Value, ty: &str) -> Result<Map<String, Value>, JsonPatchError> {
    match operation {
        Value::Object(operation) => Ok(operation),
        Value::Null => Ok(Map::new()),
        other => Err(mismatch(&other, &format!("Go value of type {ty}"))),
    }
}

fn mismatch(value: &Value, wanted: &str) -> JsonPatchError {
    let kind = json_type(value);
    JsonPatchError::Malformed(format!("json: cannot unmarshal {kind} into {wanted}"))
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Operation {
    op: Option<String>,
    path: Option<String>,
    from: Option<String>,
    /// `test` distinguishes a missing value from null.
    value: Option<Value>,
}

impl Operation {
    fn parse(operation: Value) -> Result<Self, JsonPatchError> {
        let mut operation = fields(operation, "handlers.jsonPatchOp")?;
        let mut text = |name: &str| match operation.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => {
                Err(mismatch(&other, &format!("Go struct field jsonPatchOp.{name} of type string")))
            }
        };
        let (op, path, from) = (text("op")?, text("path")?, text("from")?);
        Ok(Operation { op, path, from, value: operation.remove("value") })
    }

    fn parse_unchecked(operation: Value) -> Result<Self, JsonPatchError> {
        let mut operation = fields(operation, "jsonpatch.Operation")?;
        let mut text = |name: &str| match operation.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (op, path, from) = (text("op"), text("path"), text("from"));
        Ok(Operation { op, path, from, value: operation.remove("value") })
    }

    fn apply(&self, document: &mut Value, copied: &mut usize) -> Result<(), Problem> {
        match self.op.as_deref().unwrap_or("unknown") {
            "add" => self.add(document),
            "remove" => self.remove(document),
            "replace" => self.replace(document),
            "move" => self.r#move(document),
            "copy" => self.copy(document, copied),
            "test" => self.test(document),
            other => Err(Problem::new(format!("Unexpected kind: {other}"))),
        }
    }

    fn add(&self, document: &mut Value) -> Result<(), Problem> {
        let path = self.path.as_deref().ok_or_else(|| missing("add operation failed to decode path"))?;
        let mut place = Pointer(path).find(document).ok_or_else(|| {
            missing(format!("add operation does not apply: doc is missing path: \"{path}\""))
        })?;
        let value = self.value.clone().unwrap_or_default();
        place.add(value).map_err(|problem| problem.within(format!("error in add for path: '{path}'")))
    }

    fn remove(&self, document: &mut Value) -> Result<(), Problem> {
        let path = self.path.as_deref().ok_or_else(|| missing("remove operation failed to decode path"))?;
        let mut place = Pointer(path).find(document).ok_or_else(|| {
            missing(format!("remove operation does not apply: doc is missing path: \"{path}\""))
        })?;
        let removed = place.remove();
        removed.map(drop).map_err(|problem| problem.within(format!("error in remove for path: '{path}'")))
    }

    fn replace(&self, document: &mut Value) -> Result<(), Problem> {
        let path = self.required_path("replace")?;
        let value = self.value.clone().unwrap_or_default();
        if path.is_empty() {
            if !value.is_object() && !value.is_array() {
                return Err(Problem::new("replace operation value must be object or array: %!w(<nil>)"));
            }
            *document = value;
            return Ok(());
        }
        let mut place = Pointer(path).find(document).ok_or_else(|| {
            missing(format!("replace operation does not apply: doc is missing path: {path}"))
        })?;
        if place.get().is_err() {
            return Err(missing(format!("replace operation does not apply: doc is missing key: {path}")));
        }
        place.set(value).map_err(|problem| problem.within(format!("error in remove for path: '{path}'")))
    }

    fn r#move(&self, document: &mut Value) -> Result<(), Problem> {
        let from = self.required_from("move")?;
        let mut place = Pointer(from).find(document).ok_or_else(|| {
            missing(format!("move operation does not apply: doc is missing from path: {from}"))
        })?;
        let key = place.key().to_owned();
        let value =
            place.remove().map_err(|problem| problem.within(format!("error in move for path: '{key}'")))?;
        let path = self.required_path("move")?;
        let mut place = Pointer(path).find(document).ok_or_else(|| {
            missing(format!("move operation does not apply: doc is missing destination path: {path}"))
        })?;
        place.add(value).map_err(|problem| problem.within(format!("error in move for path: '{path}'")))
    }

    fn copy(&self, document: &mut Value, copied: &mut usize) -> Result<(), Problem> {
        let from = self.required_from("copy")?;
        let place = Pointer(from).find(document).ok_or_else(|| {
            missing(format!("copy operation does not apply: doc is missing from path: {from}"))
        })?;
        let value =
            place.get().map_err(|problem| problem.within(format!("error in copy for from: '{from}'")))?;
        let value = value.cloned().unwrap_or_default();
        let path = self.path.as_deref().ok_or_else(|| missing("copy operation failed to decode path"))?;
        let mut place = Pointer(path).find(document).ok_or_else(|| {
            missing(format!("copy operation does not apply: doc is missing destination path: {path}"))
        })?;
        *copied += size(&value);
        if *copied > MAX_COPIED {
            return Err(Problem::new(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the \
                 limit {MAX_COPIED}"
            )));
        }
        place.add(value).map_err(|problem| problem.within("error while adding value during copy"))
    }

    fn test(&self, document: &mut Value) -> Result<(), Problem> {
        let path = self.required_path("test")?;
        let failed = || Problem::new(format!("testing value {path} failed: test failed"));
        if path.is_empty() {
            return if self.value.as_ref() == Some(&*document) { Ok(()) } else { Err(failed()) };
        }
        let place = Pointer(path)
            .find(document)
            .ok_or_else(|| missing(format!("test operation does not apply: is missing path: {path}")))?;
        let found =
            place.get().map_err(|problem| problem.within(format!("error in test for path: '{path}'")))?;
        if found.unwrap_or(&Value::Null) == self.value.as_ref().unwrap_or(&Value::Null) {
            Ok(())
        } else {
            Err(failed())
        }
    }

    fn required_path(&self, op: &str) -> Result<&str, Problem> {
        self.path.as_deref().ok_or_else(|| {
            missing(format!("{op} operation failed to decode path: operation missing path field"))
        })
    }

    fn required_from(&self, op: &str) -> Result<&str, Problem> {
        self.from.as_deref().ok_or_else(|| {
            missing(format!("{op} operation failed to decode from: operation, missing from field"))
        })
    }
}

fn missing(what: impl Into<String>) -> Problem {
    Problem::missing(what)
}

/// The size of a value as Go's JSON, with escapes of HTML.
fn size(value: &Value) -> usize {
    if value.is_null() {
        return 0;
    }
    let text = value.to_string();
    let escaped = text.chars().map(|character| match character {
        '<' | '>' | '&' => 5,
        '\u{2028}' | '\u{2029}' => 3,
        _ => 0,
    });
    text.len() + escaped.sum::<usize>()
}
