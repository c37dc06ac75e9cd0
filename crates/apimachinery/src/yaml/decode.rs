//! Decoding of one YAML document to a JSON value.

use std::collections::HashMap;
use std::fmt;

use libyaml_safer::{Error, ErrorKind, Event, EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::YamlError;
use super::scalar::{Scalar, resolve};
use crate::ByteString;
use crate::go::{self, GoSyntax};

/// The maximum nesting of lists and maps.
const MAX_DEPTH: usize = 200;

/// The maximum number of duplicate keys that are reported.
const MAX_REPEATED: usize = 100;

/// The maximum number of values that aliases may add to those in the document.
const MAX_ALIASED: usize = 100_000;

/// Parses one document; `null` if there is none.
///
/// # Errors
///
/// If it is not YAML, or cannot be JSON. The message is kubectl's.
///
/// ```
/// use klient_apimachinery::yaml;
/// assert_eq!(yaml::from_str("{a: yes, b: [1, x]}")?, serde_json::json!({"a": true, "b": [1, "x"]}));
/// assert_eq!(yaml::from_str("a:\n\tb: 1").unwrap_err().to_string(),
///     "yaml: line 2: found character that cannot start any token");
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn from_str(text: &str) -> Result<Value, YamlError> {
    from_str_with_duplicates(text).map(|(value, _)| value)
}

/// Parses as [`from_str`], and returns the duplicate keys, of which the last one counts. Strict decoding rejects them.
///
/// # Errors
///
/// The same as those of [`from_str`].
///
/// ```
/// use klient_apimachinery::yaml;
/// let (value, repeated) = yaml::from_str_with_duplicates("a: 1\nb: {}\na: 2\n")?;
/// assert_eq!(value, serde_json::json!({"a": 2, "b": {}}));
/// assert_eq!(repeated[0].to_string(), r#"line 3: key "a" already set in map"#);
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn from_str_with_duplicates(text: &str) -> Result<(Value, Vec<DuplicateKey>), YamlError> {
    // The parser panics on some inputs that end within a token.
    let read = std::panic::catch_unwind(|| read(text));
    read.unwrap_or_else(|_| Err(YamlError::yaml("found unexpected end of stream")))
}

/// A duplicate key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The line of its value, counted from 1.
    pub line: u64,
    /// The key as in JSON.
    pub key: String,
    /// The key in Go's syntax: a number or a boolean has no quotes.
    go_syntax: String,
}

/// The message of Go's strict decoder.
impl fmt::Display for DuplicateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: key {} already set in map", self.line, self.go_syntax)
    }
}

fn read(text: &str) -> Result<(Value, Vec<DuplicateKey>), YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The parser panics at the end of a block scalar without a line break there.
    let last = text.rsplit('\n').next().unwrap_or_default();
    if last.starts_with(' ') && !last.trim().is_empty() && text.contains(['|', '>']) {
        let text = format!("{text}\n");
        return compose(&text, Some(text.len()));
    }
    compose(text, None)
}

fn compose(text: &str, added_break: Option<usize>) -> Result<(Value, Vec<DuplicateKey>), YamlError> {
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let added_break = added_break.map(|end| end as u64);
    let mut composer = Composer {
        parser,
        slashes: slashes(text),
        keys: Keys::new(),
        merges: text.contains("<<"),
        anchors: HashMap::new(),
        aliased: 0,
        added_break,
        is_refused: false,
        repeated: Vec::new(),
    };
    let value = composer.document()?;
    Ok((value, composer.repeated))
}

/// Line and Go type of the keys of a map. A string key of a document without merges has no entry.
type Keys = HashMap<String, MapKey>;

#[derive(Clone)]
struct MapKey {
    /// The line of its value, counted from 1; 0 if it is not known.
    line: u64,
    ty: GoType,
    /// The key in Go's syntax; empty for a string.
    go_syntax: String,
}

/// The type of a key in Go, to which 1 and "1" are two keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoType {
    String,
    Int,
    Bool,
    Float64,
    /// A float64 that equals no key, itself included.
    NaN,
}

/// A map to merge into another.
type Mergeable = (Map<String, Value>, Keys);

struct Composer<R> {
    parser: Parser<R>,
    /// The positions of `\/` in the document, in reverse order, each with its line: YAML 1.1 has no such escape.
    slashes: Vec<(u64, u64)>,
    /// Values by anchor; `None` until the value is complete.
    anchors: HashMap<String, Option<(Value, Keys)>>,
    /// The keys of the map that was read last, if merges are used.
    keys: Keys,
    merges: bool,
    aliased: usize,
    /// The end of the document, if its last line break was added.
    added_break: Option<u64>,
    /// True if the document is known to be invalid.
    is_refused: bool,
    /// Duplicate keys of maps.
    repeated: Vec<DuplicateKey>,
}

impl<R: std::io::BufRead> Composer<R> {
    fn document(&mut self) -> Result<Value, YamlError> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamEnd => return Ok(Value::Null),
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                data => {
                    let value = self.value(data, 0);
                    // A syntax error is reported before any other, even behind the root.
                    if !self.is_refused {
                        while !matches!(
                            self.next()?.data,
                            EventData::DocumentEnd { .. } | EventData::StreamEnd
                        ) {}
                    }
                    return value;
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event, YamlError> {
        let mut event = self.parser.parse().map_err(|error| {
            self.is_refused = true;
            syntax(&error)
        })?;
        self.check_event(&event)?;
        if let EventData::Scalar { value, style: ScalarStyle::Literal | ScalarStyle::Folded, .. } =
            &mut event.data
            && Some(event.end_mark.index) == self.added_break
            && value.ends_with('\n')
        {
            value.pop();
        }
        Ok(event)
    }

    /// Rejects features of YAML 1.2, which the parser accepts and kubectl's does not.
    fn check_event(&mut self, event: &Event) -> Result<(), YamlError> {
        let start = event.start_mark;
        match &event.data {
            EventData::DocumentStart { version_directive: Some(version), .. }
                if (version.major, version.minor) != (1, 1) =>
            {
                self.refuse(at_line(start.line, "found incompatible YAML document"))
            }
            EventData::Scalar { style: ScalarStyle::DoubleQuoted, .. } => {
                while self.slashes.pop_if(|(at, _)| *at < start.index).is_some() {}
                match self.slashes.last() {
                    Some((at, line)) if *at < event.end_mark.index => {
                        let line = if *line == 0 { 0 } else { line + 1 };
                        self.refuse(at_line(line, "found unknown escape character"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// An error after which the rest of the document is not read.
    fn refuse<T>(&mut self, problem: impl std::fmt::Display) -> Result<T, YamlError> {
        self.is_refused = true;
        Err(YamlError::yaml(problem))
    }

    fn value(&mut self, data: EventData, depth: usize) -> Result<Value, YamlError> {
        if depth > MAX_DEPTH {
            return self.refuse(format_args!("exceeded max depth of {MAX_DEPTH}"));
        }
        match data {
            EventData::Alias { anchor } => self.alias(&anchor),
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                self.anchored(anchor, |_| scalar(tag.as_deref(), value, plain_implicit))
            }
            EventData::SequenceStart { anchor, .. } => self.anchored(anchor, |composer| composer.list(depth)),
            EventData::MappingStart { anchor, .. } => self.anchored(anchor, |composer| composer.map(depth)),
            _ => self.refuse("unexpected event"),
        }
    }

    fn alias(&mut self, anchor: &str) -> Result<Value, YamlError> {
        match self.anchors.get(anchor).cloned() {
            None => self.refuse(format_args!("unknown anchor '{anchor}' referenced")),
            Some(None) => Err(YamlError::yaml(format_args!("anchor '{anchor}' value contains itself"))),
            Some(Some((value, keys))) => {
                self.keys = keys;
                self.aliased += size(&value);
                if self.aliased > MAX_ALIASED {
                    return self.refuse("document contains excessive aliasing");
                }
                Ok(value)
            }
        }
    }

    fn anchored(
        &mut self,
        anchor: Option<String>,
        read: impl FnOnce(&mut Self) -> Result<Value, YamlError>,
    ) -> Result<Value, YamlError> {
        let Some(anchor) = anchor else { return read(self) };
        self.anchors.insert(anchor.clone(), None);
        let value = read(self)?;
        let keys = if value.is_object() { self.keys.clone() } else { Keys::new() };
        self.anchors.insert(anchor, Some((value.clone(), keys)));
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
        let mut keys = Keys::new();
        // The last key and value that JSON cannot have. Syntax errors behind it are reported before it.
        let mut unsupported: Option<(String, Value)> = None;
        loop {
            let data = self.next()?.data;
            let key = match data {
                EventData::MappingEnd => {
                    if let Some((key, value)) = unsupported {
                        let value = GoSyntax::of_yaml(&value);
                        let problem = format_args!("unsupported map key of type: {key}, value: {value}");
                        return Err(YamlError::conversion(problem));
                    }
                    self.keys = keys;
                    return Ok(Value::Object(entries));
                }
                EventData::Scalar { ref tag, ref value, plain_implicit, .. } if value == "<<" => {
                    if plain_implicit || tag.as_deref() == Some(MERGE_TAG) {
                        for (merged, own_keys) in self.merged(depth + 1)?.into_iter().rev() {
                            for (text, value) in merged {
                                let key = own_keys.get(&text).cloned();
                                let key = key.unwrap_or(MapKey {
                                    line: 0,
                                    ty: GoType::String,
                                    go_syntax: String::new(),
                                });
                                self.insert(text, key, value, &mut entries, &mut keys);
                            }
                        }
                        continue;
                    }
                    Key::string(value.clone())
                }
                data => self.key(data, depth + 1)?,
            };
            let Event { data, start_mark, .. } = self.next()?;
            let line = start_mark.line + 1;
            let value = self.value(data, depth + 1)?;
            match key {
                Key::Text { text, ty, go_syntax } => {
                    let key = MapKey { line, ty, go_syntax };
                    self.insert(text, key, value, &mut entries, &mut keys);
                }
                Key::Unsupported(key) => unsupported = Some((key, value)),
            }
        }
    }

    /// Adds an entry to a map, and notes it if the key is there already.
    fn insert(
        &mut self,
        text: String,
        key: MapKey,
        value: Value,
        entries: &mut Map<String, Value>,
        keys: &mut Keys,
    ) {
        let is_same = |other: Option<&MapKey>| {
            key.ty != GoType::NaN && other.map_or(GoType::String, |other| other.ty) == key.ty
        };
        if entries.contains_key(&text) && is_same(keys.get(&text)) && self.repeated.len() < MAX_REPEATED {
            let go_syntax = match key.ty {
                GoType::String => go::quoted(&text),
                _ => key.go_syntax.clone(),
            };
            self.repeated.push(DuplicateKey { line: key.line, key: text.clone(), go_syntax });
        }
        if self.merges || key.ty != GoType::String {
            keys.insert(text.clone(), key);
        }
        entries.insert(text, value);
    }

    /// The maps to merge into another, with their keys.
    fn merged(&mut self, depth: usize) -> Result<Vec<Mergeable>, YamlError> {
        let data = self.next()?.data;
        if !matches!(&data, EventData::SequenceStart { anchor: None, .. }) {
            return match self.value(data, depth)? {
                // The lines of the items of an anchor are not kept.
                Value::Array(items) => items.into_iter().map(|item| mergeable(item, Keys::new())).collect(),
                value => Ok(vec![mergeable(value, std::mem::take(&mut self.keys))?]),
            };
        }
        let mut maps = Vec::new();
        loop {
            match self.next()?.data {
                EventData::SequenceEnd => {
                    return maps.into_iter().map(|(map, keys)| mergeable(map, keys)).collect();
                }
                data => {
                    let value = self.value(data, depth + 1)?;
                    maps.push((value, std::mem::take(&mut self.keys)));
                }
            }
        }
    }

    /// A key as in JSON: numbers and booleans become strings.
    fn key(&mut self, data: EventData, depth: usize) -> Result<Key, YamlError> {
        if let EventData::Scalar { anchor: None, tag, value, plain_implicit, .. } = &data
            && let Scalar::Float(float) = resolved(tag.as_deref(), value, *plain_implicit)?
        {
            return Ok(Key::float(float));
        }
        Ok(match self.value(data, depth)? {
            Value::String(text) => Key::string(text),
            Value::Bool(value) => Key::plain(value.to_string(), GoType::Bool),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), _, _) => Key::plain(number.to_string(), GoType::Int),
                (None, Some(number), _) => Key::Unsupported(format!("uint64, key: {number:#x}")),
                (None, None, float) => Key::float(float.unwrap_or_default()),
            },
            Value::Null => Key::Unsupported("%!s(<nil>), key: <nil>".to_owned()),
            key => {
                let key = GoSyntax::of_yaml(&key);
                return Err(YamlError::yaml(format_args!("invalid map key: {key}")));
            }
        })
    }
}

/// A key of a map.
enum Key {
    /// A key of JSON, with its type and, unless it is a string, its Go syntax.
    Text { text: String, ty: GoType, go_syntax: String },
    /// A key that JSON cannot have: its type and value, in Go's words.
    Unsupported(String),
}

impl Key {
    fn string(text: String) -> Self {
        Key::Text { text, ty: GoType::String, go_syntax: String::new() }
    }

    /// A key that JSON has as Go prints it.
    fn plain(text: String, ty: GoType) -> Self {
        Key::Text { go_syntax: text.clone(), text, ty }
    }

    fn float(float: f64) -> Self {
        let ty = if float.is_nan() { GoType::NaN } else { GoType::Float64 };
        Key::Text { text: float_key(float), ty, go_syntax: go::float(float) }
    }
}

const MERGE_TAG: &str = "tag:yaml.org,2002:merge";

/// The type of a scalar with a tag, or of a plain one.
///
/// # Errors
///
/// If it does not match its tag.
fn resolved(tag: Option<&str>, text: &str, plain_implicit: bool) -> Result<Scalar, YamlError> {
    let Some(tag) = tag.filter(|tag| !tag.is_empty()) else {
        return Ok(if plain_implicit { resolve(text) } else { Scalar::Text });
    };
    let tag = tag.strip_prefix("tag:yaml.org,2002:").unwrap_or_default();
    if !matches!(tag, "bool" | "int" | "float" | "null" | "timestamp") {
        return Ok(Scalar::Text);
    }
    match resolve(text) {
        Scalar::Int(number) if tag == "float" && !number.is_u64() | number.is_i64() => {
            Ok(Scalar::Float(number.as_f64().unwrap_or_default()))
        }
        scalar if scalar.tag().strip_prefix("!!") == Some(tag) => Ok(scalar),
        scalar => {
            let own = scalar.tag();
            Err(YamlError::yaml(format_args!("cannot decode {own} `{text}` as a !!{tag}")))
        }
    }
}

fn scalar(tag: Option<&str>, text: String, plain_implicit: bool) -> Result<Value, YamlError> {
    if tag == Some("tag:yaml.org,2002:binary") {
        return binary(&text).map(Value::String);
    }
    resolved(tag, &text, plain_implicit)?.into_json(text)
}

/// Decodes base64, which may have line breaks.
fn binary(base64: &str) -> Result<String, YamlError> {
    let bytes = ByteString::from_base64(base64)
        .map_err(|_| YamlError::yaml("!!binary value contains invalid base64 data"))?;
    // Go's JSON has one replacement character for each byte of invalid UTF-8.
    let bytes = bytes.as_ref();
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(text)
}

/// A floating-point number as a key: with a precision of 32 bits.
fn float_key(float: f64) -> String {
    let float = float as f32;
    match float {
        f32::INFINITY => ".inf".to_owned(),
        f32::NEG_INFINITY => "-.inf".to_owned(),
        _ if float.is_nan() => ".nan".to_owned(),
        // The shortest digits for 32 bits, as a number of 64.
        _ => go::float(float.to_string().parse().expect("it is the text of a number")),
    }
}

/// The entries of a merge key's value, which must be a map. Of several maps, the first takes precedence.
fn mergeable(value: Value, keys: Keys) -> Result<Mergeable, YamlError> {
    match value {
        Value::Object(entries) => Ok((entries, keys)),
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

/// The line is counted as by kubectl's parser: from 0 for errors of grammar, from 1 for those of tokens.
fn syntax(error: &Error) -> YamlError {
    let line = |mark: Option<libyaml_safer::Mark>| mark.map(|mark| mark.line).filter(|line| *line != 0);
    let after_token = u64::from(error.kind() == ErrorKind::Scanner);
    let problem = error.problem();
    let line =
        line(error.problem_mark()).map(|line| line + after_token).or_else(|| line(error.context_mark()));
    YamlError::yaml(at_line(line.unwrap_or_default(), problem))
}

/// A message with its line; without it if that is 0.
fn at_line(line: u64, problem: &str) -> String {
    if line == 0 { problem.to_owned() } else { format!("line {line}: {problem}") }
}

/// The positions of `\/` in bytes, in reverse order, and their lines, counted from 0.
fn slashes(text: &str) -> Vec<(u64, u64)> {
    let (mut found, mut line, mut is_escape) = (Vec::new(), 0, false);
    if text.contains("\\/") {
        for (at, character) in text.char_indices() {
            if is_escape && character == '/' {
                found.push((at as u64, line));
            }
            is_escape = character == '\\' && !is_escape;
            line += u64::from(character == '\n');
        }
    }
    found.reverse();
    found
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
        check("d: {c: 3, <<: {a: 1, <<: {a: 2, c: 4}}}", json!({"d": {"a": 2, "c": 4}}));
        check("1: a\ntrue: b\n1.0: c", json!({"1": "c", "true": "b"}));
        check(
            "16777217.0: a\n.nan: b\n1.5: c\n1e3: d",
            json!({"1.6777216e+07": "a", ".nan": "b", "1.5": "c", "1000": "d"}),
        );
        check(
            "a: '1'\nb: \"yes\"\nc: !!str 1\nd: !!int '7'",
            json!({"a": "1", "b": "yes", "c": "1", "d": 7}),
        );
        check("a: |\n  x\n  y\nb: >\n  x\n  y\n", json!({"a": "x\ny\n", "b": "x y\n"}));
        check("a: |\n  x\n  y", json!({"a": "x\ny"}));
        check("- |\n  - x\n- >+\n  y", json!(["- x\n", "y"]));
        check("a: !!binary aGVsbG8=\nb: !!binary |\n  aGVs\n  bG8=\n", json!({"a": "hello", "b": "hello"}));
        check("a: !!binary aGVsbG9=", json!({"a": "hello"}));
        check("a: !!float 5\nb: ! 5\nc: !other 5", json!({"a": 5, "b": "5", "c": "5"}));
        check("b: &b {a: 1, c: 3}\nd: {a: 5, <<: *b}", json!({"b": {"a": 1, "c": 3}, "d": {"a": 1, "c": 3}}));
        check("k: 1\nk: 2", json!({"k": 2}));
        check("a: |\n  é", json!({"a": "é"}));
        check("%YAML 1.1\n---\na: '\\/'", json!({"a": "\\/"}));
        check("a: \\/\nb: \"\\\\/\"", json!({"a": "\\/", "b": "\\/"}));
        check("", json!(null));
        check("# nothing", json!(null));
    }

    #[test]
    fn keys_that_are_merged_twice_are_named_by_the_line_of_their_value() {
        for (text, expected) in [
            ("{1: a, '1': b}", &[][..]),
            ("{1: a, 1: b, true: c, true: d}", &[(1, "1"), (1, "true")]),
            ("a: &a {k: 1}\nb: &b {k: 2}\nd:\n  <<: [*a, *b]\n  k: 3", &[(1, "k"), (5, "k")]),
            ("a: &a {k: 1}\nb: &b {k: 2}\nd:\n  k: 3\n  <<: [*a, *b]", &[(2, "k"), (1, "k")]),
            ("a: &a {k: 1}\nd:\n  <<: *a\n  <<: *a", &[(1, "k")]),
            ("d:\n  <<: {k: 1}\n  k: 2", &[(3, "k")]),
        ] {
            let (_, repeated) = from_str_with_duplicates(text).expect("it is YAML");
            let named: Vec<(u64, &str)> = repeated.iter().map(|key| (key.line, &*key.key)).collect();
            assert_eq!(named, expected, "{text}");
        }
        for (text, key) in [
            ("{a: 1, a: 2}", "\"a\""),
            ("{1: a, 1: b}", "1"),
            ("{1: a, 0x1: b}", "1"),
            ("{yes: a, true: b}", "true"),
            ("{123456789.5: a, 123456789.5: b}", "1.234567895e+08"),
            ("{.inf: a, .inf: b}", "+Inf"),
            ("{<<: {1: a}, 1: b}", "1"),
        ] {
            let (_, repeated) = from_str_with_duplicates(text).expect("it is YAML");
            assert_eq!(repeated[0].to_string(), format!("line 1: key {key} already set in map"), "{text}");
        }
        assert_eq!(from_str_with_duplicates("{.nan: a, .nan: b}").expect("it is YAML").1, []);
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
        refused("a: &x [1, *x]", "yaml: anchor 'x' value contains itself");
        refused("a: !!int x\nb: [", "yaml: line 2: did not find expected node content");
        refused("a: !!int 3.0", "yaml: cannot decode !!float `3.0` as a !!int");
        refused("a: !!binary x", "yaml: !!binary value contains invalid base64 data");
        refused("a: *x", "yaml: unknown anchor 'x' referenced");
        refused("a: b: c", "yaml: mapping values are not allowed in this context");
        refused("a: .inf", "json: unsupported value: +Inf");
        refused("{[a, 1]: b}", r#"yaml: invalid map key: []interface {}{"a", 1}"#);
        refused("{{a: 1}: b}", r#"yaml: invalid map key: map[interface {}]interface {}{"a":1}"#);
        refused("{~: a, ~: b}", r#"unsupported map key of type: %!s(<nil>), key: <nil>, value: "b""#);
        refused(
            "18446744073709551615: [~]",
            "unsupported map key of type: uint64, key: 0xffffffffffffffff, value: []interface {}{interface {}(nil)}",
        );
        refused("%YAML 1.2\n---\na: b", "yaml: found incompatible YAML document");
        refused("# a\n%YAML 1.2\n---\na: b", "yaml: line 1: found incompatible YAML document");
        refused("a: b\nc: \"é\\/\"", "yaml: line 2: found unknown escape character");
        refused("\"\\/\"", "yaml: found unknown escape character");
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
