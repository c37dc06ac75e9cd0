//! `klient attach`.

use clap::Args;

use crate::attachment::{Attachment, DETACH_KEYS};
use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::pod_containers;
use crate::pod_target::PodTarget;
use crate::remote_session::REMOTE_COMMAND_WEBSOCKETS;
use crate::session::Session;
use crate::terminal;

pub(crate) const USAGE: &str = "klient attach (POD | TYPE/NAME) [-c CONTAINER] [OPTIONS]";

pub(crate) const EXAMPLES: &str = "\
Examples:
  # Show what the main process of a pod prints from now on
  klient attach web-0

  # Talk to it, in a container that has standard input and a terminal
  klient attach web-0 -c nginx -it

  # Leave a container of a deployment's pod by another key
  klient attach deployment/web -it --detach-keys=ctrl-x";

/// Arguments of `attach`.
#[derive(Args, Debug)]
pub(crate) struct AttachArgs {
    /// The pod, or an object that has pods: POD, TYPE/NAME or TYPE NAME
    #[arg(value_name = "POD | TYPE/NAME")]
    arguments: Vec<String>,
    /// Container name; the default is that of the annotation kubectl.kubernetes.io/default-container, or the first
    #[arg(short, long, value_name = "CONTAINER", default_value = "", hide_default_value = true)]
    container: String,
    /// Pass standard input to the container
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Standard input is a terminal
    #[arg(short, long)]
    tty: bool,
    /// Only print output of the container
    #[arg(short, long)]
    quiet: bool,
    /// Keys that detach from a container with a terminal: letters or ctrl-LETTER, separated by commas
    #[arg(long, value_name = "KEYS", default_value = DETACH_KEYS)]
    detach_keys: String,
    /// Time to wait until at least one pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pod_running_timeout: Timeout,
}

impl AttachArgs {
    /// Returns true if a terminal of the user is passed on, which is restored at a signal.
    pub(crate) fn has_terminal(&self) -> bool {
        self.stdin && terminal::stdin_is_terminal()
    }
}

pub(crate) async fn run(args: AttachArgs, session: &mut Session) -> Result<(), CliError> {
    let usage = |problem| CliError::usage(&session.program, "attach", problem);
    let timeout = args.pod_running_timeout.of_running_pod().map_err(usage)?;
    let cluster = session.streaming_cluster(REMOTE_COMMAND_WEBSOCKETS)?;
    let target = match &args.arguments[..] {
        [] => return Err(CliError::message("at least 1 argument is required for attach")),
        [target] => target.clone(),
        [kind, name] => format!("{kind}/{name}"),
        arguments => {
            return Err(CliError::Message(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                arguments.len(),
                arguments.join(" ")
            )));
        }
    };
    let pod = PodTarget::read(&cluster, &target).await?.active_pod(&cluster, timeout).await?;
    pod_containers::check_not_completed(&pod, "attach")?;
    let AttachArgs { container, stdin, tty, quiet, detach_keys, .. } = args;
    let attachment = Attachment { container, stdin, tty, quiet, detach_keys };
    attachment.attach(&cluster, &pod, session).await
}
