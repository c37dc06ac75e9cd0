//! [`Text`], a cursor over a JSON text.

use super::syntax;

/// A cursor over a JSON text with valid syntax. Strings are read as Go reads them: U+FFFD replaces each byte of invalid
/// UTF-8 and each lone surrogate.
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    /// # Errors
    ///
    /// A syntax error, in Go's words.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        match syntax::problem(bytes) {
            None => Ok(Text { bytes, at: 0 }),
            Some(problem) => Err(problem),
        }
    }

    /// The first byte of the next token; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.byte()
    }

    /// Enters the next object or list.
    pub(super) fn open(&mut self) {
        self.peek();
        self.at += 1;
    }

    /// Moves to the next key or item; false behind the last one, where the object or list is left.
    pub(super) fn more(&mut self) -> bool {
        match self.peek() {
            b'}' | b']' => {
                self.at += 1;
                false
            }
            b',' => {
                self.at += 1;
                self.peek();
                true
            }
            other => other != 0,
        }
    }

    /// Reads a key, and moves to its value.
    pub(super) fn key(&mut self) -> String {
        let key = self.string();
        self.peek();
        self.at += 1;
        key
    }

    pub(super) fn string(&mut self) -> String {
        self.peek();
        self.at += 1;
        let start = self.at;
        while !matches!(self.byte(), b'"' | b'\\' | 0) {
            self.at += 1;
        }
        let mut out = String::with_capacity(self.at - start);
        push(&self.bytes[start..self.at], &mut out);
        while self.byte() == b'\\' {
            self.escape(&mut out);
            let start = self.at;
            while !matches!(self.byte(), b'"' | b'\\' | 0) {
                self.at += 1;
            }
            push(&self.bytes[start..self.at], &mut out);
        }
        self.at += 1;
        out
    }

    /// Reads a number, or one of the words `true`, `false` and `null`, as written.
    pub(super) fn literal(&mut self) -> &'a str {
        self.peek();
        let start = self.at;
        while matches!(self.byte(), b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).expect("it is ASCII")
    }

    /// Skips the next value.
    pub(super) fn skip(&mut self) {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                b'{' | b'[' => {
                    self.at += 1;
                    open += 1;
                }
                b'}' | b']' => {
                    self.at += 1;
                    open = open.saturating_sub(1);
                }
                b'"' => self.skip_string(),
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                0 => return,
                _ => drop(self.literal()),
            }
            if open == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        loop {
            match self.byte() {
                b'"' | 0 => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    fn escape(&mut self, out: &mut String) {
        self.at += 2;
        out.push(match self.bytes[self.at - 1] {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.character(),
            other => char::from(other),
        });
    }

    /// The character of a `\u` escape, and of the next one if they are a surrogate pair.
    fn character(&mut self) -> char {
        let first = self.code_unit();
        if let Some(character) = char::from_u32(first) {
            return character;
        }
        let start = self.at;
        if first < 0xdc00 && self.bytes.get(start..start + 2) == Some(br"\u") {
            self.at += 2;
            let second = self.code_unit();
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(code).expect("a pair of surrogates is a character");
            }
            self.at = start;
        }
        char::REPLACEMENT_CHARACTER
    }

    fn code_unit(&mut self) -> u32 {
        let digits = &self.bytes[self.at..self.at + 4];
        self.at += 4;
        digits.iter().fold(0, |unit, digit| unit * 16 + char::from(*digit).to_digit(16).unwrap_or_default())
    }
}

/// Appends bytes as UTF-8, with replacement characters.
fn push(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
