//! [`Output`], how a command that changes objects tells what it did.

use clap::Args;
use klient_apimachinery::{Object, Unstructured};
use serde_json::{Value, json};

use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::print::{Choice, ObjectFormat, OutputFormat, PrintError, Printer, PrinterOptions, name};
use crate::session::Session;
use klient_apimachinery::jsonpath::MissingKeys;

/// How to tell what was done.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// name, json, yaml, kyaml, jsonpath=…, jsonpath-as-json=…, or jsonpath-file=…
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// The template, where FORMAT names only its kind
    #[arg(long, value_name = "TEMPLATE", default_value = "", hide_default_value = true)]
    template: String,
    /// Let a template pass over what is not there
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    allow_missing_template_keys: bool,
    /// Show the fields' managers in JSON and YAML
    #[arg(long)]
    show_managed_fields: bool,
}

impl OutputArgs {
    /// Whether a format is named.
    pub(crate) fn is_given(&self) -> bool {
        !self.output.is_empty()
    }
}

/// Tells what was done: a line for each object, or the objects.
pub(crate) struct Output {
    format: Option<ObjectFormat>,
    printer: Option<Printer>,
    dry_run: DryRun,
}

impl Output {
    /// # Errors
    ///
    /// If there is no such format.
    pub(crate) fn new(args: &OutputArgs, dry_run: DryRun) -> Result<Self, Failure> {
        let format = OutputFormat::parse(&args.output, &args.template, Choice::Objects);
        let format = match format.map_err(|error| Failure::Message(error.to_string()))? {
            OutputFormat::Objects(format) => Some(format),
            OutputFormat::Human | OutputFormat::Wide => None,
        };
        let missing_keys = MissingKeys::from_allowed(args.allow_missing_template_keys);
        let options =
            PrinterOptions { no_headers: false, show_managed_fields: args.show_managed_fields, missing_keys };
        Ok(Output { printer: format.clone().map(|format| Printer::new(format, options)), format, dry_run })
    }

    /// Whether whole objects are shown.
    pub(crate) fn shows_objects(&self) -> bool {
        !matches!(self.format, None | Some(ObjectFormat::Name))
    }

    /// Tells that something was done with an object; or shows the object.
    pub(crate) fn tell(
        &mut self,
        object: &Unstructured,
        done: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let value = Value::Object(object.0.clone());
        if self.printer.is_some() {
            return self.show(&value, session);
        }
        let kind = name::resource(&value);
        session.console.line(format_args!("{kind}/{} {done}{}", object.name(), self.dry_run.suffix()))
    }

    /// The same of an object of a built-in kind that flags describe.
    pub(crate) fn tell_built_in(
        &mut self,
        object: &Unstructured,
        done: &str,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let Some(printer) = &mut self.printer else { return self.tell(object, done, session) };
        let mut text = Vec::new();
        let printed = printer.print_built_in(object, &mut text);
        session.console.write(&String::from_utf8_lossy(&text))?;
        printed.map_err(PrintError::into_failure)
    }

    /// Shows one object as it is, several as a list.
    pub(crate) fn show_all(
        &mut self,
        objects: Vec<Unstructured>,
        session: &mut Session,
    ) -> Result<(), Failure> {
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

    fn show(&mut self, value: &Value, session: &mut Session) -> Result<(), Failure> {
        let Some(printer) = &mut self.printer else { return Ok(()) };
        let mut text = Vec::new();
        let printed = printer.print(value, &mut text);
        session.console.write(&String::from_utf8_lossy(&text))?;
        printed.map_err(PrintError::into_failure)
    }
}
