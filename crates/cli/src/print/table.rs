//! Printing of tables made by the server, and of objects that arrive without a table (kubectl's `TablePrinter`).

mod cells;
mod fallback;
mod render;

use std::io;
use std::time::SystemTime;

use serde_json::Value;

use self::fallback::Fallback;
use super::tabwriter::TabWriter;

/// Options for tables, from flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableOptions {
    pub(crate) no_headers: bool,
    /// Also prints columns with a priority above 0.
    pub(crate) wide: bool,
    pub(crate) with_namespace: bool,
    pub(crate) show_labels: bool,
    /// Labels that get a column each.
    pub(crate) label_columns: Vec<String>,
    /// Prefix of names, such as `deployment.apps`.
    pub(crate) with_kind: Option<String>,
}

/// Prints the tables of one resource. Headers are printed once, and again when the columns change.
pub(crate) struct TablePrinter {
    options: TableOptions,
    columns: Vec<Column>,
    headed: bool,
    fallback: Option<Fallback>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
}

impl TablePrinter {
    pub(crate) fn new(options: TableOptions) -> Self {
        TablePrinter { options, columns: Vec::new(), headed: false, fallback: None }
    }

    /// Prints the rows of a table; for an object or list, name and age. The output appears when `tabs` is flushed.
    pub(crate) fn print(&mut self, object: &Value, tabs: &mut TabWriter<'_>) -> io::Result<()> {
        self.write(None, object, tabs)
    }

    /// Prints the object of a watch event, with its type.
    pub(crate) fn print_event(
        &mut self,
        event: &str,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> io::Result<()> {
        self.write(Some(event), object, tabs)
    }

    /// Remembers the columns of a table without printing it: events of a watch do not repeat them.
    pub(crate) fn skip(&mut self, object: &Value) {
        if is_table(object) {
            self.take_columns(object);
        }
    }

    fn write(&mut self, event: Option<&str>, object: &Value, tabs: &mut TabWriter<'_>) -> io::Result<()> {
        if !is_table(object) {
            return self.write_fallback(event, object, tabs);
        }
        let no_headers = self.take_columns(object) || self.options.no_headers;
        let rows = object["rows"].as_array().map_or(&[][..], Vec::as_slice);
        self.headed |= !rows.is_empty();
        let table = cells::Decoration::new(&self.options, &self.columns, event).table(rows);
        render::write(&table, no_headers, tabs)
    }

    /// Takes over the columns of a table. Returns true if their headers have been printed.
    fn take_columns(&mut self, table: &Value) -> bool {
        let columns: Vec<_> =
            table["columnDefinitions"].as_array().into_iter().flatten().map(column).collect();
        if columns.is_empty() || columns == self.columns {
            return self.headed;
        }
        self.columns = columns;
        self.headed = false;
        false
    }

    fn write_fallback(
        &mut self,
        event: Option<&str>,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> io::Result<()> {
        let fallback = Fallback::of(object);
        let before = self.fallback.replace(fallback);
        fallback.write(before, &self.options, event, object, SystemTime::now(), tabs)
    }
}

fn is_table(object: &Value) -> bool {
    let version = object["apiVersion"].as_str();
    object["kind"] == "Table" && matches!(version, Some("meta.k8s.io/v1" | "meta.k8s.io/v1beta1"))
}

fn column(definition: &Value) -> Column {
    let text = |field| definition[field].as_str().unwrap_or_default().to_owned();
    Column {
        name: text("name"),
        kind: text("type"),
        format: text("format"),
        description: text("description"),
        priority: definition["priority"].as_i64().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn columns() -> Value {
        json!([
            {"name": "Name", "type": "string", "format": "name", "priority": 0},
            {"name": "Ready", "type": "string", "format": "", "priority": 0},
            {"name": "Up-to-date", "type": "integer", "format": "", "priority": 0},
            {"name": "Images", "type": "string", "format": "", "priority": 1},
        ])
    }

    fn table(columns: Value, rows: Value) -> Value {
        json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": columns, "rows": rows})
    }

    fn row(cells: Value, namespace: &str, labels: Value) -> Value {
        json!({"cells": cells, "object": {"metadata": {"namespace": namespace, "labels": labels}}})
    }

    fn deployments() -> Value {
        let web =
            row(json!(["web", "0/1", 0, "nginx"]), "shop", json!({"app": "x", "a.b/tier": "front-end"}));
        table(columns(), json!([web, row(json!(["a", "10/10", null, null]), "kube-system", json!(null))]))
    }

    fn print(options: TableOptions, tables: &[(&str, Value)]) -> String {
        let mut out = Vec::new();
        let mut tabs = TabWriter::new(&mut out);
        let mut printer = TablePrinter::new(options);
        for (event, table) in tables {
            match *event {
                "" => printer.print(table, &mut tabs),
                event => printer.print_event(event, table, &mut tabs),
            }
            .unwrap();
        }
        tabs.flush().unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn tables_are_printed_as_asked_for() {
        let none = TableOptions::default();
        let labels = vec!["app".to_owned(), "a.b/tier".to_owned()];
        let cases = [
            ("as they come", none.clone(), {
                "NAME   READY   UP-TO-DATE\n\
                 web    0/1     0\n\
                 a      10/10   \n"
            }),
            ("without headers", TableOptions { no_headers: true, ..none.clone() }, {
                "web   0/1     0\n\
                 a     10/10   \n"
            }),
            ("wide", TableOptions { wide: true, ..none.clone() }, {
                "NAME   READY   UP-TO-DATE   IMAGES\n\
                 web    0/1     0            nginx\n\
                 a      10/10                \n"
            }),
            ("with namespaces", TableOptions { with_namespace: true, ..none.clone() }, {
                "NAMESPACE     NAME   READY   UP-TO-DATE\n\
                 shop          web    0/1     0\n\
                 kube-system   a      10/10   \n"
            }),
            ("with labels", TableOptions { label_columns: labels, show_labels: true, ..none.clone() }, {
                "NAME   READY   UP-TO-DATE   APP   TIER        LABELS\n\
                 web    0/1     0            x     front-end   a.b/tier=front-end,app=x\n\
                 a      10/10                                  <none>\n"
            }),
            ("with kinds", TableOptions { with_kind: Some("Deployment.apps".to_owned()), ..none }, {
                "NAME                  READY   UP-TO-DATE\n\
                 deployment.apps/web   0/1     0\n\
                 deployment.apps/a     10/10   \n"
            }),
        ];
        for (name, options, printed) in cases {
            assert_eq!(print(options, &[("", deployments())]), printed, "{name}");
        }
    }

    #[test]
    fn cells_show_one_line() {
        let columns = json!([{"name": "Name", "type": "string"}, {"name": "Note", "type": "string"}]);
        let cases = [
            ("a line break", json!(["a", "x\ny"]), "a      x...\n"),
            ("a carriage return", json!(["a", "x\ry"]), "a      x...\n"),
            ("an escape sequence", json!(["a", "\u{1b}[1mx"]), "a      ^[[1mx\n"),
            ("a number", json!(["a", 1000000.0]), "a      1e+06\n"),
            ("a list", json!(["a", [1, null, {"k": true}]]), "a      [1 <nil> map[k:true]]\n"),
            ("too many cells", json!(["a", true, "b"]), "a      true\n"),
            ("too few cells", json!(["a"]), "a\n"),
        ];
        for (name, cells, line) in cases {
            let printed =
                print(TableOptions::default(), &[("", table(columns.clone(), json!([{"cells": cells}])))]);
            assert_eq!(printed.strip_prefix("NAME   NOTE\n"), Some(line), "{name}");
        }
    }

    #[test]
    fn the_first_line_is_padded_for_what_cells_hide() {
        let row = json!([{"cells": ["a\nlong rest", "x"]}]);
        let printed = print(TableOptions::default(), &[("", table(columns(), row))]);
        assert_eq!(printed, "NAME          READY   UP-TO-DATE\na...          x\n");
    }

    #[test]
    fn columns_stay_aligned_over_many_rows() {
        let name = |index| if index == 150 { "a-longer-name".to_owned() } else { format!("n{index}") };
        let rows: Vec<_> = (0..201).map(|index| json!({"cells": [name(index), "x"]})).collect();
        let columns = json!([{"name": "Name"}, {"name": "Ready"}]);
        let printed = print(TableOptions::default(), &[("", table(columns, rows.into()))]);
        assert!(printed.lines().skip(1).all(|line| line.find(" x") == Some(15)));
    }

    #[test]
    fn headers_come_again_with_other_columns_only() {
        let rows = |name: &str| json!([row(json!([name, "1/1", 1, "i"]), "n", json!({}))]);
        let other = json!([{"name": "Name", "type": "string"}]);
        let watched = [
            ("ADDED", table(columns(), rows("a"))),
            ("MODIFIED", table(json!(null), rows("a"))),
            ("", table(columns(), json!([]))),
            ("BOOKMARK", table(columns(), rows("b"))),
            ("DELETED", table(other, rows("a"))),
        ];
        assert_eq!(
            print(TableOptions { with_namespace: true, ..TableOptions::default() }, &watched),
            "EVENT      NAMESPACE   NAME   READY   UP-TO-DATE\n\
             ADDED      n           a      1/1     1\n\
             MODIFIED   n           a      1/1     1\n\
             BOOKMARK   n           b      1/1     1\n\
             EVENT      NAMESPACE   NAME\n\
             DELETED    n           a\n"
        );
    }

    #[test]
    fn columns_of_a_skipped_table_are_known() {
        let mut out = Vec::new();
        let mut tabs = TabWriter::new(&mut out);
        let mut printer = TablePrinter::new(TableOptions::default());
        printer.skip(&table(columns(), json!([{"cells": ["a", "1/1", 1, "i"]}])));
        printer.print(&table(json!(null), json!([{"cells": ["b", "1/1", 1, "i"]}])), &mut tabs).unwrap();
        tabs.flush().unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "NAME   READY   UP-TO-DATE\nb      1/1     1\n");
    }

    #[test]
    fn objects_without_a_table_have_a_name_and_an_age() {
        let list = json!({"items": [
            {"metadata": {"name": "a", "namespace": "n", "labels": {"app": "x"}}},
            {"metadata": {"name": "b", "creationTimestamp": "2001-01-01T00:00:00Z"}},
        ]});
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure"});
        status["reason"] = "Gone".into();
        status["message"] = "late".into();
        let printed = print(
            TableOptions {
                with_namespace: true,
                show_labels: true,
                with_kind: Some("pod".to_owned()),
                ..TableOptions::default()
            },
            &[("", list)],
        );
        let mut lines = printed.lines();
        assert_eq!(lines.next(), Some("NAMESPACE   NAME    AGE         LABELS"));
        assert_eq!(lines.next(), Some("n           pod/a   <unknown>   app=x"));
        assert!(lines.next().is_some_and(
            |line| line.starts_with("            pod/b   ") && line.ends_with("y         <none>")
        ));
        assert_eq!(
            print(TableOptions::default(), &[("ERROR", status)]),
            "EVENT      STATUS    REASON   MESSAGE\nERROR      Failure   Gone     late\n"
        );
    }
}
