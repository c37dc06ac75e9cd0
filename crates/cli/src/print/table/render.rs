//! A table's headers and rows as lines of tab-separated cells.

use std::borrow::Cow;
use std::io::{self, Write};

use super::cells::{Cell, Header, Table};
use crate::print::escape_terminal;
use crate::print::tabwriter::TabWriter;

/// After how many rows kubectl lets go of what it holds.
const FLUSH_ROWS: usize = 100;

pub(super) fn write(table: &Table<'_>, no_headers: bool, tabs: &mut TabWriter<'_>) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let widths = widths(table);
    if !no_headers {
        write_headers(table, &widths, tabs)?;
    }
    for (index, row) in table.rows.iter().enumerate() {
        let padding = if no_headers && index == 0 { &widths[..] } else { &[] };
        write_row(&table.columns, row, padding, tabs)?;
        if (index + 1) % FLUSH_ROWS == 0 {
            tabs.flush()?;
        }
    }
    Ok(())
}

/// The bytes of each column's longest cell, before anything is cut off it. The first line is padded to them, so
/// that rows flushed later line up with those before. The last column shown needs none.
fn widths(table: &Table<'_>) -> Vec<usize> {
    let mut widths = vec![0; table.columns.len()];
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.as_ref().map_or(0, |text| text.len()).max(*width);
        }
    }
    if let Some(last) = table.columns.iter().rposition(|column| column.visible) {
        widths[last] = 0;
    }
    widths
}

fn write_headers(table: &Table<'_>, widths: &[usize], tabs: &mut TabWriter<'_>) -> io::Result<()> {
    let headers = table.columns.iter().zip(widths).filter(|(column, _)| column.visible);
    let headers = headers.map(|(column, width)| {
        let name = column.name.to_uppercase();
        let missing = width.saturating_sub(name.len());
        name + &" ".repeat(missing)
    });
    writeln!(tabs, "{}", headers.collect::<Vec<_>>().join("\t"))
}

/// Writes a row, its cells filled up to `widths`. A server may send more cells than columns.
fn write_row(
    columns: &[Header],
    row: &[Cell<'_>],
    widths: &[usize],
    tabs: &mut TabWriter<'_>,
) -> io::Result<()> {
    let cells = columns.iter().zip(row).enumerate().filter(|(_, (column, _))| column.visible);
    let cells = cells.map(|(index, (_, cell))| {
        let text = cell.as_deref().unwrap_or_default();
        let missing = widths.get(index).map_or(0, |width| width.saturating_sub(text.len()));
        first_line(text).into_owned() + &" ".repeat(missing)
    });
    writeln!(tabs, "{}", cells.collect::<Vec<_>>().join("\t"))
}

/// A cell's first line, `...` standing for the others.
fn first_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\r', '\x0c', '\x1b']) {
        return text.into();
    }
    match text.find(['\n', '\r', '\x0c']) {
        Some(end) => format!("{}...", escape_terminal(&text[..end])).into(),
        None => escape_terminal(text).into(),
    }
}
