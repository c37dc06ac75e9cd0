//! Parsing of JSON, with duplicate keys recorded.

use std::collections::HashSet;

use serde_json::Value;

use super::depth::MAX_PARSE_DEPTH;
use super::text::Text;
use super::{MAX_STRICT_ERRORS, Map, Numbers, push_field};

/// A parsed JSON value.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The value. Values that are nested deeper than any object may be are null.
    pub value: Value,
    /// The duplicate fields, such as `data.a`.
    pub duplicates: Vec<String>,
    /// The numbers as written.
    pub numbers: Numbers,
}

/// Parses one JSON value as Go does: `-0` is 0, and U+FFFD replaces invalid UTF-8 and lone surrogates.
///
/// # Errors
///
/// The syntax error, in Go's words.
///
/// ```
/// use klient_apimachinery::values::parse;
/// let read = parse(br#"{"a": -0, "b": "\ud800", "a": 1e3}"#)?;
/// assert_eq!(read.value, serde_json::json!({"a": 1000.0, "b": "\u{fffd}"}));
/// assert_eq!(read.duplicates, ["a"]);
/// assert_eq!(parse(b"[1,]").unwrap_err(), "invalid character ']' looking for beginning of value");
/// # Ok::<(), String>(())
/// ```
pub fn parse(text: &[u8]) -> Result<Parsed, String> {
    let mut reader = Reader { text: Text::new(text)?, path: String::new(), read: Parsed::default() };
    let value = reader.value(0);
    Ok(Parsed { value, ..reader.read })
}

struct Reader<'a> {
    text: Text<'a>,
    path: String,
    read: Parsed,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Value {
        match self.text.peek() {
            b'{' | b'[' if depth > MAX_PARSE_DEPTH => {
                self.text.skip();
                Value::Null
            }
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => Value::String(self.text.string()),
            _ => match self.text.literal() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                number => Value::Number(self.read.numbers.read(&self.path, number)),
            },
        }
    }

    fn list(&mut self, depth: usize) -> Value {
        self.text.open();
        let mut items = Vec::new();
        let len = self.path.len();
        while self.text.more() {
            self.path.push_str(&format!("[{}]", items.len()));
            items.push(self.value(depth + 1));
            self.path.truncate(len);
        }
        Value::Array(items)
    }

    fn object(&mut self, depth: usize) -> Value {
        self.text.open();
        let mut map = Map::new();
        let mut noted = HashSet::new();
        while self.text.more() {
            let key = self.text.key();
            let len = push_field(&mut self.path, &key);
            let duplicates = &mut self.read.duplicates;
            if map.contains_key(&key)
                && duplicates.len() < MAX_STRICT_ERRORS
                && noted.insert(key.clone())
                && !duplicates.contains(&self.path)
            {
                duplicates.push(self.path.clone());
            }
            let value = self.value(depth + 1);
            map.insert(key, value);
            self.path.truncate(len);
        }
        Value::Object(map)
    }
}
