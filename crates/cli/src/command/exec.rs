//! `klient exec`.

use clap::Args;
use klient_api::core::v1::Pod;

use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::manifest::{self, FilenameOptions, ReadOptions, ValidationDirective};
use crate::pod_containers;
use crate::pod_target::PodTarget;
use crate::remote_session::{Ended, REMOTE_COMMAND_WEBSOCKETS, RemoteSession, exited, refused};
use crate::session::Session;
use crate::terminal;

pub(crate) const USAGE: &str =
    "klient exec (POD | TYPE/NAME | -f FILE) [-c CONTAINER] [OPTIONS] -- COMMAND [ARGUMENT...]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Print the date of a pod, in its default container
  klient exec web-0 -- date

  # The same in a container of a pod of a deployment
  klient exec deployment/web -c nginx -- date

  # Send a file to a command
  klient exec -i web-0 -- sh -c 'cat > /tmp/notes' < notes.txt

  # Open a shell with a terminal
  klient exec -it web-0 -- sh";

/// Arguments of `exec`.
#[derive(Args, Debug)]
pub(crate) struct ExecArgs {
    /// The pod, or an object that has pods: POD or TYPE/NAME
    #[arg(value_name = "POD | TYPE/NAME")]
    arguments: Vec<String>,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", allow_hyphen_values = true)]
    command: Vec<String>,
    #[command(flatten)]
    files: FilenameOptions,
    /// Container name; the default is that of the annotation kubectl.kubernetes.io/default-container, or the first
    #[arg(short, long, value_name = "CONTAINER", default_value = "", hide_default_value = true)]
    container: String,
    /// Pass standard input to the container
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Standard input is a terminal
    #[arg(short, long)]
    tty: bool,
    /// Only print output of the command
    #[arg(short, long)]
    quiet: bool,
    /// Time to wait until at least one pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pod_running_timeout: Timeout,
}

impl ExecArgs {
    /// Returns true if a terminal of the user is passed on, which is restored at a signal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.stdin && terminal::stdin_is_terminal()
    }
}

pub(crate) async fn run(args: ExecArgs, session: &mut Session) -> Result<(), CliError> {
    let usage = |problem: &str| CliError::usage(&session.program, "exec", problem);
    let target = args.arguments.first().filter(|target| !target.is_empty());
    // A command without the two dashes.
    if args.arguments.len() > 1 || target.is_some() && args.command.is_empty() && !args.files.is_empty() {
        let problem = "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead";
        return Err(usage(problem));
    }
    let timeout = args.pod_running_timeout.of_running_pod().map_err(usage)?;
    let cluster = session.streaming_cluster(REMOTE_COMMAND_WEBSOCKETS)?;
    if target.is_none() && args.files.is_empty() {
        return Err(CliError::message("pod, type/name or --filename must be specified"));
    }
    if args.command.is_empty() {
        return Err(CliError::message("you must specify at least one command for the container"));
    }
    let target = match target {
        Some(target) => PodTarget::read(&cluster, target).await?,
        None => {
            let options = ReadOptions { validation: ValidationDirective::Ignore, enforce_namespace: true };
            let mut objects = manifest::read(&cluster, &args.files, options).await?;
            if objects.len() > 1 {
                return Err(CliError::message("cannot exec into multiple objects at a time"));
            }
            let object = objects.pop().ok_or_else(|| CliError::message("no objects passed to exec"))??;
            PodTarget::read_again(&cluster, &object).await?
        }
    };
    let pod = target.active_pod(&cluster, timeout).await?;
    pod_containers::check_not_completed(&pod, "exec into")?;
    let container = pod_containers::find_or_default(&pod, &args.container, args.quiet, &mut session.console)?;
    let remote = RemoteSession::new(args.stdin, args.tty, args.quiet, &mut session.console);
    let options = remote.options(container);
    let [namespace, name] = [&pod.metadata.namespace, &pod.metadata.name].map(|text| text.as_deref());
    let pods = cluster.client().api::<Pod>().namespace(namespace.unwrap_or_default());
    let process = pods.exec(name.unwrap_or_default(), args.command, &options).await.map_err(refused)?;
    let sizes = terminal::size().filter(|_| remote.tty).into_iter().collect();
    match remote.run(process, sizes).await? {
        Ended::Exited(status) => exited(status),
        Ended::Detached => Ok(()),
    }
}
