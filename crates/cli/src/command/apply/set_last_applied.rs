//! `klient apply set-last-applied`.

use clap::Args;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{Patch, WriteOptions};
use serde_json::json;

use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::{self, Expectations, FileArgs, Item, Validation};
use crate::output::{Output, OutputArgs};
use crate::session::Session;
use crate::target;
use crate::three_way::described;

/// What to note, and how.
#[derive(Args, Debug)]
pub(super) struct SetArgs {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Change nothing: print what would be done (client), or let the server try it (server)
    #[arg(long, value_name = "HOW", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Note it also in objects where nothing is noted yet
    #[arg(long)]
    create_annotation: bool,
}

pub(super) async fn run(args: SetArgs, session: &mut Session) -> Result<(), Failure> {
    let mut output = Output::new(&args.output, args.dry_run)?;
    let cluster = session.cluster()?;
    if args.files.is_empty() {
        return Err(Failure::message(target::NOTHING_NAMED));
    }
    let expect = Expectations { validation: Validation::Ignore, one_namespace: true };
    let mut changes: Vec<(Item, Unstructured, String)> = Vec::new();
    for item in manifest::read(&cluster, &args.files, expect).await? {
        let item = item?;
        let name = item.object.name();
        let live = item.api(&cluster).get(name).await.map_err(|error| {
            if error.is_not_found() {
                return error.into();
            }
            let doing =
                format!("retrieving current configuration of:\n{}\nfrom server for:", described(&item));
            Failure::from(error).when(&doing, &item.source)
        })?;
        let text = last_applied::text(&item.object);
        match last_applied::of(&live) {
            None if !args.create_annotation => {
                return Err(Failure::Message(format!(
                    "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run \
                     the command with --create-annotation"
                )));
            }
            Some(noted) if noted.trim_end() == text.trim_end() => {
                session.console.line(format_args!("set-last-applied {name}: no changes required."))?;
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
        output.tell(&object, "configured", session)?;
    }
    Ok(())
}
