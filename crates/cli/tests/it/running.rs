//! [`Running`], klient while it runs.

use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdin, Command};

use crate::playground::{Playground, Program, soon};

/// klient while it runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Kept open: the wait for the end of a child would close it first, and a command that reads it would end by itself.
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Lines<BufReader<tokio::process::ChildStdout>>,
    pub(crate) stderr: Lines<BufReader<tokio::process::ChildStderr>>,
}

impl Running {
    pub(crate) fn start(playground: &Playground, env: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = Command::from(playground.command(&Program::klient(), "admin"));
        command.envs(env.iter().copied()).args(args);
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Running { child, stdin, stdout, stderr }
    }

    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// Sends a signal until the program ends, and returns the exit code. One that comes while the handler is installed, of
    /// which nobody has been told yet, is lost.
    pub(crate) async fn end_by(&mut self, signal: &str) -> i32 {
        loop {
            self.signal(signal).await;
            if let Ok(code) = tokio::time::timeout(Duration::from_secs(5), self.exit_code()).await {
                return code;
            }
        }
    }

    /// Returns the exit code; for a program killed by a signal before its handler was installed, 128 and the signal.
    pub(crate) async fn exit_code(&mut self) -> i32 {
        let status = soon("the end", self.child.wait()).await.unwrap();
        status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
    }
}

/// Waits until a pipe that nobody reads holds as much as it will: how much that is depends on the sizes of writes.
pub(crate) async fn filled(pipe: &impl AsFd) {
    let full = async {
        let (mut held, mut same) = (0, 0);
        while held == 0 || same < 30 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = rustix::io::ioctl_fionread(pipe).unwrap();
            same = if now == held { same + 1 } else { 0 };
            held = now;
        }
    };
    soon("a full pipe", full).await;
}

/// Reads lines until one begins so.
pub(crate) async fn line(lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>, begin: &str) -> String {
    let mut before = Vec::new();
    loop {
        let line = soon(begin, lines.next_line()).await.unwrap();
        let line = line.unwrap_or_else(|| panic!("the output ends before {begin:?}: {before:#?}"));
        if line.starts_with(begin) {
            return line;
        }
        before.push(line);
    }
}
