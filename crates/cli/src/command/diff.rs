//! `klient diff`.

mod directory;
mod mask;
mod program;

use clap::Args;
use klient_apimachinery::{Object, ResourceInfo, Unstructured};
use klient_client::{ApiResource, Error, Patch, WriteOptions};
use serde_json::{Value, json};

use super::apply::server_side::{apply_patch, check_managed_fields};
use super::apply::{field_manager, warn_if_deleting};
use crate::cluster::Cluster;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::{self, FilenameOptions, Info, ReadOptions, ValidationDirective};
use crate::print;
use crate::prune::{self, Visited};
use crate::session::Session;
use crate::three_way;

use directory::VersionDirectory;

pub(crate) const USAGE: &str = "klient diff -f FILE [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Show what applying a file would change
  klient diff -f web.yaml

  # The same for server-side apply, for all files of a directory
  klient diff -f manifests --server-side";

/// Arguments of `diff`.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    files: FilenameOptions,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Compare with the result of server-side apply
    #[arg(long)]
    server_side: bool,
    /// With --server-side, take over fields of other managers in case of conflicts
    #[arg(long)]
    force_conflicts: bool,
    /// Name of the field manager; the default is kubectl-client-side-apply, and kubectl with --server-side
    #[arg(long, value_name = "NAME")]
    field_manager: Option<String>,
    /// Include metadata.managedFields in the comparison
    #[arg(long)]
    show_managed_fields: bool,
    /// Print the values of Secrets instead of masking them
    #[arg(long)]
    show_secrets: bool,
    /// Include the objects that apply --prune would delete
    #[arg(long)]
    prune: bool,
    /// With --prune, consider only objects of this kind; can be repeated
    #[arg(long, value_name = "GROUP/VERSION/KIND")]
    prune_allowlist: Vec<String>,
}

/// Maximum number of dry runs of an object that changes meanwhile; the last one has no resourceVersion.
const MAX_RETRIES: u32 = 4;

/// Compares the live objects with the result of applying the manifests, in an external program. The exit code is 1 for
/// differences, and 2 for errors.
pub(crate) async fn run(args: DiffArgs, session: &mut Session) -> Result<(), CliError> {
    match diff(&args, session).await {
        Err(failure @ (CliError::Differences | CliError::OutputClosed)) => Err(failure),
        result => result.map_err(|failure| CliError::Diff(Box::new(failure))),
    }
}

async fn diff(args: &DiffArgs, session: &mut Session) -> Result<(), CliError> {
    if args.files.is_empty() {
        return Err(CliError::message("must specify one of -f and -k"));
    }
    if args.force_conflicts && !args.server_side {
        return Err(CliError::message("--force-conflicts only works with --server-side"));
    }
    let cluster = session.cluster()?;
    let allowed = match args.prune && !args.prune_allowlist.is_empty() {
        true => prune::resources(&cluster, &args.prune_allowlist, session).await?,
        false => Vec::new(),
    };
    let (live, merged) = (VersionDirectory::new("LIVE")?, VersionDirectory::new("MERGED")?);
    let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
    let manifest = manifest::read(&cluster, &args.files, options).await?;
    let items: Result<Vec<Info>, CliError> =
        manifest::selected(manifest, &args.selector)?.into_iter().collect();
    let mut visited = Visited::default();
    for item in items? {
        let (before, after) = live_and_merged(&item, args, &cluster, session).await?;
        if let Some(namespace) = item.object.namespace() {
            visited.visit_namespace(namespace);
        }
        if let Some(before) = &before {
            visited.visit_object(before);
            warn_if_deleting(before, session);
        }
        let [before, after] = masked(before, after, args);
        let name = file_name(&item.resource.info, item.object.namespace(), item.object.name());
        live.write(&name, before.as_ref())?;
        merged.write(&name, after.as_ref())?;
    }
    if args.prune
        && let Err(failure) = write_objects_to_prune(args, allowed, &visited, &cluster, &live, session).await
    {
        let problem = failure.go_error();
        session
            .console
            .eprintln(format_args!("Warning: pruning failed and could not be evaluated err: {problem}"));
    }
    program::run(&live, &merged, session).await
}

/// Returns the live object, if it exists, and the result of applying the manifest.
async fn live_and_merged(
    item: &Info,
    args: &DiffArgs,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Option<Unstructured>, Unstructured), CliError> {
    let api = item.api(cluster);
    let mut tries = 1;
    loop {
        let live = api.get_opt(item.object.name()).await?;
        if tries == MAX_RETRIES {
            session.console.eprintln(format_args!(
                "Warning: Object ({}: {}) keeps changing, diffing without lock",
                prune::group_version_kind(&item.resource.info),
                item.object.name()
            ));
        }
        match merged(item, live.as_ref(), tries < MAX_RETRIES, args, cluster).await {
            Ok(merged) => return Ok((live, merged)),
            Err(CliError::Client { error, .. }) if error.is_conflict() && tries < MAX_RETRIES => tries += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// Returns the result of applying a manifest as a dry run. With `locked`, the patch has the resourceVersion of the live
/// object.
async fn merged(
    item: &Info,
    live: Option<&Unstructured>,
    locked: bool,
    args: &DiffArgs,
    cluster: &Cluster,
) -> Result<Unstructured, CliError> {
    let name = item.object.name();
    let manager = field_manager(args.field_manager.as_deref(), args.server_side);
    let options =
        WriteOptions { field_manager: Some(manager.into()), dry_run: true, ..WriteOptions::default() };
    let api = item.api(cluster).with(options);
    if args.server_side {
        check_managed_fields(item)?;
        return Ok(apply_patch(item, "", manager, args.force_conflicts, &api).await?);
    }
    let Some(live) = live else {
        let mut object = item.object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        return Ok(api.create(&object).await?);
    };
    let failed = |failure: CliError| failure.with_context("patching", &item.source);
    let modified = last_applied::without(&item.object);
    let Some(mut patch) = three_way::patch(item, &modified, live, true).map_err(failed)? else {
        return Ok(live.clone());
    };
    if let (true, Patch::Strategic(patch) | Patch::Merge(patch)) = (locked, &mut patch) {
        patch["metadata"]["resourceVersion"] = live.resource_version().into();
    }
    api.patch(name, &patch).await.map_err(|error: Error| failed(error.into()))
}

/// Returns both objects without managed fields, and without the values of Secrets, unless flags ask for them.
fn masked(before: Option<Unstructured>, after: Unstructured, args: &DiffArgs) -> [Option<Value>; 2] {
    let is_secret = after.kind() == "Secret" && after.group_version_kind().version == "v1";
    let mut both = [before.map(|object| Value::Object(object.0)), Some(Value::Object(after.0))];
    if !args.show_managed_fields {
        both.iter_mut().flatten().for_each(print::strip_managed_fields);
    }
    if is_secret && !args.show_secrets {
        let [before, after] = &mut both;
        mask::secrets(before.as_mut(), after.as_mut());
        // kubectl prints a Secret that does not exist yet as null, unlike other objects.
        before.get_or_insert(Value::Null);
    }
    both
}

/// Adds the objects that pruning would delete to the live directory.
async fn write_objects_to_prune(
    args: &DiffArgs,
    allowed: Vec<ApiResource>,
    visited: &Visited,
    cluster: &Cluster,
    live: &VersionDirectory,
    session: &mut Session,
) -> Result<(), CliError> {
    let resources = match allowed.is_empty() {
        true => prune::resources(cluster, &[], session).await?,
        false => allowed,
    };
    for left in prune::find_objects_to_prune(cluster, &resources, &args.selector, visited).await? {
        let name = file_name(&left.resource.info, left.object.namespace(), left.object.name());
        live.write(&name, Some(&json!(left.object.0)))?;
    }
    Ok(())
}

/// Returns kubectl's name of a file: `GROUP.VERSION.KIND.NAMESPACE.NAME`.
fn file_name(info: &ResourceInfo, namespace: Option<&str>, name: &str) -> String {
    let group = if info.group.is_empty() { String::new() } else { format!("{}.", info.group) };
    format!("{group}{}.{}.{}.{name}", info.version, info.kind, namespace.unwrap_or_default())
}
