//! Printing of logs, one after another, or all that are followed at the same time.

use std::io::{self, Write as _};
use std::time::Duration;

use klient_api::core::v1::Pod;
use klient_client::Error;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::sources::Source;
use crate::cluster::Cluster;
use crate::console::Console;
use crate::error::{CliError, connection_error, error_string};

/// The pause before a log that could not be followed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of lines that wait for the output when several logs are followed: a slow reader holds them up.
const WAITING_LINES: usize = 64;

/// The part of a line at which it is printed before its end comes.
const LONGEST_PART: usize = 1 << 20;

/// The treatment of lines and errors.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    /// Begins lines with the names of the pod and the container.
    pub(super) prefix: bool,
    /// Prints errors among the lines, and goes on.
    pub(super) ignore_errors: bool,
    /// The time in which a log that is followed is tried again, if the server refuses it.
    pub(super) retries_for: Option<Duration>,
}

/// Prints logs to standard output.
///
/// # Errors
///
/// The first error of a log, unless errors are ignored.
pub(super) async fn print(
    cluster: &Cluster,
    sources: Vec<Source>,
    settings: Settings,
) -> Result<(), CliError> {
    let client = cluster.client();
    if settings.retries_for.is_none() || sources.len() < 2 {
        for source in sources {
            read(client, source, settings, &mut |line| std::future::ready(write(&line))).await?;
        }
        return Ok(());
    }
    let (sender, mut lines) = mpsc::channel::<Vec<u8>>(WAITING_LINES);
    let mut readers = JoinSet::new();
    for source in sources {
        let (client, sender) = (client.clone(), sender.clone());
        readers.spawn(async move {
            let mut send = |line| {
                let sender = sender.clone();
                // Without a receiver the command has ended.
                async move { sender.send(line).await.map_err(|_| CliError::OutputClosed) }
            };
            read(&client, source, settings, &mut send).await
        });
    }
    drop(sender);
    loop {
        tokio::select! {
            biased;
            Some(line) = lines.recv() => write(&line)?,
            Some(ended) = readers.join_next() => {
                let ended = ended.map_err(|error| CliError::Message(error.to_string()))?;
                if let Err(failure) = ended {
                    while let Ok(line) = lines.try_recv() {
                        write(&line)?;
                    }
                    return Err(failure);
                }
            }
            else => return Ok(()),
        }
    }
}

/// Reads a log to its end. One that is followed and that the server refuses is tried again, since its container may begin
/// meanwhile.
async fn read<F: Future<Output = Result<(), CliError>>>(
    client: &klient_client::Client,
    source: Source,
    settings: Settings,
    print: &mut impl FnMut(Vec<u8>) -> F,
) -> Result<(), CliError> {
    let started = Instant::now();
    loop {
        let (failure, has_begun) = match lines(client, &source, settings, print).await {
            Ok(()) => return Ok(()),
            Err(Failure::Output(failure)) => return Err(failure),
            Err(Failure::Log(failure)) => (failure, false),
            Err(Failure::Broken(failure)) => (failure, true),
        };
        let problem = match has_begun {
            true => connection_error(&failure),
            false => error_string(&failure),
        };
        if settings.ignore_errors {
            return print(format!("error: {problem}\n").into_bytes()).await;
        }
        // Permissions do not come by waiting, as containers do.
        let is_final = failure.is_forbidden() || failure.is_unauthorized();
        let Some(limit) = settings.retries_for.filter(|_| !has_begun && !is_final) else {
            return Err(if has_begun { CliError::Message(problem) } else { (*failure).into() });
        };
        Console::new().eprintln(problem);
        if failure.as_status().is_none() {
            return Err((*failure).into());
        }
        if started.elapsed() + PAUSE > limit {
            return Err(CliError::message("context deadline exceeded"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Failure {
    Log(Box<Error>),
    /// A log that broke in its middle. The server has answered, so that no word about reaching it fits.
    Broken(Box<Error>),
    Output(CliError),
}

/// Reads a log once, line by line, so that lines of several logs do not mix. A line that is very long is printed in
/// parts.
async fn lines<F: Future<Output = Result<(), CliError>>>(
    client: &klient_client::Client,
    source: &Source,
    settings: Settings,
    print: &mut impl FnMut(Vec<u8>) -> F,
) -> Result<(), Failure> {
    let log = |error| Failure::Log(Box::new(error));
    let prefix = if settings.prefix { source.prefix().into_bytes() } else { Vec::new() };
    let pods = client.api::<Pod>().namespace(&source.namespace);
    let mut stream = pods.logs(&source.pod, &source.options).await.map_err(log)?;
    let (mut line, mut is_begun) = (Vec::new(), false);
    loop {
        let chunk = match stream.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                // What has come of a line is printed before the error.
                if !line.is_empty() {
                    print(line).await.map_err(Failure::Output)?;
                }
                return Err(Failure::Broken(Box::new(error)));
            }
        };
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            if !is_begun {
                line.extend_from_slice(&prefix);
            }
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            is_begun = !line.ends_with(b"\n");
            if line.ends_with(b"\n") || line.len() > LONGEST_PART {
                print(std::mem::take(&mut line)).await.map_err(Failure::Output)?;
            }
        }
    }
    match line.is_empty() {
        true => Ok(()),
        false => print(line).await.map_err(Failure::Output),
    }
}

/// Writes a line as it is, whatever its bytes.
fn write(line: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(line).and_then(|()| out.flush()).map_err(CliError::from_output)
}
