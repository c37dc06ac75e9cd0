//! `klient apply set-last-applied`.

use clap::Args;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Patch, WriteOptions};
use serde_json::json;

use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::{self, FilenameOptions, Info, ReadOptions, ValidationDirective};
use crate::resource_args;
use crate::result_printer::{PrintFlags, ResultPrinter};
use crate::session::Session;
use crate::three_way::described;

pub(super) const USAGE: &str = "klient apply set-last-applied -f FILE [OPTIONS]";

pub(super) const EXAMPLES: &str = "\
Examples:
  # Say that a file is what was applied last
  klient apply set-last-applied -f web.yaml

  # The same for objects that were created otherwise
  klient apply set-last-applied -f web.yaml --create-annotation";

/// Arguments of `apply set-last-applied`.
#[derive(Args, Debug)]
pub(super) struct SetArgs {
    #[command(flatten)]
    files: FilenameOptions,
    #[command(flatten)]
    output: PrintFlags,
    /// Dry run: none, client (only prints the objects that would be sent), or server (sends the request without storing
    /// the change)
    #[arg(long, value_name = "MODE", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Create the annotation in objects that do not have it
    #[arg(long)]
    create_annotation: bool,
}

pub(super) async fn run(args: SetArgs, session: &mut Session) -> Result<(), CliError> {
    let mut output = ResultPrinter::new(&args.output, args.dry_run)?;
    let cluster = session.cluster()?;
    if args.files.is_empty() {
        return Err(CliError::message(resource_args::MUST_SPECIFY_RESOURCE));
    }
    let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
    let mut changes: Vec<(Info, Unstructured, String)> = Vec::new();
    for item in manifest::read(&cluster, &args.files, options).await? {
        let item = item?;
        let name = item.object.name();
        let live = item.api(&cluster).get(name).await.map_err(|error| {
            if error.is_not_found() {
                return error.into();
            }
            let doing =
                format!("retrieving current configuration of:\n{}\nfrom server for:", described(&item));
            CliError::from(error).with_context(&doing, &item.source)
        })?;
        let text = last_applied::text(&item.object);
        match last_applied::of(&live) {
            None if !args.create_annotation => {
                return Err(CliError::Message(format!(
                    "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run \
                     the command with --create-annotation"
                )));
            }
            Some(noted) if noted.trim_end() == text.trim_end() => {
                session.console.println(format_args!("set-last-applied {name}: no changes required."))?;
            }
            _ => changes.push((item, live, text)),
        }
    }
    for (item, live, text) in changes {
        let object = if args.dry_run == DryRun::Client {
            live
        } else {
            let patch = json!({"metadata": {"annotations": {(last_applied::ANNOTATION): text}}});
            let options = WriteOptions { dry_run: args.dry_run == DryRun::Server, ..WriteOptions::default() };
            item.api(&cluster).with(options).patch(item.object.name(), &Patch::Merge(patch)).await?
        };
        output.print_result(&object, "configured", session)?;
    }
    Ok(())
}
