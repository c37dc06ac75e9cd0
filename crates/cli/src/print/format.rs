//! [`OutputFormat`], the value of `-o`.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};

use klient_apimachinery::go::{os_error, quoted};

use super::columns::Columns;
use super::template::Template;

/// The value of `-o`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OutputFormat {
    /// Empty: tables, or a line for each operation.
    Human,
    /// `wide`: tables with all columns.
    Wide,
    Objects(ObjectFormat),
}

/// A format of whole objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ObjectFormat {
    Name,
    Json,
    Yaml,
    Kyaml,
    Template(Template),
    Columns(Columns),
}

/// The formats that a command accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatSet {
    /// All formats, for `get`.
    WithTables,
    /// Formats of whole objects except custom columns, for `apply`, `create` and others.
    Objects,
}

/// An invalid combination of `-o` and `--template`, with kubectl's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError(String);

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormatError {}

impl From<String> for FormatError {
    fn from(text: String) -> Self {
        FormatError(text)
    }
}

impl From<&str> for FormatError {
    fn from(text: &str) -> Self {
        FormatError(text.to_owned())
    }
}

const JSONPATH: [&str; 3] = ["jsonpath", "jsonpath-as-json", "jsonpath-file"];
const GO_TEMPLATE: [&str; 4] = ["go-template", "go-template-file", "template", "templatefile"];
const COLUMNS: [&str; 2] = ["custom-columns", "custom-columns-file"];
const NO_GO_TEMPLATES: &str = "go-template output is not supported yet";
const NO_TEMPLATE: &str = "template format specified but no template given";

impl OutputFormat {
    /// Parses the values of `-o` and `--template`, each of which can be empty.
    pub(crate) fn parse(output: &str, template: &str, choice: FormatSet) -> Result<Self, FormatError> {
        let output = if output.is_empty() && !template.is_empty() { "go-template" } else { output };
        if let Some((format, text)) = with_template(output, template, &JSONPATH) {
            return jsonpath(format, text).map(OutputFormat::Objects);
        }
        if let Some((_, text)) = with_template(output, template, &GO_TEMPLATE) {
            return Err(if text.is_empty() { NO_TEMPLATE } else { NO_GO_TEMPLATES }.into());
        }
        let objects = match output.to_lowercase().as_str() {
            "" => return Ok(OutputFormat::Human),
            "json" => ObjectFormat::Json,
            "yaml" => ObjectFormat::Yaml,
            "kyaml" => ObjectFormat::Kyaml,
            "name" => ObjectFormat::Name,
            _ if choice == FormatSet::Objects => return Err(unknown(output, choice)),
            _ if output == "wide" => return Ok(OutputFormat::Wide),
            _ => match with_template(output, template, &COLUMNS) {
                Some((format, spec)) => columns(format, spec)?,
                None => return Err(unknown(output, choice)),
            },
        };
        Ok(OutputFormat::Objects(objects))
    }
}

/// Splits `FORMAT=TEMPLATE`; with `--template`, the format has no `=`.
fn with_template<'a>(output: &'a str, template: &'a str, formats: &[&str]) -> Option<(&'a str, &'a str)> {
    let (format, template) =
        if template.is_empty() { output.split_once('=').unwrap_or((output, "")) } else { (output, template) };
    formats.contains(&format).then_some((format, template))
}

fn jsonpath(format: &str, template: &str) -> Result<ObjectFormat, FormatError> {
    if template.is_empty() {
        return Err(NO_TEMPLATE.into());
    }
    let text = match format {
        "jsonpath-file" => String::from_utf8_lossy(&read(template)?).into_owned(),
        _ => template.to_owned(),
    };
    let parsed = Template::parse(text.clone(), format == "jsonpath-as-json");
    Ok(ObjectFormat::Template(parsed.map_err(|error| format!("error parsing jsonpath {text}, {error}"))?))
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| {
        // On Unix, opening a directory succeeds and only reading fails.
        let operation = if error.kind() == ErrorKind::IsADirectory { "read" } else { "open" };
        format!("error reading --template {file}, {operation} {file}: {}", os_error(&error))
    })
}

fn columns(format: &str, spec: &str) -> Result<ObjectFormat, FormatError> {
    if spec.is_empty() {
        return Err("custom-columns format specified but no custom columns given".into());
    }
    let columns = match format {
        "custom-columns-file" => Columns::parse_lines(&read_lines(spec)?)?,
        _ => Columns::parse(spec)?,
    };
    Ok(ObjectFormat::Columns(columns))
}

/// Reads a file. As in kubectl, a read error after the file was opened, as for a directory, is the end of the file.
fn read_lines(file: &str) -> Result<String, String> {
    let open = File::open(file);
    let mut open =
        open.map_err(|error| format!("error reading template {file}, open {file}: {}", os_error(&error)))?;
    let mut bytes = Vec::new();
    let _ = open.read_to_end(&mut bytes);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unknown(output: &str, choice: FormatSet) -> FormatError {
    let mut allowed = vec!["json", "kyaml", "name", "yaml"];
    allowed.extend(JSONPATH);
    allowed.extend(GO_TEMPLATE);
    if choice == FormatSet::WithTables {
        allowed.extend(COLUMNS);
        allowed.push("wide");
    }
    allowed.sort_unstable();
    let (output, allowed) = (quoted(output), allowed.join(","));
    format!(
        "unable to match a printer suitable for the output format {output}, allowed formats are: {allowed}"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        let objects = OutputFormat::Objects;
        let cases = [
            ("", "", OutputFormat::Human),
            ("wide", "", OutputFormat::Wide),
            ("json", "", objects(ObjectFormat::Json)),
            ("YAML", "", objects(ObjectFormat::Yaml)),
            ("kyaml", "{.a}", objects(ObjectFormat::Kyaml)),
            ("Name", "", objects(ObjectFormat::Name)),
        ];
        for (output, template, format) in cases {
            assert_eq!(OutputFormat::parse(output, template, FormatSet::WithTables), Ok(format), "{output}");
        }
        let template = Template::parse("{.a}".to_owned(), true).unwrap();
        for (output, template_argument) in [("jsonpath-as-json={.a}", ""), ("jsonpath-as-json", "{.a}")] {
            let format = OutputFormat::parse(output, template_argument, FormatSet::Objects);
            assert_eq!(format, Ok(objects(ObjectFormat::Template(template.clone()))), "{output}");
        }
        let columns = Columns::parse("A:.a=b").unwrap();
        for (output, template_argument) in [("custom-columns=A:.a=b", ""), ("custom-columns", "A:.a=b")] {
            let format = OutputFormat::parse(output, template_argument, FormatSet::WithTables);
            assert_eq!(format, Ok(objects(ObjectFormat::Columns(columns.clone()))), "{output}");
        }
    }

    #[test]
    fn refusals_are_in_kubectls_words() {
        let unmatched = |output, allowed| {
            format!(
                "unable to match a printer suitable for the output format {output}, allowed formats are: \
                 {allowed}"
            )
        };
        let all = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,\
                   jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";
        let of_objects = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,\
                          template,templatefile,yaml";
        let no_template = "template format specified but no template given".to_owned();
        let no_columns = "custom-columns format specified but no custom columns given".to_owned();
        let unsupported = NO_GO_TEMPLATES.to_owned();
        let no_file = "no such file or directory";
        let (get, others) = (FormatSet::WithTables, FormatSet::Objects);
        let cases = [
            ("nope", "", get, unmatched("\"nope\"", all)),
            ("no\"pe\t", "", get, unmatched("\"no\\\"pe\\t\"", all)),
            ("json=x", "", get, unmatched("\"json=x\"", all)),
            ("wIde", "", get, unmatched("\"wIde\"", all)),
            ("jsonpath={.a}", "{.b}", get, unmatched("\"jsonpath={.a}\"", all)),
            ("wide", "", others, unmatched("\"wide\"", of_objects)),
            ("custom-columns=A:.a", "", others, unmatched("\"custom-columns=A:.a\"", of_objects)),
            ("jsonpath", "", get, no_template.clone()),
            ("jsonpath-file=", "", others, no_template.clone()),
            ("go-template", "", get, no_template),
            ("go-template={{.a}}", "", get, unsupported.clone()),
            ("", "{{.a}}", get, unsupported),
            ("jsonpath={.a", "", get, "error parsing jsonpath {.a, unclosed action".to_owned()),
            ("custom-columns", "", get, no_columns.clone()),
            ("custom-columns-file=", "", get, no_columns),
            (
                "jsonpath-file=/no/t",
                "",
                get,
                format!("error reading --template /no/t, open /no/t: {no_file}"),
            ),
            ("jsonpath-file=/", "", get, "error reading --template /, read /: is a directory".to_owned()),
            (
                "custom-columns-file=/no/t",
                "",
                get,
                format!("error reading template /no/t, open /no/t: {no_file}"),
            ),
        ];
        for (output, template, choice, error) in cases {
            assert_eq!(OutputFormat::parse(output, template, choice), Err(FormatError(error)), "{output}");
        }
    }
}
