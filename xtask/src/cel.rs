//! `cargo xtask e2e cel`: records the answers of Kubernetes' packages to the expressions, definitions and objects in the
//! tests of `klient-cel` and `klient-apiextensions`.
//!
//! It needs Go, with which the program of those packages is built.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Map, Value, json};

use crate::{go, root};

/// Records all answers.
pub(crate) fn run() -> Result<(), String> {
    let mut judge = Judge::start(&go::build("cel")?)?;
    for folder in ["crates/cel/tests/it/cases", "crates/apiextensions/tests/cases"] {
        let files =
            fs::read_dir(root().join(folder)).map_err(|error| format!("cannot read {folder}: {error}"))?;
        for file in files.flatten() {
            record(&mut judge, &file.path())?;
        }
    }
    let declarations = judge.ask("declarations", &json!({}))?;
    // Operators that no expression can be written with.
    let hidden = ["__not_strictly_false__", "_in_", "in"];
    let lines = declarations.as_array().into_iter().flatten().filter_map(Value::as_str).filter_map(|line| {
        let mut columns: Vec<&str> = line.split('\t').collect();
        // The second column has the order of the overloads.
        columns.remove(1);
        (!hidden.contains(&columns[0])).then(|| columns.join("\t"))
    });
    write(&root().join("crates/cel/src/declarations.tsv"), lines)
}

/// The program of Kubernetes' packages.
pub(crate) struct Judge {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    pub(crate) fn start(program: &Path) -> Result<Judge, String> {
        let mut command = Command::new(program);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the program has no pipes".to_owned());
        };
        Ok(Judge { process, questions, answers: BufReader::new(answers) })
    }

    pub(crate) fn ask(&mut self, name: &str, question: &Value) -> Result<Value, String> {
        let broken = |error| format!("the program of Kubernetes' packages ended: {error}");
        writeln!(self.questions, "{name} {question}").map_err(broken)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(broken)?;
        serde_json::from_str(&answer).map_err(|error| format!("the answer to {question} is no JSON: {error}"))
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Records the answers in a file. A line is a JSON object: a question with `policy`, `expression`, `definition` or `object`
/// and its `answer`, or the schema and values of the questions after it.
fn record(judge: &mut Judge, path: &Path) -> Result<(), String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut context = Map::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| format!("a line of {} is no JSON object: {error}", path.display()))?;
        line.remove("answer");
        let name = ["policy", "expression", "definition", "object"]
            .into_iter()
            .find(|name| line.contains_key(*name));
        match name {
            None => context.clone_from(&line),
            Some(name) => {
                let mut question = context.clone();
                question.extend(line.clone());
                for (ours, theirs) in [("definition", "schema"), ("object", "self")] {
                    if let Some(value) = question.remove(ours) {
                        question.insert(theirs.to_owned(), value);
                    }
                }
                let answer = judge.ask(name, &Value::Object(question))?;
                line.insert("answer".to_owned(), answer);
            }
        }
        // The question comes before its answer.
        let first = ["schema", "policy", "expression", "definition", "object", "old", "budget"];
        let mut names: Vec<&String> = line.keys().collect();
        names.sort_by_key(|name| first.iter().position(|first| first == name).unwrap_or(first.len()));
        let fields: Vec<String> =
            names.into_iter().map(|name| format!("{}:{}", Value::from(name.as_str()), line[name])).collect();
        lines.push(format!("{{{}}}", fields.join(",")));
    }
    write(path, lines)
}

fn write(path: &Path, lines: impl IntoIterator<Item = String>) -> Result<(), String> {
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
