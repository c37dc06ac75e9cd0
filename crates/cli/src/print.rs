//! Printers: tables, whole objects, templates and custom columns (kubectl's `ResourcePrinter`s).

mod age;
mod columns;
mod field_order;
mod format;
mod go_syntax;
mod json;
mod kyaml;
pub(crate) mod name;
pub(crate) mod table;
mod tabwriter;
mod template;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use klient_apimachinery::{Unstructured, yaml};
use serde_json::{Value, json};

use self::columns::PrintedType;
pub(crate) use self::field_order::FieldOrder;
pub(crate) use self::format::{FormatSet, ObjectFormat, OutputFormat};
pub(crate) use self::json::{compact, compact_built_in, pretty};
pub(crate) use self::tabwriter::TabWriter;
use crate::error::CliError;
use klient_apimachinery::jsonpath::MissingKeys;

/// Prints whole objects one after another in one format.
pub(crate) struct Printer {
    format: ObjectFormat,
    options: PrinterOptions,
    documents: usize,
    last_type: Option<PrintedType>,
    order: FieldOrder,
}

/// Options of a printer, from flags.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PrinterOptions {
    pub(crate) no_headers: bool,
    pub(crate) show_managed_fields: bool,
    pub(crate) missing_keys: MissingKeys,
}

/// An object that cannot be printed.
#[derive(Debug)]
pub(crate) enum PrintError {
    /// kubectl's message, which can end with line breaks.
    Message(String),
    Io(io::Error),
}

impl fmt::Display for PrintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrintError::Message(text) => f.write_str(text),
            PrintError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PrintError {}

impl PrintError {
    /// Converts it into the error of a command.
    pub(crate) fn into_failure(self) -> CliError {
        match self {
            PrintError::Message(text) => CliError::Message(text),
            PrintError::Io(error) => CliError::from_output(error),
        }
    }
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        PrintError::Io(error)
    }
}

impl Printer {
    pub(crate) fn new(format: ObjectFormat, options: PrinterOptions) -> Self {
        Printer { format, options, documents: 0, last_type: None, order: FieldOrder::ALPHABETICAL }
    }

    /// Prints fields in an order, such as that of a Go struct, in the formats that have it.
    pub(crate) fn with_order(self, order: FieldOrder) -> Self {
        Printer { order, ..self }
    }

    /// Prints an object, or a list.
    pub(crate) fn print(&mut self, object: &Value, out: &mut dyn Write) -> Result<(), PrintError> {
        if !matches!(self.format, ObjectFormat::Columns(_)) {
            return self.write(object, out);
        }
        let mut tabs = TabWriter::new(out);
        let result = self.write(object, &mut tabs);
        tabs.flush()?;
        result
    }

    /// Prints an object of a built-in kind; in JSON its fields have the order of Go's struct.
    pub(crate) fn print_built_in(
        &mut self,
        object: &Unstructured,
        out: &mut dyn Write,
    ) -> Result<(), PrintError> {
        let value = Value::Object(object.0.clone());
        if self.format != ObjectFormat::Json {
            return self.print(&value, out);
        }
        let Value::Object(fields) = self.without_managed_fields(&value)?.into_owned() else { return Ok(()) };
        Ok(writeln!(out, "{}", json::pretty_built_in(&Unstructured(fields)))?)
    }

    /// Prints an object of a watch. In every format the output goes through the tab writer, and appears when that is
    /// flushed.
    pub(crate) fn print_watched(
        &mut self,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> Result<(), PrintError> {
        self.write(object, tabs)
    }

    /// Prints a watch event with its type. As in kubectl, managed fields are not removed.
    pub(crate) fn print_event(
        &mut self,
        kind: &str,
        object: &Value,
        tabs: &mut TabWriter<'_>,
    ) -> Result<(), PrintError> {
        let event = || json!({"type": kind, "object": object});
        match &self.format {
            ObjectFormat::Name => name::write(object, tabs),
            ObjectFormat::Json => Ok(writeln!(tabs, "{}", json::event(kind, object))?),
            ObjectFormat::Yaml => self.write_yaml(&event(), tabs),
            ObjectFormat::Kyaml => Ok(tabs.write_all(kyaml::event(kind, object).as_bytes())?),
            ObjectFormat::Template(template) => template.write(&event(), self.options.missing_keys, tabs),
            ObjectFormat::Columns(_) => self.write_columns(&[&event()], PrintedType::Event, tabs),
        }
    }

    fn write(&mut self, object: &Value, out: &mut dyn Write) -> Result<(), PrintError> {
        match &self.format {
            ObjectFormat::Name => name::write(object, out),
            ObjectFormat::Json => {
                let object = self.without_managed_fields(object)?;
                Ok(writeln!(out, "{}", json::pretty_in_order(&object, self.order))?)
            }
            ObjectFormat::Yaml => self.write_yaml(self.without_managed_fields(object)?.as_ref(), out),
            ObjectFormat::Kyaml => {
                let object = self.without_managed_fields(object)?;
                Ok(out.write_all(kyaml::document(&object, self.order).as_bytes())?)
            }
            ObjectFormat::Template(template) => template.write(object, self.options.missing_keys, out),
            ObjectFormat::Columns(_) => match items(object) {
                Some(items) => self.write_columns(&items.iter().collect::<Vec<_>>(), PrintedType::List, out),
                None => self.write_columns(&[object], PrintedType::Object, out),
            },
        }
    }

    fn write_yaml(&mut self, object: &Value, out: &mut dyn Write) -> Result<(), PrintError> {
        if self.documents > 0 {
            out.write_all(b"---\n")?;
        }
        self.documents += 1;
        Ok(out.write_all(yaml::to_string(object).as_bytes())?)
    }

    fn write_columns(
        &mut self,
        objects: &[&Value],
        shape: PrintedType,
        out: &mut dyn Write,
    ) -> Result<(), PrintError> {
        let ObjectFormat::Columns(columns) = &self.format else { return Ok(()) };
        if self.last_type.replace(shape) != Some(shape) {
            columns.write_headers(self.options.no_headers, out)?;
        }
        columns.write(objects, out)
    }

    /// Returns the object without managed fields, unless a flag asks for them.
    ///
    /// # Errors
    ///
    /// If the object has neither `apiVersion` nor `kind`.
    fn without_managed_fields<'a>(&self, object: &'a Value) -> Result<Cow<'a, Value>, PrintError> {
        check_typed(object)?;
        if self.options.show_managed_fields || !has_managed_fields(object) {
            return Ok(Cow::Borrowed(object));
        }
        let mut object = object.clone();
        strip_managed_fields(&mut object);
        Ok(Cow::Owned(object))
    }
}

/// Removes `metadata.managedFields` from an object, or from each item of a list.
pub(crate) fn strip_managed_fields(object: &mut Value) {
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(strip_managed_fields);
    } else if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

fn has_managed_fields(object: &Value) -> bool {
    match items(object) {
        Some(items) => items.iter().any(has_managed_fields),
        None => object["metadata"].get("managedFields").is_some(),
    }
}

/// Returns the items of a list.
fn items(object: &Value) -> Option<&[Value]> {
    object.get("items")?.as_array().map(Vec::as_slice)
}

/// Escapes control characters of terminals.
fn escape_terminal(text: &str) -> String {
    text.replace('\x1b', "^[").replace('\r', "\\r")
}

fn check_typed(object: &Value) -> Result<(), PrintError> {
    let is_empty = |field| object[field].as_str().is_none_or(str::is_empty);
    if is_empty("apiVersion") && is_empty("kind") {
        let text =
            "missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type";
        return Err(PrintError::Message(text.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects() -> [Value; 2] {
        let metadata = json!({"name": "web", "managedFields": []});
        let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [web]});
        [web, list]
    }

    fn print(format: &str, options: PrinterOptions) -> Result<String, PrintError> {
        let Ok(OutputFormat::Objects(format)) = OutputFormat::parse(format, "", FormatSet::WithTables) else {
            panic!("{format} is not for objects");
        };
        let mut out = Vec::new();
        let mut printer = Printer::new(format, options);
        for object in objects() {
            printer.print(&object, &mut out)?;
        }
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn objects_are_printed_one_after_another() {
        let cases = [
            ("name", "deployment.apps/web\ndeployment.apps/web\n"),
            ("jsonpath={..name},", "web,web,"),
            ("custom-columns=N:..name", "N\nweb\nN\nweb\n"),
            ("yaml", {
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n---\n\
                 apiVersion: v1\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    \
                 name: web\nkind: List\n"
            }),
        ];
        for (format, printed) in cases {
            assert_eq!(print(format, PrinterOptions::default()).unwrap(), printed, "{format}");
        }
        let json = print("json", PrinterOptions::default()).unwrap();
        assert!(json.starts_with("{\n    \"apiVersion\": \"apps/v1\",\n    \"kind\""));
        assert!(json.contains("\n    }\n}\n{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        {\n"));
        assert!(!json.contains("managedFields"));
    }

    #[test]
    fn managed_fields_are_shown_if_asked_for() {
        let options = PrinterOptions { show_managed_fields: true, ..PrinterOptions::default() };
        for format in ["json", "yaml", "kyaml"] {
            assert_eq!(print(format, options).unwrap().matches("managedFields").count(), 2, "{format}");
        }
    }

    #[test]
    fn events_are_printed_with_their_type() {
        let cases = [
            ("name", "x/web\n"),
            (
                "json",
                "{\"type\":\"ADDED\",\"object\":{\"kind\":\"X\",\"metadata\":{\"managedFields\":[],\
                 \"name\":\"web\"}}}\n",
            ),
            ("yaml", "object:\n  kind: X\n  metadata:\n    managedFields: []\n    name: web\ntype: ADDED\n"),
            ("kyaml", {
                "---\n{\n  type: \"ADDED\",\n  object: {\n    kind: \"X\",\n    metadata: {\n      \
                 managedFields: [],\n      name: \"web\",\n    },\n  },\n}\n"
            }),
            ("jsonpath={.type} {.object.kind}", "ADDED X"),
            ("custom-columns=T:.type,N:.object.metadata.name", "T       N\nADDED   web\n"),
        ];
        let object = json!({"kind": "X", "metadata": {"name": "web", "managedFields": []}});
        for (format, printed) in cases {
            let Ok(OutputFormat::Objects(form)) = OutputFormat::parse(format, "", FormatSet::WithTables)
            else {
                panic!("{format} is not for objects");
            };
            let mut out = Vec::new();
            let mut tabs = TabWriter::new(&mut out);
            Printer::new(form, PrinterOptions::default()).print_event("ADDED", &object, &mut tabs).unwrap();
            tabs.flush().unwrap();
            assert_eq!(String::from_utf8_lossy(&out), printed, "{format}");
        }
    }

    #[test]
    fn what_cannot_be_printed_is_refused_in_kubectls_words() {
        let untyped =
            "missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type";
        let template = "error executing jsonpath \"{.a[1]}\\t\": Error executing template: array index out of \
                        bounds: index 1, length 0. Printing more information for debugging the template:\n\
                        \ttemplate was:\n\t\t{.a[1]}\t\n\tobject given to jsonpath engine was:\n\
                        \t\tmap[string]interface {}{\"a\":[]interface {}{}}\n\n\n";
        let cases =
            [("json", untyped), ("yaml", untyped), ("name", untyped), ("jsonpath={.a[1]}\t", template)];
        for (format, error) in cases {
            let Ok(OutputFormat::Objects(form)) = OutputFormat::parse(format, "", FormatSet::Objects) else {
                panic!("{format} is not for objects");
            };
            let result =
                Printer::new(form, PrinterOptions::default()).print(&json!({"a": []}), &mut Vec::new());
            assert_eq!(result.unwrap_err().to_string(), error, "{format}");
        }
    }
}
