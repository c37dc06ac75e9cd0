//! The formats `-o jsonpath=…` and `-o jsonpath-as-json=…`.

use std::io::Write;

use klient_apimachinery::go::{GoSyntax, quoted};
use serde_json::{Map, Value};

use super::{PrintError, json};
use klient_apimachinery::jsonpath::{Found, JsonPath, JsonPathError, MissingKeys};

/// A JSONPath template to print objects with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    text: String,
    path: JsonPath,
    as_json: bool,
}

impl Template {
    pub(super) fn parse(text: String, as_json: bool) -> Result<Self, JsonPathError> {
        Ok(Template { path: JsonPath::parse(&text)?, text, as_json })
    }

    pub(super) fn write(
        &self,
        object: &Value,
        missing: MissingKeys,
        out: &mut dyn Write,
    ) -> Result<(), PrintError> {
        let text = match self.as_json {
            true => self.path.find(object, missing).map(|parts| parts.into_iter().map(as_json).collect()),
            false => self.path.render(object, missing),
        };
        let text: String = text.map_err(|error| self.failure(&error, object))?;
        Ok(out.write_all(text.as_bytes())?)
    }

    fn failure(&self, error: &JsonPathError, object: &Value) -> PrintError {
        let text = &self.text;
        let no_entries = Value::Object(Map::new());
        let object = GoSyntax::of_json(if object.is_object() { object } else { &no_entries });
        PrintError::Message(format!(
            "error executing jsonpath {}: Error executing template: {error}. Printing more information for \
             debugging the template:\n\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\
             \t\t{object}\n\n\n",
            quoted(text)
        ))
    }
}

fn as_json(found: Vec<Found<'_>>) -> String {
    let values = found.into_iter().map(Found::to_value).collect();
    let mut text = json::pretty(&Value::Array(values));
    text.push('\n');
    text
}
