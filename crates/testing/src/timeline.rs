//! [`Timeline`], the story of a run.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use crate::write::Write;

/// The story of a run: steps, writes of the controller, and what was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    began: Instant,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    at: Duration,
    step: usize,
    text: Text,
}

#[derive(Clone, Debug)]
enum Text {
    /// The number of a write of the controller.
    Write(usize),
    Note(String),
    /// A note that only a trace shows.
    Trace(String),
}

impl Timeline {
    pub(crate) fn new(began: Instant) -> Timeline {
        Timeline { began, lines: Vec::new() }
    }

    pub(crate) fn write(&mut self, step: usize, number: usize) {
        self.push(step, Text::Write(number));
    }

    pub(crate) fn note(&mut self, step: usize, text: String) {
        self.push(step, Text::Note(text));
    }

    pub(crate) fn trace(&mut self, step: usize, text: String) {
        self.push(step, Text::Trace(text));
    }

    fn push(&mut self, step: usize, text: Text) {
        self.lines.push(Line { at: self.began.elapsed(), step, text });
    }

    /// The lines up to a step, below the names of the steps. A trace has all lines and their times; otherwise the middle of
    /// a long step is left out.
    pub(crate) fn render(&self, steps: &[String], writes: &[Write], until: usize, is_trace: bool) -> String {
        let mut text = String::new();
        for step in 0..=until {
            match step.checked_sub(1).and_then(|index| steps.get(index)) {
                Some(name) => writeln!(text, "    step {step}: {name}").expect("a string takes it"),
                None => text.push_str("    start\n"),
            }
            let is_shown =
                |line: &&Line| line.step == step && (is_trace || !matches!(line.text, Text::Trace(_)));
            let lines: Vec<&Line> = self.lines.iter().filter(is_shown).collect();
            let left_out = if is_trace { 0 } else { lines.len().saturating_sub(FIRST + LAST) };
            for (index, line) in lines.iter().enumerate() {
                if left_out > 1 && index == FIRST {
                    writeln!(text, "         … {left_out} more lines").expect("a string takes it");
                }
                if left_out > 1 && (FIRST..FIRST + left_out).contains(&index) {
                    continue;
                }
                let line_text = match &line.text {
                    Text::Write(number) => format!("{number:>3}  {}", writes[number - 1]),
                    Text::Note(note) | Text::Trace(note) => format!("     {note}"),
                };
                let at = if is_trace { format!("{:>10.3} s ", line.at.as_secs_f64()) } else { String::new() };
                writeln!(text, "    {at}{line_text}").expect("a string takes it");
            }
        }
        text
    }
}

/// The lines of a long step that are shown: the first and the last.
const FIRST: usize = 8;
const LAST: usize = 4;
