//! Tables of objects that the server sends without a table.

use std::io::{self, Write};
use std::time::SystemTime;

use serde_json::Value;

use super::TableOptions;
use super::cells::{event_cell, label_cells, label_header, with_kind};
use crate::print::age::age;
use crate::print::items;
use crate::print::tabwriter::TabWriter;

/// The columns of such a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    NameAndAge,
    Status,
}

impl Fallback {
    pub(super) fn of(object: &Value) -> Self {
        match (object["kind"].as_str(), object["apiVersion"].as_str()) {
            (Some("Status"), Some("v1")) => Fallback::Status,
            _ => Fallback::NameAndAge,
        }
    }

    /// Writes the line of an object, or of each item of a list. Headers are written unless those `before` were the
    /// same.
    pub(super) fn write(
        self,
        before: Option<Self>,
        options: &TableOptions,
        event: Option<&str>,
        object: &Value,
        now: SystemTime,
        tabs: &mut TabWriter<'_>,
    ) -> io::Result<()> {
        if before != Some(self) && !options.no_headers {
            if before.is_some() {
                writeln!(tabs)?;
            }
            self.write_headers(options, event, tabs)?;
        }
        self.write_rows(options, event, object, now, tabs)
    }

    fn write_headers(
        self,
        options: &TableOptions,
        event: Option<&str>,
        tabs: &mut TabWriter<'_>,
    ) -> io::Result<()> {
        let mut headers: Vec<String> = Vec::new();
        headers.extend(event.map(|_| "EVENT".to_owned()));
        headers.extend(options.with_namespace.then(|| "NAMESPACE".to_owned()));
        headers.extend(self.headers().iter().map(|header| (*header).to_owned()));
        headers.extend(options.label_columns.iter().map(|key| label_header(key).to_uppercase()));
        headers.extend(options.show_labels.then(|| "LABELS".to_owned()));
        writeln!(tabs, "{}", headers.join("\t"))
    }

    fn headers(self) -> &'static [&'static str] {
        match self {
            Fallback::NameAndAge => &["NAME", "AGE"],
            Fallback::Status => &["STATUS", "REASON", "MESSAGE"],
        }
    }

    fn write_rows(
        self,
        options: &TableOptions,
        event: Option<&str>,
        object: &Value,
        now: SystemTime,
        tabs: &mut TabWriter<'_>,
    ) -> io::Result<()> {
        if let Some(items) = items(object) {
            return items.iter().try_for_each(|item| self.write_rows(options, event, item, now, tabs));
        }
        let mut cells = self.cells(object, now);
        if let (Some(kind), Some(name)) = (&options.with_kind, cells.first_mut()) {
            *name = with_kind(kind, name);
        }
        if options.with_namespace {
            cells.insert(0, text(&object["metadata"]["namespace"]));
        }
        if let Some(event) = event {
            cells.insert(0, event_cell(event).into_owned());
        }
        // A Status has no labels, and kubectl writes no cells for them.
        if self == Fallback::NameAndAge {
            cells.extend(label_cells(options, &object["metadata"]["labels"]).map(String::from));
        }
        writeln!(tabs, "{}", cells.join("\t"))
    }

    fn cells(self, object: &Value, now: SystemTime) -> Vec<String> {
        match self {
            Fallback::NameAndAge => {
                let metadata = &object["metadata"];
                let created = metadata["creationTimestamp"].as_str().unwrap_or_default();
                vec![text(&metadata["name"]), age(created, now)]
            }
            Fallback::Status => {
                vec![text(&object["status"]), text(&object["reason"]), text(&object["message"])]
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
