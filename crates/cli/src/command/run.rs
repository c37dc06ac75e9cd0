//! `klient run`.

mod objects;
mod overrides;

use std::time::Duration;

use clap::{Arg, ArgAction, Args, value_parser};
use klient_api::core::v1::{Pod, Service};
use klient_apimachinery::{Object, Resource, ResourceInfo, Str, Time, Unstructured};
use klient_client::{LogOptions, WriteOptions};

use crate::attachment::{Attachment, DETACH_KEYS};
use crate::cascade::Cascade;
use crate::cluster::Cluster;
use crate::command::{delete, logs};
use crate::dry_run::DryRun;
use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::image_reference;
use crate::last_applied;
use crate::pod_containers;
use crate::pod_wait::wait_for_pod;
use crate::remote_session::REMOTE_COMMAND_WEBSOCKETS;
use crate::result_printer::{PrintFlags, ResultPrinter};
use crate::session::Session;
use objects::Settings;

/// The time in which the log of a container is read before a session with it begins.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) const USAGE: &str = "klient run NAME --image=IMAGE [OPTIONS] [--command] [-- ARGUMENT...]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Run a pod, and a service for its port
  klient run web --image=nginx --port=80 --expose

  # Run a pod with a variable and labels
  klient run web --image=nginx --env=COLOR=blue --labels=app=web,tier=front

  # Print the pod without creating it
  klient run web --image=nginx --dry-run=client -o yaml

  # Run a pod on a node
  klient run web --image=nginx --overrides='{\"spec\": {\"nodeName\": \"node-1\"}}'

  # Open a shell in a pod of its own, which is deleted at its end
  klient run -it box --image=busybox --restart=Never --rm -- sh";

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(args = ignored_flags())]
pub(crate) struct RunArgs {
    /// Name of the pod and its container, and arguments of the container
    #[arg(value_name = "NAME")]
    arguments: Vec<String>,
    /// Arguments of the container
    #[arg(last = true, value_name = "ARGUMENT", allow_hyphen_values = true)]
    command_line: Vec<String>,
    /// The image for the container to run
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// The image pull policy for the container: Always, IfNotPresent or Never; the default is that of the server
    #[arg(long, value_name = "POLICY", default_value = "", hide_default_value = true)]
    image_pull_policy: String,
    /// Environment variable to set in the container; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The port that the container exposes
    #[arg(long, value_name = "PORT", default_value = "", hide_default_value = true)]
    port: String,
    /// Create a ClusterIP service for the pod, too; requires --port
    #[arg(long)]
    expose: bool,
    /// Labels of the pod, as app=web,tier=front; the default is run=NAME
    #[arg(short = 'l', long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    labels: String,
    /// Annotation of the pod; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    annotations: Vec<String>,
    /// The arguments are the command of the container, which replaces that of the image
    #[arg(long)]
    command: bool,
    /// Run the container in privileged mode
    #[arg(long)]
    privileged: bool,
    /// The restart policy of the pod: Always, OnFailure or Never
    #[arg(long, value_name = "POLICY", default_value = "Always")]
    restart: String,
    /// JSON that changes the pod before it is created
    #[arg(long, value_name = "JSON", default_value = "", hide_default_value = true)]
    overrides: String,
    /// The method of --overrides: json, merge or strategic
    #[arg(long, value_name = "TYPE", default_value = "merge")]
    override_type: String,
    /// Keep standard input open on the container, even if nothing is attached
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Allocate a terminal for the container
    #[arg(short, long)]
    tty: bool,
    /// Wait until the pod runs, and attach to it; the default is true with --stdin
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::flag_values::go_bool)]
    attach: Option<bool>,
    /// Delete the pod after the session with it
    #[arg(long)]
    rm: bool,
    /// Suppress prompt messages
    #[arg(short, long)]
    quiet: bool,
    /// Leave standard input open after the first session with the container
    #[arg(long)]
    leave_stdin_open: bool,
    /// Keys that detach from a container with a terminal: letters or ctrl-LETTER, separated by commas
    #[arg(long, value_name = "KEYS", default_value = DETACH_KEYS)]
    detach_keys: String,
    /// Time to wait until the pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pod_running_timeout: Timeout,
    /// Deletion of dependents with --rm: background, foreground, or orphan to keep them
    #[arg(long, value_name = "POLICY", default_value = "background", num_args = 0..=1, require_equals = true, default_missing_value = "background")]
    cascade: Cascade,
    #[command(flatten)]
    output: PrintFlags,
    /// Dry run: none, client (only prints the objects that would be sent), or server (sends the requests without storing
    /// the objects)
    #[arg(long, value_name = "MODE", default_value = "none", num_args = 0..=1, require_equals = true, default_missing_value = DryRun::BARE)]
    dry_run: DryRun,
    /// Set the last-applied-configuration annotation, so that the objects can be changed with apply later
    #[arg(long)]
    save_config: bool,
    /// Name of the field manager
    #[arg(long, value_name = "NAME", default_value = "kubectl-run")]
    field_manager: String,
}

/// The id of `--filename`, of which kubectl says that it is ignored.
pub(crate) const IGNORED_FILENAME: &str = "ignored_filename";

/// The flags of `delete` that kubectl takes here, and that have no effect.
fn ignored_flags() -> [Arg; 7] {
    let flag = |id: &'static str, name: &'static str| Arg::new(id).long(name).hide(true);
    [
        flag(IGNORED_FILENAME, "filename").short('f').action(ArgAction::Append),
        flag("ignored_kustomize", "kustomize").short('k').action(ArgAction::Set),
        flag("ignored_recursive", "recursive").short('R').action(ArgAction::SetTrue),
        flag("ignored_force", "force").action(ArgAction::SetTrue),
        flag("ignored_grace_period", "grace-period").value_parser(value_parser!(i64)),
        flag("ignored_timeout", "timeout").value_parser(value_parser!(Timeout)),
        flag("ignored_wait", "wait").action(ArgAction::SetTrue),
    ]
}

impl RunArgs {
    fn attaches(&self) -> bool {
        self.attach.unwrap_or(self.stdin)
    }

    /// The name and the arguments of the container. As with kubectl, the name may be behind the two dashes.
    fn words(&self) -> impl Iterator<Item = &String> {
        self.arguments.iter().chain(&self.command_line)
    }

    /// Checks the combination of flags.
    fn check(&self) -> Result<(), CliError> {
        let image = self.image.as_deref().unwrap_or_default();
        let problem = if self.words().next().is_none() {
            "NAME is required for run"
        } else if image.is_empty() {
            "--image is required"
        } else if !image_reference::is_valid(image) {
            return image_reference::check(image);
        } else if self.tty && !self.stdin {
            "-i/--stdin is required for containers with -t/--tty=true"
        } else if self.expose && self.port.is_empty() {
            "--port must be set when exposing a service"
        } else if !self.port.is_empty() && self.port.parse::<i64>().is_err() {
            "--port must be a number"
        } else if self.rm && !self.attaches() {
            "--rm should only be used for attached containers"
        } else if self.attaches() && self.dry_run != DryRun::None {
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"
        } else {
            return Ok(());
        };
        Err(CliError::message(problem))
    }
}

/// An object that was created.
struct Created {
    resource: ResourceInfo,
    object: Unstructured,
}

pub(crate) async fn run(args: RunArgs, session: &mut Session) -> Result<(), CliError> {
    if args.image.is_none() {
        return Err(CliError::message("required flag(s) \"image\" not set"));
    }
    let settings = Settings::of(&args)?;
    let timeout = args.pod_running_timeout.of_running_pod().map_err(CliError::message)?;
    let cluster = session.streaming_cluster(REMOTE_COMMAND_WEBSOCKETS)?;
    let mut output = ResultPrinter::new(&args.output, args.dry_run)?;
    args.check()?;
    let pod = overrides::apply(settings.pod(), &args.overrides, &args.override_type)?;
    let mut created = vec![create(pod, Pod::INFO, &cluster, &args).await?];
    let mut failures = Vec::new();
    if args.expose {
        match create(settings.service(), Service::INFO, &cluster, &args).await {
            Ok(service) => created.push(service),
            Err(failure) => failures.push(failure),
        }
    }
    if args.attaches() {
        let ended = attach(&args, &created[0].object, &cluster, timeout, session).await;
        if args.rm {
            // What went wrong before is told, as by kubectl.
            let _ = remove(&args, &created, &cluster, session).await;
        }
        return ended;
    }
    for Created { object, .. } in &created {
        output.print_built_in_result(object, "created", session)?;
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(CliError::Aggregate(failures)),
    }
}

/// Creates an object, unless it is a dry run on the client.
async fn create(
    mut object: Unstructured,
    resource: ResourceInfo,
    cluster: &Cluster,
    args: &RunArgs,
) -> Result<Created, CliError> {
    if args.dry_run == DryRun::Client {
        if cluster.namespace_is_given() {
            object.set_namespace(cluster.namespace());
        }
        return Ok(Created { resource, object });
    }
    if args.save_config {
        last_applied::set_built_in(&mut object);
    }
    let options = WriteOptions {
        field_manager: Some(args.field_manager.as_str().into()),
        dry_run: args.dry_run == DryRun::Server,
        ..WriteOptions::default()
    };
    let api = cluster.client().dynamic(resource.clone()).namespace(cluster.namespace()).with(options);
    Ok(Created { resource, object: api.create(&object).await? })
}

/// Attaches to the pod when it runs, or prints its log if it has ended already, and returns its exit code.
async fn attach(
    args: &RunArgs,
    created: &Unstructured,
    cluster: &Cluster,
    timeout: Duration,
    session: &mut Session,
) -> Result<(), CliError> {
    let named = [created.namespace().unwrap_or_default(), created.name()];
    let pod = wait_for_pod(cluster, named, Some(timeout), |pod| has_ended(pod) || is_ready(pod)).await?;
    if has_ended(&pod) {
        let container = pod_containers::find_or_default(&pod, "", args.quiet, &mut session.console)?;
        let options = LogOptions { container: Some(container), ..LogOptions::default() };
        logs::print_one(cluster, &pod, &options, &mut session.console).await?;
    } else {
        attach_or_print_log(args, &pod, cluster, session).await?;
    }
    let is_over: fn(&Pod) -> bool = match args.restart.as_str() {
        _ if args.leave_stdin_open => return Ok(()),
        "Never" => has_ended,
        "OnFailure" => |pod| pod.status.phase.as_deref() == Some("Succeeded"),
        "" if args.stdin => |pod| pod.status.phase.as_deref() == Some("Succeeded"),
        _ => return Ok(()),
    };
    let pod = wait_for_pod(cluster, named, Some(timeout), is_over).await?;
    exit_code(&pod)
}

/// Attaches to a pod that runs, with what it has printed before. If that fails, its log is printed.
async fn attach_or_print_log(
    args: &RunArgs,
    pod: &Pod,
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), CliError> {
    let mut since_time = None;
    if let Ok(container) = pod_containers::find_or_default(pod, "", args.quiet, &mut session.console) {
        let options = LogOptions { container: Some(container), ..LogOptions::default() };
        let printing = logs::print_one(cluster, pod, &options, &mut session.console);
        let printed = match tokio::time::timeout(LOG_TIMEOUT, printing).await {
            Ok(printed) => printed,
            Err(_) => Err(CliError::message("context deadline exceeded")),
        };
        match printed {
            Ok(()) => since_time = Some(Time::now()),
            Err(failure @ CliError::OutputClosed) => return Err(failure),
            Err(failure) => {
                let problem = failure.go_error();
                session.console.eprintln(format_args!("warning: couldn't fetch pre-attach logs: {problem}"));
            }
        }
    }
    let attachment = Attachment {
        container: String::new(),
        stdin: args.stdin,
        tty: args.tty,
        quiet: args.quiet,
        detach_keys: args.detach_keys.clone(),
    };
    let options = LogOptions { since_time, ..LogOptions::default() };
    attachment.attach_or_print_log(cluster, pod, &options, session).await
}

fn has_ended(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_deref(), Some("Succeeded" | "Failed"))
}

fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter();
    pod.status.phase.as_deref() == Some("Running")
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Converts the end of a pod into that of the program.
fn exit_code(pod: &Pod) -> Result<(), CliError> {
    let text = |text: &Option<Str>| text.as_deref().unwrap_or_default().to_owned();
    let name = format!("{}/{}", text(&pod.metadata.namespace), text(&pod.metadata.name));
    if pod.status.phase.as_deref() == Some("Succeeded") {
        return Ok(());
    }
    let state = pod.status.container_statuses.first().and_then(|status| status.state.as_ref());
    match state.and_then(|state| state.terminated.as_ref()).filter(|end| end.exit_code != 0) {
        Some(end) => Err(CliError::ExitCode {
            message: format!("pod {name} terminated ({})\n{}", text(&end.reason), text(&end.message)),
            // As the operating system does.
            code: end.exit_code.to_le_bytes()[0],
        }),
        None => Err(CliError::Message(format!("pod {name} failed with unknown exit code"))),
    }
}

/// Deletes the objects that were created.
async fn remove(
    args: &RunArgs,
    created: &[Created],
    cluster: &Cluster,
    session: &mut Session,
) -> Result<(), CliError> {
    for Created { resource, object } in created {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name());
        let api = cluster.client().dynamic(resource.clone()).namespace(namespace);
        if api.get_opt(name).await?.is_none() {
            session.console.println("No resources found")?;
            continue;
        }
        match api.delete(name, &args.cascade.delete_options(-1)).await {
            Ok(_) if args.quiet => {}
            Ok(_) => {
                session.console.println(delete::result_line(resource, Some(namespace), name, "deleted"))?
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
