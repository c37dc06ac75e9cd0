//! Paths to fields of a schema, as in selectable fields and validation rules.

use klient_apimachinery::values::Map;
use serde_json::Value;

use super::path::{child, key};

/// A field of a schema.
#[derive(Debug)]
pub(super) struct SchemaField<'a> {
    /// The path in canonical form.
    pub(super) path: String,
    /// The first name of the path.
    pub(super) root: String,
    /// Its schema; `None` for an entry of a map with any values.
    pub(super) schema: Option<&'a Map>,
}

/// The field at a path such as `.spec.color`. `brackets` allows names that are not identifiers.
///
/// # Errors
///
/// The syntax error of the path, or that the schema has no such field.
pub(super) fn resolve<'a>(text: &str, schema: &'a Map, brackets: bool) -> Result<SchemaField<'a>, String> {
    const ENDED: &str = "unexpected end of JSON path";
    let mut field = SchemaField { path: String::new(), root: String::new(), schema: Some(schema) };
    let mut rest = text;
    while let Some(token) = next_token(&mut rest) {
        match token {
            "." => field.enter(next_token(&mut rest).ok_or(ENDED)?)?,
            "[" if !brackets => return Err("array notation is not allowed".to_owned()),
            "[" => {
                let name = next_token(&mut rest).ok_or(ENDED)?;
                let quoted = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
                let quoted = quoted.ok_or_else(|| format!("expected single quoted string but got {name}"))?;
                field
                    .enter(&unescape(quoted).map_err(|error| format!("invalid string literal: {error}"))?)?;
                match next_token(&mut rest).ok_or(ENDED)? {
                    "]" => {}
                    token => return Err(format!("expected ] but got {token}")),
                }
            }
            token => return Err(format!("expected [ or . but got: {token}")),
        }
    }
    Ok(field)
}

impl SchemaField<'_> {
    fn enter(&mut self, name: &str) -> Result<(), String> {
        let schema = self.schema.ok_or(NO_FIELD)?;
        let properties =
            schema.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty());
        let path = match properties {
            Some(properties) => {
                self.schema = Some(properties.get(name).and_then(Value::as_object).ok_or(NO_FIELD)?);
                child(&self.path, name)
            }
            None => {
                self.schema = schema.get("additionalProperties").ok_or(NO_FIELD)?.as_object();
                key(&self.path, name)
            }
        };
        if self.path.is_empty() {
            self.root = path.clone();
        }
        self.path = path;
        Ok(())
    }
}

const NO_FIELD: &str = "does not refer to a valid field";

/// Takes a delimiter, a quoted string or the characters up to the next delimiter.
fn next_token<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = *rest;
    let end = match text.chars().next()? {
        '.' | '[' | ']' => 1,
        '\'' => quoted_end(text).unwrap_or(text.len()),
        _ => text.find(['.', '[', ']']).unwrap_or(text.len()),
    };
    let (token, after) = text.split_at(end);
    *rest = after;
    Some(token)
}

fn quoted_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len()).find(|&index| bytes[index] == b'\'' && bytes[index - 1] != b'\\').map(|index| index + 1)
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        plain.push(match chars.next() {
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(c @ ('\'' | '\\')) => c,
            Some(c) => return Err(format!("invalid escape char \\{c}")),
            None => '\\',
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_fields_that_the_schema_knows() {
        let schema = json!({"properties": {
            "spec": {"properties": {"color": {"type": "string"}, "it's.": {"type": "string"}}},
            "map": {"additionalProperties": {"type": "integer"}},
            "any": {"additionalProperties": true},
        }});
        let schema = schema.as_object().unwrap();
        for (text, brackets, found) in [
            (".spec.color", false, Ok("spec.color")),
            (".spec['color']", true, Ok("spec.color")),
            (r".spec['it\'s.']", true, Ok("spec.it's.")),
            (".map.x", false, Ok("map[x]")),
            (".any.x", false, Ok("any[x]")),
            (".any.x.y", false, Err("does not refer to a valid field")),
            (".spec['color']", false, Err("array notation is not allowed")),
            (".spec.size", false, Err("does not refer to a valid field")),
            (".spec.color.x", false, Err("does not refer to a valid field")),
            (".spec.", false, Err("unexpected end of JSON path")),
            ("spec", false, Err("expected [ or . but got: spec")),
            (".spec[color]", true, Err("expected single quoted string but got color")),
            (".spec['color'.", true, Err("expected ] but got .")),
            (r".spec['\q']", true, Err(r"invalid string literal: invalid escape char \q")),
        ] {
            let result = resolve(text, schema, brackets);
            let path = result.as_ref().map(|field| field.path.as_str()).map_err(String::as_str);
            assert_eq!(path, found, "{text}");
        }
    }
}
