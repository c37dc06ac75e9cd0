//! [`Shell`], a small `sh`: it runs the [commands](super::commands) of the built-in containers.

mod call;
mod errexit;
mod expansion;
mod io;
mod jobs;
mod loops;
mod pattern;
mod redirect;
mod substitution;
mod syntax;
mod variables;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::future::join_all;
use klient_apimachinery::BoxFuture;
use tokio::sync::Semaphore;

use super::container::Container;
use super::memory::Reserved;
use super::terminal::Terminal;
use errexit::Errexit;
pub(super) use io::{Io, Output, input, no_input, output};
pub(super) use jobs::Jobs;
use jobs::{Child, Sender};
use loops::Loops;
use syntax::{Node, Redirect, Word, parse};
pub(super) use variables::{Variables, is_parameter};

/// The buffer between two commands of a pipeline, in bytes.
const PIPE: usize = 64 * 1024;

/// The longest script, in bytes.
const MAX_SCRIPT: usize = 1024 * 1024;

/// The number of bytes that the words of a command take at most.
const MAX_WORDS: usize = 1024 * 1024;

/// The problem of words that take more.
const TOO_LONG: &str = "Argument list too long";

/// The bytes of a syntax tree for a byte of its script, at most: one for each command of one letter, with its separator.
const TREE: usize = 96;

/// The bytes that a command in the background takes in a syntax tree besides.
const BACKGROUND: usize = 112;

/// The bytes that an allocation takes besides its content, about, and at least.
const ALLOCATION: usize = 32;

/// The number of commands that the pipelines and the background of a shell, and of those that it runs, have at once.
const MAX_PROCESSES: usize = 64;

/// The depth of commands in each other, over all scripts that call each other: they take the stack of one thread.
const MAX_DEPTH: usize = 256;

/// The part of the depth that a call takes, as it takes more of the stack than a node of the syntax.
const CALL: usize = 8;

/// The exit code of a command that does not exist.
const NOT_FOUND: u8 = 127;

/// The exit code of a command that `^C` ends.
const INTERRUPTED: u8 = 130;

/// The exit code of a command that is killed.
const KILLED: u8 = 137;

/// The exit code of a command that writes to a pipe which nobody reads.
const BROKEN_PIPE: u8 = 141;

/// The state of a shell.
pub(super) struct Shell {
    pub(super) container: Arc<Container>,
    pub(super) variables: Variables,
    pub(super) folder: String,
    /// The exit code of the last command.
    code: u8,
    /// The exit code of the last command in a word of the present one, if there is any.
    substituted: Option<u8>,
    pub(super) terminal: Option<Terminal>,
    /// The number of its process.
    pid: u32,
    /// The depth of the present command in others.
    depth: usize,
    /// Those that pipelines and the background may still run.
    processes: Arc<Semaphore>,
    /// The memory of the present script, which jobs hold as well.
    script: Option<Arc<Reserved>>,
    jobs: Sender,
    /// The jobs of this shell that nobody has waited for.
    children: Vec<Child>,
    /// The number of the last job.
    last_job: Option<u32>,
    errexit: Errexit,
    loops: Loops,
    /// The commands for the end of the shell (`trap … EXIT`), with the memory that they take.
    exit_trap: Option<(String, Reserved)>,
}

/// The exit code of a command, at which the shell goes on, or ends.
type Flow = ControlFlow<u8, u8>;

impl Shell {
    /// The shell of a process, and the jobs that are to run while it does.
    pub(super) fn new(container: Arc<Container>, pid: u32) -> (Self, Jobs) {
        let variables = Variables::new(container.description.environment.clone());
        let folder = container.description.folder.clone();
        let processes = Arc::new(Semaphore::new(MAX_PROCESSES));
        let (sender, jobs) = Jobs::new();
        let shell = Shell {
            container,
            variables,
            folder,
            code: 0,
            substituted: None,
            terminal: None,
            pid,
            depth: 0,
            processes,
            script: None,
            jobs: sender,
            children: Vec::new(),
            last_job: None,
            errexit: Errexit::default(),
            loops: Loops::default(),
            exit_trap: None,
        };
        (shell, jobs)
    }

    /// A shell with the same state, which changes by itself. The jobs of this one are not its own.
    pub(super) fn subshell(&self) -> Shell {
        Shell {
            container: self.container.clone(),
            variables: self.variables.clone(),
            folder: self.folder.clone(),
            terminal: self.terminal.clone(),
            processes: self.processes.clone(),
            script: self.script.clone(),
            jobs: self.jobs.clone(),
            children: Vec::new(),
            loops: Loops::default(),
            exit_trap: None,
            ..*self
        }
    }

    /// Sets the parameters `$0`, `$1` and so on, and removes those of the calling script.
    pub(super) fn set_parameters(&mut self, parameters: &[&str]) -> Result<(), &'static str> {
        self.variables.remove_parameters();
        let mut parameters = parameters.iter().enumerate();
        parameters.try_for_each(|(index, value)| self.variables.set(&index.to_string(), (*value).to_owned()))
    }

    /// The path of a file or folder, without links.
    pub(super) fn path(&self, path: &str) -> String {
        self.container.files().resolve(&self.folder, path, true)
    }

    /// The path of what may be a link itself.
    pub(super) fn link_path(&self, path: &str) -> String {
        self.container.files().resolve(&self.folder, path, false)
    }

    /// The content of a file.
    pub(super) fn read(&self, path: &str) -> Result<Bytes, &'static str> {
        let files = self.container.files();
        files.read(&files.resolve(&self.folder, path, true))
    }

    /// Runs a program with its arguments.
    pub(super) fn run(&mut self, args: Vec<String>, io: Io) -> BoxFuture<'_, u8> {
        Box::pin(async move {
            match self.execute(args, io).await {
                ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
            }
        })
    }

    /// Runs the commands that are for the end of the shell; the exit code is then that of theirs if they end it.
    pub(super) fn at_exit(&mut self, code: u8, io: Io) -> BoxFuture<'_, u8> {
        Box::pin(async move {
            let Some((commands, _memory)) = self.exit_trap.take() else { return code };
            self.code = code;
            match self.evaluate_script(&commands, io).await {
                ControlFlow::Continue(_) => code,
                ControlFlow::Break(code) => code,
            }
        })
    }

    /// Runs a script.
    pub(super) fn script<'a>(&'a mut self, script: &'a str, io: Io) -> BoxFuture<'a, u8> {
        Box::pin(async move {
            match self.evaluate_script(script, io).await {
                ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
            }
        })
    }

    fn evaluate_script<'a>(&'a mut self, script: &'a str, io: Io) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            let parsed = match script.len() {
                0..=MAX_SCRIPT => parse(script),
                _ => Err("the script is too long".to_owned()),
            };
            let background = script.matches('&').count() * BACKGROUND;
            let memory = self.container.memory.reserve(script.len() * TREE + background);
            match parsed.and_then(|node| Ok((node, memory?))) {
                Ok((node, memory)) => {
                    let before = self.script.replace(Arc::new(memory));
                    let flow = self.evaluate(&node, io).await;
                    self.script = before;
                    flow
                }
                Err(problem) => {
                    io.complain(format!("sh: {problem}")).await;
                    ControlFlow::Continue(2)
                }
            }
        })
    }

    /// Reads commands from standard input line by line; a command that is not complete goes on in the next line. With a
    /// terminal there is a prompt.
    pub(super) fn interact(&mut self, io: Io, has_terminal: bool) -> BoxFuture<'_, u8> {
        Box::pin(async move {
            let mut script = String::new();
            loop {
                if has_terminal {
                    let folder = if self.folder.is_empty() { "/" } else { &self.folder };
                    let prompt = if script.is_empty() { format!("{folder} # ") } else { "> ".to_owned() };
                    if !io.print(prompt).await {
                        return self.code;
                    }
                }
                let Some(line) = io.line().await else { return self.code };
                script.push_str(&line);
                script.push('\n');
                let is_open = matches!(parse(&script), Err(problem) if problem.contains("unexpected end of file")
                || problem.contains("unterminated"));
                if is_open && script.len() < io::MAX_LINE {
                    continue;
                }
                let script = std::mem::take(&mut script);
                let interrupt = self.terminal.as_ref().map(|terminal| terminal.interrupt.clone());
                let (depth, memory, errexit) = (self.depth, self.script.clone(), self.errexit);
                let interrupted = async {
                    match interrupt {
                        Some(interrupt) => interrupt.notified().await,
                        None => std::future::pending().await,
                    }
                };
                let flow = tokio::select! {
                    flow = self.evaluate_script(&script, io.clone()) => flow,
                    () = interrupted => {
                        self.errexit = errexit;
                        ControlFlow::Continue(INTERRUPTED)
                    }
                };
                // A command that is interrupted does not come back up.
                (self.depth, self.script, self.loops) = (depth, memory, Loops::default());
                match flow {
                    ControlFlow::Continue(code) => self.code = code,
                    ControlFlow::Break(code) => return code,
                }
            }
        })
    }

    fn evaluate<'a>(&'a mut self, node: &'a Node, io: Io) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            if self.depth >= MAX_DEPTH {
                return self.too_deep(&io).await;
            }
            let broken = io.broken.clone();
            self.depth += 1;
            let flow = self.evaluate_node(node, io).await;
            self.depth -= 1;
            let flow = self.errexit.after(node, flow);
            if broken.load(Ordering::Relaxed) {
                return ControlFlow::Break(BROKEN_PIPE);
            }
            if let ControlFlow::Continue(code) = flow {
                self.code = code;
            }
            // A loop of commands that wait for nothing lets others run.
            tokio::task::yield_now().await;
            flow
        })
    }

    fn evaluate_node<'a>(&'a mut self, node: &'a Node, io: Io) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            match node {
                Node::Command { assignments, words, redirects } => {
                    self.command(assignments, words, redirects, io).await
                }
                Node::Background(node) => self.begin_job(node, io).await,
                Node::Pipeline(nodes) => ControlFlow::Continue(self.pipeline(nodes, io).await),
                Node::Not(inner) => ControlFlow::Continue(u8::from(self.condition(inner, io).await? == 0)),
                Node::AndOr(first, rest) => {
                    let mut code = self.condition(first, io.clone()).await?;
                    for (index, (after_success, node)) in rest.iter().enumerate() {
                        if (code == 0) == *after_success {
                            code = match index + 1 == rest.len() {
                                true => self.evaluate(node, io.clone()).await?,
                                false => self.condition(node, io.clone()).await?,
                            };
                        }
                    }
                    ControlFlow::Continue(code)
                }
                Node::List(nodes) => {
                    let mut code = 0;
                    for node in nodes {
                        code = self.evaluate(node, io.clone()).await?;
                    }
                    ControlFlow::Continue(code)
                }
                Node::If { branches, otherwise } => {
                    for (condition, then) in branches {
                        if self.condition(condition, io.clone()).await? == 0 {
                            return self.evaluate(then, io).await;
                        }
                    }
                    match otherwise {
                        Some(otherwise) => self.evaluate(otherwise, io).await,
                        None => ControlFlow::Continue(0),
                    }
                }
                Node::While { until, condition, body } => self.run_while(*until, condition, body, io).await,
                Node::For { name, words, body } => self.run_for(name, words, body, io).await,
            }
        })
    }

    fn pipeline<'a>(&'a mut self, nodes: &'a [Arc<Node>], io: Io) -> BoxFuture<'a, u8> {
        Box::pin(async move {
            let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            let processes = self.processes.clone();
            let Ok(_processes) = processes.try_acquire_many(count) else {
                io.complain("sh: can't fork: Resource temporarily unavailable").await;
                return 2;
            };
            let Ok(_memory) = self.container.memory.reserve(self.variables.size() * nodes.len()) else {
                io.complain("sh: can't fork: Cannot allocate memory").await;
                return 2;
            };
            let mut running: Vec<BoxFuture<'static, u8>> = Vec::new();
            let mut stdin = io.stdin.clone();
            for (index, node) in nodes.iter().enumerate() {
                let mut stage = Io { stdin, ..io.clone() };
                stdin = no_input();
                if index + 1 < nodes.len() {
                    let (writer, reader) = tokio::io::duplex(PIPE);
                    (stage.stdout, stage.broken) = (output(writer), Arc::default());
                    stdin = input(reader);
                }
                let mut shell = self.subshell();
                // The stage's end of the pipe is dropped with the command, so that the next one sees the end.
                let node = node.clone();
                running.push(Box::pin(async move {
                    match shell.evaluate(&node, stage).await {
                        ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
                    }
                }));
            }
            drop(io);
            join_all(running).await.last().copied().unwrap_or_default()
        })
    }

    fn command<'a>(
        &'a mut self,
        assignments: &'a [(String, Word)],
        words: &'a [Word],
        redirects: &'a [Redirect],
        mut io: Io,
    ) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            self.substituted = None;
            let args = match self.expand(words, &io).await {
                Ok(args) => args,
                Err(problem) => return fail(&problem, &io).await,
            };
            let mut assigned: Vec<(&str, String)> = Vec::new();
            for (name, value) in assignments {
                match self.expand_one(value, &io).await {
                    Ok(value) => assigned.push((name, value)),
                    Err(problem) => return fail(&problem, &io).await,
                }
            }
            for redirect in redirects {
                if let Err(problem) = self.redirect(redirect, &mut io).await {
                    io.complain(format!("sh: {problem}")).await;
                    return ControlFlow::Continue(1);
                }
            }
            let before: Vec<(&str, Option<String>)> =
                assigned.iter().map(|(name, _)| (*name, self.variables.get(name).cloned())).collect();
            for (name, value) in assigned {
                if let Err(problem) = self.variables.set(name, value) {
                    return fail(problem, &io).await;
                }
            }
            if args.is_empty() {
                return ControlFlow::Continue(self.substituted.unwrap_or_default());
            }
            let flow = self.execute(args, io).await;
            for (name, value) in before {
                self.variables.restore(name, value);
            }
            flow
        })
    }

    /// Runs a command of the shell itself, or a program, unless the scripts call each other too deeply.
    fn execute(&mut self, args: Vec<String>, io: Io) -> BoxFuture<'_, Flow> {
        Box::pin(async move {
            if self.depth + CALL > MAX_DEPTH {
                return self.too_deep(&io).await;
            }
            // Commands that run others hold the words of all.
            let _memory = match self.reserve(&args) {
                Ok(memory) => memory,
                Err(problem) => return fail(problem, &io).await,
            };
            self.depth += CALL;
            let flow = self.call(args, io).await;
            self.depth -= CALL;
            flow
        })
    }

    /// Reserves the memory for words.
    fn reserve(&self, words: &[String]) -> Result<Reserved, &'static str> {
        let size = |word: &String| size_of::<String>() + ALLOCATION.max(word.len() + ALLOCATION / 2);
        self.container.memory.reserve(words.iter().map(size).sum())
    }

    async fn too_deep(&self, io: &Io) -> Flow {
        io.complain("sh: too many nested calls").await;
        ControlFlow::Break(2)
    }
}

/// Tells of a problem, at which the shell goes on.
async fn fail(problem: &str, io: &Io) -> Flow {
    io.complain(format!("sh: {problem}")).await;
    ControlFlow::Continue(2)
}
