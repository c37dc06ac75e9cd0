//! The recorded answers of Kubernetes to the values in the tables.

use std::fs;
use std::path::PathBuf;

use crate::judge::{Answer, Judge};
use crate::question::Question;
use crate::words;

/// Asks a program for its answers to the values of a question's table, and keeps them.
///
/// # Errors
///
/// If it has ended, or they cannot be written.
pub(crate) fn write(question: &Question, judge: &mut Judge) -> Result<(), String> {
    let inputs: Vec<String> = question.table.iter().map(|&text| text.to_owned()).collect();
    let answers = judge.ask(question.name, &inputs)?;
    let mut text = String::new();
    for pair in inputs.into_iter().zip(answers) {
        text.push_str(&serde_json::to_string::<(String, Answer)>(&pair).map_err(words)?);
        text.push('\n');
    }
    let file = file(question);
    fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn file(question: &Question) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("answers").join(question.name).with_extension("jsonl")
}

#[test]
fn klient_answers_as_kubernetes_did() {
    let mut wrong = String::new();
    for question in crate::questions() {
        let file = file(question);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let answers: Vec<(String, Answer)> =
            text.lines().map(|line| serde_json::from_str(line).expect("a value and its answer")).collect();
        let inputs: Vec<&str> = answers.iter().map(|(input, _)| input.as_str()).collect();
        assert_eq!(inputs, question.table, "{} is older than its table: record it again", file.display());
        for (input, theirs) in &answers {
            let ours = (question.ours)(input);
            if !question.agree(&ours, theirs) && question.kept(input, &ours, theirs).is_none() {
                wrong.push_str(&format!(
                    "{} {input:?}\n  klient:     {ours:?}\n  Kubernetes: {theirs:?}\n",
                    question.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
