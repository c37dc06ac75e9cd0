//! [`Peer`], a program that is measured, and the [`Server`] it talks to.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
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
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| problem(&error))?;
        let stderr = LastLines::of(child.stderr.take().expect("it was asked for"));
        let stdout = child.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let ran = match lines.next() {
            Some(_) => other().map(|()| lines.next()),
            None => Ok(None),
        };
        if ran.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| problem(&error))?;
        match ran {
            Ok(Some(line)) if status.success() => Ok(line),
            Ok(_) => Err(problem(&ended(status, &stderr.join()))),
            // Whoever ran beside it may have failed because it had ended.
            Err(other) => Err(format!("{other}\nbeside {}", problem(&ended(status, &stderr.join())))),
        }
    }

    /// Runs the program with arguments separated by spaces, and returns its output.
    pub(super) fn run(&self, words: &str) -> Result<String, String> {
        let problem = |problem: &dyn Display| format!("{} {words}: {problem}", self.binary.display());
        let output = self.command(words).output().map_err(|error| problem(&error))?;
        if !output.status.success() {
            return Err(problem(&ended(output.status, &last_lines(&*output.stderr))));
        }
        String::from_utf8(output.stdout).map_err(|error| problem(&error))
    }
}

/// The message for a program that has ended: its exit status or signal, and what it wrote to its standard error.
fn ended(status: ExitStatus, stderr: &str) -> String {
    match stderr {
        "" => format!("it has ended with {status}, and has written nothing to its standard error"),
        stderr => format!("it has ended with {status}:\n{stderr}"),
    }
}

/// The last lines of a standard error, which a thread reads, so that it is never full.
struct LastLines(JoinHandle<String>);

impl LastLines {
    fn of(stderr: impl Read + Send + 'static) -> Self {
        LastLines(thread::spawn(|| last_lines(stderr)))
    }

    /// The lines, when the program has ended.
    fn join(self) -> String {
        self.0.join().expect("reading does not panic")
    }
}

/// Reads to the end, and returns the last lines.
fn last_lines(stderr: impl Read) -> String {
    const LINES: usize = 20;
    let mut last = VecDeque::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        if last.len() == LINES {
            last.pop_front();
        }
        last.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    last.make_contiguous().join("\n")
}

/// The address at which the neutral server serves TLS.
pub(super) const HTTPS: &str = "127.0.0.1:28443";

/// The neutral server, which ends when dropped.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn start(peer: &Peer) -> Result<Self, String> {
        const ADDRESS: &str = "127.0.0.1:18080";
        let words = format!("-http {ADDRESS} -https {HTTPS} -data {DATA}");
        let problem = |problem: &dyn Display| format!("{} {words}: {problem}", peer.binary.display());
        let child = peer.command(&words).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| problem(&error))?;
        let stderr = LastLines::of(child.stderr.take().expect("it was asked for"));
        let began = Instant::now();
        while TcpStream::connect(ADDRESS).is_err() {
            let has_ended = child.try_wait().map_err(|error| problem(&error))?.is_some();
            if has_ended || began.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let status = child.wait().map_err(|error| problem(&error))?;
                return Err(problem(&ended(status, &stderr.join())));
            }
            thread::sleep(Duration::from_millis(50));
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

#[test]
fn a_program_that_dies_is_told_with_its_exit_status_and_its_last_lines() {
    let shell = Peer::new("/bin/sh".into(), Path::new("/"));
    // Words are separated by spaces, which a script may have as `${IFS}`.
    let script = "echo${IFS}one>&2;echo${IFS}two>&2;exit${IFS}3";
    let problem = shell.run(&format!("-c {script}")).expect_err("it fails");
    assert!(problem.ends_with("it has ended with exit status: 3:\none\ntwo"), "{problem}");
    let problem = shell.run("-c kill${IFS}-9${IFS}$$").expect_err("it is killed");
    assert!(problem.contains("it has ended with signal: 9"), "{problem}");

    // It dies before its first line, or after it.
    for before in ["", "echo${IFS}ready;"] {
        let words = format!("-c {before}echo${{IFS}}told>&2;exit${{IFS}}4");
        let problem = shell.run_beside(&words, || Ok(())).expect_err("it fails");
        assert!(problem.ends_with("it has ended with exit status: 4:\ntold"), "{problem}");
    }
    let words = "-c echo${IFS}ready;echo${IFS}told>&2;read${IFS}line;exit${IFS}4";
    let problem = shell.run_beside(words, || Err("other".to_owned())).expect_err("the other fails");
    assert!(problem.starts_with("other\nbeside /bin/sh "), "{problem}");
    let line = shell.run_beside("-c echo${IFS}ready;echo${IFS}figures", || Ok(()));
    assert_eq!(line.as_deref(), Ok("figures"));
}

#[test]
fn of_many_lines_the_last_are_told() {
    let lines = |numbers: std::ops::Range<u32>| {
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(last_lines(lines(0..100).as_bytes()), lines(80..100));
    assert_eq!(last_lines(std::io::empty()), "");
}
