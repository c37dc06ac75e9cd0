//! `klient diff`.

mod folder;
mod mask;
mod program;

use clap::Args;
use klient_apimachinery::{Object, ResourceInfo, Unstructured};
use klient_client::{ApiResource, Error, Patch, WriteOptions};
use serde_json::{Value, json};

use super::apply::server_side::{check, send};
use super::apply::{field_manager, warn_if_deleting};
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::{self, Expectations, FileArgs, Item, Validation};
use crate::print;
use crate::prune::{self, Visited};
use crate::session::Session;
use crate::three_way;

use folder::Folder;

/// Which files to compare with what is there, and how.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    files: FileArgs,
    /// Only objects with these labels, such as app=web
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Let the server find out what would change
    #[arg(long)]
    server_side: bool,
    /// With --server-side, take over fields that others manage
    #[arg(long)]
    force_conflicts: bool,
    /// Who would be recorded as the one who sets the fields: kubectl-client-side-apply or, with --server-side,
    /// kubectl, unless another is named
    #[arg(long, value_name = "NAME")]
    field_manager: Option<String>,
    /// Show the fields' managers
    #[arg(long)]
    show_managed_fields: bool,
    /// Show what is in Secrets
    #[arg(long)]
    show_secrets: bool,
    /// Show also what pruning would delete
    #[arg(long)]
    prune: bool,
    /// With --prune, look at objects of these kinds only
    #[arg(long, value_name = "GROUP/VERSION/KIND")]
    prune_allowlist: Vec<String>,
}

/// How often an object that changes meanwhile is looked at; the last time whatever its version.
const TRIES: u32 = 4;

/// Compares what is there with what applying would make of it, by a program of the user's. That there are differences
/// is told by ending with 1, so that failures end with 2.
pub(crate) async fn run(args: DiffArgs, session: &mut Session) -> Result<(), Failure> {
    match diff(&args, session).await {
        Err(failure @ (Failure::Differences | Failure::Closed)) => Err(failure),
        result => result.map_err(|failure| Failure::Trouble(Box::new(failure))),
    }
}

async fn diff(args: &DiffArgs, session: &mut Session) -> Result<(), Failure> {
    if args.files.is_empty() {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if args.force_conflicts && !args.server_side {
        return Err(Failure::message("--force-conflicts only works with --server-side"));
    }
    let cluster = session.cluster()?;
    let allowed = match args.prune && !args.prune_allowlist.is_empty() {
        true => prune::resources(cluster.mapper().await?, &args.prune_allowlist, session)?,
        false => Vec::new(),
    };
    let (live, merged) = (Folder::new("LIVE")?, Folder::new("MERGED")?);
    let expect = Expectations { validation: Validation::Ignore, one_namespace: true };
    let manifest = manifest::read(&cluster, &args.files, expect).await?;
    let items: Result<Vec<Item>, Failure> =
        manifest::selected(manifest, &args.selector)?.into_iter().collect();
    let mut visited = Visited::default();
    for item in items? {
        let (before, after) = both(&item, args, &cluster, session).await?;
        if let Some(namespace) = item.object.namespace() {
            visited.namespace(namespace);
        }
        if let Some(before) = &before {
            visited.object(before);
            warn_if_deleting(before, session);
        }
        let [before, after] = shown(before, after, args);
        let name = file_name(&item.resource.info, item.object.namespace(), item.object.name());
        live.write(&name, before.as_ref())?;
        merged.write(&name, after.as_ref())?;
    }
    if args.prune
        && let Err(failure) = show_left_over(args, allowed, &visited, &cluster, &live, session).await
    {
        let problem = failure.go_text();
        session
            .console
            .note(format_args!("Warning: pruning failed and could not be evaluated err: {problem}"));
    }
    program::run(&live, &merged, session).await
}

/// An object as it is and as it would be.
async fn both(
    item: &Item,
    args: &DiffArgs,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Option<Unstructured>, Unstructured), Failure> {
    let api = item.api(cluster);
    let mut tries = 1;
    loop {
        let live = api.get_opt(item.object.name()).await?;
        if tries == TRIES {
            session.console.note(format_args!(
                "Warning: Object ({}: {}) keeps changing, diffing without lock",
                prune::kind(&item.resource.info),
                item.object.name()
            ));
        }
        match merged(item, live.as_ref(), tries < TRIES, args, cluster).await {
            Ok(merged) => return Ok((live, merged)),
            Err(Failure::Client { error, .. }) if error.is_conflict() && tries < TRIES => tries += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// An object as applying would make it. With `locked`, of no other version than the live one.
async fn merged(
    item: &Item,
    live: Option<&Unstructured>,
    locked: bool,
    args: &DiffArgs,
    cluster: &Cluster,
) -> Result<Unstructured, Failure> {
    let name = item.object.name();
    let manager = field_manager(args.field_manager.as_deref(), args.server_side);
    let options =
        WriteOptions { field_manager: Some(manager.into()), dry_run: true, ..WriteOptions::default() };
    let api = item.api(cluster).with(options);
    if args.server_side {
        check(item)?;
        return Ok(send(item, "", manager, args.force_conflicts, &api).await?);
    }
    let Some(live) = live else {
        let mut object = item.object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        return Ok(api.create(&object).await?);
    };
    let failed = |failure: Failure| failure.when("patching", &item.source);
    let modified = last_applied::without(&item.object);
    let Some(mut patch) = three_way::patch(item, &modified, live, true).map_err(failed)? else {
        return Ok(live.clone());
    };
    if let (true, Patch::Strategic(patch) | Patch::Merge(patch)) = (locked, &mut patch) {
        patch["metadata"]["resourceVersion"] = live.resource_version().into();
    }
    api.patch(name, &patch).await.map_err(|error: Error| failed(error.into()))
}

/// Both as they are shown.
fn shown(before: Option<Unstructured>, after: Unstructured, args: &DiffArgs) -> [Option<Value>; 2] {
    let is_secret = after.kind() == "Secret" && after.group_version_kind().version == "v1";
    let mut both = [before.map(|object| Value::Object(object.0)), Some(Value::Object(after.0))];
    if !args.show_managed_fields {
        both.iter_mut().flatten().for_each(print::strip_managed_fields);
    }
    if is_secret && !args.show_secrets {
        let [before, after] = &mut both;
        mask::secrets(before.as_mut(), after.as_mut());
        // kubectl shows a Secret that is not there yet as null, unlike other objects.
        before.get_or_insert(Value::Null);
    }
    both
}

/// Shows what pruning would delete as gone.
async fn show_left_over(
    args: &DiffArgs,
    allowed: Vec<ApiResource>,
    visited: &Visited,
    cluster: &Cluster,
    live: &Folder,
    session: &mut Session,
) -> Result<(), Failure> {
    let resources = match allowed.is_empty() {
        true => prune::resources(cluster.mapper().await?, &[], session)?,
        false => allowed,
    };
    for left in prune::left_over(cluster, &resources, &args.selector, visited).await? {
        let name = file_name(&left.resource.info, left.object.namespace(), left.object.name());
        live.write(&name, Some(&json!(left.object.0)))?;
    }
    Ok(())
}

/// `GROUP.VERSION.KIND.NAMESPACE.NAME`.
fn file_name(info: &ResourceInfo, namespace: Option<&str>, name: &str) -> String {
    let group = if info.group.is_empty() { String::new() } else { format!("{}.", info.group) };
    format!("{group}{}.{}.{}.{name}", info.version, info.kind, namespace.unwrap_or_default())
}
