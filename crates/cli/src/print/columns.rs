//! The format `-o custom-columns=…`.

use std::io::{self, Write};

use serde_json::Value;

use super::{PrintError, escape_terminal};
use klient_apimachinery::jsonpath::{JsonPath, JsonPathError, MissingKeys, relaxed};

/// The columns of the output: headers and paths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    /// Columns from a file have headers even with `--no-headers`, as in kubectl.
    from_file: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    header: String,
    /// kubectl parses the path only after it has printed the headers.
    path: Result<JsonPath, JsonPathError>,
}

/// The Go type of the last object that was printed: kubectl prints headers again when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrintedType {
    Object,
    List,
    Event,
}

impl Columns {
    /// Parses headers and paths such as `NAME:.metadata.name,KIND:kind`.
    pub(super) fn parse(spec: &str) -> Result<Self, String> {
        let columns = spec.split(',').map(|part| match part.split_once(':') {
            Some((header, path)) => Column::new(header, path),
            None => {
                Err(format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"))
            }
        });
        Ok(Columns { columns: columns.collect::<Result<_, _>>()?, from_file: false })
    }

    /// Parses a line of headers and a line of paths.
    pub(super) fn parse_lines(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut next = |missing| {
            lines.next().ok_or_else(|| {
                format!(
                    "invalid template, missing {missing} line. Expected format is one line of space separated \
                     headers, one line of space separated column specs."
                )
            })
        };
        let (headers, paths) = (next("header")?, next("spec")?);
        if headers.len() != paths.len() {
            let (headers, paths) = (headers.len(), paths.len());
            return Err(format!(
                "number of headers ({headers}) and field specifications ({paths}) don't match"
            ));
        }
        let columns = headers.iter().zip(paths).map(|(header, path)| Column::new(header, path));
        Ok(Columns { columns: columns.collect::<Result<_, _>>()?, from_file: true })
    }

    /// Writes a line for each object, its cells separated by tabs.
    pub(super) fn write(&self, objects: &[&Value], out: &mut dyn Write) -> Result<(), PrintError> {
        let paths = self.columns.iter().map(|column| column.path.as_ref());
        let paths: Vec<_> =
            paths.collect::<Result<_, _>>().map_err(|error| PrintError::Message(error.to_string()))?;
        for object in objects {
            let cells = paths.iter().map(|path| cell(path, object)).collect::<Result<Vec<_>, _>>();
            let cells = cells.map_err(|error| PrintError::Message(error.to_string()))?;
            writeln!(out, "{}", cells.join("\t"))?;
        }
        Ok(())
    }

    pub(super) fn write_headers(&self, unwanted: bool, out: &mut dyn Write) -> io::Result<()> {
        if unwanted && !self.from_file {
            return Ok(());
        }
        let headers: Vec<_> = self.columns.iter().map(|column| column.header.as_str()).collect();
        writeln!(out, "{}", headers.join("\t"))
    }
}

impl Column {
    fn new(header: &str, path: &str) -> Result<Self, String> {
        let path = relaxed(path).map_err(|error| error.to_string())?;
        Ok(Column { header: header.to_owned(), path: JsonPath::parse(&path) })
    }
}

fn cell(path: &JsonPath, object: &Value) -> Result<String, JsonPathError> {
    let parts = path.find(object, MissingKeys::Allowed)?;
    if parts.first().is_none_or(Vec::is_empty) {
        return Ok("<none>".to_owned());
    }
    let texts: Vec<_> = parts.iter().flatten().map(|found| escape_terminal(&found.display())).collect();
    Ok(texts.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::print::{ObjectFormat, Printer, PrinterOptions};

    fn print(columns: Columns, no_headers: bool) -> (String, Option<String>) {
        let data = json!({"l": [1, "a", null, {"b": 1.5}], "t": "x\u{1b}[1m\r", "m": {"z": 1}});
        let list = json!({"kind": "List", "items": [
            {"metadata": {"name": "a"}, "data": data},
            {"metadata": {"name": "long name"}, "data": {"n": null}},
        ]});
        let mut out = Vec::new();
        let options = PrinterOptions { no_headers, ..PrinterOptions::default() };
        let result = Printer::new(ObjectFormat::Columns(columns), options).print(&list, &mut out);
        (String::from_utf8_lossy(&out).into_owned(), result.err().map(|error| error.to_string()))
    }

    #[test]
    fn objects_are_shown_in_columns() {
        let cases = [
            (
                "names",
                "N:.metadata.name,K:data.m",
                "N           K\na           map[z:1]\nlong name   <none>\n",
            ),
            ("a list", "L:{.data.l}", "L\n[1 a <nil> map[b:1.5]]\n<none>\n"),
            ("several values", "L:.data.l[*]", "L\n1,a,<nil>,map[b:1.5]\n<none>\n"),
            ("null", "N:.data.n,:.metadata.name", "N        \n<none>   a\n<nil>    long name\n"),
            ("no path", "N:", "N\n<none>\n<none>\n"),
            ("escape sequences", "T:.data.t", "T\nx^[[1m\\r\n<none>\n"),
        ];
        for (name, spec, printed) in cases {
            let columns = Columns::parse(spec).unwrap();
            assert_eq!(print(columns, false), (printed.to_owned(), None), "{name}");
        }
    }

    #[test]
    fn headers_can_be_left_out_unless_they_come_from_a_file() {
        let columns = Columns::parse("N:.metadata.name").unwrap();
        assert_eq!(print(columns, true), ("a\nlong name\n".to_owned(), None));
        let columns = Columns::parse_lines("N   M\nmetadata.name  {.data.m.z}\nmore\n").unwrap();
        let printed = "N           M\na           1\nlong name   <none>\n";
        assert_eq!(print(columns, true), (printed.to_owned(), None));
    }

    #[test]
    fn a_bad_path_is_found_behind_the_headers() {
        let columns = Columns::parse("N:.metadata.name,M:.a[").unwrap();
        assert_eq!(print(columns, false), ("N     M\n".to_owned(), Some("unterminated array".to_owned())));
    }

    #[test]
    fn bad_columns_are_refused() {
        let form = "Expected format is one line of space separated headers, one line of space separated \
                    column specs.";
        let path = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                    '{.name1.name2}'";
        let cases = [
            (Columns::parse("A:.a,B"), {
                "unexpected custom-columns spec: B, expected <header>:<json-path-expr>".to_owned()
            }),
            (Columns::parse("A:{a}{b}"), path.to_owned()),
            (Columns::parse_lines(""), format!("invalid template, missing header line. {form}")),
            (Columns::parse_lines("A B\n"), format!("invalid template, missing spec line. {form}")),
            (Columns::parse_lines("A B\n.a\n"), {
                "number of headers (2) and field specifications (1) don't match".to_owned()
            }),
        ];
        for (columns, error) in cases {
            assert_eq!(columns, Err(error));
        }
    }
}
