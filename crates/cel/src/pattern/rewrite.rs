//! Conversion of Go's regular expressions to those of the crate `regex`.
//!
//! Ambiguous characters are written as `\x{…}` or as a class, and case-insensitive ones as a class of both cases,
//! because the crate is built without its case tables.

use std::ops::ControlFlow;

use super::class;
use super::escape::{escaped, write_literal};

/// The largest repetition count in Go, also of what repeats others.
pub(super) const REPEAT_MAX: u32 = 1000;

/// Rewrites a pattern.
///
/// # Errors
///
/// The syntax error, worded as Go's.
pub(super) fn rewrite(source: &str) -> Result<String, String> {
    let mut rewriter = Rewriter {
        source,
        at: 0,
        out: String::with_capacity(source.len()),
        fold: false,
        groups: Vec::new(),
        operand: false,
        repeated: None,
    };
    while rewriter.at < source.len() {
        rewriter.step()?;
    }
    if rewriter.groups.is_empty() { Ok(rewriter.out) } else { Err(format!("missing closing ): `{source}`")) }
}

struct Rewriter<'a> {
    source: &'a str,
    at: usize,
    out: String,
    /// True if matching is case-insensitive here.
    fold: bool,
    /// For each open group, true if matching was case-insensitive before it.
    groups: Vec<bool>,
    /// True if there is something to repeat.
    operand: bool,
    /// The start of the repetition just read.
    repeated: Option<usize>,
}

impl<'a> Rewriter<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn step(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let repeated = self.repeated.take();
        match first {
            '(' if rest.starts_with("(?") => return self.group(),
            '(' => {
                self.open(self.fold, "(?:");
                self.at += 1;
                return Ok(());
            }
            ')' => {
                self.fold = self.groups.pop().ok_or_else(|| format!("unexpected ): `{}`", self.source))?;
            }
            '*' | '+' | '?' => return self.repeat(1, repeated, &first.to_string()),
            '{' => {
                if let Some((len, low, high)) = counts(rest) {
                    return self.repeat_counted(len, low, high, repeated);
                }
                write_literal(first, false, &mut self.out);
                self.at += 1;
                self.operand = true;
                return Ok(());
            }
            '[' => {
                let len = class::rewrite(rest, self.fold, &mut self.out)?;
                self.at += len;
                self.operand = true;
                return Ok(());
            }
            '\\' => return self.escape(),
            '|' | '^' | '$' | '.' => {}
            _ => {
                write_literal(first, self.fold, &mut self.out);
                self.at += first.len_utf8();
                self.operand = true;
                return Ok(());
            }
        }
        self.out.push(first);
        self.at += 1;
        self.operand = first != '|';
        Ok(())
    }

    fn open(&mut self, fold: bool, text: &str) {
        self.groups.push(self.fold);
        self.fold = fold;
        self.out.push_str(text);
        self.operand = false;
    }

    /// `(?…`: a named group, a group with flags, or flags.
    fn group(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let name_at = if rest.starts_with("(?P<") && rest.len() > 4 { Some(4) } else { None };
        let name_at = name_at.or_else(|| (rest.starts_with("(?<") && rest.len() > 3).then_some(3));
        if let Some(name_at) = name_at {
            let end = rest.find('>').ok_or_else(|| format!("invalid named capture: `{rest}`"))?;
            let name = rest.get(name_at..end).unwrap_or_default();
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return Err(format!("invalid named capture: `{}`", &rest[..=end]));
            }
            self.open(self.fold, "(?:");
            self.at += end + 1;
            return Ok(());
        }
        self.flags()
    }

    fn flags(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let mut flags = Flags {
            fold: self.fold,
            set: String::new(),
            cleared: String::new(),
            negated: false,
            seen: false,
        };
        for (index, c) in rest.char_indices().skip(2) {
            match flags.read(c) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(false) => {
                    let text = &rest[..index + c.len_utf8()];
                    return Err(format!("invalid or unsupported Perl syntax: `{text}`"));
                }
                ControlFlow::Break(true) => {
                    self.at += index + 1;
                    let written = flags.written();
                    if c == ':' {
                        self.open(flags.fold, &format!("(?{written}:"));
                    } else {
                        self.fold = flags.fold;
                        if !written.is_empty() {
                            self.out.push_str(&format!("(?{written})"));
                        }
                    }
                    return Ok(());
                }
            }
        }
        Err(format!("invalid or unsupported Perl syntax: `{rest}`"))
    }

    fn repeat_counted(
        &mut self,
        len: usize,
        low: u32,
        high: Option<u32>,
        repeated: Option<usize>,
    ) -> Result<(), String> {
        if low > REPEAT_MAX || high.is_some_and(|high| high > REPEAT_MAX || high < low) {
            return Err(format!("invalid repeat count: `{}`", &self.rest()[..len]));
        }
        let operator = match high {
            Some(high) => format!("{{{low},{high}}}"),
            None => format!("{{{low},}}"),
        };
        self.repeat(len, repeated, &operator)
    }

    fn repeat(&mut self, len: usize, repeated: Option<usize>, operator: &str) -> Result<(), String> {
        let start = self.at;
        self.at += len;
        let lazy = self.rest().starts_with('?');
        if lazy {
            self.at += 1;
        }
        if let Some(before) = repeated {
            return Err(format!("invalid nested repetition operator: `{}`", &self.source[before..self.at]));
        }
        if !self.operand {
            return Err(format!(
                "missing argument to repetition operator: `{}`",
                &self.source[start..self.at]
            ));
        }
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        self.repeated = Some(start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let written = match rest.as_bytes().get(1) {
            Some(b'A') => r"\A",
            Some(b'z') => r"\z",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            _ => "",
        };
        self.operand = true;
        if !written.is_empty() {
            self.out.push_str(written);
            self.at += 2;
        } else if let Some(quoted) = rest.strip_prefix(r"\Q") {
            let (literal, end) = match quoted.split_once(r"\E") {
                Some((literal, _)) => (literal, literal.len() + 4),
                None => (quoted, rest.len()),
            };
            literal.chars().for_each(|c| write_literal(c, self.fold, &mut self.out));
            self.at += end;
        } else if let Some((class, len)) = class::shorthand(rest)? {
            self.out.push_str(&class);
            self.at += len;
        } else {
            let (c, len) = escaped(rest)?;
            write_literal(c, self.fold, &mut self.out);
            self.at += len;
        }
        Ok(())
    }
}

struct Flags {
    fold: bool,
    set: String,
    cleared: String,
    negated: bool,
    seen: bool,
}

impl Flags {
    /// Reads one character; breaks with true if the flags are well-formed.
    fn read(&mut self, c: char) -> ControlFlow<bool> {
        match c {
            'i' => self.fold = !self.negated,
            'm' | 's' | 'U' if self.negated => self.cleared.push(c),
            'm' | 's' | 'U' => self.set.push(c),
            '-' if !self.negated => {
                self.negated = true;
                self.seen = false;
                return ControlFlow::Continue(());
            }
            ':' | ')' => return ControlFlow::Break(!self.negated || self.seen),
            _ => return ControlFlow::Break(false),
        }
        self.seen = true;
        ControlFlow::Continue(())
    }

    fn written(&self) -> String {
        let once = |flags: &str| {
            let known = ['m', 's', 'U'].into_iter().filter(|flag| flags.contains(*flag));
            known.collect::<String>()
        };
        match (once(&self.set), once(&self.cleared)) {
            (set, cleared) if cleared.is_empty() => set,
            (set, cleared) => {
                let set: String = set.chars().filter(|flag| !cleared.contains(*flag)).collect();
                format!("{set}-{cleared}")
            }
        }
    }
}

/// `{2}`, `{2,}` or `{2,3}`: its length and counts. Anything else in braces is literal.
fn counts(text: &str) -> Option<(usize, u32, Option<u32>)> {
    let end = text.find('}')?;
    let (low, high) = match text[1..end].split_once(',') {
        Some((low, "")) => (count(low)?, None),
        Some((low, high)) => (count(low)?, Some(count(high)?)),
        None => (count(&text[1..end])?, Some(count(&text[1..end])?)),
    };
    Some((end + 1, low, high))
}

fn count(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}
