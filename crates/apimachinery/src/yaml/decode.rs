//! One YAML document to a JSON value.

use std::collections::HashMap;

use libyaml_safer::{Error, ErrorKind, Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use super::YamlError;
use super::scalar::{Scalar, resolve};

/// How deep lists and maps may be nested.
const MAX_DEPTH: usize = 200;

/// How many values aliases may stand for, beyond those in the text.
const MAX_ALIASED: usize = 100_000;

/// Reads one document; `null` if there is none.
///
/// # Errors
///
/// If it is no YAML, or holds what JSON cannot say. The message is kubectl's.
///
/// ```
/// use klient_apimachinery::yaml;
/// assert_eq!(yaml::from_str("{a: yes, b: [1, x]}")?, serde_json::json!({"a": true, "b": [1, "x"]}));
/// assert_eq!(yaml::from_str("a:\n\tb: 1").unwrap_err().to_string(),
///     "yaml: line 2: found character that cannot start any token");
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn from_str(text: &str) -> Result<Value, YamlError> {
    // The parser panics on some texts that end in the middle of something.
    let read = std::panic::catch_unwind(|| read(text));
    read.unwrap_or_else(|_| Err(YamlError::yaml("found unexpected end of stream")))
}

fn read(text: &str) -> Result<Value, YamlError> {
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    Composer { parser, anchors: HashMap::new(), aliased: 0 }.document()
}

struct Composer<R> {
    parser: Parser<R>,
    anchors: HashMap<String, Value>,
    aliased: usize,
}

impl<R: std::io::BufRead> Composer<R> {
    fn document(&mut self) -> Result<Value, YamlError> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamEnd => return Ok(Value::Null),
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                data => {
                    let value = self.value(data, 0)?;
                    // What is wrong behind the root is wrong with the document.
                    while !matches!(self.next()?.data, EventData::DocumentEnd { .. } | EventData::StreamEnd) {
                    }
                    return Ok(value);
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event, YamlError> {
        self.parser.parse().map_err(|error| syntax(&error))
    }

    fn value(&mut self, data: EventData, depth: usize) -> Result<Value, YamlError> {
        if depth > MAX_DEPTH {
            return Err(YamlError::yaml(format_args!("exceeded max depth of {MAX_DEPTH}")));
        }
        let (anchor, value) = match data {
            EventData::Alias { anchor } => {
                let value = self.anchors.get(&anchor).cloned();
                let value = value
                    .ok_or_else(|| YamlError::yaml(format_args!("unknown anchor '{anchor}' referenced")))?;
                self.aliased += size(&value);
                if self.aliased > MAX_ALIASED {
                    return Err(YamlError::yaml("document contains excessive aliasing"));
                }
                return Ok(value);
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                (anchor, scalar(tag.as_deref(), value, style)?)
            }
            EventData::SequenceStart { anchor, .. } => (anchor, self.list(depth)?),
            EventData::MappingStart { anchor, .. } => (anchor, self.map(depth)?),
            other => return Err(YamlError::yaml(format_args!("unexpected {other:?}"))),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()?.data {
                EventData::SequenceEnd => return Ok(Value::Array(items)),
                data => items.push(self.value(data, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut entries = Map::new();
        let mut merged = Map::new();
        loop {
            let key = match self.next()?.data {
                EventData::MappingEnd => break,
                EventData::Scalar { tag: None, value, style: ScalarStyle::Plain, .. }
                    if resolve(&value) == Scalar::Merge =>
                {
                    let data = self.next()?.data;
                    merge(&mut merged, self.value(data, depth + 1)?)?;
                    continue;
                }
                data => key(self.value(data, depth + 1)?)?,
            };
            let data = self.next()?.data;
            let value = self.value(data, depth + 1)?;
            entries.insert(key, value);
        }
        for (key, value) in merged {
            entries.entry(key).or_insert(value);
        }
        Ok(Value::Object(entries))
    }
}

fn scalar(tag: Option<&str>, text: String, style: ScalarStyle) -> Result<Value, YamlError> {
    let not_finite = || YamlError::json(format_args!("json: unsupported value: {text}"));
    match (tag, style) {
        (None | Some("!"), ScalarStyle::Plain) => match resolve(&text) {
            Scalar::Value(value) => Ok(value),
            Scalar::NotFinite => Err(not_finite()),
            Scalar::Text | Scalar::Timestamp | Scalar::Merge => Ok(Value::String(text)),
        },
        (
            Some(
                "tag:yaml.org,2002:int"
                | "tag:yaml.org,2002:float"
                | "tag:yaml.org,2002:bool"
                | "tag:yaml.org,2002:null",
            ),
            _,
        ) => match resolve(&text) {
            Scalar::Value(value) => Ok(value),
            Scalar::NotFinite => Err(not_finite()),
            _ => Err(YamlError::yaml(format_args!(
                "cannot decode !!str `{text}` as a {}",
                tag.unwrap_or_default()
            ))),
        },
        _ => Ok(Value::String(text)),
    }
}

/// A key as JSON has it: numbers and booleans become their text.
fn key(value: Value) -> Result<String, YamlError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) => Ok(plain_number(&number)),
        Value::Null => Err(YamlError::yaml("unsupported map key of type: <nil>")),
        _ => Err(YamlError::yaml("invalid map key")),
    }
}

/// A number without the fraction that a float of a whole number prints.
fn plain_number(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn merge(into: &mut Map<String, Value>, value: Value) -> Result<(), YamlError> {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                into.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(items) => items.into_iter().try_for_each(|item| match item {
            Value::Object(_) => merge(into, item),
            _ => Err(YamlError::yaml("map merge requires map or sequence of maps as the value")),
        }),
        _ => Err(YamlError::yaml("map merge requires map or sequence of maps as the value")),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// The line is counted as kubectl's parser counts it: from 0 for errors of grammar, from 1 for those of tokens.
fn syntax(error: &Error) -> YamlError {
    let line = |mark: Option<libyaml_safer::Mark>| mark.map(|mark| mark.line).filter(|line| *line != 0);
    let after_token = u64::from(error.kind() == ErrorKind::Scanner);
    let problem = error.problem();
    match line(error.problem_mark()).map(|line| line + after_token).or_else(|| line(error.context_mark())) {
        Some(line) => YamlError::yaml(format_args!("line {line}: {problem}")),
        None => YamlError::yaml(problem),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, value: Value) {
        assert_eq!(from_str(text), Ok(value));
    }

    #[test]
    fn documents_become_json() {
        check("a: &x {b: 1}\nc: *x\n", json!({"a": {"b": 1}, "c": {"b": 1}}));
        check("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}));
        check("d: {<<: [{a: 1}, {a: 2, b: 3}]}", json!({"d": {"a": 1, "b": 3}}));
        check("1: a\ntrue: b\n1.0: c", json!({"1": "c", "true": "b"}));
        check(
            "a: '1'\nb: \"yes\"\nc: !!str 1\nd: !!int '7'",
            json!({"a": "1", "b": "yes", "c": "1", "d": 7}),
        );
        check("a: |\n  x\n  y\nb: >\n  x\n  y\n", json!({"a": "x\ny\n", "b": "x y\n"}));
        check("k: 1\nk: 2", json!({"k": 2}));
        check("", json!(null));
        check("# nothing", json!(null));
    }

    #[track_caller]
    fn refused(text: &str, problem: &str) {
        assert_eq!(from_str(text).unwrap_err().to_string(), problem);
    }

    #[test]
    fn what_is_no_yaml_is_refused_in_kubectls_words() {
        refused(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m1\n data: [\n",
            "yaml: line 4: did not find expected key",
        );
        refused(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m3\n",
            "yaml: line 3: did not find expected ',' or '}'",
        );
        refused("a:\n\tb", "yaml: line 2: found character that cannot start any token");
        refused("a: *x", "yaml: unknown anchor 'x' referenced");
        refused("a: b: c", "yaml: mapping values are not allowed in this context");
        refused("a: .inf", "json: unsupported value: .inf");
        refused("{[a]: b}", "yaml: invalid map key");
    }

    #[test]
    fn texts_that_the_parser_fears_are_refused() {
        for text in ["\"\\", "[!,", ">\r ?"] {
            let _ = from_str(text);
        }
        assert_eq!(from_str("\"\\").unwrap_err().to_string(), "yaml: found unexpected end of stream");
    }

    #[test]
    fn hostile_documents_end_in_an_error() {
        refused(&"[".repeat(100_000), "yaml: exceeded max depth of 200");
        refused(&"{a: ".repeat(100_000), "yaml: exceeded max depth of 200");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", alias.trim_end_matches(", ")));
        }
        refused(&bomb, "yaml: document contains excessive aliasing");
    }
}
