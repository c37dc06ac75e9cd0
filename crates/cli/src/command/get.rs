//! `klient get`.

mod builder;
mod show;
mod sort;
mod watch;

use builder::Builder;
use clap::Args;
use http::Method;

use crate::error::CliError;
use crate::manifest::FilenameOptions;
use crate::print::{FormatSet, OutputFormat, PrinterOptions};
use crate::raw;
use crate::session::Session;
use klient_apimachinery::jsonpath::MissingKeys;

pub(crate) const USAGE: &str =
    "klient get (TYPE[,TYPE...] [NAME... | -l LABELS] | TYPE/NAME... | -f FILE) [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # List the pods of the current namespace
  klient get pods

  # List the deployments of all namespaces, with more columns
  klient get deployments -A -o wide

  # Print an object
  klient get deployment web -o yaml

  # Print one field of it
  klient get deployment/web -o jsonpath={.spec.replicas}

  # List the pods of a label, and show how they change
  klient get pods -l app=web --watch";

/// Arguments of `get`.
#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// Objects to print: TYPE[,TYPE…] [NAME…] or TYPE/NAME…
    #[arg(value_name = "OBJECT")]
    arguments: Vec<String>,
    #[command(flatten)]
    files: FilenameOptions,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Field selector, such as status.phase=Running
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    field_selector: String,
    /// List the objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Output format: json, yaml, kyaml, name, wide, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, custom-columns=…,
    /// or custom-columns-file=…
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// Template string or file for -o jsonpath, -o jsonpath-as-json or -o jsonpath-file
    #[arg(long, value_name = "TEMPLATE", default_value = "", hide_default_value = true)]
    template: String,
    /// Ignore missing fields and map keys in templates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    allow_missing_template_keys: bool,
    /// Print the objects, then watch for changes
    #[arg(short, long)]
    watch: bool,
    /// Watch for changes, without printing the objects first
    #[arg(long)]
    watch_only: bool,
    /// With --watch or --watch-only, print the type of each watch event
    #[arg(long)]
    output_watch_events: bool,
    /// Labels that are printed as columns
    #[arg(short = 'L', long, value_name = "LABELS", value_delimiter = ',')]
    label_columns: Vec<String>,
    /// Print all labels in the last column
    #[arg(long)]
    show_labels: bool,
    /// Print the resource type before each name
    #[arg(long)]
    show_kind: bool,
    /// Keep metadata.managedFields in JSON and YAML output
    #[arg(long)]
    show_managed_fields: bool,
    /// Do not print headers
    #[arg(long)]
    no_headers: bool,
    /// Exit with 0 if an object does not exist
    #[arg(long)]
    ignore_not_found: bool,
    /// Page size of lists; 0 requests all objects at once
    #[arg(long, value_name = "OBJECTS", default_value_t = 500)]
    chunk_size: i64,
    /// Sort lists by this field, a JSONPath expression such as .metadata.name
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    sort_by: String,
    /// Send a GET request to this path and print the response
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    raw: String,
}

pub(crate) async fn run(args: GetArgs, session: &mut Session) -> Result<(), CliError> {
    let format = OutputFormat::parse(&args.output, &args.template, FormatSet::WithTables);
    let format = format.map_err(|error| CliError::Message(error.to_string()))?;
    let is_empty = args.arguments.is_empty() && args.files.is_empty();
    if is_empty && args.raw.is_empty() && !args.watch && !args.watch_only {
        let program = &session.program;
        return Err(CliError::Verbatim(format!(
            "You must specify the type of resource to get. Use \"{program} api-resources\" for a complete list of \
             supported resources.\n\nerror: Required resource not specified.\nUse \"{program} explain <resource>\" for \
             a detailed description of that resource (e.g. {program} explain pods).\nSee '{program} get -h' for help \
             and examples"
        )));
    }
    args.check()?;
    let cluster = session.cluster()?;
    if !args.raw.is_empty() {
        return raw::send(&cluster, Method::GET, &args.raw, None, session).await;
    }
    let tables = !matches!(format, OutputFormat::Objects(_));
    let builder = Builder { cluster: &cluster, args: &args, tables };
    if args.watch || args.watch_only {
        if !args.sort_by.is_empty() {
            session.console.eprintln(match args.watch {
                true => "warning: --watch requested, --sort-by will be ignored for watch events received",
                false => "warning: --watch-only requested, --sort-by will be ignored",
            });
        }
        return watch::run(&builder, format, session).await;
    }
    let fetched = builder.fetch(session).await?;
    match format {
        OutputFormat::Objects(format) => show::objects(&args, format, fetched, session),
        OutputFormat::Human => show::tables(&args, false, fetched, &cluster, session),
        OutputFormat::Wide => show::tables(&args, true, fetched, &cluster, session),
    }
}

impl GetArgs {
    /// Checks flags that exclude each other.
    fn check(&self) -> Result<(), CliError> {
        let Self { output, raw, .. } = self;
        if !raw.is_empty() {
            if self.watch || self.watch_only || !self.selector.is_empty() {
                return Err(CliError::message(
                    "--raw may not be specified with other flags that filter the server request or alter the output",
                ));
            }
            if !output.is_empty() {
                return Err(CliError::message("--raw and --output are mutually exclusive"));
            }
            if !self.arguments.is_empty() || !self.files.is_empty() {
                return Err(CliError::message("arguments may not be passed when --raw is specified"));
            }
            raw::check(raw)?;
        }
        if self.show_labels && !matches!(output.as_str(), "" | "wide") {
            return Err(CliError::Message(format!(
                "--show-labels option cannot be used with {output} printer"
            )));
        }
        if !self.label_columns.is_empty() && output.starts_with("custom-columns") {
            return Err(CliError::Message(format!(
                "--label-columns option cannot be used with {output} printer"
            )));
        }
        if self.output_watch_events && !self.watch && !self.watch_only {
            return Err(CliError::message(
                "--output-watch-events option can only be used with --watch or --watch-only",
            ));
        }
        Ok(())
    }

    fn printer_options(&self) -> PrinterOptions {
        PrinterOptions {
            no_headers: self.no_headers,
            show_managed_fields: self.show_managed_fields,
            missing_keys: MissingKeys::from_allowed(self.allow_missing_template_keys),
        }
    }
}
