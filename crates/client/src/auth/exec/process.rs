//! The process of a plugin.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::ExecConfig;

/// The largest output. Tokens and certificates are some kilobytes.
const MAX_OUTPUT: u64 = 1 << 20;

/// The time for the rest of the output after a plugin has ended. A process that it left behind may hold the pipe.
const REST: Duration = Duration::from_secs(1);

/// Go's exit code of a process that a signal ended.
pub(super) const SIGNALED: i32 = -1;

/// The failure of a process.
pub(super) enum Failure {
    /// There is no such program.
    NotFound,
    /// It cannot be started.
    NotStarted(String),
    /// It ended with another exit code than 0.
    Ended(ExitStatus),
    Other(String),
}

impl Failure {
    /// The exit code and the status of the call in client-go's metrics.
    pub(super) fn call(&self) -> (i32, &'static str) {
        match self {
            Failure::NotFound | Failure::NotStarted(_) => (1, "plugin_not_found_error"),
            Failure::Ended(status) => (status.code().unwrap_or(SIGNALED), "plugin_execution_error"),
            Failure::Other(_) => (1, "client_internal_error"),
        }
    }
}

/// Runs a plugin and returns its standard output. Its standard error is that of this program. The process is killed
/// when the future is dropped.
pub(super) async fn output(
    program: &Path,
    config: &ExecConfig,
    info: &str,
    interactive: bool,
) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new(program);
    command.args(&config.args);
    command.envs(config.env.iter().map(|variable| (&variable.name, &variable.value)));
    command.env("KUBERNETES_EXEC_INFO", info);
    command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    command.stdout(Stdio::piped()).kill_on_drop(true);
    #[cfg(windows)]
    if !interactive {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::NotFound,
        _ => Failure::NotStarted(format!("cannot be run: {error}: check that the command is a program")),
    })?;
    let mut output = Vec::new();
    let stdout = child.stdout.take().expect("standard output is piped");
    let mut limited = stdout.take(MAX_OUTPUT + 1);
    let ended = {
        let mut reading = std::pin::pin!(limited.read_to_end(&mut output));
        tokio::select! {
            read = &mut reading => {
                read.map_err(|error| Failure::Other(format!("its output cannot be read: {error}")))?;
                None
            }
            ended = child.wait() => {
                let _ = tokio::time::timeout(REST, reading).await;
                Some(ended)
            }
        }
    };
    if output.len() as u64 > MAX_OUTPUT {
        return Err(Failure::Other("it printed more than 1 MiB: expected an ExecCredential".to_owned()));
    }
    let ended = match ended {
        Some(ended) => ended,
        None => child.wait().await,
    };
    match ended {
        Ok(status) if status.success() => Ok(output),
        Ok(status) => Err(Failure::Ended(status)),
        Err(error) => Err(Failure::Other(format!("it cannot be waited for: {error}"))),
    }
}

/// The message for an exit code or a signal.
pub(super) fn ending(status: ExitStatus) -> String {
    let ending = match status.code() {
        Some(code) => format!("failed with exit code {code}"),
        // On Unix: `signal: 9 (SIGKILL)`.
        None => format!("ended by {status}"),
    };
    format!("{ending}: its message is on standard error, where it gave one")
}
