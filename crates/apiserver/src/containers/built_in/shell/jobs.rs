//! [`Jobs`], the commands that shells run in the background (`&`), and the command `wait`.

use std::convert::Infallible;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use klient_apimachinery::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::io::{Io, no_input};
use super::syntax::{Node, Part};
use super::{Flow, KILLED, MAX_PROCESSES, NOT_FOUND, Shell, fail};

/// The longest command line that `ps` shows of a job, in characters.
const MAX_TITLE: usize = 256;

/// A job, until its end.
type Job = BoxFuture<'static, ()>;

/// The way of the jobs of a program, and of the shells that it runs, to its [`Jobs`].
pub(super) type Sender = mpsc::UnboundedSender<Job>;

/// The jobs of a program, and of the shells that it runs. They end with the program.
pub(in super::super) struct Jobs(mpsc::UnboundedReceiver<Job>);

/// A job that its shell can wait for.
pub(super) struct Child {
    pid: u32,
    /// The exit code, once it has ended.
    code: watch::Receiver<Option<u8>>,
}

impl Jobs {
    pub(super) fn new() -> (Sender, Self) {
        // Each job holds one of the processes that a program can have.
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Jobs(receiver))
    }

    /// Runs a program to its end, and its jobs meanwhile.
    pub(in super::super) async fn during<T>(self, program: impl Future<Output = T>) -> T {
        tokio::select! {
            result = program => result,
            never = self.run() => match never {},
        }
    }

    async fn run(mut self) -> Infallible {
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(job) = self.0.recv() => running.push(job),
                Some(()) = running.next() => {}
                else => pending().await,
            }
        }
    }
}

impl Child {
    /// Waits for the end of the job, and returns its exit code.
    async fn ended(&mut self) -> u8 {
        match self.code.wait_for(Option::is_some).await {
            Ok(code) => code.unwrap_or(KILLED),
            // A job that is dropped is killed.
            Err(_) => KILLED,
        }
    }
}

impl Shell {
    /// Begins commands in the background: in a subshell without input.
    pub(super) async fn begin_job(&mut self, node: &Arc<Node>, io: Io) -> Flow {
        let Ok(permit) = self.processes.clone().try_acquire_owned() else {
            return fail("can't fork: Resource temporarily unavailable", &io).await;
        };
        let Ok(memory) = self.container.memory.reserve(self.variables.size()) else {
            return fail("can't fork: Cannot allocate memory", &io).await;
        };
        let mut process = self.container.processes.begin_command(self.title(node));
        let pid = process.pid();
        let (told, code) = watch::channel(None);
        let (mut shell, node) = (self.subshell(), node.clone());
        let io = Io { stdin: no_input(), ..io };
        let job: Job = Box::pin(async move {
            let code = tokio::select! {
                flow = shell.evaluate(&node, io) => match flow {
                    ControlFlow::Continue(code) | ControlFlow::Break(code) => code,
                },
                code = process.signalled() => code,
            };
            // Those who wait for its end do not see it any more.
            drop((process, shell, permit, memory));
            told.send_replace(Some(code));
        });
        // Without a receiver the program has ended, and this shell with it.
        let _ = self.jobs.send(job);
        self.last_job = Some(pid);
        // Exit codes that nobody waits for are forgotten, the oldest first.
        if self.children.len() >= MAX_PROCESSES {
            let oldest = self.children.iter().position(|child| child.code.borrow().is_some());
            oldest.map(|oldest| self.children.remove(oldest));
        }
        self.children.push(Child { pid, code });
        ControlFlow::Continue(0)
    }

    /// Waits for the jobs with some numbers, or for all, and returns the exit code of the last.
    pub(super) async fn wait(&mut self, pids: &[&str], io: &Io) -> Flow {
        if pids.is_empty() {
            while let Some(child) = self.children.last_mut() {
                child.ended().await;
                self.children.pop();
            }
        }
        let mut last = 0;
        for pid in pids {
            let Ok(pid) = pid.parse::<u32>() else {
                return fail(&format!("wait: Illegal number: {pid}"), io).await;
            };
            last = match self.children.iter().position(|child| child.pid == pid) {
                Some(index) => {
                    let code = self.children[index].ended().await;
                    self.children.remove(index);
                    code
                }
                None => NOT_FOUND,
            };
        }
        ControlFlow::Continue(last)
    }

    /// The command line of a job.
    fn title(&self, node: &Node) -> String {
        let Node::Command { words, .. } = node else { return "sh".to_owned() };
        let mut title = String::new();
        for word in words {
            if !title.is_empty() {
                title.push(' ');
            }
            for part in &word.0 {
                match part {
                    Part::Text { text, .. } => title.push_str(text),
                    Part::Variable { name, .. } => title.push_str(&self.value(name)),
                    Part::Command { .. } => title.push_str("$()"),
                }
                if title.len() > MAX_TITLE {
                    return title.chars().take(MAX_TITLE).collect();
                }
            }
        }
        if title.is_empty() { "sh".to_owned() } else { title }
    }
}
