//! Reads a template character by character.

/// A position in a template, and the start of the current token.
pub(super) struct Lexer<'a> {
    input: &'a str,
    start: usize,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Lexer { input, start: 0, position: 0 }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips characters while the predicate holds.
    pub(super) fn skip_while(&mut self, is_so: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is_so) {
            self.next();
        }
    }

    /// Skips `text`, if it is next.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        let accepted = self.rest().starts_with(text);
        if accepted {
            self.position += text.len();
        }
        accepted
    }

    /// The current token. The next one starts behind it.
    pub(super) fn piece(&mut self) -> &'a str {
        let piece = &self.input[self.start..self.position];
        self.start = self.position;
        piece
    }

    /// Returns true if the last character has a backslash before it.
    pub(super) fn is_escaped(&self) -> bool {
        self.input[..self.position].chars().rev().nth(1) == Some('\\')
    }

    /// Returns true if the current token is empty.
    pub(super) fn is_at_start(&self) -> bool {
        self.start == self.position
    }

    fn rest(&self) -> &'a str {
        &self.input[self.position..]
    }
}

/// Returns true if a name ends before this character.
pub(super) fn ends_name(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

pub(super) fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Removes the quotes and resolves Go's escapes. A quote inside has to be escaped.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let quote = quoted.chars().next()?;
    let mut rest = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut bytes = Vec::new();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == quote {
            return None;
        }
        if c == '\\' {
            rest = unescape(rest, quote, &mut bytes)?;
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Appends the meaning of the escape behind a backslash, and returns the rest.
fn unescape<'a>(rest: &'a str, quote: char, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let escape = rest.chars().next()?;
    let behind = &rest[escape.len_utf8()..];
    let byte = match escape {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        'x' => {
            bytes.push(digits(behind, 2, 16)?.try_into().ok()?);
            return behind.get(2..);
        }
        '0'..='7' => {
            bytes.push(digits(rest, 3, 8)?.try_into().ok()?);
            return rest.get(3..);
        }
        'u' | 'U' => {
            let length = if escape == 'u' { 4 } else { 8 };
            let c = char::from_u32(digits(behind, length, 16)?)?;
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return behind.get(length..);
        }
        '\'' | '"' if escape == quote => escape as u8,
        _ => return None,
    };
    bytes.push(byte);
    Some(behind)
}

fn digits(text: &str, length: usize, base: u32) -> Option<u32> {
    let digits = text.get(..length).filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, base).ok()
}
