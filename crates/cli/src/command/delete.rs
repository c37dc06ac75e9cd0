//! `klient delete`.

mod wait;

use clap::Args;
use http::Method;
use klient_apimachinery::go::quoted;
use klient_apimachinery::{Object, Unstructured};
use klient_client::{ApiResource, Deleted, ListOptions, WriteOptions};

use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::flag_values::{Timeout, go_bool};
use crate::manifest::source::Source;
use crate::manifest::{self, Expectations, FileArgs, Validation};
use crate::raw;
use crate::session::Session;
use crate::target::{self, Target};

/// Which objects to delete, and how.
#[derive(Args, Debug)]
pub(crate) struct DeleteArgs {
    /// What to delete: TYPE NAME…, TYPE/NAME…, or TYPE with --all or -l
    #[arg(value_name = "OBJECT")]
    arguments: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Only objects with these labels, such as app=web
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Only objects with these field values, such as status.phase=Failed
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    field_selector: String,
    /// All objects of the types, in the namespace
    #[arg(long)]
    all: bool,
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// An object that is not there is as good as deleted; the default with --all and selectors
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    ignore_not_found: Option<bool>,
    /// What becomes of the objects that this one owns: background, orphan or foreground
    #[arg(long, value_name = "HOW", default_value = "background", num_args = 0..=1, require_equals = true, default_missing_value = "background")]
    cascade: Cascade,
    /// How many seconds an object has to end well; its own setting if negative
    #[arg(long, value_name = "SECONDS", default_value_t = -1, allow_hyphen_values = true)]
    grace_period: i64,
    /// End objects at once (the same as --grace-period=1)
    #[arg(long)]
    now: bool,
    /// Remove objects from the API at once, without a confirmation that they ended
    #[arg(long)]
    force: bool,
    /// Return when the objects are gone
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set, value_parser = crate::flag_values::go_bool)]
    wait: bool,
    /// How long to wait until they are gone; 0 for as long as it takes
    #[arg(long, value_name = "DURATION", default_value = "0")]
    timeout: Timeout,
    /// Do not delete: print what would be (client), or let the server check it (server)
    #[arg(long, value_name = "HOW", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Print names only: name
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    output: String,
    /// Send the request to this path, with a file as its body if one is named, and print what the server answers
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    raw: String,
}

/// An object to delete.
#[derive(Debug)]
struct Doomed {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
    /// The file that names it.
    source: Option<String>,
}

pub(crate) async fn run(mut args: DeleteArgs, session: &mut Session) -> Result<(), Failure> {
    settle_grace(&mut args)?;
    let cluster = session.cluster()?;
    if !args.raw.is_empty() {
        let body = raw_body(&args)?;
        return raw::send(&cluster, Method::DELETE, &args.raw, body, session).await;
    }
    let (doomed, mut failures) = find(&args, &cluster, session).await?;
    args.check_output()?;
    if args.force && args.grace_period == 0 {
        session.console.note(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. \
             The resource may continue to run on the cluster indefinitely.",
        );
    }
    let mut warns_of_scope = cluster.namespace_is_given() && !args.all_namespaces;
    let mut found = 0;
    let mut gone = Vec::new();
    for doomed in doomed {
        match doomed {
            Err(failure) => failures.push(failure),
            Ok(doomed) => {
                found += 1;
                if warns_of_scope && !doomed.resource.info.namespaced {
                    session.console.note(
                        "Warning: deleting cluster-scoped resources, not scoped to the provided namespace",
                    );
                    warns_of_scope = false;
                }
                match delete(&args, &cluster, session, &doomed).await {
                    Ok(uid) => gone.extend(uid.map(|uid| (doomed, uid))),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }
    let several = failures.len() > 1;
    if args.ignore_not_found.unwrap_or(args.all || args.selects()) {
        failures.retain(|failure| !matches!(failure, Failure::Client { error, .. } if error.is_not_found()));
    }
    if several && failures.len() == 1 {
        return Err(Failure::Several(failures));
    }
    Failure::collect(failures)?;
    if found == 0 {
        return session.console.line("No resources found");
    }
    if args.wait {
        wait::until_gone(&cluster, &gone, args.timeout).await?;
    }
    Ok(())
}

/// Brings the flags about the time to end together.
fn settle_grace(args: &mut DeleteArgs) -> Result<(), Failure> {
    if args.now {
        if args.grace_period != -1 {
            return Err(Failure::message("--now and --grace-period cannot be specified together"));
        }
        args.grace_period = 1;
    }
    match (args.force, args.grace_period) {
        (true, seconds) if seconds > 0 => {
            return Err(Failure::message(
                "--force and --grace-period greater than 0 cannot be specified together",
            ));
        }
        (true, _) => args.grace_period = 0,
        (false, 0) => {
            // Without --force nobody means to lose data.
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

    fn check_output(&self) -> Result<(), Failure> {
        match self.output.as_str() {
            "" | "name" => Ok(()),
            other => Err(Failure::Message(format!(
                "unexpected -o output mode: {other}. We only support '-o name'"
            ))),
        }
    }
}

/// What is sent to a path.
fn raw_body(args: &DeleteArgs) -> Result<Option<Source>, Failure> {
    args.check_output()?;
    if !args.arguments.is_empty() {
        return Err(Failure::message("arguments may not be passed when --raw is specified"));
    }
    let body = raw::body(&args.files)?;
    if !args.output.is_empty() {
        return Err(Failure::message("--raw and --output are mutually exclusive"));
    }
    raw::check(&args.raw).map(|()| body)
}

type Found = (Vec<Result<Doomed, Failure>>, Vec<Failure>);

/// The objects that files and arguments name.
async fn find(args: &DeleteArgs, cluster: &Cluster, session: &Session) -> Result<Found, Failure> {
    if !args.files.is_empty() {
        args.files.stand_alone(&args.arguments)?;
        let expect = Expectations { validation: Validation::Ignore, one_namespace: true };
        let manifest = manifest::read(cluster, &args.files, expect).await?;
        let manifest = manifest::selected(manifest, &args.selector)?;
        let doomed = manifest.into_iter().map(|item| {
            item.map(|item| Doomed {
                namespace: item.object.namespace().map(str::to_owned),
                name: item.object.name().to_owned(),
                resource: item.resource,
                source: Some(item.source),
            })
        });
        return Ok((doomed.collect(), Vec::new()));
    }
    if args.arguments.is_empty() {
        return Err(Failure::message(target::NOTHING_NAMED));
    }
    if args.all && args.selects() {
        return Err(Failure::message("setting 'all' parameter but found a non empty selector. "));
    }
    let target = target::parse(cluster, &session.program, &args.arguments).await?;
    match target.fits(args.all || args.selects(), args.all_namespaces)? {
        Target::Names(names) | Target::Pairs(names) => {
            let doomed = names.into_iter().map(|(resource, name)| {
                let namespace = resource.info.namespaced.then(|| cluster.namespace().to_owned());
                Ok(Doomed { resource, namespace, name, source: None })
            });
            Ok((doomed.collect(), Vec::new()))
        }
        Target::Types(_) if !args.all && !args.selects() => {
            Err(Failure::message("resource(s) were provided, but no name was specified"))
        }
        Target::Types(resources) => {
            let mut found: Found = (Vec::new(), Vec::new());
            for resource in resources {
                match select(args, cluster, &resource).await {
                    Ok(doomed) => found.0.extend(doomed.into_iter().map(Ok)),
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
) -> Result<Vec<Doomed>, Failure> {
    let namespace = (!args.all_namespaces).then(|| cluster.namespace());
    let mut options = ListOptions {
        label_selector: (!args.selector.is_empty()).then(|| args.selector.as_str().into()),
        field_selector: (!args.field_selector.is_empty()).then(|| args.field_selector.as_str().into()),
        limit: Some(500),
        ..ListOptions::default()
    };
    let mut doomed = Vec::new();
    loop {
        let list = cluster.objects(resource, namespace).list(&options).await;
        let list = list.map_err(|error| {
            target::unlistable(&resource.info, &args.selector, &args.field_selector, error)
        })?;
        options.continue_token = list.continue_token().map(Into::into);
        doomed.extend(list.items.iter().map(|object: &Unstructured| Doomed {
            resource: resource.clone(),
            namespace: object.namespace().map(str::to_owned),
            name: object.name().to_owned(),
            source: None,
        }));
        if options.continue_token.is_none() {
            return Ok(doomed);
        }
    }
}

/// Deletes one object and says so. Gives its uid, if it may take a while until it is gone.
async fn delete(
    args: &DeleteArgs,
    cluster: &Cluster,
    session: &mut Session,
    doomed: &Doomed,
) -> Result<Option<String>, Failure> {
    if args.dry_run == DryRun::Client {
        tell(args, session, doomed)?;
        return Ok(None);
    }
    let options = args.cascade.delete_options(args.grace_period);
    let write = WriteOptions { dry_run: args.dry_run == DryRun::Server, ..WriteOptions::default() };
    let api = cluster.objects(&doomed.resource, doomed.namespace.as_deref()).with(write);
    let deleted = api.delete(&doomed.name, &options).await.map_err(|error| {
        let failure = Failure::from(error);
        doomed.source.iter().fold(failure, |failure, source| failure.when("deleting", source))
    })?;
    tell(args, session, doomed)?;
    let uid = match deleted {
        Deleted::Object(object) => object.uid().to_owned(),
        Deleted::Status(status) => {
            status.details.as_ref().and_then(|details| details.uid.as_deref()).unwrap_or_default().to_owned()
        }
    };
    Ok((args.dry_run == DryRun::None).then_some(uid))
}

/// Says that an object is deleted.
fn tell(args: &DeleteArgs, session: &mut Session, doomed: &Doomed) -> Result<(), Failure> {
    let kind = doomed.resource.info.qualified_kind();
    let name = &doomed.name;
    if !args.output.is_empty() {
        return session.console.line(format_args!("{kind}/{name}"));
    }
    let word = if args.grace_period == 0 { "force deleted" } else { "deleted" };
    let from =
        doomed.namespace.as_ref().map(|namespace| format!(" from {namespace} namespace")).unwrap_or_default();
    session.console.line(format_args!(
        "{kind} {name} {word}{from}{}",
        args.dry_run.suffix(),
        name = quoted(name)
    ))
}
