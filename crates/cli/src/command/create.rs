//! `klient create`.

mod config_map;

use clap::{Args, Subcommand};
use klient_apimachinery::Unstructured;
use klient_client::{ApiResource, FieldValidation, WriteOptions};

use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::{self, Expectations, FileArgs, Item, Validation};
use crate::output::{Output, OutputArgs};
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
}

/// How to create it.
#[derive(Args, Debug)]
struct HowArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Create nothing: print what would be (client), or let the server try it (server)
    #[arg(long, value_name = "HOW", default_value = "none")]
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
        /// Its name
        name: String,
        #[command(flatten)]
        how: HowArgs,
    },
    /// Create a ConfigMap
    #[command(name = "configmap", visible_alias = "cm")]
    ConfigMap {
        #[command(flatten)]
        args: config_map::ConfigMapArgs,
        #[command(flatten)]
        how: HowArgs,
    },
}

pub(crate) async fn run(args: CreateArgs, session: &mut Session) -> Result<(), Failure> {
    match args.kind {
        None if args.files.filename.is_empty() => Err(Failure::message("must specify one of -f and -k")),
        None => from_files(&args.files, &args.how, session).await,
        Some(Kind::Namespace { name, how }) => {
            let object = Unstructured::new("v1", "Namespace", &name);
            from_flags(object, "namespaces", &how, session).await
        }
        Some(Kind::ConfigMap { args, how }) => from_flags(args.object()?, "configmaps", &how, session).await,
    }
}

async fn from_files(files: &FileArgs, how: &HowArgs, session: &mut Session) -> Result<(), Failure> {
    let mut output = Output::new(&how.output, how.dry_run)?;
    let cluster = session.cluster()?;
    let expect = Expectations { validation: how.validate, one_namespace: true };
    let manifest = manifest::read(&cluster, files, expect).await?;
    if manifest.is_empty() {
        return Err(Failure::message("no objects passed to create"));
    }
    let mut failures = Vec::new();
    for item in manifest {
        let created = match item {
            Ok(item) => {
                create(&item, how, &cluster).await.map_err(|failure| failure.when("creating", &item.source))
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
    resource: &str,
    how: &HowArgs,
    session: &mut Session,
) -> Result<(), Failure> {
    let mut output = Output::new(&how.output, how.dry_run)?;
    let cluster = session.cluster()?;
    let kind = object.kind().to_lowercase();
    let resource: ApiResource = cluster.mapper().await?.resource(resource)?.clone();
    if resource.info.namespaced {
        object.set_namespace(cluster.namespace());
    }
    let item = Item { resource, object, source: String::new() };
    let created = create(&item, how, &cluster).await.map_err(|failure| match failure {
        Failure::Client { ref error, .. } if kind == "configmap" && error.as_status().is_some() => {
            Failure::Message(format!("failed to create {kind}: {}", failure.go_text()))
        }
        failure => failure,
    })?;
    output.tell(&created, "created", session)
}

async fn create(item: &Item, how: &HowArgs, cluster: &Cluster) -> Result<Unstructured, Failure> {
    let mut object = item.object.clone();
    if how.save_config {
        last_applied::set(&mut object);
    }
    if how.dry_run == DryRun::Client {
        return Ok(object);
    }
    let options = WriteOptions {
        field_manager: Some(how.field_manager.as_str().into()),
        dry_run: how.dry_run == DryRun::Server,
        field_validation: Some(FieldValidation::from(how.validate)),
    };
    Ok(item.api(cluster).with(options).create(&object).await?)
}
