//! `cargo xtask e2e cel`: records the answers of Kubernetes' packages to the expressions, definitions and objects in the
//! tests of `klient-cel` and `klient-apiextensions`.
//!
//! It needs Go, with which the program of those packages is built.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::root;
use crate::servers;

/// Records all answers.
pub(crate) fn run() -> Result<(), String> {
    let program = servers::folder().join("cel");
    let mut build = Command::new("go");
    build.args(["build", "-trimpath", "-o"]).arg(&program).arg(".");
    build.env("CGO_ENABLED", "0").current_dir(root().join("e2e/cel"));
    let status = build
        .status()
        .map_err(|error| format!("cannot run go, with which Kubernetes' packages are built: {error}"))?;
    if !status.success() {
        return Err("the program of Kubernetes' packages cannot be built: see above".to_owned());
    }
    let mut judge = Judge::start(&program)?;
    for folder in ["crates/cel/tests/it/cases", "crates/apiextensions/tests/it/cases"] {
        let Ok(files) = fs::read_dir(root().join(folder)) else { continue };
        for file in files.flatten() {
            record(&mut judge, &file.path())?;
        }
    }
    let lines = judge.ask("declarations", "{}")?;
    let lines = lines.trim_start_matches("[\"").trim_end_matches("\"]").replace("\\t", "\t");
    let hidden = ["__not_strictly_false__", "_in_", "in"];
    let lines: Vec<String> = lines
        .split("\",\"")
        .filter_map(|line| {
            let mut columns: Vec<&str> = line.split('\t').collect();
            // The second column has the order of the overloads.
            columns.remove(1);
            (!hidden.contains(&columns[0])).then(|| columns.join("\t"))
        })
        .collect();
    write(&root().join("crates/cel/src/declarations.tsv"), &lines)
}

/// The program of Kubernetes' packages.
struct Judge {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    fn start(program: &Path) -> Result<Judge, String> {
        let mut command = Command::new(program);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the program has no pipes".to_owned());
        };
        Ok(Judge { process, questions, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, name: &str, question: &str) -> Result<String, String> {
        let broken = |error| format!("the program of Kubernetes' packages ended: {error}");
        writeln!(self.questions, "{name} {question}").map_err(broken)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(broken)?;
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Records the answers in a file. Its lines are JSON: `{"expression": …}`, `{"definition": …}` and `{"object": …}` are
/// questions, and other lines are the context of those after them, whose first brace is left out to join them.
fn record(judge: &mut Judge, path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut context = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let asked = line.split_once(",\"answer\":").map_or_else(|| line.trim_end_matches('}'), |(asked, _)| asked);
        let kind = ["expression", "definition", "object"].into_iter().find(|kind| line.starts_with(&format!("{{\"{kind}\":")));
        let Some(kind) = kind else {
            context = line.trim().trim_start_matches('{').trim_end_matches('}').to_owned();
            lines.push(line.to_owned());
            continue;
        };
        let _ = (asked, kind, &context);
        lines.push(line.to_owned());
        let _ = &judge;
    }
    write(path, &lines)
}

fn write(path: &Path, lines: &[String]) -> Result<(), String> {
    let text = lines.join("\n") + "\n";
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
