//! [`Issues`], the problems of an expression with their places, in the form of cel-go.

use std::fmt::Write as _;

/// The number of problems that are shown.
pub(crate) const SHOWN_MAX: usize = 100;

/// The length of the longest line that is shown, in bytes.
const LINE_MAX: usize = 16_384;

/// The problems of an expression.
#[derive(Debug)]
pub(crate) struct Issues<'s> {
    source: &'s str,
    /// The offsets at which lines begin.
    lines: Vec<usize>,
    issues: Vec<Issue>,
    /// Problems beyond those that are shown.
    more: usize,
}

#[derive(Debug)]
struct Issue {
    /// The line from 1 on, and the column in characters from 0 on; `None` for the whole expression.
    place: Option<(usize, usize)>,
    message: String,
}

impl<'s> Issues<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        let lines = [0].into_iter().chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Issues { source, lines, issues: Vec::new(), more: 0 }
    }

    /// The text of the expression.
    pub(crate) fn source(&self) -> &'s str {
        self.source
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    /// Adds a problem with the whole expression.
    pub(crate) fn add(&mut self, message: impl Into<String>) {
        self.push(None, message.into());
    }

    /// Adds a problem at an offset in bytes.
    pub(crate) fn add_at(&mut self, offset: usize, message: impl Into<String>) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        let column = self.source.get(start..offset).map_or(0, |text| text.chars().count());
        self.push(Some((line, column)), message.into());
    }

    /// Adds a problem at a line and column.
    pub(crate) fn add_place(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.push(Some((line, column)), message.into());
    }

    fn push(&mut self, place: Option<(usize, usize)>, message: String) {
        if self.issues.len() < SHOWN_MAX {
            self.issues.push(Issue { place, message });
        } else {
            self.more += 1;
        }
    }

    /// The problems in the order of their places.
    pub(crate) fn show(mut self) -> String {
        self.issues.sort_by_key(|issue| issue.place);
        let mut out = String::new();
        for issue in &self.issues {
            if !out.is_empty() {
                out.push('\n');
            }
            self.write(issue, &mut out);
        }
        if self.more > 0 {
            write!(out, "\n{} more errors were truncated", self.more).expect("a String takes all text");
        }
        out
    }

    fn write(&self, issue: &Issue, out: &mut String) {
        if self.source.is_empty() {
            write!(out, "ERROR: <input>:1:0: {}", issue.message).expect("a String takes all text");
            return;
        }
        let Some((line, column)) = issue.place else {
            write!(out, "ERROR: <input>:-1:0: {}", issue.message).expect("a String takes all text");
            return;
        };
        write!(out, "ERROR: <input>:{line}:{}: {}", column + 1, issue.message)
            .expect("a String takes all text");
        let Some(start) = self.lines.get(line - 1) else { return };
        let text = self.source[*start..].split('\n').next().unwrap_or_default();
        if text.len() > LINE_MAX {
            return;
        }
        out.push_str("\n | ");
        out.push_str(&text.replace('\t', " "));
        out.push_str("\n | ");
        let mut characters = text.chars();
        let is_wide = |c: char| c.len_utf8() > 1;
        for c in characters.by_ref().take(column) {
            out.push(if is_wide(c) { '\u{ff0e}' } else { '.' });
        }
        out.push(if characters.next().is_some_and(is_wide) { '\u{ff3e}' } else { '^' });
    }
}
