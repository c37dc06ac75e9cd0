//! [`RemoteSession`], the user's standard streams and terminal on those of a remote process.

use klient_apimachinery::go::os_error;
use klient_client::ExecOptions;
use klient_streams::remote_command::{ExitStatus, Process, Protocol, TerminalSize};
use klient_streams::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::console::Console;
use crate::error::CliError;
use crate::terminal::{self, RawTerminal, SizeChanges};

/// The variable of the environment that turns WebSocket off for commands in containers.
pub(crate) const REMOTE_COMMAND_WEBSOCKETS: &str = "KUBECTL_REMOTE_COMMAND_WEBSOCKETS";

/// The bytes that are read at once.
const BUFFER: usize = 32 * 1024;

/// The flags of a session, and its terminal.
pub(crate) struct RemoteSession {
    /// Passes standard input on.
    pub(crate) stdin: bool,
    /// Standard input is a terminal in raw mode, which the remote process has too.
    pub(crate) tty: bool,
    /// The keys that end the session, and leave the process alone.
    detach_keys: Vec<u8>,
}

/// The end of a session.
pub(crate) enum Ended {
    /// The process has ended.
    Exited(ExitStatus),
    /// The user has detached from it.
    Detached,
}

impl RemoteSession {
    /// Decides which streams a session has (kubectl's `SetupTTY`). It tells if there is no terminal to pass on.
    pub(crate) fn new(stdin: bool, tty: bool, quiet: bool, console: &mut Console) -> Self {
        // Without standard input there is no terminal.
        let wants_terminal = stdin && tty;
        let tty = wants_terminal && terminal::stdin_is_terminal();
        if wants_terminal && !tty && !quiet {
            console.eprintln("Unable to use a TTY - input is not a terminal or the right kind of file");
        }
        RemoteSession { stdin, tty, detach_keys: Vec::new() }
    }

    /// The same with keys that detach.
    pub(crate) fn detached_by(self, detach_keys: Vec<u8>) -> Self {
        RemoteSession { detach_keys, ..self }
    }

    /// The streams of the process in a container.
    pub(crate) fn options(&self, container: String) -> ExecOptions {
        ExecOptions {
            container: Some(container),
            stdin: self.stdin,
            tty: self.tty,
            stderr: !self.tty,
            ..ExecOptions::default()
        }
    }

    /// Connects the streams until the process ends. `sizes` are told to its terminal first.
    ///
    /// # Errors
    ///
    /// If the connection breaks, the process cannot be run, or standard output cannot be written.
    pub(crate) async fn run(self, mut process: Process, sizes: Vec<TerminalSize>) -> Result<Ended, CliError> {
        let raw = match self.tty {
            true => {
                let raw = RawTerminal::start();
                Some(raw.map_err(|error| CliError::Message(error.to_string()))?)
            }
            false => None,
        };
        let is_terminal = self.stdin && terminal::stdin_is_terminal();
        let protocol = process.protocol();
        let (remote_in, remote_terminal) = (process.stdin.take(), process.terminal.take());
        let (remote_out, remote_err) = (process.stdout.take(), process.stderr.take());
        let input = async {
            if let Some(remote) = remote_in
                && copy_input(tokio::io::stdin(), remote, &self.detach_keys).await
            {
                return;
            }
            std::future::pending().await
        };
        let resizing = async {
            if let Some(mut remote) = remote_terminal {
                let mut changes = SizeChanges::listen();
                for size in sizes {
                    // A terminal that is gone shows in the end of the process.
                    let _ = remote.resize(size).await;
                }
                while remote.resize(changes.next().await).await.is_ok() {}
            }
            std::future::pending::<()>().await
        };
        let output = async {
            let copied = tokio::try_join!(
                copy_output(remote_out, tokio::io::stdout()),
                copy_output(remote_err, tokio::io::stderr())
            );
            copied.map_err(|error| match Error::of(&error) {
                Some(error) => failure(error, protocol),
                None => CliError::from_output(error),
            })?;
            process.wait().await.map_err(|error| failure(&error, protocol))
        };
        let ended = tokio::select! {
            biased;
            status = output => status.map(Ended::Exited),
            () = input => Ok(Ended::Detached),
            // The terminal is restored first. Otherwise the signal itself ends the program.
            () = terminal::hangup(), if is_terminal => Err(CliError::Exit(1)),
            () = resizing => unreachable!("it goes on until the process ends"),
        };
        drop(raw);
        ended
    }
}

/// Converts the end of a process into that of the program: an exit code other than 0 is told, and becomes its own.
pub(crate) fn exited(status: ExitStatus) -> Result<(), CliError> {
    match status.code() {
        0 => Ok(()),
        code => {
            Err(CliError::ExitCode { message: format!("command terminated with exit code {code}"), code })
        }
    }
}

/// The error of a session that the server refused, or that could not begin.
pub(crate) fn refused(error: klient_client::Error) -> CliError {
    match error.as_status() {
        Some(status) => {
            // A kubelet answers with text, which is told alone.
            let mut causes = status.details.iter().flat_map(|details| &details.causes);
            let text = causes.find(|cause| cause.reason.as_deref() == Some("UnexpectedServerResponse"));
            let message = text.map_or(&status.message, |cause| &cause.message).as_deref().unwrap_or_default();
            CliError::Message(format!("unable to upgrade connection: {message}"))
        }
        None => error.into(),
    }
}

/// The error of a session in kubectl's words.
pub(crate) fn failure(error: &Error, protocol: Protocol) -> CliError {
    let text = error.to_string();
    if let Some((_, problem)) = text.rsplit_once("the connection broke: ") {
        return CliError::Message(match (protocol, problem) {
            (Protocol::WebSocket(_), "unexpected EOF") => {
                "error reading from error stream: next reader: websocket: close 1006 (abnormal closure): unexpected EOF"
                    .to_owned()
            }
            (Protocol::WebSocket(_), problem) => {
                format!("error reading from error stream: next reader: {problem}")
            }
            (_, problem) => problem.to_owned(),
        });
    }
    let message = error.as_status().and_then(|status| status.message.as_deref());
    match (error.kind(), message) {
        (ErrorKind::Refused, Some(message)) => CliError::message(message),
        _ => CliError::Message(text),
    }
}

/// Copies standard input to its end, and passes that on. Returns true if the user detached.
async fn copy_input(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    detach_keys: &[u8],
) -> bool {
    let mut buffer = vec![0; BUFFER];
    let mut pressed = 0;
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) => break,
            Ok(read) => &buffer[..read],
            // The process gets what there is, and the user is told that it may not be all.
            Err(error) => {
                let problem = format!("read /dev/stdin: {}", os_error(&error));
                tracing::error!(err = problem, "Unhandled Error");
                break;
            }
        };
        if detach_keys.is_empty() {
            if to.write_all(read).await.is_err() || to.flush().await.is_err() {
                return false;
            }
            continue;
        }
        let mut passed = Vec::with_capacity(read.len());
        for byte in read {
            if *byte == detach_keys[pressed] {
                pressed += 1;
                if pressed == detach_keys.len() {
                    return true;
                }
                continue;
            }
            // The keys so far were others.
            passed.extend_from_slice(&detach_keys[..pressed]);
            pressed = usize::from(*byte == detach_keys[0]);
            if pressed == 0 {
                passed.push(*byte);
            }
        }
        if to.write_all(&passed).await.is_err() || to.flush().await.is_err() {
            return false;
        }
    }
    // Keys that were the beginning of others. A process that has ended already needs neither them nor the end of its input.
    let _ = to.write_all(&detach_keys[..pressed]).await;
    let _ = to.shutdown().await;
    false
}

/// Copies output as it arrives. The remote end of a broken stream shows in the end of the process.
async fn copy_output(
    from: Option<impl AsyncRead + Unpin>,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let Some(mut from) = from else { return Ok(()) };
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(read) => &buffer[..read],
        };
        to.write_all(read).await?;
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn detach_keys_end_the_input_and_others_pass() {
        let keys = [0x10, 0x11];
        for (input, passed, detached) in [
            (&b"ab"[..], &b"ab"[..], false),
            (b"a\x10b", b"a\x10b", false),
            (b"a\x10", b"a\x10", false),
            (b"a\x10\x10b", b"a\x10\x10b", false),
            (b"a\x10\x11b", b"", true),
            (b"\x10\x10\x11", b"", true),
        ] {
            let (near, mut far) = tokio::io::duplex(64);
            let is_detached = copy_input(input, near, &keys).await;
            let mut received = Vec::new();
            far.read_to_end(&mut received).await.expect("a stream in memory");
            assert_eq!((&received[..], is_detached), (passed, detached));
        }
    }
}
