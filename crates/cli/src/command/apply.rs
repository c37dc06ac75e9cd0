//! `klient apply`.

mod patch;

use clap::Args;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{FieldValidation, WriteOptions};

use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::last_applied;
use crate::manifest::{self, Expectations, FileArgs, Item, Validation};
use crate::output::{Output, OutputArgs};
use crate::session::Session;

/// Which files to apply, and how.
#[derive(Args, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Change nothing: print what would be done (client), or let the server try it (server)
    #[arg(long, value_name = "HOW", default_value = "none")]
    dry_run: DryRun,
    /// What becomes of fields that nobody knows: strict (or true), warn, ignore (or false)
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_value = "strict", default_missing_value = "strict")]
    validate: Validation,
    /// Delete and create objects anew that cannot be changed
    #[arg(long)]
    force: bool,
    /// Who is recorded as the one who sets the fields
    #[arg(long, value_name = "NAME", default_value = "kubectl-client-side-apply")]
    field_manager: String,
}

/// What applying an object has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Created,
    Configured,
    Unchanged,
}

impl Applied {
    /// As kubectl says it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Applied::Created => "created",
            Applied::Configured => "configured",
            Applied::Unchanged => "unchanged",
        }
    }
}

/// How objects are applied.
#[derive(Clone, Debug)]
pub(crate) struct Applying {
    pub(crate) dry_run: DryRun,
    pub(crate) validation: Validation,
    pub(crate) force: bool,
    pub(crate) field_manager: String,
}

impl Applying {
    fn write_options(&self) -> WriteOptions {
        WriteOptions {
            field_manager: Some(self.field_manager.as_str().into()),
            dry_run: self.dry_run == DryRun::Server,
            field_validation: Some(FieldValidation::from(self.validation)),
        }
    }
}

pub(crate) async fn run(args: ApplyArgs, session: &mut Session) -> Result<(), Failure> {
    if args.files.filename.is_empty() {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    let mut output = Output::new(&args.output, args.dry_run)?;
    let cluster = session.cluster()?;
    let expect = Expectations { validation: args.validate, one_namespace: true };
    let (items, mut failures) = manifest::split(manifest::read(&cluster, &args.files, expect).await?);
    if items.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to apply"));
    }
    let applying = Applying {
        dry_run: args.dry_run,
        validation: args.validate,
        force: args.force,
        field_manager: args.field_manager,
    };
    let mut shown = Vec::new();
    for item in items {
        match one(&item, &applying, &cluster, session).await {
            Ok((_, object)) if output.shows_objects() => shown.push(object),
            Ok((applied, object)) => output.tell(&object, applied.word(), session)?,
            Err(failure) => failures.push(failure),
        }
    }
    output.show_all(shown, session)?;
    Failure::collect(failures)
}

/// Makes one object what its file says, and gives it as it then is.
pub(crate) async fn one(
    item: &Item,
    how: &Applying,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(Applied, Unstructured), Failure> {
    let name = item.object.name();
    if let ("", Some(prefix)) = (name, item.object.at(&["metadata", "generateName"])) {
        let prefix = prefix.as_str().unwrap_or_default();
        return Err(Failure::Message(format!("from {prefix}: cannot use generate name with apply")));
    }
    let api = item.api(cluster).with(how.write_options());
    let live = api.get(name).await;
    match live {
        Ok(live) => {
            if how.dry_run == DryRun::Client {
                return Ok((Applied::Configured, live));
            }
            let resource = &item.resource.info.plural;
            if last_applied::of(&live).is_none() {
                session.console.note(format_args!(
                    "Warning: resource {resource}/{name} is missing the {annotation} annotation which is required by \
                     {program} apply. {program} apply should only be used on resources created declaratively by \
                     either {program} create --save-config or {program} apply. The missing annotation will be \
                     patched automatically.",
                    annotation = last_applied::ANNOTATION,
                    program = session.program,
                ));
            }
            let (applied, object) = patch::apply(item, live, how, &api).await?;
            if object.at(&["metadata", "deletionTimestamp"]).is_some() {
                session.console.note(format_args!(
                    "Warning: Detected changes to resource {name} which is currently being deleted."
                ));
            }
            Ok((applied, object))
        }
        Err(error) if error.is_not_found() => {
            let mut object = item.object.clone();
            last_applied::set(&mut object);
            if how.dry_run == DryRun::Client {
                return Ok((Applied::Created, object));
            }
            let created = api.create(&object).await;
            let created = created.map_err(|error| Failure::from(error).when("creating", &item.source))?;
            Ok((Applied::Created, created))
        }
        Err(error) => {
            let doing =
                format!("retrieving current configuration of:\n{}\nfrom server for:", patch::described(item));
            Err(Failure::from(error).when(&doing, &item.source))
        }
    }
}
