//! `klient apply view-last-applied`.

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Object, Unstructured, yaml};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::{self, FilenameOptions, ReadOptions, ValidationDirective};
use crate::print;
use crate::prune::list_objects;
use crate::resource_args::{self, ResourceArgs};
use crate::session::Session;

pub(super) const USAGE: &str =
    "klient apply view-last-applied (TYPE (NAME... | -l LABELS | --all) | TYPE/NAME... | -f FILE) [OPTIONS]";

pub(super) const EXAMPLES: &str = "\
Examples:
  # Print what was applied last to a deployment
  klient apply view-last-applied deployment/web

  # The same for the objects of a file, as JSON
  klient apply view-last-applied -f web.yaml -o json";

/// Arguments of `apply view-last-applied`.
#[derive(Args, Debug)]
pub(super) struct ViewArgs {
    /// Objects: TYPE NAME…, TYPE/NAME…, or TYPE with --all or -l
    #[arg(value_name = "OBJECT")]
    arguments: Vec<String>,
    #[command(flatten)]
    files: FilenameOptions,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Select all objects of the given types in the namespace
    #[arg(long)]
    all: bool,
    /// Output format: yaml or json
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
}

pub(super) async fn run(args: ViewArgs, session: &mut Session) -> Result<(), CliError> {
    let cluster = session.cluster()?;
    let mut texts = Vec::new();
    for (object, source) in objects(&args, &cluster, &session.program).await? {
        match (last_applied::of(&object), source) {
            (Some(text), _) => texts.push(text.to_owned()),
            (None, Some(source)) => {
                let name = object.name();
                return Err(CliError::Message(format!(
                    "error when no last-applied-configuration annotation found on resource: {name}\n {source}: <nil>",
                    source = quoted(source)
                )));
            }
            // As in kubectl, only objects named by files need the annotation.
            (None, None) => {}
        }
    }
    for text in texts {
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            CliError::Message(format!("the last-applied-configuration annotation is no JSON: {error}"))
        })?;
        match &*args.output {
            "json" => session.console.print(&indented(&value, &text))?,
            "yaml" => session.console.print(&yaml::to_string(&value))?,
            other => {
                let program = &session.program;
                return Err(CliError::Message(format!(
                    "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json\nSee '{program} \
                     apply view-last-applied -h' for help and examples"
                )));
            }
        }
    }
    Ok(())
}

/// Reads the objects, each with the file that names it.
async fn objects(
    args: &ViewArgs,
    cluster: &Cluster,
    program: &str,
) -> Result<Vec<(Unstructured, Option<String>)>, CliError> {
    let mut objects = Vec::new();
    if !args.files.is_empty() {
        args.files.refuse_arguments(&args.arguments)?;
        let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
        let manifest = manifest::read(cluster, &args.files, options).await?;
        for item in manifest::selected(manifest, &args.selector)? {
            let item = item?;
            let live = item.api(cluster).get(item.object.name()).await?;
            objects.push((live, Some(item.source)));
        }
        return Ok(objects);
    }
    if args.arguments.is_empty() {
        return Err(CliError::message(resource_args::MUST_SPECIFY_RESOURCE));
    }
    if args.all && !args.selector.is_empty() {
        return Err(CliError::message("setting 'all' parameter but found a non empty selector. "));
    }
    match resource_args::parse(cluster, program, &args.arguments)
        .await?
        .check_selection(!args.selector.is_empty(), false)?
    {
        ResourceArgs::Names(names) | ResourceArgs::Pairs(names) => {
            for (resource, name) in names {
                let live = cluster.objects(&resource, Some(cluster.namespace())).get(&name).await?;
                objects.push((live, None));
            }
        }
        ResourceArgs::Types(_) if !args.all && args.selector.is_empty() => {
            return Err(CliError::message("resource(s) were provided, but no name was specified"));
        }
        ResourceArgs::Types(resources) => {
            for resource in resources {
                let found =
                    list_objects(cluster, &resource, Some(cluster.namespace()), &args.selector).await?;
                objects.extend(found.into_iter().map(|object| (object, None)));
            }
        }
    }
    Ok(objects)
}

/// Returns JSON indented by two spaces, followed by the white space at the end of the original.
fn indented(value: &Value, text: &str) -> String {
    let mut out = String::new();
    for line in print::pretty(value).lines() {
        let entry = line.trim_start();
        out.push_str(&" ".repeat((line.len() - entry.len()) / 2));
        out.push_str(entry);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out + &text[text.trim_end().len()..]
}
