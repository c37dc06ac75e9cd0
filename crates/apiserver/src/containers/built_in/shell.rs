//! [`Shell`], a small `sh`: it runs the [commands](super::commands) of the built-in containers.

mod syntax;

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::join_all;
use klient_apimachinery::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, Notify};

use super::commands;
use super::container::Container;
use super::files::absolute;
use syntax::{Node, Part, Redirect, Word, parse};

/// The buffer between two commands of a pipeline, in bytes.
const PIPE: usize = 64 * 1024;

/// The longest line that a shell reads from its standard input, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// The largest file that one command writes, in bytes.
const MAX_FILE: usize = 64 * 1024 * 1024;

/// The exit code of a command that does not exist.
const NOT_FOUND: u8 = 127;

/// The exit code of a command that `^C` ends.
const INTERRUPTED: u8 = 130;

/// A standard input; the commands of a shell read it one after the other.
pub(super) type Input = Arc<Mutex<Box<dyn AsyncRead + Send + Unpin>>>;

/// A standard output or error.
pub(super) type Output = Arc<Mutex<Box<dyn AsyncWrite + Send + Unpin>>>;

/// The standard streams of a command.
#[derive(Clone)]
pub(super) struct Io {
    pub(super) stdin: Input,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
}

/// An input that is at its end.
pub(super) fn no_input() -> Input {
    input(tokio::io::empty())
}

pub(super) fn input(reader: impl AsyncRead + Send + Unpin + 'static) -> Input {
    Arc::new(Mutex::new(Box::new(reader)))
}

pub(super) fn output(writer: impl AsyncWrite + Send + Unpin + 'static) -> Output {
    Arc::new(Mutex::new(Box::new(writer)))
}

impl Io {
    /// Writes to standard output. False if nobody reads it any more.
    pub(super) async fn print(&self, text: impl AsRef<[u8]>) -> bool {
        let mut stdout = self.stdout.lock().await;
        stdout.write_all(text.as_ref()).await.is_ok() && stdout.flush().await.is_ok()
    }

    /// Writes a line to standard error.
    pub(super) async fn complain(&self, line: impl AsRef<str>) {
        let line = format!("{}\n", line.as_ref());
        let mut stderr = self.stderr.lock().await;
        // A command goes on without anybody who reads its complaints.
        let _ = stderr.write_all(line.as_bytes()).await;
        let _ = stderr.flush().await;
    }

    /// The next line of standard input without its end; none behind the last.
    async fn line(&self) -> Option<String> {
        let mut stdin = self.stdin.lock().await;
        let mut line = Vec::new();
        loop {
            match stdin.read_u8().await {
                Ok(b'\n') => break,
                Ok(byte) if line.len() < MAX_LINE => line.push(byte),
                Ok(_) => {}
                Err(_) if line.is_empty() => return None,
                Err(_) => break,
            }
        }
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

/// The state of a shell. Clones are subshells.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) container: Arc<Container>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) folder: String,
    /// The exit code of the last command.
    code: u8,
    /// Tells of each `^C` on the terminal, if there is one.
    pub(super) interrupt: Option<Arc<Notify>>,
}

/// The exit code of a command, at which the shell goes on, or ends.
type Flow = ControlFlow<u8, u8>;

impl Shell {
    pub(super) fn new(container: Arc<Container>) -> Self {
        let (variables, folder) = (container.environment.clone(), container.folder.clone());
        Shell { container, variables, folder, code: 0, interrupt: None }
    }

    /// An absolute path.
    pub(super) fn path(&self, path: &str) -> String {
        absolute(&self.folder, path)
    }

    /// Runs a program with its arguments.
    pub(super) fn run(&mut self, args: Vec<String>, io: Io) -> BoxFuture<'_, u8> {
        Box::pin(async move {
            match self.execute(args, io).await {
                ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
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
            match parse(script) {
                Ok(node) => self.evaluate(&node, io).await,
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
                if is_open && script.len() < MAX_LINE {
                    continue;
                }
                let script = std::mem::take(&mut script);
                let interrupt = self.interrupt.clone();
                let interrupted = async {
                    match interrupt {
                        Some(interrupt) => interrupt.notified().await,
                        None => std::future::pending().await,
                    }
                };
                let flow = tokio::select! {
                    flow = self.evaluate_script(&script, io.clone()) => flow,
                    () = interrupted => ControlFlow::Continue(INTERRUPTED),
                };
                match flow {
                    ControlFlow::Continue(code) => self.code = code,
                    ControlFlow::Break(code) => return code,
                }
            }
        })
    }

    fn evaluate<'a>(&'a mut self, node: &'a Node, io: Io) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            let flow = self.evaluate_node(node, io).await;
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
                Node::Pipeline(nodes) => ControlFlow::Continue(self.pipeline(nodes, io).await),
                Node::Not(inner) => ControlFlow::Continue(u8::from(self.evaluate(inner, io).await? == 0)),
                Node::And(left, right) => match self.evaluate(left, io.clone()).await? {
                    0 => self.evaluate(right, io).await,
                    code => ControlFlow::Continue(code),
                },
                Node::Or(left, right) => match self.evaluate(left, io.clone()).await? {
                    0 => ControlFlow::Continue(0),
                    _ => self.evaluate(right, io).await,
                },
                Node::List(nodes) => {
                    let mut code = 0;
                    for node in nodes {
                        code = self.evaluate(node, io.clone()).await?;
                    }
                    ControlFlow::Continue(code)
                }
                Node::If { condition, then, otherwise } => {
                    match (self.evaluate(condition, io.clone()).await?, otherwise) {
                        (0, _) => self.evaluate(then, io).await,
                        (_, Some(otherwise)) => self.evaluate(otherwise, io).await,
                        _ => ControlFlow::Continue(0),
                    }
                }
                Node::While { until, condition, body } => {
                    let mut code = 0;
                    while (self.evaluate(condition, io.clone()).await? == 0) != *until {
                        code = self.evaluate(body, io.clone()).await?;
                    }
                    ControlFlow::Continue(code)
                }
                Node::For { name, words, body } => {
                    let mut code = 0;
                    for value in self.expand(words) {
                        self.variables.insert(name.clone(), value);
                        code = self.evaluate(body, io.clone()).await?;
                    }
                    ControlFlow::Continue(code)
                }
            }
        })
    }

    fn pipeline<'a>(&'a mut self, nodes: &'a [Node], io: Io) -> BoxFuture<'a, u8> {
        Box::pin(async move {
            let mut running: Vec<BoxFuture<'static, u8>> = Vec::new();
            let mut stdin = io.stdin.clone();
            for (index, node) in nodes.iter().enumerate() {
                let mut stage = Io { stdin, ..io.clone() };
                stdin = no_input();
                if index + 1 < nodes.len() {
                    let (writer, reader) = tokio::io::duplex(PIPE);
                    stage.stdout = output(writer);
                    stdin = input(reader);
                }
                let mut shell = self.clone();
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
            let assigned: Vec<(String, String)> =
                assignments.iter().map(|(name, value)| (name.clone(), self.expand_one(value))).collect();
            let args = self.expand(words);
            for redirect in redirects {
                if let Err(problem) = self.redirect(redirect, &mut io) {
                    io.complain(format!("sh: {problem}")).await;
                    return ControlFlow::Continue(1);
                }
            }
            if args.is_empty() {
                self.variables.extend(assigned);
                return ControlFlow::Continue(0);
            }
            let before: Vec<(String, Option<String>)> =
                assigned.iter().map(|(name, _)| (name.clone(), self.variables.get(name).cloned())).collect();
            self.variables.extend(assigned);
            let flow = self.execute(args, io).await;
            for (name, value) in before {
                match value {
                    Some(value) => drop(self.variables.insert(name, value)),
                    None => drop(self.variables.remove(&name)),
                }
            }
            flow
        })
    }

    /// Runs a command of the shell itself, or a program.
    fn execute(&mut self, args: Vec<String>, io: Io) -> BoxFuture<'_, Flow> {
        Box::pin(async move {
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            match words[..] {
                ["exit"] => return ControlFlow::Break(self.code),
                ["exit", code, ..] => return ControlFlow::Break(code.parse().unwrap_or(2)),
                ["cd"] => self.folder = self.path(self.variables.get("HOME").map_or("/", String::as_str)),
                ["cd", folder, ..] => {
                    let path = self.path(folder);
                    if !self.container.files().is_folder(&path) {
                        io.complain(format!("sh: cd: can't cd to {folder}: No such file or directory")).await;
                        return ControlFlow::Continue(2);
                    }
                    self.folder = path;
                }
                ["export", ref names @ ..] => {
                    let pairs = names.iter().filter_map(|pair| pair.split_once('='));
                    self.variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                ["unset", ref names @ ..] => {
                    for name in names {
                        self.variables.remove(*name);
                    }
                }
                ["exec", _, ..] => {
                    let flow = Box::pin(self.execute(args[1..].to_vec(), io)).await;
                    return ControlFlow::Break(match flow {
                        ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
                    });
                }
                [":" | "set" | "trap", ..] => {}
                ["read", name, ..] => match io.line().await {
                    Some(line) => drop(self.variables.insert(name.to_owned(), line)),
                    None => return ControlFlow::Continue(1),
                },
                [] => {}
                _ => {
                    let code = match commands::run(self, &args, &io).await {
                        Some(code) => code,
                        None => {
                            io.complain(format!("sh: {}: not found", args[0])).await;
                            NOT_FOUND
                        }
                    };
                    return ControlFlow::Continue(code);
                }
            }
            ControlFlow::Continue(0)
        })
    }

    fn redirect(&self, redirect: &Redirect, io: &mut Io) -> Result<(), String> {
        match redirect {
            Redirect::Input(file) => {
                let file = self.expand_one(file);
                let content = match file.as_str() {
                    "/dev/null" => Bytes::new(),
                    file => {
                        let content = self.container.files().read(&self.path(file));
                        content.map_err(|problem| format!("can't open {file}: {problem}"))?
                    }
                };
                io.stdin = input(std::io::Cursor::new(content));
            }
            Redirect::Output { descriptor, append, file } => {
                let file = self.expand_one(file);
                let target = match file.as_str() {
                    "/dev/null" => output(tokio::io::sink()),
                    "/dev/stdout" => io.stdout.clone(),
                    "/dev/stderr" => io.stderr.clone(),
                    // A main process prints to its container's log this way.
                    "/proc/1/fd/1" | "/proc/1/fd/2" => self.container.log_output(file.ends_with('2')),
                    name => {
                        let path = self.path(name);
                        let created = self.container.files().write(&path, Bytes::new(), *append);
                        created.map_err(|problem| format!("can't create {name}: {problem}"))?;
                        output(FileWriter { container: self.container.clone(), path, written: Vec::new() })
                    }
                };
                *(if *descriptor == 2 { &mut io.stderr } else { &mut io.stdout }) = target;
            }
            Redirect::Join { from, to } => {
                let target = if *to == 2 { io.stderr.clone() } else { io.stdout.clone() };
                *(if *from == 2 { &mut io.stderr } else { &mut io.stdout }) = target;
            }
        }
        Ok(())
    }

    /// Words with the values of their variables; the value of one without quotes may be several words, or none.
    fn expand(&self, words: &[Word]) -> Vec<String> {
        let mut expanded = Vec::new();
        for word in words {
            let mut current: Option<String> = None;
            for part in &word.0 {
                match part {
                    Part::Text { text, .. } => current.get_or_insert_default().push_str(text),
                    Part::Variable { name, quoted: true } => {
                        current.get_or_insert_default().push_str(&self.value(name));
                    }
                    Part::Variable { name, quoted: false } => {
                        let value = self.value(name);
                        for (index, piece) in value.split_whitespace().enumerate() {
                            if index > 0 {
                                expanded.extend(current.take());
                            }
                            current.get_or_insert_default().push_str(piece);
                        }
                    }
                }
            }
            expanded.extend(current);
        }
        expanded
    }

    fn expand_one(&self, word: &Word) -> String {
        let values = word.0.iter().map(|part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Variable { name, .. } => self.value(name),
        });
        values.collect()
    }

    fn value(&self, name: &str) -> String {
        match name {
            "?" => self.code.to_string(),
            "PWD" => {
                if self.folder.is_empty() {
                    "/".to_owned()
                } else {
                    self.folder.clone()
                }
            }
            name => self.variables.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// A file that a command writes. It has the content when the command has ended.
struct FileWriter {
    container: Arc<Container>,
    path: String,
    written: Vec<u8>,
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        let written = std::mem::take(&mut self.written).into();
        if let Err(problem) = self.container.files().write(&self.path, written, true) {
            tracing::debug!(path = self.path, problem, "a file could not be written");
        }
    }
}

impl AsyncWrite for FileWriter {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.written.len() + data.len() > MAX_FILE {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        self.written.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
