//! A stream of YAML or JSON documents.

use serde_json::Value;

use super::{YamlError, from_str};

/// The documents of `text`, in order. Empty ones are passed over; behind one that cannot be read none follows.
///
/// A stream that begins with `{` is JSON values one after another; any other is YAML split at `---`.
///
/// ```
/// use klient_apimachinery::yaml;
/// let kinds: Result<Vec<_>, _> = yaml::documents("kind: A\n---\n# nothing\n---\nkind: B\n").collect();
/// assert_eq!(kinds?, [serde_json::json!({"kind": "A"}), serde_json::json!({"kind": "B"})]);
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn documents(text: &str) -> Documents<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = text.trim_start().starts_with('{');
    Documents { rest: text, json }
}

/// Documents of a stream; see [`documents`].
#[derive(Clone, Debug)]
pub struct Documents<'a> {
    rest: &'a str,
    json: bool,
}

impl Iterator for Documents<'_> {
    type Item = Result<Value, YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = if self.json { self.json_value()? } else { self.yaml_document().map(from_str)? };
            match read {
                Ok(Value::Null) => {}
                Ok(value) => return Some(Ok(value)),
                Err(error) => {
                    self.rest = "";
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<'a> Documents<'a> {
    fn json_value(&mut self) -> Option<Result<Value, YamlError>> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let read = values.next()?;
        let end = values.byte_offset();
        Some(match read {
            Ok(value) => {
                self.rest = &self.rest[end..];
                Ok(value)
            }
            Err(error) if error.is_eof() => Err(YamlError::json("unexpected EOF")),
            Err(error) => Err(YamlError::json(error)),
        })
    }

    /// The text up to the next separator: a line of `---` with nothing behind it but a comment.
    fn yaml_document(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in self.rest.split_inclusive('\n') {
            let separates = line.strip_prefix("---").is_some_and(|behind| {
                let behind = behind.trim();
                behind.is_empty() || behind.starts_with('#')
            });
            if separates && end > 0 {
                let document = &self.rest[..end];
                self.rest = &self.rest[end + line.len()..];
                return Some(document);
            }
            end += line.len();
        }
        Some(std::mem::take(&mut self.rest))
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
