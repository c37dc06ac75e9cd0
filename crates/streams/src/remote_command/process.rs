//! [`Process`], the client's end of a remote command.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout_at};

use super::opening::{self, Opened};
use super::outcome;
use super::protocol::Protocol;
use super::stdio::{Reader, Writer};
use super::terminal::{Terminal, TerminalSize};
use super::{ExitStatus, Streams};
use crate::connection::Connection;
use crate::error::Error;
use crate::mux::{Ended, Handle};

/// The largest message about the end of a command, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;

/// The number of times that a message is parsed which may be complete. One of more parts ends with the connection, so that
/// a server cannot have a long one parsed for each of its bytes.
const MAX_PARSED: u32 = 64;

/// The time that a server has to close a connection after the exit status.
const LINGER: Duration = Duration::from_secs(10);

/// A command that runs at the other end of a connection.
///
/// The standard streams are taken from its fields, as those of `tokio::process::Child`:
///
/// - [`wait`](Self::wait) ends standard input if it was not taken, discards output that was not taken, and returns when
///   the exit status has arrived. Output that was taken must be read, or dropped: an unread stream holds up the exit
///   status once its buffer of 256 KiB is full, over WebSocket and against servers in Go.
/// - All output has arrived before the exit status; what is not read yet stays readable.
/// - Dropping the process and the streams that were taken closes the connection. No task remains here; the command goes
///   on in most clusters, since container runtimes do not end a program whose connection is gone. One that must end has a
///   limit of its own, such as `timeout 10 …`, or ends with its standard input. klient's embedded server drops the function.
/// - A broken connection is an error of `wait` and its like, and of reads and writes of the streams, as an [`io::Error`] in
///   which [`Error::of`] finds it.
pub struct Process {
    /// Standard input, if it was requested. Dropping it, or `shutdown`, ends it, which protocols before
    /// `v5.channel.k8s.io` cannot tell over WebSocket: see [`Protocol::has_half_close`].
    pub stdin: Option<Writer>,
    /// Standard output, if it was requested.
    pub stdout: Option<Reader>,
    /// Standard error, if it was requested and the command has no terminal.
    pub stderr: Option<Reader>,
    /// The terminal, if it was requested and the protocol has sizes. It can be taken, to tell sizes during
    /// [`wait`](Self::wait).
    pub terminal: Option<Terminal>,
    error: Reader,
    /// The bytes of the error stream so far.
    message: Vec<u8>,
    outcome: Option<Result<ExitStatus, Error>>,
    protocol: Protocol,
    /// The subject of errors of the connection.
    name: String,
    /// Keeps the connection.
    handle: Arc<Handle>,
}

/// The output of a command and its exit status.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status. It is that of the command only once [`wait_into`](Process::wait_into) has returned without an error;
    /// before that, as after a time limit, it is [`ExitStatus::default`] and says nothing.
    pub status: ExitStatus,
    /// Standard output, if it was requested.
    pub stdout: Vec<u8>,
    /// Standard error, if it was requested.
    pub stderr: Vec<u8>,
}

impl Process {
    /// Opens the streams of a command on a connection that the server has switched to the protocol. The server runs the
    /// command when it has them all.
    ///
    /// # Errors
    ///
    /// Of the connection; [`Timeout`](crate::ErrorKind::Timeout) if the server does not accept the streams within 30 s.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn start(
        connection: impl Connection,
        protocol: Protocol,
        streams: Streams,
    ) -> Result<Self, Error> {
        let opened = opening::open(Box::new(connection), protocol, streams).await?;
        let Opened { handle, stdin, stdout, stderr, mut error, resize } = opened;
        error.hold_whole(MAX_MESSAGE);
        Ok(Process {
            stdin: stdin.map(Writer::new),
            stdout: stdout.map(Reader::new),
            stderr: stderr.map(Reader::new),
            terminal: resize.map(|resize| Terminal::new(Writer::new(resize))),
            error: Reader::new(error),
            message: Vec::new(),
            outcome: None,
            protocol,
            name: String::new(),
            handle,
        })
    }

    /// The process with a name, such as `exec in pod web-0`, which errors of its connection begin with.
    pub fn named(self, name: impl Into<String>) -> Self {
        Process { name: name.into(), ..self }
    }

    /// The protocol of the connection.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Tells the command the size of its terminal.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::ErrorKind::Refused) if the command has no terminal, the protocol no sizes, or
    /// [`terminal`](Self::terminal) was taken; that of the
    /// connection if it is broken.
    pub async fn resize(&mut self, size: TerminalSize) -> Result<(), Error> {
        match &mut self.terminal {
            Some(terminal) => terminal.resize(size).await,
            None => Err(Error::refused("the command has no terminal whose size can be set")),
        }
    }

    /// Waits until the command has ended. Cancelling it loses nothing; after the end it returns the same again.
    ///
    /// # Errors
    ///
    /// - [`Refused`](crate::ErrorKind::Refused): the server could not run the command. Before version 4 of the protocol
    ///   an exit code other than 0 is this error too, because it is told by a string.
    /// - [`Connection`](crate::ErrorKind::Connection): the connection broke, or was closed without an exit status.
    /// - [`Protocol`](crate::ErrorKind::Protocol): the server violated the protocol.
    ///
    /// An exit code other than 0 is none: [`ExitStatus::exit_ok`] makes it one.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.stdin = None;
        let Process { stdout, stderr, error, message, protocol, outcome, handle, name, .. } = self;
        let ended = end(error, message, *protocol, handle, outcome);
        // The error of a stream is told by the missing exit status.
        let (_, _, outcome) = tokio::join!(discard(stdout.as_mut()), discard(stderr.as_mut()), ended);
        outcome.map_err(|error| error.of_connection_to(name))
    }

    /// Waits until the command has ended, and returns its output. Standard input ends unless it was taken.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), and that of a stream that broke.
    pub async fn wait_with_output(mut self) -> Result<Output, Error> {
        let mut output = Output::default();
        self.wait_into(&mut output).await?;
        Ok(output)
    }

    /// Waits until the command has ended, and adds its output to `output` as it arrives. Standard input ends unless it
    /// was taken. Cancelling it loses nothing, so that a time limit keeps the output so far; its
    /// [`status`](Output::status) says nothing then:
    ///
    /// ```
    /// # use klient_streams::remote_command::{Output, Process};
    /// # async fn run(mut process: Process) -> Result<(), klient_streams::Error> {
    /// let mut output = Output::default();
    /// let limit = std::time::Duration::from_secs(10);
    /// match tokio::time::timeout(limit, process.wait_into(&mut output)).await {
    ///     Ok(ended) => ended?,
    ///     Err(_) => eprintln!("it still runs, and has printed {:?}", output.stdout),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), and that of a stream that broke.
    pub async fn wait_into(&mut self, output: &mut Output) -> Result<(), Error> {
        self.stdin = None;
        let Process { stdout, stderr, error, message, protocol, outcome, handle, name, .. } = self;
        let (stdout, stderr, status) = tokio::join!(
            collect(stdout.as_mut(), &mut output.stdout),
            collect(stderr.as_mut(), &mut output.stderr),
            end(error, message, *protocol, handle, outcome),
        );
        output.status = status.map_err(|error| error.of_connection_to(name))?;
        stdout.and(stderr).map_err(|error| Error::of_io(&error).of_connection_to(name))
    }
}

/// Reads the error stream to its end.
async fn end(
    error: &mut Reader,
    message: &mut Vec<u8>,
    protocol: Protocol,
    handle: &Handle,
    outcome: &mut Option<Result<ExitStatus, Error>>,
) -> Result<ExitStatus, Error> {
    if let Some(outcome) = outcome {
        return outcome.clone();
    }
    let version = protocol.version();
    // Channels over WebSocket end with the connection alone, which is the server's to close.
    let ends_with_connection = version.has_status() && matches!(protocol, Protocol::WebSocket(_));
    let (mut deadline, mut parsed) = (None, 0);
    let ended = loop {
        if ends_with_connection && deadline.is_none() && parsed < MAX_PARSED && !is_part(message) {
            parsed += 1;
            if serde_json::from_slice::<Value>(message).is_ok() {
                handle.mux.close();
                deadline = Some(Instant::now() + LINGER);
            }
        }
        let read = error.read_buf(message);
        let read = match deadline {
            None => read.await,
            Some(deadline) => timeout_at(deadline, read).await.unwrap_or_else(|_| {
                handle.mux.end(Ended::Complete);
                Ok(0)
            }),
        };
        match read {
            Ok(0) => break Ok(()),
            Ok(_) if message.len() > MAX_MESSAGE => {
                let error = Error::protocol(format!("the error stream has more than {MAX_MESSAGE} bytes"));
                handle.mux.close_after_violation();
                handle.mux.end(Ended::Failed(error.clone()));
                break Err(error);
            }
            Ok(_) => {}
            Err(error) => break Err(Error::of_io(&error)),
        }
    };
    outcome.insert(outcome::decode(version, message, ended)).clone()
}

/// Returns true for the beginning of a `Status`, as its bytes at both ends show: there may be many parts of a long one.
fn is_part(message: &[u8]) -> bool {
    let may_be_last = |byte: &u8| *byte == b'}' || byte.is_ascii_whitespace();
    message.first() == Some(&b'{') && !message.last().is_some_and(may_be_last)
}

/// Reads a stream to its end.
async fn discard(stream: Option<&mut Reader>) -> io::Result<u64> {
    match stream {
        Some(stream) => tokio::io::copy(stream, &mut tokio::io::sink()).await,
        None => Ok(0),
    }
}

/// Reads a stream to its end. What is read is in `bytes` at once.
async fn collect(stream: Option<&mut Reader>, bytes: &mut Vec<u8>) -> io::Result<()> {
    if let Some(stream) = stream {
        while stream.read_buf(bytes).await? > 0 {}
    }
    Ok(())
}

/// Prints the output as text.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut output = f.debug_struct("Output");
        output.field("status", &self.status);
        output.field("stdout", &String::from_utf8_lossy(&self.stdout));
        output.field("stderr", &String::from_utf8_lossy(&self.stderr)).finish()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
