//! Sessions of `klient run` and `klient debug`, with the requests that are sent, recorded from kubectl 1.37.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use klient_api::core::v1::{Namespace, Node};
use klient_apiserver::{Containers, Options};
use regex::Regex;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::cases::Expected;
use crate::playground::{Playground, Program, soon};
use crate::recording_front::RecordingFront;

/// The variable of the environment with the path of a kubectl 1.37, from which the sessions are recorded again.
const RECORD: &str = "KLIENT_RECORD_KUBECTL";

/// The mark of commands to which kubectl 1.33 answers otherwise.
const NEWER: &str = "1.37:";

/// A command of a session and what it did.
struct Step {
    line: String,
    did: String,
}

/// Plays the commands of a session in a namespace of its own, with klient and with the kubectl of this machine, and
/// compares what they send and print.
async fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts").join(name);
    let recorded = fs::read_to_string(&path).unwrap();
    let commands: Vec<&str> = recorded.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    if let Some(kubectl) = std::env::var_os(RECORD) {
        let program = Program { path: kubectl.into(), name: "kubectl" };
        fs::write(&path, written(&play(&program, &commands).await)).unwrap();
        return;
    }
    let played = play(&Program::klient(), &commands).await;
    expect_same(&recorded, &written(&played), name);
    if let Some(kubectl) = Program::kubectl() {
        let steps = play(&kubectl, &commands).await;
        let compared = steps.iter().zip(&played).filter(|(step, _)| !step.line.starts_with(NEWER));
        let differing = compared.filter(|(step, expected)| step.did != expected.did);
        let differing: Vec<String> = differing
            .map(|(step, expected)| format!("$ {}\n{}klient:\n{}", step.line, step.did, expected.did))
            .collect();
        assert!(differing.is_empty(), "{name}, of kubectl 1.33:\n{}", differing.join("\n"));
    }
}

#[track_caller]
fn expect_same(recorded: &str, played: &str, name: &str) {
    for (number, (found, expected)) in played.lines().zip(recorded.lines()).enumerate() {
        let before = || recorded.lines().take(number).collect::<Vec<_>>();
        let command =
            || before().into_iter().rfind(|line| line.starts_with("$ ")).unwrap_or_default().to_owned();
        assert_eq!(found, expected, "{name}, line {}, after {}", number + 1, command());
    }
    assert_eq!(played.lines().count(), recorded.lines().count(), "{name}");
}

fn written(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("$ {}\n{}", step.line, step.did)).collect()
}

async fn play(program: &Program, commands: &[&str]) -> Vec<Step> {
    let options = Options { containers: Some(Containers::built_in()), ..Options::default() };
    let playground = Playground::with(options).await;
    let client = playground.client();
    let shop: Namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
    client.api::<Namespace>().create(&shop).await.unwrap();
    let node: Node = serde_json::from_value(json!({"metadata": {"name": "n1"}})).unwrap();
    client.api::<Node>().create(&node).await.unwrap();
    playground.write(&files());
    let front = RecordingFront::of(client).await;
    let kubeconfig = format!(
        "{{clusters: [{{name: c, cluster: {{server: '{}'}}}}], current-context: c, \
         contexts: [{{name: c, context: {{cluster: c, namespace: shop}}}}]}}",
        front.url
    );
    fs::write(playground.kubeconfig("front"), kubeconfig).unwrap();
    let mut steps = Vec::new();
    for line in commands {
        let done = soon(line, run(&playground, program, line)).await;
        let mut did = String::new();
        let is_of_interest = ["run ", "debug "].iter().any(|command| line.contains(command));
        for request in front.take_requests().iter().filter(|_| is_of_interest) {
            did += &format!("> {request}\n");
        }
        for text in [&done.stdout, &done.stderr].into_iter().filter(|text| !text.is_empty()) {
            did += text;
            did += if text.ends_with('\n') { "" } else { "\n" };
        }
        if done.exit != 0 {
            did += &format!("exit {}\n", done.exit);
        }
        steps.push(Step { line: (*line).to_owned(), did: normal(&did, program) });
    }
    steps
}

/// Runs a program with the arguments of a line, of which some are in single quotes. ` << ` is followed by its input.
async fn run(playground: &Playground, program: &Program, line: &str) -> Expected {
    let line = line.strip_prefix(NEWER).unwrap_or(line);
    let (line, input) = line.split_once(" << ").unwrap_or((line, ""));
    let mut args = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        let last = args.last_mut().unwrap();
        if number % 2 == 1 {
            last.push_str(part);
            continue;
        }
        let mut words = part.split(' ');
        last.push_str(words.next().unwrap_or_default());
        args.extend(words.map(str::to_owned));
    }
    args.retain(|arg| !arg.is_empty());
    let mut command = tokio::process::Command::from(playground.command(program, "front"));
    command.args(&args).stdin(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let input = input.replace("\\n", "\n");
    // A program that does not read its standard input exits before all is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Expected {
        exit: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
    .normalized()
}

/// Replaces random suffixes and the name of the program.
fn normal(text: &str, program: &Program) -> String {
    let text = text.replace(program.name, "kubectl");
    let suffix = Regex::new(r"\b(debugger|node-debugger-n1)-[a-z0-9]{5}\b").unwrap();
    suffix.replace_all(&text, "$1-SUFFIX").into_owned()
}

/// The files of the sessions.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::<String, String>::new();
    let mut name = String::new();
    for line in include_str!("transcripts/files.txt").lines() {
        match line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            Some(next) => name = next.to_owned(),
            None => *files.entry(name.clone()).or_default() += &format!("{line}\n"),
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn run_creates_pods_and_services_as_kubectl_does() {
    check("run_creates.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_refuses_flags_as_kubectl_does() {
    check("run_refuses.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_attaches_and_ends_as_kubectl_does() {
    check("run_attaches.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_adds_ephemeral_containers_as_kubectl_does() {
    check("debug_pods.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_copies_pods_as_kubectl_does() {
    check("debug_copies.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_runs_pods_on_nodes_as_kubectl_does() {
    check("debug_nodes.txt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_refuses_flags_as_kubectl_does() {
    check("debug_refuses.txt").await;
}
