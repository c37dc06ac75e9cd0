//! Character classes of Go's regular expressions.

use std::ops::RangeInclusive;

use regex::Regex;

use super::escape::{cases, escaped, write_char};

/// The length of a range up to which every character is checked for other cases.
const FOLD_MAX: usize = 1 << 10;

/// Rewrites the class, such as `[a-z\d]`, at the start of a pattern and returns its length.
pub(super) fn rewrite(text: &str, fold: bool, out: &mut String) -> Result<usize, String> {
    let missing = || format!("missing closing ]: `{text}`");
    let mut at = 1;
    out.push('[');
    if text[at..].starts_with('^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let rest = &text[at..];
        if rest.is_empty() {
            return Err(missing());
        }
        if rest.starts_with(']') && at > first {
            out.push(']');
            return Ok(at + 1);
        }
        if let Some((name, len)) = named(rest)? {
            out.push_str(&name);
            at += len;
        } else if let Some((class, len)) = shorthand(rest)? {
            out.push_str(&class);
            at += len;
        } else {
            let (range, len) = range(rest).map_err(|error| error.unwrap_or_else(missing))?;
            write_range(range, fold, out);
            at += len;
        }
    }
}

/// A character or a range such as `a-z`. `Err(None)` means that the class is not terminated.
fn range(text: &str) -> Result<(RangeInclusive<char>, usize), Option<String>> {
    let (low, mut len) = character(text)?;
    let mut high = low;
    let after = &text[len..];
    if after.starts_with('-') && after.len() > 1 && !after[1..].starts_with(']') {
        let (end, end_len) = character(&after[1..])?;
        high = end;
        len += 1 + end_len;
    }
    if high < low {
        return Err(Some(format!("invalid character class range: `{}`", &text[..len])));
    }
    Ok((low..=high, len))
}

fn character(text: &str) -> Result<(char, usize), Option<String>> {
    match text.chars().next() {
        None => Err(None),
        Some('\\') => escaped(text).map_err(Some),
        Some(c) => Ok((c, c.len_utf8())),
    }
}

fn write_range(range: RangeInclusive<char>, fold: bool, out: &mut String) {
    write_char(*range.start(), out);
    if range.end() > range.start() {
        out.push('-');
        write_char(*range.end(), out);
    }
    if fold {
        let others = range.take(FOLD_MAX).flat_map(cases);
        others.for_each(|other| write_char(other, out));
    }
}

/// `[:alpha:]` and the like.
fn named(text: &str) -> Result<Option<(String, usize)>, String> {
    let Some(end) = text.strip_prefix("[:").and_then(|rest| rest.find(":]")) else { return Ok(None) };
    let name = &text[2..2 + end];
    let (negated, plain) = match name.strip_prefix('^') {
        Some(plain) => ("^", plain),
        None => ("", name),
    };
    let set = match plain {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => r"\x{0}-\x{7F}",
        "blank" => r"\x{9}\x{20}",
        "cntrl" => r"\x{0}-\x{1F}\x{7F}",
        "digit" => "0-9",
        "graph" => r"\x{21}-\x{7E}",
        "lower" => "a-z",
        "print" => r"\x{20}-\x{7E}",
        "punct" => r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}",
        "space" => r"\x{9}-\x{D}\x{20}",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => return Err(format!("invalid character class range: `[:{name}:]`")),
    };
    Ok(Some((format!("[{negated}{set}]"), end + 4)))
}

/// `\d`, `\pL` and the like, as a class valid alone or inside another.
pub(super) fn shorthand(text: &str) -> Result<Option<(String, usize)>, String> {
    let class = match text.as_bytes() {
        [b'\\', b'd', ..] => "[0-9]",
        [b'\\', b'D', ..] => "[^0-9]",
        [b'\\', b'w', ..] => "[0-9A-Za-z_]",
        [b'\\', b'W', ..] => "[^0-9A-Za-z_]",
        [b'\\', b's', ..] => r"[\x{9}\x{A}\x{C}\x{D}\x{20}]",
        [b'\\', b'S', ..] => r"[^\x{9}\x{A}\x{C}\x{D}\x{20}]",
        [b'\\', b'p' | b'P', ..] => return unicode(text).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((class.to_owned(), 2)))
}

/// `\pL`, `\p{Lu}` or `\P{^Lu}`.
fn unicode(text: &str) -> Result<(String, usize), String> {
    let invalid = |len: usize| format!("invalid character class range: `{}`", &text[..len]);
    let mut negated = text.as_bytes()[1] == b'P';
    let (name, len) = match text[2..].chars().next() {
        None => return Err(invalid(2)),
        Some('{') => {
            let end = text.find('}').ok_or_else(|| invalid(text.len()))?;
            (&text[3..end], end + 1)
        }
        Some(c) => (&text[2..2 + c.len_utf8()], 2 + c.len_utf8()),
    };
    let plain = name.strip_prefix('^');
    negated ^= plain.is_some();
    let name = plain.unwrap_or(name);
    let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
    let known = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && Regex::new(&class).is_ok();
    if known { Ok((class, len)) } else { Err(invalid(len)) }
}
