//! Layout of YAML as the Go port of libyaml writes it, which escapes characters beyond the Basic Multilingual Plane;
//! libyaml and its ports to Rust print them.

/// The YAML written so far, and the position of the next character.
#[derive(Debug)]
pub(super) struct Emitter {
    out: String,
    column: usize,
    /// True if the last character separates tokens.
    whitespace: bool,
    /// True if the line has only indentation and block indicators.
    indention: bool,
}

/// The style of a string. Another is used if it cannot represent the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    DoubleQuoted,
    Literal,
}

/// The column after which lines are folded.
const WIDTH: usize = 80;

/// The maximum length in bytes of a key on one line with its value.
const SIMPLE_KEY: usize = 128;

impl Emitter {
    pub(super) fn new() -> Self {
        Emitter { out: String::new(), column: 0, whitespace: true, indention: true }
    }

    /// Ends the last line and returns the YAML.
    pub(super) fn finish(mut self) -> String {
        self.indent(0);
        self.out
    }

    /// Returns true if a block begins on a line of its own, not behind a key.
    pub(super) fn is_at_indentation(&self) -> bool {
        self.indention
    }

    /// Begins an item of a list.
    pub(super) fn item(&mut self, indent: usize) {
        self.indent(indent);
        self.indicator("-", true, false, true);
    }

    /// Writes a key of a map, and the colon.
    pub(super) fn key(&mut self, text: &str, style: Style, indent: usize) {
        self.indent(indent);
        let shape = Shape::of(text);
        if text.len() <= SIMPLE_KEY && !shape.multiline {
            self.string(text, &shape, style, None);
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.string(text, &shape, style, Some(indent + 2));
            self.indent(indent);
            self.indicator(":", true, false, true);
        }
    }

    /// Writes a value, with further lines indented.
    pub(super) fn scalar(&mut self, text: &str, style: Style, indent: usize) {
        self.string(text, &Shape::of(text), style, Some(indent));
    }

    /// Writes an empty list or map.
    pub(super) fn empty(&mut self, brackets: [&str; 2]) {
        self.indicator(brackets[0], true, true, false);
        self.indicator(brackets[1], false, false, false);
    }

    /// Writes a string: one without an indentation of further lines has no such lines.
    fn string(&mut self, text: &str, shape: &Shape, style: Style, indent: Option<usize>) {
        match (style, indent) {
            (Style::Plain, _) if shape.plain => {
                self.separate();
                self.folded(text, indent, false);
                (self.whitespace, self.indention) = (false, false);
            }
            (Style::Plain, _) if shape.single_quoted => {
                self.indicator("'", true, false, false);
                self.folded(text, indent, true);
                self.indicator("'", false, false, false);
            }
            (Style::Literal, Some(indent)) if shape.literal => self.literal(text, indent),
            _ => {
                self.indicator("\"", true, false, false);
                self.double_quoted(text, indent);
                self.indicator("\"", false, false, false);
            }
        }
    }

    /// Writes a plain or single-quoted string, with a line break in place of a single space behind the last column.
    fn folded(&mut self, text: &str, indent: Option<usize>, quoted: bool) {
        let (mut spaces, mut breaks) = (false, false);
        let mut chars = text.char_indices().map(|(at, c)| (at > 0, c)).peekable();
        while let Some((is_within, c)) = chars.next() {
            if c == ' ' {
                let next = chars.peek().map(|(_, next)| *next);
                let folds =
                    !spaces && self.column > WIDTH && is_within && next.is_some_and(|next| next != ' ');
                match indent.filter(|_| folds) {
                    Some(indent) => self.indent(indent),
                    None => self.put(c),
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put('\n');
                }
                self.put(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.indent(indent.unwrap_or_default());
                }
                if quoted && c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: Option<usize>) {
        // Go's port tests for a byte order mark at the beginning of the string instead of at the character.
        let all = text.starts_with(BYTE_ORDER_MARK);
        let mut spaces = false;
        let mut chars = text.char_indices().map(|(at, c)| (at > 0, c)).peekable();
        while let Some((is_within, c)) = chars.next() {
            if all || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let next = chars.peek().map(|(_, next)| *next);
                let folds = !spaces && self.column > WIDTH && is_within && next.is_some();
                match indent.filter(|_| folds) {
                    Some(indent) => {
                        self.indent(indent);
                        if next == Some(' ') {
                            self.put('\\');
                        }
                    }
                    None => self.put(c),
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let escaped = match u32::from(c) {
                    code @ 0..=0xff => format!("\\x{code:02X}"),
                    code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                    code => format!("\\U{code:08X}"),
                };
                return escaped.chars().for_each(|c| self.put(c));
            }
        };
        self.put('\\');
        self.put(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut last = text.chars().rev();
        match (last.next().is_some_and(is_break), last.next().is_none_or(is_break)) {
            (false, _) => self.indicator("-", false, false, false),
            (true, true) => self.indicator("+", false, false, false),
            (true, false) => {}
        }
        self.put('\n');
        (self.indention, self.whitespace) = (true, true);
        let mut breaks = true;
        for c in text.chars() {
            let is_break = is_break(c);
            if !is_break && breaks {
                self.indent(indent);
            }
            self.put(c);
            (self.indention, breaks) = (is_break, is_break);
        }
    }

    /// Moves to an indentation, on the next line if this one has other content.
    fn indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }

    fn indicator(&mut self, indicator: &str, separate: bool, is_whitespace: bool, is_indention: bool) {
        if separate {
            self.separate();
        }
        indicator.chars().for_each(|c| self.put(c));
        self.whitespace = is_whitespace;
        self.indention &= is_indention;
    }

    fn separate(&mut self) {
        if !self.whitespace {
            self.put(' ');
        }
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }
}

/// The styles that can represent a string.
struct Shape {
    multiline: bool,
    plain: bool,
    single_quoted: bool,
    literal: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Shape { multiline: false, plain: false, single_quoted: true, literal: false };
        }
        let pairs = text.chars().zip(text.chars().skip(1));
        let break_space = pairs.clone().any(|(c, next)| is_break(c) && next == ' ');
        let space_break = pairs.clone().any(|(c, next)| c == ' ' && is_break(next));
        let special = !text.chars().all(is_printable);
        let multiline = text.contains(is_break);
        let is_edge = |c| c == ' ' || is_break(c);
        let ends_in_edge = text.starts_with(is_edge) || text.ends_with(is_edge);
        Shape {
            multiline,
            plain: !(ends_in_edge || space_break || special || multiline || has_indicator(text)),
            single_quoted: !(break_space || space_break || special),
            literal: !(text.ends_with(' ') || space_break || special),
        }
    }
}

/// Returns true if a plain string would be read as something else because of a YAML indicator.
fn has_indicator(text: &str) -> bool {
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let mut chars = text.chars();
    let first = chars.next();
    let is_alone = chars.next().is_none_or(is_blank);
    let begins = match first {
        Some('?' | ':' | '-') => is_alone,
        Some(c) => "#,[]{}&*!|>'\"%@`".contains(c),
        None => false,
    };
    let mut before = '\0';
    let mut rest = text.chars().peekable();
    let mut within = false;
    while let Some(c) = rest.next() {
        let ends_key = c == ':' && rest.peek().copied().is_none_or(is_blank);
        let begins_comment = c == '#' && is_blank(before);
        within |= ends_key || begins_comment;
        before = c;
    }
    begins || within || text.starts_with("---") || text.starts_with("...")
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns true if a character need not be escaped: those of the Basic Multilingual Plane except controls and three
/// more.
fn is_printable(c: char) -> bool {
    match c {
        '\n' | ' '..='~' => true,
        BYTE_ORDER_MARK | '\u{fffe}' | '\u{ffff}' => false,
        c => ('\u{a0}'..='\u{fffd}').contains(&c),
    }
}
