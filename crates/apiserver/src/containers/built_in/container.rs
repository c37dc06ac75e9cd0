//! [`Container`], a container of the built-in ones: its files, its log, and the run of its main process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_apimachinery::{BoxFuture, Time};
use klient_streams::remote_command::{Stdio, Writer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;

use super::commands;
use super::console::Console;
use super::files::{Files, absolute};
use super::log_writer::{LogWriter, MAX_LINE};
use super::memory::Memory;
use super::processes::{MAIN, Processes};
use super::shell::{Io, Output, Shell, input, no_input, output};
use super::terminal::{self, Size, Terminal};
use crate::containers::{ContainerLog, LogStream};

/// The exit code of a process that is killed, and of one that is interrupted from its terminal.
const KILLED: u8 = 137;
const INTERRUPTED: u8 = 130;

/// A container that runs, or has run.
pub(super) struct Container {
    pub(super) description: Description,
    files: Mutex<Files>,
    run: Mutex<Run>,
    /// The streams of the present run of a main process that reads its input.
    console: Mutex<Arc<Console>>,
    /// The memory of programs, besides the files.
    pub(super) memory: Memory,
    pub(super) processes: Processes,
    /// The number of runs that have ended. The next one may have begun at once.
    ends: watch::Sender<u64>,
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

/// The fields of a container that do not change.
pub(super) struct Description {
    pub(super) name: String,
    pub(super) hostname: String,
    pub(super) image: String,
    /// The program and the arguments of the main process; empty for those of the image.
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) folder: String,
    /// The main process reads from those who attach to it.
    pub(super) has_stdin: bool,
    /// Its input ends with the first of them.
    pub(super) stdin_once: bool,
    /// It has a terminal.
    pub(super) tty: bool,
}

impl Description {
    /// The command line of the main process; that of the image is shown by the image's name.
    fn main_command(&self) -> String {
        if !self.command.is_empty() {
            return self.command.join(" ");
        }
        let last = self.image.rsplit('/').next().unwrap_or_default();
        last.split([':', '@']).next().unwrap_or_default().to_owned()
    }
}

impl Container {
    pub(super) fn new(description: Description, memory: Memory) -> Self {
        let mut files = Files::new(&description.hostname);
        let folder = absolute("", &description.folder);
        // A file in its place is no working folder, and the root remains one.
        let folder = if files.make_folder(&folder, true).is_ok() { folder } else { String::new() };
        Container {
            description: Description { folder, ..description },
            files: files.into(),
            run: Mutex::default(),
            console: Mutex::new(Arc::new(Console::new())),
            memory,
            processes: Processes::default(),
            ends: watch::Sender::default(),
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
        LogWriter::new(self.run().log.clone(), stream)
    }

    fn console(&self) -> MutexGuard<'_, Arc<Console>> {
        self.console.lock().unwrap_or_else(PoisonError::into_inner)
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
        *self.console() = Arc::new(Console::new());
    }

    /// Ends a run: its commands are killed, and nobody follows its log any more. A next run begins after a time.
    pub(super) fn end(&self, code: u8, back_off: Duration) {
        let mut run = self.run();
        if let RunState::Running(started) = run.state {
            run.state = RunState::Ended(Ended { started, finished: Time::now(), code, back_off });
        }
        run.log.close();
        drop(run);
        self.ends.send_modify(|ends| *ends += 1);
    }

    /// Waits until the run has ended that is there when this is called; not at all if there is none.
    fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut ends = self.ends.subscribe();
        let before = *ends.borrow_and_update();
        let is_running = matches!(self.run().state, RunState::Running(_));
        async move {
            if is_running {
                // The container that has the sender may be gone, which ends the run too.
                let _ = ends.wait_for(|ends| *ends != before).await;
            }
        }
    }

    /// Ends the run of a container that is killed.
    pub(super) fn kill(&self) {
        self.end(KILLED, Duration::ZERO);
    }

    /// Runs the main process to its end, and returns its exit code. Programs that are not there run for ever, as a
    /// server in a real image does, or until a command in the container sends them a signal.
    pub(super) fn main(self: Arc<Self>) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let mut process = self.processes.begin_main(self.description.main_command());
            tokio::select! {
                code = self.clone().main_program() => code,
                code = process.signalled() => code,
            }
        })
    }

    fn main_program(self: Arc<Self>) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let is_known = self.description.command.first().is_some_and(|program| commands::exists(program));
            let shell = ["sh".to_owned()];
            let args = if is_known { &self.description.command } else { &shell[..] }.to_vec();
            if self.description.has_stdin {
                let console = self.console().clone();
                let Some(stdin) = console.begun().await else { return std::future::pending().await };
                let stdout = console.output(false, self.log_writer(false));
                let stderr = console.output(true, self.log_writer(true));
                let tty = self.description.tty;
                let terminal = tty.then(|| Terminal::of_size(console.size.clone()));
                return self.process(MAIN, args, terminal, Some(stdin), stdout, stderr).await;
            }
            if !is_known {
                return std::future::pending().await;
            }
            let stdout = self.log_output(false);
            let stderr = self.log_output(true);
            let (mut shell, jobs) = Shell::new(self.clone(), MAIN);
            jobs.during(shell.run(args, Io::new(no_input(), stdout, stderr))).await
        })
    }

    /// Plays the main process for a client, until it ends or the client does: its input and output if it reads any, else
    /// its output from now on.
    pub(super) async fn attach(&self, mut stdio: Stdio) {
        if self.description.has_stdin {
            let ended = self.ended();
            let console = self.console().clone();
            let once = self.description.stdin_once && !self.description.tty;
            let resizes = stdio.resizes.take();
            tokio::select! {
                () = console.attach(stdio, once) => {}
                () = ended => {}
                never = console.size.follow(resizes) => match never {},
            }
            return;
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
            if !matches!(self.run().state, RunState::Running(_)) {
                return KILLED;
            }
            let Stdio { stdin, stdout, stderr, resizes } = stdio;
            let ended = self.ended();
            let mut process = self.processes.begin_command(args.join(" "));
            let size = Size::default();
            let terminal = tty.then(|| Terminal::of_size(size.clone()));
            let (stdout, stderr) = (or_sink(stdout), or_sink(stderr));
            tokio::select! {
                biased;
                // A command that ends the container has its own exit code.
                code = self.clone().process(process.pid(), args, terminal, stdin, stdout, stderr) => code,
                () = ended => KILLED,
                code = process.signalled() => code,
                never = size.follow(resizes) => match never {},
            }
        })
    }

    /// Runs a program.
    fn process<R, W>(
        self: Arc<Self>,
        pid: u32,
        args: Vec<String>,
        terminal: Option<Terminal>,
        stdin: Option<R>,
        stdout: W,
        stderr: W,
    ) -> BoxFuture<'static, u8>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        Box::pin(async move {
            let (mut shell, jobs) = Shell::new(self, pid);
            let Some(terminal) = terminal else {
                let stdin = stdin.map_or_else(no_input, input);
                return jobs.during(shell.run(args, Io::new(stdin, output(stdout), output(stderr)))).await;
            };
            // An environment that leaves no room for it has none.
            let _ = shell.variables.set("TERM", "xterm".to_owned());
            let interrupt = terminal.interrupt.clone();
            shell.terminal = Some(terminal);
            let is_shell = matches!(&args[..], [program] if program.ends_with("sh"));
            terminal::run(stdin, stdout, interrupt.clone(), |io| async move {
                tokio::select! {
                    code = jobs.during(shell.run(args, io)) => code,
                    // A shell stays, and its command ends.
                    () = interrupt.notified(), if !is_shell => INTERRUPTED,
                }
            })
            .await
        })
    }
}

/// An output of a client, or one that nobody reads.
fn or_sink(writer: Option<Writer>) -> Box<dyn AsyncWrite + Send + Unpin> {
    match writer {
        Some(writer) => Box::new(writer),
        None => Box::new(tokio::io::sink()),
    }
}
