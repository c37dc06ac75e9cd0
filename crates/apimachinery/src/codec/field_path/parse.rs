//! The syntax of field paths.

use crate::go::quoted;

/// The names between the dots and in the brackets.
pub(super) fn names(path: &str) -> Result<Vec<Box<str>>, String> {
    let mut names = Vec::new();
    let mut rest = path.strip_prefix('.').unwrap_or(path);
    loop {
        let name;
        (name, rest) = match rest.strip_prefix('[') {
            Some(key) => in_brackets(key)?,
            None => until(rest, &['.', '['])?,
        };
        names.push(name);
        rest = match rest.as_bytes().first() {
            None => return Ok(names),
            Some(b'.') => &rest[1..],
            Some(b'[') => rest,
            Some(_) => return Err(format!("expected a dot or an end before {}", quoted(rest))),
        };
    }
}

/// A key in brackets, with or without quotes, and the rest of the path.
fn in_brackets(text: &str) -> Result<(Box<str>, &str), String> {
    let (key, rest) = match text.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (key, rest) = until(&text[1..], &[quote])?;
            (
                key,
                rest.strip_prefix(quote)
                    .ok_or_else(|| format!("the quote before {} is not closed", quoted(&text[1..])))?,
            )
        }
        _ => until(text, &[']'])?,
    };
    let rest =
        rest.strip_prefix(']').ok_or_else(|| format!("the bracket before {} is not closed", quoted(text)))?;
    Ok((key, rest))
}

/// The name before one of these characters or the end. A backslash escapes the next character.
fn until<'a>(text: &'a str, ends: &[char]) -> Result<(Box<str>, &'a str), String> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let mut rest = "";
    while let Some((at, character)) = chars.next() {
        if ends.contains(&character) {
            rest = &text[at..];
            break;
        }
        match character {
            '\\' => name.push(chars.next().ok_or("it ends with a backslash")?.1),
            _ => name.push(character),
        }
    }
    if name.is_empty() {
        return Err(if text.is_empty() {
            "a name is missing at the end".into()
        } else {
            format!("a name is missing before {}", quoted(text))
        });
    }
    Ok((name.into(), rest))
}
