//! `klient create`.

mod config_map;
mod content_hash;
mod env_file;

use clap::{Args, Subcommand};
use http::Method;
use klient_api::core::v1::{ConfigMap, Namespace};
use klient_apimachinery::{Resource, ResourceInfo, Unstructured};
use klient_client::{Api, DynamicPlace, FieldValidation, WriteOptions};
use serde_json::json;

use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::source::Source;
use crate::manifest::{self, Expectations, FileArgs, Validation};
use crate::output::{Output, OutputArgs};
use crate::raw;
use crate::session::Session;

/// What to create.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct CreateArgs {
    #[command(subcommand)]
    kind: Option<Kind>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    how: HowArgs,
    /// Only objects with these labels, such as app=web
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Send the bytes of one file to this path, and print what the server answers
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    raw: String,
}

/// How to create it.
#[derive(Args, Debug)]
struct HowArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Create nothing: print what would be (client), or let the server try it (server)
    #[arg(long, value_name = "HOW", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// What becomes of fields that nobody knows: strict (or true), warn, ignore (or false)
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_value = "strict", default_missing_value = "strict")]
    validate: Validation,
    /// Note in the object what it says, so that it can be applied later
    #[arg(long)]
    save_config: bool,
    /// Who is recorded as the one who sets the fields
    #[arg(long, value_name = "NAME", default_value = "kubectl-create")]
    field_manager: String,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Create a namespace
    #[command(visible_alias = "ns")]
    Namespace {
        #[command(flatten)]
        name: NameArgs,
        #[command(flatten)]
        how: HowArgs,
    },
    /// Create a ConfigMap
    #[command(name = "configmap", visible_alias = "cm")]
    ConfigMap {
        #[command(flatten)]
        name: NameArgs,
        #[command(flatten)]
        args: config_map::ConfigMapArgs,
        #[command(flatten)]
        how: HowArgs,
    },
}

/// The name of what is created.
#[derive(Args, Debug)]
struct NameArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl NameArgs {
    /// The one name, for `create COMMAND`.
    fn one(&self, command: &str, program: &str) -> Result<&str, Failure> {
        let [name] = &self.names[..] else {
            return Err(Failure::Message(format!(
                "exactly one NAME is required, got {}\nSee '{program} create {command} -h' for help and examples",
                self.names.len()
            )));
        };
        match name.as_str() {
            "" => Err(Failure::message("name must be specified")),
            name => Ok(name),
        }
    }
}

pub(crate) async fn run(args: CreateArgs, session: &mut Session) -> Result<(), Failure> {
    match args.kind {
        None if args.files.is_empty() => Err(Failure::message("must specify one of -f and -k")),
        None if !args.raw.is_empty() => {
            let body = raw_body(&args)?;
            raw::send(&session.cluster()?, Method::POST, &args.raw, body, session).await
        }
        None => from_files(&args, session).await,
        Some(Kind::Namespace { name, how }) => {
            let mut object = Unstructured::new("v1", "Namespace", name.one("namespace", &session.program)?);
            object["spec"] = json!({});
            object["status"] = json!({});
            from_flags(object, &Namespace::INFO, &how, session).await
        }
        Some(Kind::ConfigMap { name, args, how }) => {
            let object = args.object(name.one("configmap", &session.program)?)?;
            from_flags(object, &ConfigMap::INFO, &how, session).await
        }
    }
}

/// What is sent to a path.
fn raw_body(args: &CreateArgs) -> Result<Option<Source>, Failure> {
    let body = raw::body(&args.files)?;
    if !args.selector.is_empty() {
        return Err(Failure::message("--raw and --selector (-l) are mutually exclusive"));
    }
    if args.how.output.is_given() {
        return Err(Failure::message("--raw and --output are mutually exclusive"));
    }
    raw::check(&args.raw).map(|()| body)
}

async fn from_files(args: &CreateArgs, session: &mut Session) -> Result<(), Failure> {
    let CreateArgs { files, how, selector, .. } = args;
    let mut output = Output::new(&how.output, how.dry_run)?;
    let cluster = session.cluster()?;
    let expect = Expectations { validation: how.validate, one_namespace: true };
    let manifest = manifest::read(&cluster, files, expect).await?;
    let manifest = manifest::selected(manifest, selector)?;
    if manifest.is_empty() {
        return Err(Failure::message("no objects passed to create"));
    }
    let mut failures = Vec::new();
    for item in manifest {
        let created = match item {
            Ok(item) => {
                let mut object = item.object.clone();
                if how.save_config {
                    last_applied::set(&mut object);
                }
                let created = create(object, &item.api(&cluster), how).await;
                created.map_err(|failure| failure.when("creating", &item.source))
            }
            Err(failure) => Err(failure),
        };
        match created {
            Ok(object) => output.tell(&object, "created", session)?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::collect(failures)
}

async fn from_flags(
    mut object: Unstructured,
    info: &ResourceInfo,
    how: &HowArgs,
    session: &mut Session,
) -> Result<(), Failure> {
    let mut output = Output::new(&how.output, how.dry_run)?;
    let cluster = session.cluster()?;
    let kind = object.kind().to_lowercase();
    // The object itself says so only where the namespace is meant, not merely current.
    if info.namespaced && cluster.namespace_is_given() {
        object.set_namespace(cluster.namespace());
    }
    let api = cluster.client().dynamic(info.clone());
    let api = if info.namespaced { api.namespace(cluster.namespace()) } else { api };
    if how.save_config {
        last_applied::set_built_in(&mut object);
    }
    let created = create(object, &api, how).await.map_err(|failure| match failure {
        Failure::Client { ref error, .. } if kind == "configmap" && error.as_status().is_some() => {
            Failure::Message(format!("failed to create {kind}: {}", failure.go_text()))
        }
        failure => failure,
    })?;
    output.tell_built_in(&created, "created", session)
}

async fn create(
    object: Unstructured,
    api: &Api<Unstructured, DynamicPlace>,
    how: &HowArgs,
) -> Result<Unstructured, Failure> {
    if how.dry_run == DryRun::Client {
        return Ok(object);
    }
    let options = WriteOptions {
        field_manager: Some(how.field_manager.as_str().into()),
        dry_run: how.dry_run == DryRun::Server,
        field_validation: Some(FieldValidation::from(how.validate)),
    };
    Ok(api.clone().with(options).create(&object).await?)
}
