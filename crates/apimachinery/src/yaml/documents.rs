//! A stream of YAML or JSON documents.

use std::borrow::Cow;

use serde_json::Value;

use super::{ErrorKind, YamlError, from_str};
use crate::go;

/// The documents of `text`, in order. Empty ones are passed over; behind one that cannot be read none follows.
///
/// A stream that begins with `{` is JSON values one after another, until something else follows the first; any other is
/// YAML split at lines that begin with `---`. Numbers are as Go writes what it has read: `3.0` is the integer 3.
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
    Documents { rest: text, json }
}

/// Documents of a stream; see [`documents`].
#[derive(Clone, Debug)]
pub struct Documents<'a> {
    rest: &'a str,
    /// How many JSON values were read, as long as the stream is one of JSON.
    json: Option<usize>,
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
        match self.json_value()? {
            Ok(value) => {
                self.json = Some(count + 1);
                Some(Ok(value))
            }
            Err(error) if count > 1 => Some(Err(error)),
            // One value is YAML too, and so may be what follows.
            Err(error) => {
                self.json = None;
                let spaces = self.rest.len() - self.rest.trim_start().len();
                let line = self.rest.find('\n').map_or(spaces, |at| spaces.min(at + 1));
                self.rest = &self.rest[line..];
                Some(
                    self.yaml_value()?
                        .map_err(|yaml| if yaml.kind == ErrorKind::Stream { yaml } else { error }),
                )
            }
        }
    }

    fn json_value(&mut self) -> Option<Result<Value, YamlError>> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let read = values.next()?;
        let end = values.byte_offset();
        Some(match read {
            Ok(mut value) => {
                self.rest = &self.rest[end..];
                go::rewrite_numbers(&mut value);
                Ok(value)
            }
            Err(error) if error.is_eof() => Err(YamlError::json("unexpected EOF")),
            Err(error) => Err(YamlError::json(error)),
        })
    }

    fn yaml_value(&mut self) -> Option<Result<Value, YamlError>> {
        Some(self.yaml_document()?.and_then(|document| from_str(&document)))
    }

    /// The text up to the next separator: a line of `---` with nothing behind it but a comment.
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
        let read: Vec<_> = documents("{\"a\": 1").collect();
        assert_eq!(read[0].as_ref().unwrap_err().to_string(), "unexpected EOF");
    }
}
