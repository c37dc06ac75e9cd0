//! Columns and cells of a table: the server's, and those that kubectl adds for flags.

use std::borrow::Cow;

use klient_apimachinery::go::GoValue;
use serde_json::{Map, Value};

use super::{Column, TableOptions};

/// A table with all columns of the output.
pub(super) struct Table<'a> {
    pub(super) columns: Vec<Header>,
    pub(super) rows: Vec<Vec<Cell<'a>>>,
}

pub(super) struct Header {
    pub(super) name: String,
    pub(super) visible: bool,
}

/// Content of a cell; `None` for JSON null.
pub(super) type Cell<'a> = Option<Cow<'a, str>>;

/// The additions of flags to a table: event type, namespace, kind and labels.
pub(super) struct Decoration<'a> {
    options: &'a TableOptions,
    columns: &'a [Column],
    event: Option<&'a str>,
    /// The column whose cells get the kind as a prefix.
    name_column: Option<(usize, &'a str)>,
}

impl<'a> Decoration<'a> {
    pub(super) fn new(options: &'a TableOptions, columns: &'a [Column], event: Option<&'a str>) -> Self {
        let is_name = |column: &Column| column.format == "name" && column.kind == "string";
        let name_column = columns.iter().position(is_name).zip(options.with_kind.as_deref());
        Decoration { options, columns, event, name_column }
    }

    pub(super) fn table<'r>(&self, rows: &'r [Value]) -> Table<'r> {
        Table { columns: self.headers(), rows: rows.iter().map(|row| self.row(row)).collect() }
    }

    fn headers(&self) -> Vec<Header> {
        let added = |name: &str| Header { name: name.to_owned(), visible: true };
        let defined = |column: &Column| Header {
            name: column.name.clone(),
            visible: self.options.wide || column.priority == 0,
        };
        let mut headers = Vec::new();
        headers.extend(self.event.map(|_| added("EVENT")));
        headers.extend(self.options.with_namespace.then(|| added("NAMESPACE")));
        headers.extend(self.columns.iter().map(defined));
        headers.extend(self.options.label_columns.iter().map(|key| added(label_header(key))));
        headers.extend(self.options.show_labels.then(|| added("LABELS")));
        headers
    }

    fn row<'r>(&self, row: &'r Value) -> Vec<Cell<'r>> {
        let mut cells: Vec<_> = row["cells"].as_array().into_iter().flatten().map(cell).collect();
        if let Some((column, kind)) = self.name_column
            && let Some(cell) = cells.get_mut(column)
        {
            // Go's format of nil with the verb for a string.
            let name = cell.as_deref().unwrap_or("%!s(<nil>)");
            *cell = Some(with_kind(kind, name).into());
        }
        let cells = match row["object"].as_object() {
            Some(object) => self.with_metadata(cells, object),
            None => self.without_metadata(cells),
        };
        self.event.map(|event| Some(event_cell(event))).into_iter().chain(cells).collect()
    }

    fn with_metadata<'r>(&self, mut cells: Vec<Cell<'r>>, object: &'r Map<String, Value>) -> Vec<Cell<'r>> {
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        let labels = &metadata["labels"];
        if self.options.with_namespace {
            cells.insert(0, Some(metadata["namespace"].as_str().unwrap_or_default().into()));
        }
        cells.extend(label_cells(self.options, labels).map(Some));
        cells
    }

    fn without_metadata<'r>(&self, mut cells: Vec<Cell<'r>>) -> Vec<Cell<'r>> {
        let options = self.options;
        let added = options.label_columns.len() + usize::from(options.show_labels);
        if added == 0 && !options.with_namespace && self.name_column.is_none() {
            return cells;
        }
        if options.with_namespace {
            cells.insert(0, None);
        }
        let width = self.columns.len() + added + usize::from(options.with_namespace);
        // kubectl's loop compares with the growing number of cells, so it adds only half of the missing ones.
        let missing = width.saturating_sub(cells.len());
        cells.resize(cells.len() + missing.div_ceil(2), None);
        cells
    }
}

fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.into()),
        value => Some(GoValue(value).to_string().into()),
    }
}

pub(super) fn with_kind(kind: &str, name: &str) -> String {
    format!("{}/{name}", kind.to_lowercase())
}

/// Returns the part of a label's key after its prefix.
pub(super) fn label_header(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Returns the cells of `--label-columns` and `--show-labels` for an object's labels.
pub(super) fn label_cells<'r>(
    options: &TableOptions,
    labels: &'r Value,
) -> impl Iterator<Item = Cow<'r, str>> {
    let columns = options.label_columns.iter();
    let values = columns.map(|key| labels[key.as_str()].as_str().unwrap_or_default().into());
    values.chain(options.show_labels.then(|| all_labels(labels).into()))
}

fn all_labels(labels: &Value) -> String {
    let labels = labels.as_object().into_iter().flatten();
    let labels: Vec<_> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    if labels.is_empty() { "<none>".to_owned() } else { labels.join(",") }
}

/// Returns the type of an event, padded to the width of `MODIFIED`.
pub(super) fn event_cell<'r>(event: &str) -> Cow<'r, str> {
    match event {
        "ADDED" => "ADDED   ".into(),
        "DELETED" => "DELETED ".into(),
        "ERROR" => "ERROR   ".into(),
        _ => event.to_owned().into(),
    }
}
