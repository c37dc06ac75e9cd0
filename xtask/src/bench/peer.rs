//! [`Peer`], a program that is measured, and the [`Server`] it talks to.

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::DATA;

/// A program that runs one case in a process of its own, and prints one JSON line.
pub(super) struct Peer {
    binary: PathBuf,
    folder: PathBuf,
}

impl Peer {
    /// A program, and the folder it is run in.
    pub(super) fn new(binary: PathBuf, folder: &Path) -> Self {
        Peer { binary, folder: folder.to_owned() }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words.split_whitespace()).current_dir(&self.folder);
        command
    }

    /// Starts the program with arguments separated by spaces. Its output is not kept.
    pub(super) fn start(&self, words: &str) -> Result<Child, String> {
        let mut command = self.command(words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|error| format!("{} {words}: {error}", self.binary.display()))
    }

    /// Runs the program with arguments separated by spaces. When it has printed a line, another program runs beside it.
    /// Returns the line that it prints after that.
    pub(super) fn run_beside(
        &self,
        words: &str,
        other: impl FnOnce() -> Result<(), String>,
    ) -> Result<String, String> {
        let problem = |problem: &dyn Display| format!("{} {words}: {problem}", self.binary.display());
        let mut command = self.command(words);
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| problem(&error))?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let ran = match lines.next() {
            Some(_) => other().and_then(|()| lines.next().ok_or_else(|| problem(&"it has ended early"))),
            None => Err(problem(&"it has printed nothing")),
        };
        if ran.is_err() {
            let _ = child.kill();
        }
        child.wait().map_err(|error| problem(&error))?;
        ran
    }

    /// Runs the program with arguments separated by spaces, and returns its output.
    pub(super) fn run(&self, words: &str) -> Result<String, String> {
        let shown = || format!("{} {words}", self.binary.display());
        let output = self.command(words).output().map_err(|error| format!("{}: {error}", shown()))?;
        if !output.status.success() {
            return Err(format!("{}: {}", shown(), String::from_utf8_lossy(&output.stderr)));
        }
        String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", shown()))
    }
}

/// The neutral server, which ends when dropped.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn start(peer: &Peer) -> Result<Self, String> {
        const ADDRESS: &str = "127.0.0.1:18080";
        let mut child = peer
            .command(&format!("-http {ADDRESS} -https 127.0.0.1:28443 -data {DATA}"))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the server: {error}"))?;
        let began = Instant::now();
        while TcpStream::connect(ADDRESS).is_err() {
            let has_ended = child.try_wait().map_err(|error| error.to_string())?.is_some();
            if has_ended || began.elapsed() > Duration::from_secs(60) {
                let mut told = String::new();
                let _ = child.kill();
                if let Some(stderr) = child.stderr.take() {
                    let _ = BufReader::new(stderr).read_to_string(&mut told);
                }
                return Err(format!("the server does not serve at {ADDRESS}: {told}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if let Some(stderr) = child.stderr.take() {
            // Nobody reads it, but it must not be full.
            std::thread::spawn(move || BufReader::new(stderr).lines().for_each(drop));
        }
        Ok(Server(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
