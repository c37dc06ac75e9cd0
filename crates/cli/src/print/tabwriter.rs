//! [`TabWriter`], which aligns tab-separated cells in columns (Go's `text/tabwriter` with kubectl's settings).

use std::io::{self, Write};
use std::mem;

const MIN_WIDTH: usize = 6;
const PADDING: usize = 3;

/// Aligns the cells of its input: a tab ends a cell, a line break ends a line.
///
/// Output is buffered until [`flush`](Write::flush). Columns stay at least as wide as before a flush, so that the lines
/// of a watch are aligned.
pub(crate) struct TabWriter<'a> {
    out: &'a mut dyn Write,
    lines: Vec<Vec<Cell>>,
    line: Vec<Cell>,
    text: Vec<u8>,
    remembered: Vec<usize>,
    wrote: bool,
    separate: bool,
}

struct Cell {
    text: Vec<u8>,
    width: usize,
}

impl<'a> TabWriter<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        TabWriter {
            out,
            lines: Vec::new(),
            line: Vec::new(),
            text: Vec::new(),
            remembered: Vec::new(),
            wrote: false,
            separate: false,
        }
    }

    /// Starts a table with new columns. With `separate`, an empty line is written before it, unless it is the first
    /// output.
    pub(crate) fn start_group(&mut self, separate: bool) -> io::Result<()> {
        self.align()?;
        self.remembered.clear();
        self.separate = separate && self.wrote;
        Ok(())
    }

    /// Returns true if output has been flushed.
    pub(crate) fn has_output(&self) -> bool {
        self.wrote
    }

    fn end_cell(&mut self) {
        let text = mem::take(&mut self.text);
        let width = String::from_utf8_lossy(&text).chars().count();
        self.line.push(Cell { text, width });
    }

    fn end_line(&mut self) -> usize {
        self.end_cell();
        let line = mem::take(&mut self.line);
        let cells = line.len();
        self.lines.push(line);
        cells
    }

    fn align(&mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            self.end_cell();
        }
        let mut lines = mem::take(&mut self.lines);
        lines.push(mem::take(&mut self.line));
        let widths = self.widths(&lines);
        let mut aligned = Vec::new();
        for (index, (line, widths)) in lines.iter().zip(widths).enumerate() {
            if index > 0 {
                aligned.push(b'\n');
            }
            for (column, cell) in line.iter().enumerate() {
                aligned.extend_from_slice(&cell.text);
                let padding = widths.get(column).map_or(0, |width| width.saturating_sub(cell.width));
                aligned.resize(aligned.len() + padding, b' ');
            }
        }
        self.emit(&aligned)
    }

    /// Computes the width of each cell of each line. The last cell of a line belongs to no column; a column ends at the
    /// first line without a cell in it.
    fn widths(&mut self, lines: &[Vec<Cell>]) -> Vec<Vec<usize>> {
        let columns = |line: &Vec<Cell>| line.len().saturating_sub(1);
        let mut widths: Vec<_> = lines.iter().map(|line| vec![0; columns(line)]).collect();
        let mut open: Vec<(usize, usize)> = Vec::new();
        let end = Vec::new();
        for (index, line) in lines.iter().chain([&end]).enumerate() {
            while open.len() > columns(line) {
                let Some((start, width)) = open.pop() else { break };
                let width = self.retained_width(open.len(), width);
                widths[start..index].iter_mut().for_each(|line| line[open.len()] = width);
            }
            for (column, cell) in line.iter().take(columns(line)).enumerate() {
                let needed = MIN_WIDTH.max(cell.width + PADDING);
                match open.get_mut(column) {
                    Some((_, width)) => *width = needed.max(*width),
                    None => open.push((index, needed)),
                }
            }
        }
        widths
    }

    /// Returns the width of a column: the greater of `width` and its width before the last flush.
    fn retained_width(&mut self, column: usize, width: usize) -> usize {
        if self.remembered.len() <= column {
            self.remembered.resize(column + 1, 0);
        }
        self.remembered[column] = width.max(self.remembered[column]);
        self.remembered[column]
    }

    fn emit(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.wrote = true;
        if mem::take(&mut self.separate) {
            self.out.write_all(b"\n")?;
        }
        self.out.write_all(text)
    }
}

impl Write for TabWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const FORM_FEED: u8 = 0x0c;
        const VERTICAL_TAB: u8 = 0x0b;
        for byte in bytes {
            match *byte {
                b'\t' | VERTICAL_TAB => self.end_cell(),
                b'\n' => {
                    // A line with one cell ends all columns, so the buffer can be written.
                    if self.end_line() == 1 {
                        self.align()?;
                    }
                }
                FORM_FEED => {
                    self.end_line();
                    self.align()?;
                }
                byte => self.text.push(byte),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.align()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_aligned() {
        let cases = [
            ("nothing", "", ""),
            (
                "columns are at least six wide, with three between",
                "a\tb\nccccc\td\n",
                "a       b\nccccc   d\n",
            ),
            ("the last cell is not padded", "a\t\nb\n", "a     \nb\n"),
            (
                "a column ends where a line lacks it",
                "a\tb\tc\naaaaaaaaaa\tb\nx\ty\tz\n",
                "a            b     c\naaaaaaaaaa   b\nx            y     z\n",
            ),
            (
                "a column that starts again is as wide as before",
                "aaaaaaaaaa\tb\nx\ny\tz\n",
                "aaaaaaaaaa   b\nx\ny            z\n",
            ),
            ("characters are counted, not bytes", "éééé\tb\nx\ty\n", "éééé   b\nx      y\n"),
            ("a line without an end", "a\tb", "a     b"),
            ("a tab at the end ends no column", "a\t", "a"),
            ("a form feed ends all columns", "a\tb\x0cc\td\n", "a     b\nc     d\n"),
        ];
        for (name, text, aligned) in cases {
            let mut out = Vec::new();
            let mut tabs = TabWriter::new(&mut out);
            tabs.write_all(text.as_bytes()).and_then(|()| tabs.flush()).unwrap();
            assert_eq!(String::from_utf8_lossy(&out), aligned, "{name}");
        }
    }

    #[test]
    fn groups_are_separated_only_where_there_is_text() {
        let mut out = Vec::new();
        let mut tabs = TabWriter::new(&mut out);
        for text in ["", "longer than\tb\n", "", "a\tb\n"] {
            tabs.start_group(true).unwrap();
            tabs.write_all(text.as_bytes()).unwrap();
        }
        assert!(tabs.has_output());
        tabs.flush().unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "longer than   b\n\na     b\n");
    }
}
