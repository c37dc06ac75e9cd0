//! [`Judge`], a running program that answers as Kubernetes does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The meaning of a value, or the error.
pub(crate) type Answer = Result<String, String>;

/// A program that answers as Kubernetes does; it ends when dropped.
pub(crate) struct Judge {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Judge {
    /// Starts the program in a file.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) fn start(file: &Path) -> Result<Judge, String> {
        let mut child = Command::new(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", file.display()))?;
        let stdin = child.stdin.take().expect("it was asked for");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        Ok(Judge { child, stdin, stdout })
    }

    /// Its answers to values, in their order.
    ///
    /// # Errors
    ///
    /// If it ends before it has answered.
    pub(crate) fn ask(&mut self, name: &str, inputs: &[String]) -> Result<Vec<Answer>, String> {
        let ended = |error: std::io::Error| format!("the program has ended at {name}: {error}");
        let mut lines = String::new();
        for input in inputs {
            lines.push_str(name);
            lines.push(' ');
            BASE64.encode_string(input, &mut lines);
            lines.push('\n');
        }
        // It answers while it is asked, and neither waits for the other.
        let (stdin, stdout) = (&mut self.stdin, &mut self.stdout);
        thread::scope(|scope| {
            let asking = scope.spawn(move || stdin.write_all(lines.as_bytes()).and_then(|()| stdin.flush()));
            let mut answers = Vec::with_capacity(inputs.len());
            let mut line = String::new();
            for _ in inputs {
                line.clear();
                stdout.read_line(&mut line).map_err(ended)?;
                let line =
                    line.strip_suffix('\n').ok_or_else(|| format!("the program has ended at {name}"))?;
                answers.push(match line.strip_prefix('!') {
                    Some(problem) => Err(text(problem)?),
                    None => Ok(text(line)?),
                });
            }
            asking.join().expect("it does not panic").map_err(ended)?;
            Ok(answers)
        })
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(line: &str) -> Result<String, String> {
    let bytes = BASE64.decode(line).map_err(|error| format!("an answer is no base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
