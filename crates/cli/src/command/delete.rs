//! `klient delete`.

mod wait;

use clap::Args;
use http::Method;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Object, ResourceInfo, Unstructured};
use klient_client::{ApiResource, Deleted, ListOptions, WriteOptions};

use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::flag_values::{Timeout, go_bool};
use crate::manifest::source::Source;
use crate::manifest::{self, FilenameOptions, ReadOptions, ValidationDirective};
use crate::raw;
use crate::resource_args::{self, ResourceArgs};
use crate::session::Session;

pub(crate) const USAGE: &str =
    "klient delete (-f FILE | TYPE (NAME... | -l LABELS | --all) | TYPE/NAME...) [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Delete the objects of a file
  klient delete -f web.yaml

  # Delete two pods by their names
  klient delete pod web-0 web-1

  # Delete the pods and services of a label
  klient delete pods,services -l app=web

  # Delete a deployment, and keep its pods
  klient delete deployment/web --cascade=orphan";

/// Arguments of `delete`.
#[derive(Args, Debug)]
pub(crate) struct DeleteArgs {
    /// Objects to delete: TYPE NAME…, TYPE/NAME…, or TYPE with --all, -l or --field-selector
    #[arg(value_name = "OBJECT")]
    arguments: Vec<String>,
    #[command(flatten)]
    files: FilenameOptions,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Field selector, such as status.phase=Failed
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    field_selector: String,
    /// Delete all objects of the given types in the namespace
    #[arg(long)]
    all: bool,
    /// Delete in all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Exit with 0 if an object does not exist; the default is true with --all or a selector
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    ignore_not_found: Option<bool>,
    /// Deletion of dependents: background, foreground, or orphan to keep them
    #[arg(long, value_name = "POLICY", default_value = "background", num_args = 0..=1, require_equals = true, default_missing_value = "background")]
    cascade: Cascade,
    /// Seconds for the graceful termination of an object; negative for the object's default, 0 only with --force
    #[arg(long, value_name = "SECONDS", default_value_t = -1, allow_hyphen_values = true)]
    grace_period: i64,
    /// Terminate objects after one second (the same as --grace-period=1)
    #[arg(long)]
    now: bool,
    /// Remove objects from the API immediately, without a confirmation that their processes have terminated
    #[arg(long)]
    force: bool,
    /// Wait until the objects are deleted, which includes their finalizers
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    wait: bool,
    /// Time-out of the wait, such as 30s; 0 means one week
    #[arg(long, value_name = "DURATION", default_value = "0")]
    timeout: Timeout,
    /// Dry run: none, client (only prints the objects that would be deleted), or server (sends the request without
    /// deleting)
    #[arg(long, value_name = "MODE", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Output format: name, for short output (TYPE/NAME)
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// Send a DELETE request, with the file of -f as its body, to this path and print the response
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    raw: String,
}

/// An object to delete.
#[derive(Debug)]
struct DeleteInfo {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
    /// The file that the object was read from.
    source: Option<String>,
}

pub(crate) async fn run(mut args: DeleteArgs, session: &mut Session) -> Result<(), CliError> {
    resolve_grace_period(&mut args)?;
    let cluster = session.cluster()?;
    if !args.raw.is_empty() {
        let body = raw_body(&args)?;
        return raw::send(&cluster, Method::DELETE, &args.raw, body, session).await;
    }
    let (found, mut failures) = find(&args, &cluster, session).await?;
    args.check_output()?;
    if args.force && args.grace_period == 0 {
        session.console.eprintln(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
             The resource may continue to run on the cluster indefinitely.",
        );
    }
    let mut warn_cluster_scoped = cluster.namespace_is_given() && !args.all_namespaces;
    let mut count = 0;
    let mut deleted = Vec::new();
    for info in found {
        match info {
            Err(failure) => failures.push(failure),
            Ok(info) => {
                count += 1;
                if warn_cluster_scoped && !info.resource.info.namespaced {
                    session.console.eprintln(
                        "Warning: deleting cluster-scoped resources, not scoped to the provided namespace",
                    );
                    warn_cluster_scoped = false;
                }
                match delete(&args, &cluster, session, &info).await {
                    Ok(uid) => deleted.extend(uid.map(|uid| (info, uid))),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }
    let several = failures.len() > 1;
    if args.ignore_not_found.unwrap_or(args.all || args.selects()) {
        failures.retain(|failure| !matches!(failure, CliError::Client { error, .. } if error.is_not_found()));
    }
    if several && failures.len() == 1 {
        return Err(CliError::Aggregate(failures));
    }
    CliError::aggregate(failures)?;
    if count == 0 {
        return session.console.println("No resources found");
    }
    if args.wait {
        wait::wait_all_deleted(&cluster, &deleted, args.timeout).await?;
    }
    Ok(())
}

/// Sets the grace period from `--now` and `--force`.
fn resolve_grace_period(args: &mut DeleteArgs) -> Result<(), CliError> {
    if args.now {
        if args.grace_period != -1 {
            return Err(CliError::message("--now and --grace-period cannot be specified together"));
        }
        args.grace_period = 1;
    }
    match (args.force, args.grace_period) {
        (true, seconds) if seconds > 0 => {
            return Err(CliError::message(
                "--force and --grace-period greater than 0 cannot be specified together",
            ));
        }
        (true, _) => args.grace_period = 0,
        (false, 0) => {
            // A grace period of 0 without --force is a graceful deletion in one second.
            args.grace_period = 1;
            args.wait = true;
        }
        (false, _) => {}
    }
    Ok(())
}

impl DeleteArgs {
    fn selects(&self) -> bool {
        !self.selector.is_empty() || !self.field_selector.is_empty()
    }

    fn check_output(&self) -> Result<(), CliError> {
        match self.output.as_str() {
            "" | "name" => Ok(()),
            other => Err(CliError::Message(format!(
                "unexpected -o output mode: {other}. We only support '-o name'"
            ))),
        }
    }
}

/// Returns the body of `--raw`.
fn raw_body(args: &DeleteArgs) -> Result<Option<Source>, CliError> {
    args.check_output()?;
    if !args.arguments.is_empty() {
        return Err(CliError::message("arguments may not be passed when --raw is specified"));
    }
    let body = raw::body(&args.files)?;
    if !args.output.is_empty() {
        return Err(CliError::message("--raw and --output are mutually exclusive"));
    }
    raw::check(&args.raw).map(|()| body)
}

type Found = (Vec<Result<DeleteInfo, CliError>>, Vec<CliError>);

/// Finds the objects that files and arguments select.
async fn find(args: &DeleteArgs, cluster: &Cluster, session: &Session) -> Result<Found, CliError> {
    if !args.files.is_empty() {
        args.files.refuse_arguments(&args.arguments)?;
        let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
        let manifest = manifest::read(cluster, &args.files, options).await?;
        let manifest = manifest::selected(manifest, &args.selector)?;
        let infos = manifest.into_iter().map(|item| {
            item.map(|item| DeleteInfo {
                namespace: item.object.namespace().map(str::to_owned),
                name: item.object.name().to_owned(),
                resource: item.resource,
                source: Some(item.source),
            })
        });
        return Ok((infos.collect(), Vec::new()));
    }
    if args.arguments.is_empty() {
        return Err(CliError::message(resource_args::MUST_SPECIFY_RESOURCE));
    }
    if args.all && args.selects() {
        return Err(CliError::message("setting 'all' parameter but found a non empty selector. "));
    }
    let arguments = resource_args::parse(cluster, &session.program, &args.arguments).await?;
    match arguments.check_selection(args.all || args.selects(), args.all_namespaces)? {
        ResourceArgs::Names(names) | ResourceArgs::Pairs(names) => {
            let infos = names.into_iter().map(|(resource, name)| {
                let namespace = resource.info.namespaced.then(|| cluster.namespace().to_owned());
                Ok(DeleteInfo { resource, namespace, name, source: None })
            });
            Ok((infos.collect(), Vec::new()))
        }
        ResourceArgs::Types(_) if !args.all && !args.selects() => {
            Err(CliError::message("resource(s) were provided, but no name was specified"))
        }
        ResourceArgs::Types(resources) => {
            let mut found: Found = (Vec::new(), Vec::new());
            for resource in resources {
                match select(args, cluster, &resource).await {
                    Ok(infos) => found.0.extend(infos.into_iter().map(Ok)),
                    Err(failure) => found.1.push(failure),
                }
            }
            Ok(found)
        }
    }
}

async fn select(
    args: &DeleteArgs,
    cluster: &Cluster,
    resource: &ApiResource,
) -> Result<Vec<DeleteInfo>, CliError> {
    let namespace = (!args.all_namespaces).then(|| cluster.namespace());
    let mut options = ListOptions {
        label_selector: (!args.selector.is_empty()).then(|| args.selector.as_str().into()),
        field_selector: (!args.field_selector.is_empty()).then(|| args.field_selector.as_str().into()),
        limit: Some(500),
        ..ListOptions::default()
    };
    let mut infos = Vec::new();
    loop {
        let list = cluster.objects(resource, namespace).list(&options).await;
        let list = list.map_err(|error| {
            resource_args::list_error(&resource.info, &args.selector, &args.field_selector, error)
        })?;
        options.continue_token = list.continue_token().map(Into::into);
        infos.extend(list.items.iter().map(|object: &Unstructured| DeleteInfo {
            resource: resource.clone(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
            source: None,
        }));
        if options.continue_token.is_none() {
            return Ok(infos);
        }
    }
}

/// Deletes one object and prints the result. Returns its uid, unless it is a dry run.
async fn delete(
    args: &DeleteArgs,
    cluster: &Cluster,
    session: &mut Session,
    info: &DeleteInfo,
) -> Result<Option<String>, CliError> {
    if args.dry_run == DryRun::Client {
        print_deleted(args, session, info)?;
        return Ok(None);
    }
    let options = args.cascade.delete_options(args.grace_period);
    let write = WriteOptions { dry_run: args.dry_run == DryRun::Server, ..WriteOptions::default() };
    let api = cluster.objects(&info.resource, info.namespace.as_deref()).with(write);
    let deleted = api.delete(&info.name, &options).await.map_err(|error| {
        let failure = CliError::from(error);
        info.source.iter().fold(failure, |failure, source| failure.with_context("deleting", source))
    })?;
    print_deleted(args, session, info)?;
    let uid = match deleted {
        Deleted::Object(object) => object.uid().to_owned(),
        Deleted::Status(status) => {
            status.details.as_ref().and_then(|details| details.uid.as_deref()).unwrap_or_default().to_owned()
        }
    };
    Ok((args.dry_run == DryRun::None).then_some(uid))
}

/// Prints the line of a deleted object.
fn print_deleted(args: &DeleteArgs, session: &mut Session, info: &DeleteInfo) -> Result<(), CliError> {
    if !args.output.is_empty() {
        let kind = info.resource.info.qualified_kind();
        return session.console.println(format_args!("{kind}/{}", info.name));
    }
    let word = if args.grace_period == 0 { "force deleted" } else { "deleted" };
    let line = result_line(&info.resource.info, info.namespace.as_deref(), &info.name, word);
    session.console.println(format_args!("{line}{}", args.dry_run.suffix()))
}

/// Returns the line of a deleted object, such as `pod "web" deleted from shop namespace`.
pub(crate) fn result_line(info: &ResourceInfo, namespace: Option<&str>, name: &str, word: &str) -> String {
    let kind = info.qualified_kind();
    let from = namespace.map(|namespace| format!(" from {namespace} namespace")).unwrap_or_default();
    format!("{kind} {name} {word}{from}", name = quoted(name))
}
