//! `klient create`.

mod append_hash;
mod config_map;
mod env_file;

use clap::{Args, Subcommand};
use http::Method;
use klient_api::core::v1::{ConfigMap, Namespace};
use klient_apimachinery::{Resource, ResourceInfo, Unstructured};
use klient_client::{Api, DynamicPlace, FieldValidation, WriteOptions};
use serde_json::json;

use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::last_applied;
use crate::manifest::source::Source;
use crate::manifest::{self, FilenameOptions, ReadOptions, ValidationDirective};
use crate::raw;
use crate::result_printer::{PrintFlags, ResultPrinter};
use crate::session::Session;

pub(crate) const USAGE: &str = "klient create -f FILE [OPTIONS]\n       klient create COMMAND";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Create the objects of a file
  klient create -f pod.yaml

  # Create a Namespace by its name
  klient create namespace shop

  # Print what would be created, without a request
  klient create configmap colors --from-literal=sky=blue --dry-run=client -o yaml";

const NAMESPACE_USAGE: &str = "klient create namespace NAME [OPTIONS]";

const NAMESPACE_EXAMPLES: &str = "\
Examples:
  # Create a Namespace
  klient create namespace shop

  # Print it instead
  klient create namespace shop --dry-run=client -o yaml";

/// Arguments of `create`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct CreateArgs {
    #[command(subcommand)]
    kind: Option<Kind>,
    #[command(flatten)]
    files: FilenameOptions,
    #[command(flatten)]
    flags: CreateFlags,
    /// Label selector, such as app=web,tier!=cache
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Send the file of -f in a POST request to this path and print the response
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    raw: String,
}

/// Flags of `create` and of its subcommands.
#[derive(Args, Debug)]
struct CreateFlags {
    #[command(flatten)]
    output: PrintFlags,
    /// Dry run: none, client (only prints the object that would be sent), or server (sends the request without storing
    /// the object)
    #[arg(long, value_name = "MODE", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Unknown or duplicate fields: strict (or true) fails, warn prints a warning, ignore (or false) drops them
    #[arg(long, value_name = "MODE", num_args = 0..=1, require_equals = true, default_value = "strict", default_missing_value = "strict")]
    validate: ValidationDirective,
    /// Set the last-applied-configuration annotation, so that the object can be changed with apply later
    #[arg(long)]
    save_config: bool,
    /// Name of the field manager
    #[arg(long, value_name = "NAME", default_value = "kubectl-create")]
    field_manager: String,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Create a Namespace
    #[command(visible_alias = "ns", override_usage = NAMESPACE_USAGE, after_help = NAMESPACE_EXAMPLES)]
    Namespace {
        #[command(flatten)]
        name: NameArgs,
        #[command(flatten)]
        flags: CreateFlags,
    },
    /// Create a ConfigMap
    #[command(
        name = "configmap",
        visible_alias = "cm",
        override_usage = config_map::USAGE,
        after_help = config_map::EXAMPLES
    )]
    ConfigMap {
        #[command(flatten)]
        name: NameArgs,
        #[command(flatten)]
        args: config_map::ConfigMapArgs,
        #[command(flatten)]
        flags: CreateFlags,
    },
}

/// The name argument of a subcommand.
#[derive(Args, Debug)]
struct NameArgs {
    /// Name of the object
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl NameArgs {
    /// Returns the one name of `create COMMAND`.
    ///
    /// # Errors
    ///
    /// If there is no name or several, or it is empty.
    fn exactly_one(&self, command: &str, program: &str) -> Result<&str, CliError> {
        let [name] = &self.names[..] else {
            return Err(CliError::Message(format!(
                "exactly one NAME is required, got {}\nSee '{program} create {command} -h' for help and examples",
                self.names.len()
            )));
        };
        match name.as_str() {
            "" => Err(CliError::message("name must be specified")),
            name => Ok(name),
        }
    }
}

pub(crate) async fn run(args: CreateArgs, session: &mut Session) -> Result<(), CliError> {
    match args.kind {
        None if args.files.is_empty() => Err(CliError::message("must specify one of -f and -k")),
        None if !args.raw.is_empty() => {
            let body = raw_body(&args)?;
            raw::send(&session.cluster()?, Method::POST, &args.raw, body, session).await
        }
        None => from_files(&args, session).await,
        Some(Kind::Namespace { name, flags }) => {
            let mut object =
                Unstructured::new("v1", "Namespace", name.exactly_one("namespace", &session.program)?);
            object["spec"] = json!({});
            object["status"] = json!({});
            from_flags(object, &Namespace::INFO, &flags, session).await
        }
        Some(Kind::ConfigMap { name, args, flags }) => {
            let object = args.object(name.exactly_one("configmap", &session.program)?)?;
            from_flags(object, &ConfigMap::INFO, &flags, session).await
        }
    }
}

/// Returns the body of `--raw`.
fn raw_body(args: &CreateArgs) -> Result<Option<Source>, CliError> {
    let body = raw::body(&args.files)?;
    if !args.selector.is_empty() {
        return Err(CliError::message("--raw and --selector (-l) are mutually exclusive"));
    }
    if args.flags.output.is_given() {
        return Err(CliError::message("--raw and --output are mutually exclusive"));
    }
    raw::check(&args.raw).map(|()| body)
}

async fn from_files(args: &CreateArgs, session: &mut Session) -> Result<(), CliError> {
    let CreateArgs { files, flags, selector, .. } = args;
    let mut output = ResultPrinter::new(&flags.output, flags.dry_run)?;
    let cluster = session.cluster()?;
    let options = ReadOptions { validation: flags.validate, enforce_namespace: true };
    let manifest = manifest::read(&cluster, files, options).await?;
    let manifest = manifest::selected(manifest, selector)?;
    if manifest.is_empty() {
        return Err(CliError::message("no objects passed to create"));
    }
    let mut failures = Vec::new();
    for item in manifest {
        let created = match item {
            Ok(item) => {
                let mut object = item.object.clone();
                if flags.save_config {
                    last_applied::set(&mut object);
                }
                let created = create(object, &item.api(&cluster), flags).await;
                created.map_err(|failure| failure.with_context("creating", &item.source))
            }
            Err(failure) => Err(failure),
        };
        match created {
            Ok(object) => output.print_result(&object, "created", session)?,
            Err(failure) => failures.push(failure),
        }
    }
    CliError::aggregate(failures)
}

async fn from_flags(
    mut object: Unstructured,
    info: &ResourceInfo,
    flags: &CreateFlags,
    session: &mut Session,
) -> Result<(), CliError> {
    let mut output = ResultPrinter::new(&flags.output, flags.dry_run)?;
    let cluster = session.cluster()?;
    let kind = object.kind().to_lowercase();
    // As in kubectl, the namespace of the context is not written into the object.
    if info.namespaced && cluster.namespace_is_given() {
        object.set_namespace(cluster.namespace());
    }
    let api = cluster.client().dynamic(info.clone());
    let api = if info.namespaced { api.namespace(cluster.namespace()) } else { api };
    if flags.save_config {
        last_applied::set_built_in(&mut object);
    }
    let created = create(object, &api, flags).await.map_err(|failure| match failure {
        CliError::Client { ref error, .. } if kind == "configmap" && error.as_status().is_some() => {
            CliError::Message(format!("failed to create {kind}: {}", failure.go_error()))
        }
        failure => failure,
    })?;
    output.print_built_in_result(&created, "created", session)
}

async fn create(
    object: Unstructured,
    api: &Api<Unstructured, DynamicPlace>,
    flags: &CreateFlags,
) -> Result<Unstructured, CliError> {
    if flags.dry_run == DryRun::Client {
        return Ok(object);
    }
    let options = WriteOptions {
        field_manager: Some(flags.field_manager.as_str().into()),
        dry_run: flags.dry_run == DryRun::Server,
        field_validation: Some(FieldValidation::from(flags.validate)),
    };
    Ok(api.clone().with(options).create(&object).await?)
}
