//! [`Text`], a cursor over JSON text.

use super::syntax;

/// The limit of nesting. Deeper values are skipped: no object may be nested as deep, and Rust's stack is smaller than
/// Go's.
pub(super) const DEEPEST: usize = 127;

/// A cursor over JSON text whose syntax is right. Strings are read as Go reads them: U+FFFD is in the place of each
/// byte that is no UTF-8, and of each surrogate that stands alone.
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

    /// The first byte of what comes next; 0 at the end of the text.
    pub(super) fn peek(&mut self) -> u8 {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.byte()
    }

    /// Goes into the object or list that comes next.
    pub(super) fn open(&mut self) {
        self.peek();
        self.at += 1;
    }

    /// Goes to the next key or item; false behind the last one, where the object or list is left.
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

    /// Reads a key, and goes to its value.
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

    /// A number, or one of the words `true`, `false` and `null`, as it stands in the text.
    pub(super) fn literal(&mut self) -> &'a str {
        self.peek();
        let start = self.at;
        while matches!(self.byte(), b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).expect("it is ASCII")
    }

    /// Passes over the value that comes next.
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

    /// The character of a `\u`, and of the one behind it where they are a pair.
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

/// Appends bytes as text.
fn push(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}
