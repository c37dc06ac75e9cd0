//! `klient apply`.

mod apply_set;
mod client_side;
mod flags;
pub(crate) mod server_side;
mod set_last_applied;
mod view_last_applied;

use clap::{Args, Subcommand};
use klient_apimachinery::{Object, Unstructured};
use klient_client::{ApiResource, FieldValidation, WriteOptions};

use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::manifest::{self, FilenameOptions, Info, ReadOptions, ValidationDirective};
use crate::prune::{self, PruneObject, Visited};
use crate::result_printer::{PrintFlags, ResultPrinter};
use crate::session::Session;

use apply_set::ApplySet;

pub(crate) const USAGE: &str = "klient apply -f FILE [OPTIONS]\n       klient apply COMMAND";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Create or change the objects of a file
  klient apply -f web.yaml

  # Those of all files in a directory and below, as the server merges them
  klient apply -R -f manifests --server-side

  # Those that another program prints
  klient apply -f - < rendered.yaml

  # Also delete the objects with a label that were applied once and are in no file
  klient apply -f manifests --prune -l app=shop";

/// Arguments of `apply`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ApplyArgs {
    #[command(subcommand)]
    command: Option<ApplyCommand>,
    #[command(flatten)]
    files: FilenameOptions,
    #[command(flatten)]
    output: PrintFlags,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Dry run: none, client (only prints the objects that would be sent), or server (sends the request without storing
    /// the change)
    #[arg(long, value_name = "MODE", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Unknown or duplicate fields: strict (or true) fails, warn prints a warning, ignore (or false) drops them
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_value = "strict", default_missing_value = "strict")]
    validate: ValidationDirective,
    /// Apply on the server, which tracks the manager of each field
    #[arg(long)]
    server_side: bool,
    /// With --server-side, take over fields of other managers in case of conflicts
    #[arg(long)]
    force_conflicts: bool,
    /// With --server-side, subresource to apply to
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    subresource: String,
    /// Name of the field manager; the default is kubectl-client-side-apply, and kubectl with --server-side
    #[arg(long, value_name = "NAME")]
    field_manager: Option<String>,
    /// Overwrite changes that others have made since the last apply; with =false they are an error
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    overwrite: bool,
    /// Delete and recreate an object if it cannot be patched
    #[arg(long)]
    force: bool,
    /// With --force or --prune, deletion of dependents: background, foreground, or orphan to keep them
    #[arg(long, value_name = "POLICY", default_value = "background", num_args = 0..=1, require_equals = true, default_missing_value = "background")]
    cascade: Cascade,
    /// With --force or --prune, seconds for the graceful termination of an object; negative for the object's default
    #[arg(long, value_name = "SECONDS", default_value_t = -1, allow_hyphen_values = true)]
    grace_period: i64,
    /// With --force, time-out of the deletion of an object, such as 30s; 0 means no time-out
    #[arg(long, value_name = "DURATION", default_value = "0")]
    timeout: Timeout,
    /// Delete objects that were applied before and are no longer in the files; needs --all, -l or --applyset
    #[arg(long)]
    prune: bool,
    /// With --prune, consider all objects, without a label selector
    #[arg(long)]
    all: bool,
    /// With --prune, consider only objects of this kind; can be repeated
    #[arg(long, value_name = "GROUP/VERSION/KIND")]
    prune_allowlist: Vec<String>,
    /// With --prune, parent object of the ApplySet: TYPE/NAME, or the NAME of a Secret (alpha, needs
    /// KUBECTL_APPLYSET=true)
    #[arg(long = "applyset", value_name = "OBJECT", hide = !apply_set::is_enabled())]
    apply_set: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ApplyCommand {
    /// Print the last-applied-configuration annotation of objects
    #[command(override_usage = view_last_applied::USAGE, after_help = view_last_applied::EXAMPLES)]
    ViewLastApplied(view_last_applied::ViewArgs),
    /// Set the last-applied-configuration annotation of objects to the contents of files, and change nothing else
    #[command(override_usage = set_last_applied::USAGE, after_help = set_last_applied::EXAMPLES)]
    SetLastApplied(set_last_applied::SetArgs),
}

/// The operation that applying an object resulted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Created,
    Configured,
    Unchanged,
    ServersideApplied,
}

impl Operation {
    /// Returns kubectl's word for the operation.
    fn as_str(self) -> &'static str {
        match self {
            Operation::Created => "created",
            Operation::Configured => "configured",
            Operation::Unchanged => "unchanged",
            Operation::ServersideApplied => "serverside-applied",
        }
    }
}

impl ApplyArgs {
    fn field_manager(&self) -> &str {
        field_manager(self.field_manager.as_deref(), self.server_side)
    }

    fn write_options(&self) -> WriteOptions {
        WriteOptions {
            field_manager: Some(self.field_manager().into()),
            dry_run: self.dry_run == DryRun::Server,
            field_validation: Some(FieldValidation::from(self.validate)),
        }
    }
}

/// Returns the field manager: the one named by the flag, or kubectl's default for client-side or server-side apply.
pub(crate) fn field_manager(named: Option<&str>, server_side: bool) -> &str {
    named.unwrap_or(if server_side { server_side::FIELD_MANAGER } else { client_side::FIELD_MANAGER })
}

pub(crate) async fn run(mut args: ApplyArgs, session: &mut Session) -> Result<(), CliError> {
    match args.command.take() {
        Some(ApplyCommand::ViewLastApplied(args)) => return view_last_applied::run(args, session).await,
        Some(ApplyCommand::SetLastApplied(args)) => return set_last_applied::run(args, session).await,
        None => {}
    }
    flags::check_required(&args, &session.program)?;
    let mut output = ResultPrinter::new(&args.output, args.dry_run)?;
    let cluster = session.cluster()?;
    let mut apply_set = match &args.apply_set {
        Some(parent) => Some(ApplySet::new(parent, &args, &cluster, &session.program).await?),
        None => None,
    };
    let allowed = match args.prune && !args.prune_allowlist.is_empty() {
        true => prune::resources(&cluster, &args.prune_allowlist, session).await?,
        false => Vec::new(),
    };
    flags::check_combinations(&args)?;
    if let Some(set) = &apply_set {
        set.validate(&cluster).await?;
    }
    flags::check_prune(&args)?;

    let options = ReadOptions { validation: args.validate, enforce_namespace: true };
    let manifest = manifest::read(&cluster, &args.files, options).await?;
    let (mut items, mut failures) = manifest::split(manifest::selected(manifest, &args.selector)?);
    if items.is_empty() && failures.is_empty() {
        return Err(CliError::message("no objects passed to apply"));
    }
    if let Some(set) = &mut apply_set {
        set.add_labels(&mut items)?;
        set.before_apply(&items, &cluster, session).await?;
    }
    let mut visited = Visited::default();
    if cluster.namespace_is_given() {
        visited.visit_namespace(cluster.namespace());
    }
    let mut printed = Vec::new();
    for item in items {
        if let Some(namespace) = item.object.namespace() {
            visited.visit_namespace(namespace);
        }
        match apply_one(&item, &args, &cluster, session).await {
            Ok((operation, object)) => {
                visited.visit_object(&object);
                if output.prints_objects() {
                    printed.push(object);
                } else {
                    output.print_result(&object, operation.as_str(), session)?;
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
    CliError::aggregate(failures)?;
    output.print_objects(printed, session)?;
    if !args.prune {
        return Ok(());
    }
    match apply_set {
        Some(set) => set.prune(&visited, &cluster, &mut output, session).await,
        None => prune_objects(&args, allowed, &visited, &cluster, &mut output, session).await,
    }
}

/// Applies one object, and returns it in its new state.
async fn apply_one(
    item: &Info,
    args: &ApplyArgs,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Operation, Unstructured), CliError> {
    let name = item.object.name();
    if let ("", Some(prefix)) = (name, item.object.at(&["metadata", "generateName"])) {
        let prefix = prefix.as_str().unwrap_or_default();
        return Err(CliError::Message(format!("from {prefix}: cannot use generate name with apply")));
    }
    let api = item.api(cluster).with(args.write_options());
    let (applied, object) = if args.server_side {
        (Operation::ServersideApplied, server_side::apply(item, args, &api, session).await?)
    } else {
        client_side::apply(item, args, &api, session).await?
    };
    if applied != Operation::Created {
        warn_if_deleting(&object, session);
    }
    Ok((applied, object))
}

/// Prints a warning if the object is being deleted.
pub(crate) fn warn_if_deleting(object: &Unstructured, session: &mut Session) {
    if object.at(&["metadata", "deletionTimestamp"]).is_some() {
        session.console.eprintln(format_args!(
            "Warning: Detected changes to resource {} which is currently being deleted.",
            object.name()
        ));
    }
}

/// Prunes objects that were applied earlier and are no longer in the manifests.
async fn prune_objects(
    args: &ApplyArgs,
    allowed: Vec<ApiResource>,
    visited: &Visited,
    cluster: &Cluster,
    output: &mut ResultPrinter,
    session: &mut Session,
) -> Result<(), CliError> {
    let resources = match allowed.is_empty() {
        true => prune::resources(cluster, &[], session).await?,
        false => allowed,
    };
    for PruneObject { resource, object } in
        prune::find_objects_to_prune(cluster, &resources, &args.selector, visited).await?
    {
        let deleted = delete(args, &resource, &object, cluster).await;
        deleted.map_err(|failure| PruneObject::error(&resource.info, &failure))?;
        output.print_result(&object, "pruned", session)?;
    }
    Ok(())
}

/// Deletes an object, unless it is a client-side dry run.
async fn delete(
    args: &ApplyArgs,
    resource: &ApiResource,
    object: &Unstructured,
    cluster: &Cluster,
) -> Result<(), CliError> {
    if args.dry_run == DryRun::Client {
        return Ok(());
    }
    let options = WriteOptions { dry_run: args.dry_run == DryRun::Server, ..WriteOptions::default() };
    let api = cluster.objects(resource, object.namespace()).with(options);
    api.delete(object.name(), &args.cascade.delete_options(args.grace_period)).await?;
    Ok(())
}
