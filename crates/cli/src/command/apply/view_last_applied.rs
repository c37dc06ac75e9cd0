//! `klient apply view-last-applied`.

use clap::Args;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Object, Unstructured, yaml};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::{self, Expectations, FileArgs, Validation};
use crate::print;
use crate::prune::selected;
use crate::session::Session;
use crate::target::{self, Target};

/// Of which objects, and how.
#[derive(Args, Debug)]
pub(super) struct ViewArgs {
    /// The objects: TYPE NAME…, TYPE/NAME…, or TYPE with --all or -l
    #[arg(value_name = "OBJECT")]
    arguments: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Only objects with these labels, such as app=web
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// All objects of the types, in the namespace
    #[arg(long)]
    all: bool,
    /// yaml or json
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
}

pub(super) async fn run(args: ViewArgs, session: &mut Session) -> Result<(), Failure> {
    let cluster = session.cluster()?;
    let mut texts = Vec::new();
    for (object, source) in objects(&args, &cluster, &session.program).await? {
        match (last_applied::of(&object), source) {
            (Some(text), _) => texts.push(text.to_owned()),
            (None, Some(source)) => {
                let name = object.name();
                return Err(Failure::Message(format!(
                    "error when no last-applied-configuration annotation found on resource: {name}\n {source}: <nil>",
                    source = quoted(source)
                )));
            }
            // As kubectl does, objects that are named on the command line are passed over.
            (None, None) => {}
        }
    }
    for text in texts {
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| Failure::Message(format!("what was applied last is no JSON: {error}")))?;
        match &*args.output {
            "json" => session.console.write(&indented(&value, &text))?,
            "yaml" => session.console.write(&yaml::to_string(&value))?,
            other => {
                let program = &session.program;
                return Err(Failure::Message(format!(
                    "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json\nSee '{program} \
                     apply view-last-applied -h' for help and examples"
                )));
            }
        }
    }
    Ok(())
}

/// The objects, with the files they are in.
async fn objects(
    args: &ViewArgs,
    cluster: &Cluster,
    program: &str,
) -> Result<Vec<(Unstructured, Option<String>)>, Failure> {
    let mut objects = Vec::new();
    if !args.files.is_empty() {
        args.files.stand_alone(&args.arguments)?;
        let expect = Expectations { validation: Validation::Ignore, one_namespace: true };
        let manifest = manifest::read(cluster, &args.files, expect).await?;
        for item in manifest::selected(manifest, &args.selector)? {
            let item = item?;
            let live = item.api(cluster).get(item.object.name()).await?;
            objects.push((live, Some(item.source)));
        }
        return Ok(objects);
    }
    if args.arguments.is_empty() {
        return Err(Failure::message(target::NOTHING_NAMED));
    }
    if args.all && !args.selector.is_empty() {
        return Err(Failure::message("setting 'all' parameter but found a non empty selector. "));
    }
    match target::parse(cluster, program, &args.arguments).await?.fits(!args.selector.is_empty(), false)? {
        Target::Names(names) | Target::Pairs(names) => {
            for (resource, name) in names {
                let live = cluster.objects(&resource, Some(cluster.namespace())).get(&name).await?;
                objects.push((live, None));
            }
        }
        Target::Types(_) if !args.all && args.selector.is_empty() => {
            return Err(Failure::message("resource(s) were provided, but no name was specified"));
        }
        Target::Types(resources) => {
            for resource in resources {
                let found = selected(cluster, &resource, Some(cluster.namespace()), &args.selector).await?;
                objects.extend(found.into_iter().map(|object| (object, None)));
            }
        }
    }
    Ok(objects)
}

/// JSON with each entry on a line of its own, indented by two; what stands behind it stays there.
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
