//! [`Terminal`], klient in a pseudo terminal.

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::KLIENT;
use crate::playground::{Playground, Program, soon};
use crate::running::filled;

/// A shell in a pseudo terminal, by `script` of util-linux.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    pub(crate) stdin: ChildStdin,
    stdout: ChildStdout,
    pub(crate) shown: String,
}

impl Terminal {
    /// Runs klient with arguments, which have no quotes, as a program that tells its id first, and compares the terminal's settings
    /// before and after. `None` without `script`.
    pub(crate) fn start(playground: &Playground, arguments: &str) -> Option<Self> {
        let script = format!(
            "stty cols 80 rows 24; before=$(stty -g); \
             sh -c 'echo pid=$$,; exec {KLIENT} {arguments}'; echo code=$?,; \
             [ \"$before\" = \"$(stty -g)\" ] && echo the same again"
        );
        Terminal::of_script(playground, &script)
    }

    /// Runs the script of a shell. `None` without `script`.
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn of_script(playground: &Playground, script: &str) -> Option<Self> {
        let program = Program { path: "script".into(), name: "script" };
        let mut command = tokio::process::Command::from(playground.command(&program, "admin"));
        command.args(["-qec", script, "/dev/null"]).kill_on_drop(true);
        match command.spawn() {
            Ok(mut child) => {
                let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                Some(Terminal { child, stdin, stdout, shown: String::new() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("skipped: there is no script");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until a text is shown.
    pub(crate) async fn shows(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let mut part = [0; 1024];
            let read = soon(text, self.stdout.read(&mut part)).await.unwrap_or(0);
            assert!(read > 0, "{text} is not in {}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&part[..read]));
        }
    }

    /// Waits for the end of what is shown.
    pub(crate) async fn ends(&mut self) {
        let mut rest = Vec::new();
        soon("the end", self.stdout.read_to_end(&mut rest)).await.unwrap();
        self.shown.push_str(&String::from_utf8_lossy(&rest));
    }

    /// Waits until there is no room for more to show, as it is not read.
    pub(crate) async fn is_full(&self) {
        filled(&self.stdout).await;
    }

    /// Returns the text between two others.
    pub(crate) fn between(&self, before: &str, after: &str) -> &str {
        self.shown.split_once(before).unwrap().1.split_once(after).unwrap().0
    }
}
