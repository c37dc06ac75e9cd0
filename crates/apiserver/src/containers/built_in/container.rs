//! [`Container`], a container of the built-in ones: its files, its log, and the run of its main process.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use klient_apimachinery::{BoxFuture, Time};
use klient_streams::remote_command::Stdio;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, oneshot, watch};

use super::commands;
use super::files::{Files, absolute};
use super::shell::{Io, Output, Shell, input, no_input, output};
use super::terminal;
use crate::containers::{ContainerLog, LogStream};

/// The exit code of a process that is killed, and of one that is interrupted from its terminal.
const KILLED: u8 = 137;
const INTERRUPTED: u8 = 130;

/// The longest line of a log, in bytes; a longer one is continued in the next.
const MAX_LINE: usize = 64 * 1024;

/// A container that runs, or has run.
pub(super) struct Container {
    pub(super) description: Description,
    files: Mutex<Files>,
    run: Mutex<Run>,
    /// The ends of the channel over which the main process of a run gets its client, until they are used: another
    /// client sees the output only.
    attached: Mutex<Option<oneshot::Sender<Attached>>>,
    attaching: Mutex<Option<oneshot::Receiver<Attached>>>,
    /// True while the container does not run.
    ended: watch::Sender<bool>,
}

/// The run of a main process.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) state: RunState,
    pub(super) restarts: u32,
    /// The end of the run before.
    pub(super) last: Option<Ended>,
    log: ContainerLog,
    previous_log: Option<ContainerLog>,
}

/// The state of a container.
#[derive(Clone, Debug, Default)]
pub(super) enum RunState {
    #[default]
    Waiting,
    Running(Time),
    Ended(Ended),
}

/// The end of a run.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) started: Time,
    pub(super) finished: Time,
    pub(super) code: u8,
    /// The time until the next run, if there is one.
    pub(super) back_off: Duration,
}

/// A client that attaches to a main process which reads its input.
struct Attached {
    stdio: Stdio,
    tty: bool,
    /// Dropped when the process has ended.
    _ended: oneshot::Sender<()>,
}

/// The fields of a container that do not change.
pub(super) struct Description {
    pub(super) name: String,
    pub(super) hostname: String,
    /// The program and the arguments of the main process; empty for those of the image.
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) folder: String,
    /// The main process reads from those who attach to it.
    pub(super) has_stdin: bool,
}

impl Container {
    pub(super) fn new(description: Description) -> Self {
        let mut files = Files::new(&description.hostname);
        let folder = absolute("", &description.folder);
        // A file in its place is no working folder, and the root remains one.
        let folder = if files.make_folder(&folder, true).is_ok() { folder } else { String::new() };
        Container {
            description: Description { folder, ..description },
            files: files.into(),
            run: Mutex::default(),
            attached: Mutex::default(),
            attaching: Mutex::default(),
            ended: watch::Sender::new(true),
        }
    }

    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        // An allocation that panics leaves the files as they were.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of the present run, or of that before.
    pub(super) fn log(&self, previous: bool) -> Option<ContainerLog> {
        let run = self.run();
        if previous { run.previous_log.clone() } else { Some(run.log.clone()) }
    }

    /// A stream that is written to the log.
    pub(super) fn log_output(&self, is_stderr: bool) -> Output {
        output(self.log_writer(is_stderr))
    }

    fn log_writer(&self, is_stderr: bool) -> LogWriter {
        let stream = if is_stderr { LogStream::Stderr } else { LogStream::Stdout };
        LogWriter { log: self.run().log.clone(), stream, line: Vec::new() }
    }

    /// Begins a run.
    pub(super) fn begin(&self) {
        let mut run = self.run();
        if let RunState::Ended(ended) = std::mem::take(&mut run.state) {
            run.last = Some(ended);
            run.restarts += 1;
            run.previous_log = Some(std::mem::take(&mut run.log));
        }
        run.state = RunState::Running(Time::now());
        drop(run);
        let (attached, attaching) = oneshot::channel();
        *self.attached.lock().unwrap_or_else(PoisonError::into_inner) = Some(attached);
        *self.attaching.lock().unwrap_or_else(PoisonError::into_inner) = Some(attaching);
        self.ended.send_replace(false);
    }

    /// Ends a run: its commands are killed, and nobody follows its log any more. A next run begins after a time.
    pub(super) fn end(&self, code: u8, back_off: Duration) {
        let mut run = self.run();
        if let RunState::Running(started) = run.state {
            run.state = RunState::Ended(Ended { started, finished: Time::now(), code, back_off });
        }
        run.log.close();
        drop(run);
        self.ended.send_replace(true);
    }

    /// Ends the run of a container that is killed.
    pub(super) fn kill(&self) {
        self.end(KILLED, Duration::ZERO);
    }

    /// Runs the main process to its end, and returns its exit code. Programs that are not there run for ever, as a
    /// server in a real image does.
    pub(super) fn main(self: Arc<Self>) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let is_known = self.description.command.first().is_some_and(|program| commands::exists(program));
            let shell = ["sh".to_owned()];
            let args = if is_known { &self.description.command } else { &shell[..] }.to_vec();
            if self.description.has_stdin {
                let attaching = self.attaching.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(attaching) = attaching else { return std::future::pending().await };
                let Ok(Attached { stdio, tty, _ended }) = attaching.await else {
                    return std::future::pending().await;
                };
                return self.clone().process(args, tty, stdio, true).await;
            }
            if !is_known {
                return std::future::pending().await;
            }
            let stdout = self.log_output(false);
            let stderr = self.log_output(true);
            Shell::new(self.clone()).run(args, Io::new(no_input(), stdout, stderr)).await
        })
    }

    /// Plays the main process for a client until it ends: its input and output if it reads any, else its output from now
    /// on.
    pub(super) async fn attach(&self, tty: bool, mut stdio: Stdio) {
        let main = || self.attached.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.description.has_stdin
            && stdio.stdin.is_some()
            && let Some(main) = main()
        {
            let (ended, over) = oneshot::channel();
            match main.send(Attached { stdio, tty, _ended: ended }) {
                Ok(()) => {
                    let mut ended = self.ended.subscribe();
                    tokio::select! {
                        _ = over => {}
                        _ = ended.wait_for(|ended| *ended) => {}
                    }
                    return;
                }
                // It has ended.
                Err(refused) => stdio = refused.stdio,
            }
        }
        let log = self.run().log.clone();
        let mut position = log.tail(Some(0));
        while log.grows(position).await {
            let (lines, end) = log.read(position, MAX_LINE);
            position = end;
            for line in lines {
                let writer = match line.stream {
                    LogStream::Stderr if stdio.stderr.is_some() => &mut stdio.stderr,
                    _ => &mut stdio.stdout,
                };
                let Some(writer) = writer else { continue };
                if writer.write_all(&[&line.text[..], b"\n"].concat()).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Runs a command beside the main process.
    pub(super) fn exec(
        self: Arc<Self>,
        args: Vec<String>,
        tty: bool,
        stdio: Stdio,
    ) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let mut ended = self.ended.subscribe();
            tokio::select! {
                biased;
                _ = ended.wait_for(|ended| *ended) => KILLED,
                code = self.clone().process(args, tty, stdio, false) => code,
            }
        })
    }

    /// Runs a program with the streams of a client, and with a copy of its output in the log if it is the main process.
    fn process(
        self: Arc<Self>,
        args: Vec<String>,
        tty: bool,
        stdio: Stdio,
        is_main: bool,
    ) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            // They are read by nobody, and the client can send them.
            let _sizes = stdio.resizes;
            let log = |is_stderr| is_main.then(|| self.log_writer(is_stderr));
            let stdout = Tee { client: stdio.stdout, log: log(false) };
            let mut shell = Shell::new(self.clone());
            if !tty {
                let stdin = stdio.stdin.map_or_else(no_input, input);
                let stderr = output(Tee { client: stdio.stderr, log: log(true) });
                return shell.run(args, Io::new(stdin, output(stdout), stderr)).await;
            }
            shell.variables.insert("TERM".to_owned(), "xterm".to_owned());
            let interrupt = Arc::new(Notify::new());
            shell.interrupt = Some(interrupt.clone());
            let is_shell = matches!(&args[..], [program] if program.ends_with("sh"));
            terminal::run(stdio.stdin, stdout, interrupt.clone(), |io| async move {
                tokio::select! {
                    code = shell.run(args, io) => code,
                    // A shell stays, and its command ends.
                    () = interrupt.notified(), if !is_shell => INTERRUPTED,
                }
            })
            .await
        })
    }
}

/// A stream that a client reads, and the log, if they are there.
struct Tee<W> {
    client: Option<W>,
    log: Option<LogWriter>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Tee<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.client {
            Some(client) => ready!(Pin::new(client).poll_write(context, data)),
            None => Ok(data.len()),
        };
        let count = match written {
            // A main process goes on without the client that has attached to it.
            Err(_) if self.log.is_some() => {
                self.client = None;
                data.len()
            }
            written => written?,
        };
        if let Some(log) = &mut self.log {
            log.add(&data[..count]);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.client {
            Some(client) => Pin::new(client).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.client {
            Some(client) => Pin::new(client).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// A stream whose lines are those of a log.
struct LogWriter {
    log: ContainerLog,
    stream: LogStream,
    line: Vec<u8>,
}

impl LogWriter {
    fn add(&mut self, data: &[u8]) {
        let mut rest = data;
        while !rest.is_empty() {
            let room = MAX_LINE - self.line.len();
            // A line feed behind a line of the greatest length ends it.
            let end = rest.iter().take(room + 1).position(|byte| *byte == b'\n');
            let count = end.unwrap_or(room.min(rest.len()));
            self.line.extend_from_slice(&rest[..count]);
            rest = &rest[count + usize::from(end.is_some())..];
            if end.is_some() || !rest.is_empty() {
                self.push();
            }
        }
    }

    fn push(&mut self) {
        let line = std::mem::take(&mut self.line);
        let time = klient_apimachinery::MicroTime::now();
        self.log.push(self.stream, time, line);
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.push();
        }
    }
}

impl AsyncWrite for LogWriter {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.add(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
