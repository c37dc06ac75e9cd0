//! [`Attachment`], a session with the main process of a container.

use klient_api::core::v1::Pod;
use klient_client::LogOptions;
use klient_streams::remote_command::TerminalSize;

use crate::cluster::Cluster;
use crate::command::logs;
use crate::error::CliError;
use crate::pod_containers;
use crate::remote_session::{Ended, RemoteSession, exited, refused};
use crate::session::Session;
use crate::terminal;

/// The keys that detach from a terminal, unless others are set.
pub(crate) const DETACH_KEYS: &str = "ctrl-p,ctrl-q";

/// The flags of a session with the main process of a container.
pub(crate) struct Attachment {
    /// The container; empty for the default one.
    pub(crate) container: String,
    pub(crate) stdin: bool,
    pub(crate) tty: bool,
    /// Prints nothing but the output of the process.
    pub(crate) quiet: bool,
    /// The keys that detach from a terminal, separated by commas.
    pub(crate) detach_keys: String,
}

impl Attachment {
    /// Attaches to the main process of a container of a pod, until it ends or the user detaches.
    ///
    /// # Errors
    ///
    /// If the pod has no such container, the server refuses the connection, or it breaks.
    pub(crate) async fn attach(
        &self,
        cluster: &Cluster,
        pod: &Pod,
        session: &mut Session,
    ) -> Result<(), CliError> {
        let container =
            pod_containers::find_or_default(pod, &self.container, self.quiet, &mut session.console);
        let container = container.map_err(|failure| {
            CliError::Message(format!("cannot attach to the container: {}", failure.go_error()))
        })?;
        // A container with a terminal is attached to with one.
        let has_terminal = pod_containers::has_terminal(pod, &container);
        if self.tty && !has_terminal && !self.quiet {
            let problem = format!("error: Unable to use a TTY - container {container} did not allocate one");
            session.console.eprintln(problem);
        }
        let keys = detach_keys(&self.detach_keys)?;
        let remote = RemoteSession::new(self.stdin, has_terminal, self.quiet, &mut session.console);
        let remote = if remote.tty { remote.detached_by(keys) } else { remote };
        let sizes = match terminal::size() {
            // The container draws its screen again when the size changes.
            Some(size) if remote.tty => {
                let larger = TerminalSize {
                    width: size.width.saturating_add(1),
                    height: size.height.saturating_add(1),
                };
                vec![larger, size]
            }
            _ => Vec::new(),
        };
        if !self.quiet {
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
        let is_resumable = remote.tty && !self.quiet;
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

    /// Attaches to the main process, or prints the log of its container, if it cannot be attached to.
    ///
    /// # Errors
    ///
    /// If the log cannot be printed either.
    pub(crate) async fn attach_or_print_log(
        &self,
        cluster: &Cluster,
        pod: &Pod,
        options: &LogOptions,
        session: &mut Session,
    ) -> Result<(), CliError> {
        let failure = match self.attach(cluster, pod, session).await {
            Ok(()) => return Ok(()),
            Err(failure @ (CliError::OutputClosed | CliError::Exit(_))) => return Err(failure),
            Err(failure) => failure.go_error(),
        };
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        session.console.eprintln(format_args!(
            "warning: couldn't attach to pod/{name}, falling back to streaming logs: {failure}"
        ));
        logs::print_one(cluster, pod, options, &mut session.console).await
    }
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
