//! Streams of YAML or JSON documents.

use std::borrow::Cow;

use serde_json::Value;

use super::{ErrorKind, YamlError, from_str};
use crate::go;
use crate::values::syntax::{SyntaxError, first_value};
use crate::values::{Parsed, parse};

/// The documents of `text`, in order. Empty ones are skipped; an error is the last item.
///
/// A stream that begins with `{` is a sequence of JSON values, until something else follows the first; any other is
/// YAML split at lines that begin with `---`. Numbers are as Go writes them after reading: `3.0` is the integer 3.
///
/// ```
/// use klient_apimachinery::yaml;
/// let kinds: Result<Vec<_>, _> = yaml::documents("kind: A\n---\n# nothing\n---\nkind: B\n").collect();
/// assert_eq!(kinds?, [serde_json::json!({"kind": "A"}), serde_json::json!({"kind": "B"})]);
/// assert_eq!(yaml::documents("a: 1\n--- b: 2\n").next().unwrap().unwrap_err().to_string(),
///     "invalid Yaml document separator: b: 2");
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn documents(text: &str) -> Documents<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = text.trim_start().starts_with('{').then_some(0);
    Documents { rest: text, json, consumed: 0 }
}

/// The only document of a stream; `null` if there is none.
///
/// # Errors
///
/// If it is not YAML, or another document follows.
///
/// ```
/// use klient_apimachinery::yaml;
/// assert_eq!(yaml::single_document("---\nkind: A\n---\n# nothing\n")?, serde_json::json!({"kind": "A"}));
/// assert_eq!(yaml::single_document("kind: A\n---\nkind: B\n").unwrap_err().to_string(),
///     "expected one YAML document, found more: read them with yaml::documents");
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn single_document(text: &str) -> Result<Value, YamlError> {
    let mut documents = documents(text);
    let first = documents.next().transpose()?.unwrap_or_default();
    match documents.next() {
        None => Ok(first),
        Some(_) => {
            Err(YamlError::stream("expected one YAML document, found more: read them with yaml::documents"))
        }
    }
}

/// An iterator over the documents of a stream; see [`documents`].
#[derive(Clone, Debug)]
pub struct Documents<'a> {
    rest: &'a str,
    /// The number of JSON values read, while the stream is one of JSON.
    json: Option<usize>,
    /// Bytes of the JSON values that were read.
    consumed: usize,
}

impl Iterator for Documents<'_> {
    type Item = Result<Value, YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.document()? {
                Ok(Value::Null) => {}
                Ok(value) => return Some(Ok(value)),
                Err(error) => {
                    (self.rest, self.json) = ("", None);
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<'a> Documents<'a> {
    fn document(&mut self) -> Option<Result<Value, YamlError>> {
        let Some(count) = self.json else { return self.yaml_value() };
        let error = match self.json_value()? {
            Ok(value) => {
                self.json = Some(count + 1);
                return Some(Ok(value));
            }
            Err(error) if error.is_out_of_range() => return Some(Err(error)),
            Err(error) => error,
        };
        if count > 1 {
            return Some(Err(error));
        }
        // A single JSON value is YAML too, and so may be the rest.
        self.json = None;
        let spaces = self.rest.len() - self.rest.trim_start().len();
        let line = self.rest.find('\n').map_or(spaces, |at| spaces.min(at + 1));
        self.rest = &self.rest[line..];
        Some(self.yaml_value()?.map_err(|yaml| if yaml.kind == ErrorKind::Stream { yaml } else { error }))
    }

    fn json_value(&mut self) -> Option<Result<Value, YamlError>> {
        let spaces = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if spaces == self.rest.len() {
            return None;
        }
        let length = match first_value(self.rest.as_bytes()) {
            Ok(length) => length,
            Err(error) if error.is_end => return Some(Err(YamlError::json("unexpected EOF"))),
            Err(SyntaxError { message, offset, .. }) => {
                // kubectl names the offset where it has tried the text as YAML too.
                return Some(Err(match self.json {
                    Some(0 | 1) => {
                        let offset = self.consumed + offset;
                        YamlError::json(format_args!("json: offset {offset}: {message}"))
                    }
                    _ => YamlError::json(message),
                }));
            }
        };
        let (document, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.consumed += length;
        let Parsed { mut value, numbers, .. } = match parse(document.as_bytes()) {
            Ok(parsed) => parsed,
            Err(problem) => return Some(Err(YamlError::json(problem))),
        };
        if let Some(problem) = numbers.overflow_error() {
            return Some(Err(YamlError::out_of_range(problem)));
        }
        go::rewrite_numbers(&mut value);
        Some(Ok(value))
    }

    fn yaml_value(&mut self) -> Option<Result<Value, YamlError>> {
        let value = self.yaml_document()?.and_then(|document| from_str(&document));
        Some(value.map(|mut value| {
            forget_sign_of_zero(&mut value);
            value
        }))
    }

    /// The document up to the next separator: a line of `---` followed by nothing but a comment.
    fn yaml_document(&mut self) -> Option<Result<Cow<'a, str>, YamlError>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in self.rest.split_inclusive('\n') {
            if let Some(behind) = line.strip_prefix("---").map(str::trim) {
                if !behind.is_empty() && !behind.starts_with('#') {
                    return Some(Err(YamlError::stream(format_args!(
                        "invalid Yaml document separator: {behind}"
                    ))));
                }
                if end > 0 {
                    let document = &self.rest[..end];
                    self.rest = &self.rest[end + line.len()..];
                    return Some(Ok(document.into()));
                }
            }
            end += line.len();
        }
        let last = std::mem::take(&mut self.rest);
        Some(Ok(if last.ends_with('\n') { last.into() } else { format!("{last}\n").into() }))
    }
}

/// Makes `-0.0` the integer 0: kubectl writes what it has read as YAML in JSON, as `-0`, and reads that.
fn forget_sign_of_zero(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() && number.as_f64() == Some(0.0) => *number = 0.into(),
        Value::Array(items) => items.iter_mut().for_each(forget_sign_of_zero),
        Value::Object(entries) => entries.values_mut().for_each(forget_sign_of_zero),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, values: &[Value]) {
        assert_eq!(documents(text).collect::<Result<Vec<_>, _>>().expect("documents"), values);
    }

    #[test]
    fn streams_are_split_and_empty_documents_passed_over() {
        check("", &[]);
        check("---\n---\n", &[]);
        check("# c\n", &[]);
        check("---\n# c\n---\na: 1\n---\n", &[json!({"a": 1})]);
        check("--- # first\na: 1\n--- # second\nb: 2", &[json!({"a": 1}), json!({"b": 2})]);
        check("a: |\n  x\n  ---\n  y\n", &[json!({"a": "x\n---\ny\n"})]);
        check("{\"a\": 1} {\"b\": 2}\n", &[json!({"a": 1}), json!({"b": 2})]);
        check(r#"{"a\udc00": "\ud800x", "b": -0}"#, &[json!({"a\u{fffd}": "\u{fffd}x", "b": 0})]);
        check("{a: -0.0, b: [-0, -0e1]}", &[json!({"a": 0, "b": [0, 0]})]);
        check("- a\n", &[json!(["a"])]);
        check("a: 1\r\n---\r\nb: 2\r\n", &[json!({"a": 1}), json!({"b": 2})]);
        check("a: |\n  x", &[json!({"a": "x\n"})]);
    }

    #[test]
    fn a_stream_that_begins_as_json_may_go_on_as_yaml() {
        check("{\"a\": 3.0}\n---\nb: 3.0\n", &[json!({"a": 3}), json!({"b": 3})]);
        check("{a: 1, b: [1e2]}", &[json!({"a": 1, "b": [100]})]);
        check(" {\"a\": 1}\n# end\n", &[json!({"a": 1})]);
    }

    #[test]
    fn a_separator_with_words_behind_it_is_refused() {
        for (text, behind) in [
            ("--- junk\na: 1\n", "junk"),
            ("a: 1\n--- {b: 2}\n", "{b: 2}"),
            ("a: 1\n---b: 2\n", "b: 2"),
            ("a: 1\n----\nb: 2\n", "-"),
            ("{\"a\": 1}\n---\nb: 1\n--- | # text\nc", "| # text"),
        ] {
            let error = documents(text).last().expect("a document").unwrap_err();
            assert_eq!(error.to_string(), format!("invalid Yaml document separator: {behind}"));
            assert!(!error.is_yaml());
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        let read: Vec<_> = documents("a: 1\n---\nb: {x: 1\n---\nc: 3\n").collect();
        assert_eq!(read.len(), 2);
        assert_eq!(
            read[1].as_ref().unwrap_err().to_string(),
            "yaml: line 1: did not find expected ',' or '}'"
        );
        for (text, problem) in [
            ("{\"a\": 1", "unexpected EOF"),
            ("{\"a\" 1}", "json: offset 6: invalid character '1' after object key"),
            ("{\"a\": 1}\n{\"a\" 1}", "json: offset 15: invalid character '1' after object key"),
            ("{} {}\n---\na: 1", "invalid character '-' in numeric literal"),
            ("{\"a\": 1E400}", "json: cannot unmarshal number 1E400 into Go value of type float64"),
        ] {
            let error = documents(text).last().expect("a document").unwrap_err();
            assert_eq!((error.to_string().as_str(), error.is_yaml()), (problem, false), "{text}");
        }
    }
}
