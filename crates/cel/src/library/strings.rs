//! Functions of strings.

use super::TEXT_MAX;
use crate::failure::{Failure, Result};
use crate::steps::Steps;
use crate::value::{List, Text, Value};

fn out_of_range(index: i64) -> Failure {
    Failure::Error(format!("index out of range: {index}"))
}

pub(super) fn contains<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].as_str()?.contains(arguments[1].as_str()?)))
}

pub(super) fn starts_with<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].as_str()?.starts_with(arguments[1].as_str()?)))
}

pub(super) fn ends_with<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].as_str()?.ends_with(arguments[1].as_str()?)))
}

/// The byte offset of a character, which may be the one after the last.
fn offset(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(index)
}

pub(super) fn char_at<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (text, index) = (arguments[0].as_str()?, arguments[1].as_int()?);
    let at = offset(text, index).ok_or_else(|| out_of_range(index))?;
    Ok(Value::string(text[at..].chars().next().map(String::from).unwrap_or_default()))
}

fn len(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The index of the first appearance of a string or item, or -1.
pub(super) fn index_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    if let Value::List(list) = &arguments[0] {
        return item_index(list, &arguments[1], false);
    }
    let (text, part) = (arguments[0].as_str()?, arguments[1].as_str()?);
    let start = arguments.get(2).map_or(Ok(0), Value::as_int)?;
    if start < 0 {
        return Err(out_of_range(start));
    }
    if part.is_empty() {
        return Ok(Value::Int(start.min(len(text))));
    }
    let found = offset(text, start).and_then(|at| Some(at + text[at..].find(part)?));
    Ok(Value::Int(found.map_or(-1, |at| len(&text[..at]))))
}

/// The index of the last appearance of a string or item, or -1.
pub(super) fn last_index_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    if let Value::List(list) = &arguments[0] {
        return item_index(list, &arguments[1], true);
    }
    let (text, part) = (arguments[0].as_str()?, arguments[1].as_str()?);
    let last = arguments.get(2).map(Value::as_int).transpose()?;
    if let Some(last) = last.filter(|last| *last < 0) {
        return Err(out_of_range(last));
    }
    if part.is_empty() {
        return Ok(Value::Int(last.map_or(len(text), |last| last.min(len(text)))));
    }
    let end = match last {
        // An offset behind the string finds nothing.
        Some(last) if last >= len(text) => return Ok(Value::Int(-1)),
        Some(last) => offset(text, last).map_or(text.len(), |at| (at + part.len()).min(text.len())),
        None => text.len(),
    };
    let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
    Ok(Value::Int(text[..end].rfind(part).map_or(-1, |at| len(&text[..at]))))
}

fn item_index<'a>(list: &List<'a>, item: &Value<'a>, last: bool) -> Result<Value<'a>> {
    let mut found = -1;
    for (index, own) in list.iter().enumerate() {
        if own?.equals(item, &mut Steps::counted()).unwrap_or_default() {
            found = i64::try_from(index).unwrap_or(i64::MAX);
            if !last {
                break;
            }
        }
    }
    Ok(Value::Int(found))
}

pub(super) fn lower_ascii<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(arguments[0].as_str()?.to_ascii_lowercase()))
}

pub(super) fn upper_ascii<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::string(arguments[0].as_str()?.to_ascii_uppercase()))
}

pub(super) fn replace<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (text, old, new) = (arguments[0].as_str()?, arguments[1].as_str()?, arguments[2].as_str()?);
    let times = arguments.get(3).map_or(Ok(-1), Value::as_int)?;
    let found = if old.is_empty() { text.len() + 1 } else { text.matches(old).count() };
    let times = usize::try_from(times).unwrap_or(usize::MAX).min(found);
    if times.saturating_mul(new.len()).saturating_add(text.len()) > TEXT_MAX {
        return Err(Failure::Budget);
    }
    Ok(Value::string(text.replacen(old, new, times)))
}

pub(super) fn split<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (text, separator) = (arguments[0].as_str()?, arguments[1].as_str()?);
    let limit = arguments.get(2).map_or(Ok(-1), Value::as_int)?;
    let parts: Vec<&str> = if limit == 0 {
        Vec::new()
    } else if separator.is_empty() {
        characters(text, limit)
    } else {
        match usize::try_from(limit) {
            Ok(limit) => text.splitn(limit, separator).collect(),
            Err(_) => text.split(separator).collect(),
        }
    };
    Ok(Value::list(parts.into_iter().map(|part| Value::string(part.to_owned())).collect()))
}

/// The characters of a string; the last of a limited number has the rest.
fn characters(text: &str, limit: i64) -> Vec<&str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if parts.len() + 1 == limit {
            parts.push(rest);
            break;
        }
        let (first, after) = rest.split_at(c.len_utf8());
        parts.push(first);
        rest = after;
    }
    parts
}

pub(super) fn substring<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (text, start) = (arguments[0].as_str()?, arguments[1].as_int()?);
    let end = arguments.get(2).map(Value::as_int).transpose()?;
    if let Some(end) = end.filter(|end| start > *end) {
        return Err(Failure::Error(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let from = offset(text, start).ok_or_else(|| out_of_range(start))?;
    let to = end.map_or(Ok(text.len()), |end| offset(text, end).ok_or_else(|| out_of_range(end)))?;
    Ok(Value::string(text[from..to].to_owned()))
}

pub(super) fn trim<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let space = |c: char| c.is_whitespace();
    Ok(Value::string(arguments[0].as_str()?.trim_matches(space).to_owned()))
}

pub(super) fn join<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let separator = arguments.get(1).map_or(Ok(""), Value::as_str)?;
    let mut out = String::new();
    for (index, item) in arguments[0].as_list()?.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match item? {
            Value::String(text) => out.push_str(&text),
            other => {
                let shown = super::string_format::show(&other);
                return Err(Failure::Error(format!("join: invalid input: {shown}")));
            }
        }
        if out.len() > TEXT_MAX {
            return Err(Failure::Budget);
        }
    }
    Ok(Value::string(out))
}

/// A string as a literal of CEL.
pub(super) fn quote<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let text = arguments[0].as_str()?;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(Value::string(out))
}

pub(super) fn concat<'a>(one: &str, other: &str) -> Result<Value<'a>> {
    if one.len() + other.len() > TEXT_MAX {
        return Err(Failure::Budget);
    }
    Ok(Value::String(Text::from([one, other].concat())))
}
