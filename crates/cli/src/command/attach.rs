//! `klient attach`.

use clap::Args;
use klient_api::core::v1::Pod;
use klient_streams::remote_command::TerminalSize;

use crate::error::CliError;
use crate::flag_values::Timeout;
use crate::pod_containers;
use crate::pod_target::PodTarget;
use crate::remote_session::{Ended, RemoteSession, exited, refused};
use crate::session::Session;
use crate::terminal;

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
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q")]
    detach_keys: String,
    /// Time to wait until at least one pod is running, as 5s, 2m or 3h
    #[arg(long, value_name = "DURATION", default_value = "1m0s")]
    pod_running_timeout: Timeout,
}

pub(crate) async fn run(args: AttachArgs, session: &mut Session) -> Result<(), CliError> {
    let usage = |problem| CliError::usage(&session.program, "attach", problem);
    let timeout = args.pod_running_timeout.of_running_pod().map_err(usage)?;
    let cluster = session.cluster()?;
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
    let container = pod_containers::find_or_default(&pod, &args.container, args.quiet, &mut session.console);
    let container = container.map_err(|failure| {
        CliError::Message(format!("cannot attach to the container: {}", failure.go_error()))
    })?;
    // A container with a terminal is attached to with one.
    let has_terminal = pod_containers::has_terminal(&pod, &container);
    if args.tty && !has_terminal && !args.quiet {
        let problem = format!("error: Unable to use a TTY - container {container} did not allocate one");
        session.console.eprintln(problem);
    }
    let keys = detach_keys(&args.detach_keys)?;
    let remote = RemoteSession::new(args.stdin, has_terminal, args.quiet, &mut session.console);
    let remote = if remote.tty { remote.detached_by(keys) } else { remote };
    let sizes = match terminal::size() {
        // The container draws its screen again when the size changes.
        Some(size) if remote.tty => {
            let larger =
                TerminalSize { width: size.width.saturating_add(1), height: size.height.saturating_add(1) };
            vec![larger, size]
        }
        _ => Vec::new(),
    };
    if !args.quiet {
        session.console.eprintln(
            "All commands and output from this session will be recorded in container logs, including credentials and \
             sensitive information passed through the command prompt.",
        );
        session.console.eprintln("If you don't see a command prompt, try pressing enter.");
    }
    let options = remote.options(container.clone());
    let [namespace, name] =
        [&pod.metadata.namespace, &pod.metadata.name].map(|text| text.as_deref().unwrap_or_default());
    let pods = cluster.client().api::<Pod>().namespace(namespace);
    let process = pods.attach(name, &options).await.map_err(refused)?;
    let is_resumable = remote.tty && !args.quiet;
    if let Ended::Exited(status) = remote.run(process, sizes).await? {
        exited(status)?;
    }
    if is_resumable {
        let again = format!("'{} attach {name} -c {container} -n {namespace} -i -t'", session.program);
        let message = match pod.spec.ephemeral_containers.iter().any(|other| *other.name == container) {
            true => format!(
                "Session ended, the ephemeral container will not be restarted but may be reattached using {again} if it \
                 is still running"
            ),
            false => format!("Session ended, resume using {again} command"),
        };
        session.console.println(message)?;
    }
    Ok(())
}

/// Parses `ctrl-p,ctrl-q` into the bytes of the keys.
fn detach_keys(text: &str) -> Result<Vec<u8>, CliError> {
    let keys = text.split(',').map(|key| match (key.strip_prefix("ctrl-"), key.as_bytes()) {
        (None, [letter]) => Some(*letter),
        (Some(key), _) => match key.as_bytes() {
            [letter @ b'a'..=b'z'] => Some(letter - b'a' + 1),
            b"@" => Some(0),
            b"[" => Some(0x1B),
            b"\\" => Some(0x1C),
            b"]" => Some(0x1D),
            b"^" => Some(0x1E),
            b"_" => Some(0x1F),
            _ => None,
        },
        _ => None,
    });
    keys.collect::<Option<Vec<u8>>>().ok_or_else(|| {
        CliError::Message(format!(
            "could not bind detach keys: {} is no sequence of keys",
            klient_apimachinery::go::quoted(text)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_letters_with_or_without_control() {
        assert_eq!(detach_keys("ctrl-p,ctrl-q").expect("keys"), [0x10, 0x11]);
        assert_eq!(detach_keys("a,ctrl-[").expect("keys"), [b'a', 0x1B]);
        for invalid in ["", "ab", "ctrl-", "ctrl-1", "ctrl-p,,"] {
            assert!(detach_keys(invalid).is_err(), "{invalid}");
        }
    }
}
