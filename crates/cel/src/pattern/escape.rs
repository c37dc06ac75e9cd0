//! Characters in Go's regular expressions: escapes, and the cases of a letter.

use std::iter;

/// The character that an escape at the start of a pattern denotes, and the escape's length.
pub(super) fn escaped(text: &str) -> Result<(char, usize), String> {
    let invalid = |len: usize| format!("invalid escape sequence: `{}`", text.get(..len).unwrap_or(text));
    let Some(c) = text[1..].chars().next() else {
        return Err("trailing backslash at end of expression: ``".to_owned());
    };
    let simple = match c {
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hexadecimal(text).ok_or_else(|| invalid(hexadecimal_len(text))),
        '0'..='7' => return octal(text).ok_or_else(|| invalid(2)),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(invalid(1 + c.len_utf8())),
    };
    Ok((simple, 2))
}

fn octal(text: &str) -> Option<(char, usize)> {
    let digits: String = text[1..].chars().take(3).take_while(|c| ('0'..='7').contains(c)).collect();
    // A single nonzero digit would be a backreference.
    if digits.len() < 2 && digits != "0" {
        return None;
    }
    let code = u32::from_str_radix(&digits, 8).ok()?;
    Some((char::from_u32(code)?, 1 + digits.len()))
}

fn hexadecimal(text: &str) -> Option<(char, usize)> {
    let (digits, len) = match text[2..].strip_prefix('{') {
        Some(rest) => {
            let end = rest.find('}')?;
            (&rest[..end], end + 4)
        }
        None => (text.get(2..4)?, 4),
    };
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, len))
}

/// The length of the part of a malformed `\x…` that Go prints.
fn hexadecimal_len(text: &str) -> usize {
    if !text[2..].starts_with('{') {
        return text.len().min(4);
    }
    let mut code = 0u32;
    for (index, c) in text.char_indices().skip(3) {
        let Some(digit) = c.to_digit(16) else { return index + c.len_utf8() };
        code = code.saturating_mul(16).saturating_add(digit);
        if code > char::MAX.into() {
            return index + 1;
        }
    }
    text.len()
}

/// Writes a literal character.
pub(super) fn write_literal(c: char, fold: bool, out: &mut String) {
    let cases: Vec<char> = if fold { cases(c).collect() } else { Vec::new() };
    if cases.is_empty() {
        write_char(c, out);
        return;
    }
    out.push('[');
    iter::once(c).chain(cases).for_each(|c| write_char(c, out));
    out.push(']');
}

/// Writes a character as a literal valid anywhere in a pattern.
pub(super) fn write_char(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
    }
}

/// The case variants of a character.
pub(super) fn cases(c: char) -> impl Iterator<Item = char> {
    // The two letters outside ASCII that fold into it: the Kelvin sign and the long s.
    let special = match c {
        'k' | 'K' => Some('\u{212a}'),
        's' | 'S' => Some('\u{17f}'),
        _ => None,
    };
    let single = |mut cased: Box<dyn Iterator<Item = char>>| cased.next().filter(|_| cased.next().is_none());
    let lower = single(Box::new(c.to_lowercase()));
    let upper = single(Box::new(c.to_uppercase()));
    [lower, upper, special].into_iter().flatten().filter(move |other| *other != c)
}
