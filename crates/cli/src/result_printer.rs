//! [`ResultPrinter`], the output of a command that changes objects (kubectl's `PrintFlags`).

use clap::Args;
use klient_apimachinery::{Object, Unstructured};
use serde_json::{Value, json};

use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::print::{FormatSet, ObjectFormat, OutputFormat, PrintError, Printer, PrinterOptions, name};
use crate::session::Session;
use klient_apimachinery::jsonpath::MissingKeys;

/// Flags for the format of the output.
#[derive(Args, Debug)]
pub(crate) struct PrintFlags {
    /// Output format: name, json, yaml, kyaml, jsonpath=…, jsonpath-as-json=…, or jsonpath-file=…
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// Template string or file for -o jsonpath, -o jsonpath-as-json or -o jsonpath-file
    #[arg(long, value_name = "TEMPLATE", default_value = "", hide_default_value = true)]
    template: String,
    /// Ignore missing fields and map keys in templates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    allow_missing_template_keys: bool,
    /// Keep metadata.managedFields in JSON and YAML output
    #[arg(long)]
    show_managed_fields: bool,
}

impl PrintFlags {
    /// Returns true if `--output` is set.
    pub(crate) fn is_given(&self) -> bool {
        !self.output.is_empty()
    }
}

/// Prints the result for each object: a line such as `pod/web created`, or the object in the format of `--output`.
pub(crate) struct ResultPrinter {
    format: Option<ObjectFormat>,
    printer: Option<Printer>,
    dry_run: DryRun,
}

impl ResultPrinter {
    /// # Errors
    ///
    /// If the format does not exist.
    pub(crate) fn new(args: &PrintFlags, dry_run: DryRun) -> Result<Self, CliError> {
        let format = OutputFormat::parse(&args.output, &args.template, FormatSet::Objects);
        let format = match format.map_err(|error| CliError::Message(error.to_string()))? {
            OutputFormat::Objects(format) => Some(format),
            OutputFormat::Human | OutputFormat::Wide => None,
        };
        let missing_keys = MissingKeys::from_allowed(args.allow_missing_template_keys);
        let options =
            PrinterOptions { no_headers: false, show_managed_fields: args.show_managed_fields, missing_keys };
        Ok(ResultPrinter {
            printer: format.clone().map(|format| Printer::new(format, options)),
            format,
            dry_run,
        })
    }

    /// Returns true if whole objects are printed, not lines or names.
    pub(crate) fn prints_objects(&self) -> bool {
        !matches!(self.format, None | Some(ObjectFormat::Name))
    }

    /// Prints an operation on an object, such as `created`, or the object.
    pub(crate) fn print_result(
        &mut self,
        object: &Unstructured,
        done: &str,
        session: &mut Session,
    ) -> Result<(), CliError> {
        let value = Value::Object(object.0.clone());
        if self.printer.is_some() {
            return self.show(&value, session);
        }
        let kind = name::resource(&value);
        session.console.println(format_args!("{kind}/{} {done}{}", object.name(), self.dry_run.suffix()))
    }

    /// As [`print_result`](Self::print_result), for an object of a built-in kind made from flags: JSON has the field
    /// order of Go's struct.
    pub(crate) fn print_built_in_result(
        &mut self,
        object: &Unstructured,
        done: &str,
        session: &mut Session,
    ) -> Result<(), CliError> {
        let Some(printer) = &mut self.printer else { return self.print_result(object, done, session) };
        let mut text = Vec::new();
        let printed = printer.print_built_in(object, &mut text);
        session.console.print(&String::from_utf8_lossy(&text))?;
        printed.map_err(PrintError::into_failure)
    }

    /// Prints one object as it is, several as a `List`.
    pub(crate) fn print_objects(
        &mut self,
        objects: Vec<Unstructured>,
        session: &mut Session,
    ) -> Result<(), CliError> {
        let mut values: Vec<Value> = objects.into_iter().map(|object| Value::Object(object.0)).collect();
        match values.len() {
            0 => Ok(()),
            1 => self.show(&values.remove(0), session),
            _ => {
                let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": values});
                self.show(&list, session)
            }
        }
    }

    fn show(&mut self, value: &Value, session: &mut Session) -> Result<(), CliError> {
        let Some(printer) = &mut self.printer else { return Ok(()) };
        let mut text = Vec::new();
        let printed = printer.print(value, &mut text);
        session.console.print(&String::from_utf8_lossy(&text))?;
        printed.map_err(PrintError::into_failure)
    }
}
