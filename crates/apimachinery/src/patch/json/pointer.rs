//! JSON pointers (RFC 6901), and the places in a document to which they point.

use std::fmt;

use serde_json::{Map, Value};

use super::MAX_DEPTH;
use crate::go::quoted;

/// The reason why an operation fails at a place.
pub(super) struct Problem(String);

impl Problem {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Problem(what.into())
    }

    pub(super) fn missing(what: impl Into<String>) -> Self {
        Problem(what.into() + ": missing value")
    }

    fn index(index: i64) -> Self {
        Problem(format!("Unable to access invalid index: {index}: invalid index referenced"))
    }

    pub(super) fn within(self, doing: impl Into<String>) -> Self {
        Problem(format!("{}: {}", doing.into(), self.0))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pointer as written.
pub(super) struct Pointer<'a>(pub(super) &'a str);

impl Pointer<'_> {
    /// The keys of the pointer, from the root.
    pub(super) fn keys(&self) -> Vec<String> {
        let (_, path) = self.0.split_once('/').unwrap_or_default();
        path.split('/').map(unescaped).collect()
    }

    /// The place, if its parent exists.
    pub(super) fn find<'d>(&self, document: &'d mut Value) -> Option<Place<'d>> {
        let (_, path) = self.0.split_once('/')?;
        let mut depth = 1;
        let mut holder = document;
        let mut rest = path;
        while let Some((part, behind)) = rest.split_once('/') {
            holder = match holder {
                Value::Object(entries) => entries.get_mut(&*unescaped(part))?,
                Value::Array(items) => {
                    let at = position(&unescaped(part), items.len()).ok()?;
                    &mut items[at]
                }
                _ => return None,
            };
            rest = behind;
            depth += 1;
        }
        let key = unescaped(rest);
        let holder = match holder {
            Value::Object(entries) => Holder::Object(entries),
            Value::Array(items) => Holder::Array(items),
            _ => return None,
        };
        Some(Place { holder, key, depth })
    }
}

/// The place of a value, which may be missing.
pub(super) struct Place<'d> {
    holder: Holder<'d>,
    key: String,
    /// The number of values around it.
    depth: usize,
}

enum Holder<'d> {
    Object(&'d mut Map<String, Value>),
    Array(&'d mut Vec<Value>),
}

impl Place<'_> {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The value; a key that an object lacks is no error.
    pub(super) fn get(&self) -> Result<Option<&Value>, Problem> {
        match &self.holder {
            Holder::Object(entries) => Ok(entries.get(&self.key)),
            Holder::Array(items) => position(&self.key, items.len()).map(|at| items.get(at)),
        }
    }

    /// Replaces the value.
    pub(super) fn set(&mut self, value: Value) -> Result<(), Problem> {
        self.check_depth(&value)?;
        match &mut self.holder {
            Holder::Object(entries) => drop(entries.insert(self.key.clone(), value)),
            Holder::Array(items) => {
                let at = position(&self.key, items.len())?;
                items[at] = value;
            }
        }
        Ok(())
    }

    /// Adds a value: inserts it into a list.
    pub(super) fn add(&mut self, value: Value) -> Result<(), Problem> {
        self.check_depth(&value)?;
        match &mut self.holder {
            Holder::Object(entries) => drop(entries.insert(self.key.clone(), value)),
            Holder::Array(items) if self.key == "-" => items.push(value),
            Holder::Array(items) => {
                let improper = || format!("value was not a proper array index: '{}'", self.key);
                let at = parse(&self.key).map_err(|problem| problem.within(improper()))?;
                // The index behind the last item appends; counted from the end, it is -1.
                items.insert(within(at, items.len() + 1)?, value);
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self) -> Result<Value, Problem> {
        match &mut self.holder {
            Holder::Object(entries) => entries
                .remove(&self.key)
                .ok_or_else(|| Problem::missing(format!("Unable to remove nonexistent key: {}", self.key))),
            Holder::Array(items) => position(&self.key, items.len()).map(|at| items.remove(at)),
        }
    }

    fn check_depth(&self, value: &Value) -> Result<(), Problem> {
        let depth = self.depth + depth(value);
        if depth > MAX_DEPTH {
            return Err(Problem::new(format!("it nests values {depth} deep, {MAX_DEPTH} are allowed")));
        }
        Ok(())
    }
}

/// The nesting of a value. It recurses: the nesting of documents and patches is limited.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The position of an index in a list of `len` items.
fn position(index: &str, len: usize) -> Result<usize, Problem> {
    within(parse(index)?, len)
}

fn within(index: i64, len: usize) -> Result<usize, Problem> {
    let from_end = if index < 0 { i64::try_from(len).unwrap_or(i64::MAX) } else { 0 };
    let at = usize::try_from(index + from_end).ok().filter(|at| *at < len);
    at.ok_or_else(|| Problem::index(index))
}

/// A number as Go's `strconv.Atoi` parses it.
fn parse(index: &str) -> Result<i64, Problem> {
    let digits = index.strip_prefix(['+', '-']).unwrap_or(index);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let problem = if is_number { "value out of range" } else { "invalid syntax" };
    index
        .parse()
        .map_err(|_| Problem(format!("strconv.Atoi: parsing {index}: {problem}", index = quoted(index))))
}
