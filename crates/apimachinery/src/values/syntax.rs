//! JSON syntax errors, in the words of Go's `encoding/json`.

use super::depth::MAX_PARSE_DEPTH;

/// Returns the syntax error of a text that is not exactly one JSON value.
pub fn problem(text: &[u8]) -> Option<String> {
    let mut scanner = Scanner { text, at: 0, deepest: MAX_DEPTH };
    scanner.document().err()
}

/// A syntax error of the first JSON value of a text.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    /// The message of Go's decoder.
    pub(crate) message: String,
    /// The number of bytes up to the one at fault, which is counted too.
    pub(crate) offset: usize,
    /// True if the text ends within the value.
    pub(crate) is_end: bool,
}

/// Returns the length of the JSON value that a text begins with, and of the spaces before it.
///
/// # Errors
///
/// A syntax error, or a value nested deeper than [`parse`](super::parse()) reads.
pub(crate) fn first_value(text: &[u8]) -> std::result::Result<usize, SyntaxError> {
    let mut scanner = Scanner { text, at: 0, deepest: MAX_PARSE_DEPTH + 1 };
    match scanner.value() {
        Ok(()) => Ok(scanner.at),
        Err(message) => {
            Err(SyntaxError { message, offset: scanner.at + 1, is_end: scanner.at >= text.len() })
        }
    }
}

/// The maximum nesting that Go reads.
const MAX_DEPTH: usize = 10_000;

const BEFORE_KEY: &str = "looking for beginning of object key string";

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// The maximum nesting of objects and arrays.
    deepest: usize,
}

type Result<T> = std::result::Result<T, String>;

impl Scanner<'_> {
    fn document(&mut self) -> Result<()> {
        self.value()?;
        self.space();
        if self.at < self.text.len() { Err(self.invalid("after top-level value")) } else { Ok(()) }
    }

    fn value(&mut self) -> Result<()> {
        // The closing brackets of the open ones. It does not recurse: values may be nested deep.
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.next()? {
                opening @ (b'{' | b'[') => {
                    if open.len() == self.deepest {
                        return Err(self.invalid("exceeded max depth"));
                    }
                    self.at += 1;
                    open.push(opening + 2);
                    if opening == b'{' {
                        if self.key()? {
                            continue;
                        }
                    } else if self.next()? != b']' {
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => return Err(self.invalid("looking for beginning of value")),
            }
            // A value has ended, and perhaps those around it.
            loop {
                match open.last() {
                    None => return Ok(()),
                    Some(&close) => match (self.next()?, close) {
                        (c, _) if c == close => {
                            self.at += 1;
                            open.pop();
                        }
                        (b',', b'}') => {
                            self.at += 1;
                            if !self.key()? {
                                return Err(self.invalid(BEFORE_KEY));
                            }
                            break;
                        }
                        (b',', _) => {
                            self.at += 1;
                            break;
                        }
                        _ => return Err(self.invalid(after(close))),
                    },
                }
            }
        }
    }

    /// Reads a key and its colon; false at the end of the object.
    fn key(&mut self) -> Result<bool> {
        match self.next()? {
            b'"' => self.string()?,
            b'}' => return Ok(false),
            _ => return Err(self.invalid(BEFORE_KEY)),
        }
        match self.next()? {
            b':' => self.at += 1,
            _ => return Err(self.invalid("after object key")),
        }
        Ok(true)
    }

    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is not white space, which is not consumed.
    fn next(&mut self) -> Result<u8> {
        self.space();
        self.byte()
    }

    fn byte(&self) -> Result<u8> {
        self.text.get(self.at).copied().ok_or_else(|| "unexpected end of JSON input".to_owned())
    }

    fn string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.at += 1;
                    match self.byte()? {
                        b'u' => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.byte()?.is_ascii_hexdigit() {
                                    return Err(self.invalid("in \\u hexadecimal character escape"));
                                }
                            }
                        }
                        b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
                        _ => return Err(self.invalid("in string escape code")),
                    }
                    self.at += 1;
                }
                c if c < 0x20 => return Err(self.invalid("in string literal")),
                _ => self.at += 1,
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<()> {
        for expected in word.bytes() {
            if self.byte()? != expected {
                let place = format!("in literal {word} (expecting '{}')", char::from(expected));
                return Err(self.invalid(&place));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        if self.byte()? == b'-' {
            self.at += 1;
        }
        match self.byte()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.invalid("in numeric literal")),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte()?, b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, place: &str) -> Result<()> {
        if !self.byte()?.is_ascii_digit() {
            return Err(self.invalid(place));
        }
        self.digits();
        Ok(())
    }

    /// Go shows bytes as characters of Latin-1.
    fn invalid(&self, place: &str) -> String {
        let c = self.text.get(self.at).copied().unwrap_or_default();
        let shown = match c {
            b'\'' => r"\'".to_owned(),
            b'\\' => r"\\".to_owned(),
            0x07 => r"\a".to_owned(),
            0x08 => r"\b".to_owned(),
            0x0b => r"\v".to_owned(),
            0x0c => r"\f".to_owned(),
            b'\n' => r"\n".to_owned(),
            b'\r' => r"\r".to_owned(),
            b'\t' => r"\t".to_owned(),
            0..0x20 | 0x7f => format!(r"\x{c:02x}"),
            0x80..=0xa0 | 0xad => format!(r"\u{c:04x}"),
            _ => char::from(c).to_string(),
        };
        format!("invalid character '{shown}' {place}")
    }
}

fn after(close: u8) -> &'static str {
    if close == b'}' { "after object key:value pair" } else { "after array element" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(problem(text.as_bytes()).as_deref().unwrap_or("fine"), expected, "{text}");
    }

    #[test]
    fn problems_are_named_as_go_names_them() {
        for fine in ["{}", "[]", " [1, -0.5e+3, {\"a\": [true, false, null]}] ", "\"\\u00e9\\n\"", "0"] {
            check(fine, "fine");
        }
        for cut in
            ["", " ", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "[", "[1,", "\"a", "tru", "-", "1e", "\"\\u0"]
        {
            check(cut, "unexpected end of JSON input");
        }
        check("x", "invalid character 'x' looking for beginning of value");
        check("\u{80}", "invalid character 'Â' looking for beginning of value");
        check("[1 2]", "invalid character '2' after array element");
        check("[1,]", "invalid character ']' looking for beginning of value");
        check("{a: 1}", "invalid character 'a' looking for beginning of object key string");
        check("{\"a\":1,}", "invalid character '}' looking for beginning of object key string");
        check("{\"a\" 1}", "invalid character '1' after object key");
        check("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair");
        check("{} {}", "invalid character '{' after top-level value");
        check("\"\n\"", r"invalid character '\n' in string literal");
        check(r#""\x""#, "invalid character 'x' in string escape code");
        check(r#""\u00g0""#, r"invalid character 'g' in \u hexadecimal character escape");
        check("nul'", r"invalid character '\'' in literal null (expecting 'l')");
        check("-a", "invalid character 'a' in numeric literal");
        check("1.x", "invalid character 'x' after decimal point in numeric literal");
        check("1ex", "invalid character 'x' in exponent of numeric literal");
        check("01", "invalid character '1' after top-level value");
        check(&"[".repeat(10_001), "invalid character '[' exceeded max depth");
        check(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), "fine");
    }
}
