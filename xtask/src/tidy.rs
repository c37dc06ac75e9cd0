//! Rules that the compiler does not check: the crates that each crate may build on, circles among files, Debug
//! placeholders in messages, the beginning and the length of files.

mod circles;
mod debug_formats;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::root;

/// The crates that each crate may build on. Arrows only go up this list; tests may use any crate, as long as cargo
/// finds no circle.
const EDGES: &[(&str, &[&str])] = &[
    ("klient-apimachinery", &[]),
    ("klient-structured-merge", &["klient-apimachinery"]),
    ("klient-klog", &["klient-apimachinery"]),
    ("klient-schema", &["klient-apimachinery"]),
    ("klient-api", &["klient-apimachinery", "klient-schema"]),
    (
        "klient-applyconfigurations",
        &["klient-api", "klient-apimachinery", "klient-schema", "klient-structured-merge"],
    ),
    ("klient-workqueue", &[]),
    ("klient-cache", &["klient-apimachinery", "klient-workqueue"]),
    ("klient-streams", &["klient-apimachinery"]),
    ("klient-client", &["klient-apimachinery", "klient-streams", "klient-workqueue"]),
    (
        "klient-certificate",
        &["klient-api", "klient-apimachinery", "klient-cache", "klient-client", "klient-workqueue"],
    ),
    ("klient-proxy", &["klient-apimachinery", "klient-client"]),
    ("klient-config-flags", &["klient-apimachinery", "klient-client"]),
    (
        "klient-gateway",
        &[
            "klient-apimachinery",
            "klient-cache",
            "klient-certificate",
            "klient-client",
            "klient-proxy",
            "klient-workqueue",
        ],
    ),
    (
        "klient-controller",
        &["klient-api", "klient-apimachinery", "klient-cache", "klient-client", "klient-workqueue"],
    ),
    (
        "klient-definitions",
        &["klient-api", "klient-apiextensions", "klient-apimachinery", "klient-client", "klient-controller"],
    ),
    ("klient-derive", &[]),
    ("klient-webhook", &["klient-api", "klient-apimachinery", "klient-certificate", "klient-client"]),
    ("klient-clientset", &["klient-api", "klient-apimachinery", "klient-cache", "klient-client"]),
    ("klient-cel", &["klient-apimachinery"]),
    ("klient-apis", &["klient-apimachinery", "klient-cel", "klient-schema", "klient-structured-merge"]),
    (
        "klient-apiextensions",
        &["klient-apimachinery", "klient-cel", "klient-schema", "klient-structured-merge"],
    ),
    (
        "klient-apiserver",
        &[
            "klient-apiextensions",
            "klient-apimachinery",
            "klient-apis",
            "klient-cel",
            "klient-schema",
            "klient-streams",
            "klient-structured-merge",
        ],
    ),
    ("klient-testing", &["klient-apimachinery", "klient-apiserver", "klient-client"]),
    (
        "klient",
        &[
            "klient-api",
            "klient-apimachinery",
            "klient-apiserver",
            "klient-applyconfigurations",
            "klient-cache",
            "klient-certificate",
            "klient-client",
            "klient-clientset",
            "klient-config-flags",
            "klient-controller",
            "klient-definitions",
            "klient-derive",
            "klient-gateway",
            "klient-klog",
            "klient-proxy",
            "klient-streams",
            "klient-structured-merge",
            "klient-testing",
            "klient-webhook",
            "klient-workqueue",
        ],
    ),
    ("klient-codegen", &[]),
    ("klient-generate", &["klient-apimachinery", "klient-codegen"]),
    (
        "klient-cli",
        &[
            "klient-api",
            "klient-apimachinery",
            "klient-apiserver",
            "klient-cache",
            "klient-client",
            "klient-config-flags",
            "klient-gateway",
            "klient-generate",
            "klient-klog",
            "klient-proxy",
            "klient-schema",
            "klient-streams",
            "klient-structured-merge",
            "klient-workqueue",
        ],
    ),
    (
        "klient-lamps",
        &["klient-api", "klient-apimachinery", "klient-client", "klient-definitions", "klient-webhook"],
    ),
    ("klient-sequences", &["klient-client", "klient-structured-merge"]),
    ("klient-values", &["klient-api", "klient-apimachinery"]),
    ("xtask", &["klient-codegen", "klient-generate"]),
];

/// A file longer than this holds two nouns.
const LINES: usize = 800;

/// Folders with names that say nothing of what they hold.
const EMPTY_NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];

/// Prints the circles that stay, and checks all rules.
#[allow(clippy::print_stdout, reason = "the list is what the task is for")]
pub(crate) fn run() -> Result<(), String> {
    let found = all_circles();
    for (name, circle) in &found {
        if let Some(reason) = circles::reason(name, circle) {
            println!("{name}: {} import each other: {reason}", circle.join(", "));
        }
    }
    check(&found)
}

/// Crates whose comments are in plain words: they begin with a noun or a verb.
const PLAIN: [&str; 26] = [
    "crates/api/",
    "crates/apiextensions/",
    "crates/apimachinery/",
    "crates/apis/",
    "crates/apiserver/",
    "crates/applyconfigurations/",
    "crates/cache/",
    "crates/certificate/",
    "crates/cli/",
    "crates/client/",
    "crates/clientset/",
    "crates/codegen/",
    "crates/config-flags/",
    "crates/controller/",
    "crates/gateway/",
    "crates/generate/",
    "crates/schema/",
    "crates/klient/",
    "crates/klog/",
    "crates/proxy/",
    "crates/streams/",
    "crates/structured-merge/",
    "crates/testing/",
    "crates/webhook/",
    "crates/workqueue/",
    "xtask/",
];

/// Beginnings of comments that put the reader off.
const INDIRECT: [&str; 8] = ["What ", "Who ", "How ", "Why ", "One who ", "Whether ", "Whose ", "Where "];

/// Checks all rules.
fn check(circles: &[(String, Vec<String>)]) -> Result<(), String> {
    let mut wrong = wrong_edges(&packages()?);
    let mut files = Vec::new();
    collect(&root().join("crates"), &mut files);
    collect(&root().join("e2e"), &mut files);
    collect(&root().join("xtask"), &mut files);
    for file in files {
        let text =
            fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let name = file.strip_prefix(root()).unwrap_or(&file).display().to_string();
        wrong.extend(wrong_file(&name, &text));
    }
    let stale = circles::stale(circles).into_iter();
    wrong.extend(stale.map(|circle| format!("{circle}: no circle any more: take it off the list")));
    for (name, circle) in circles {
        if circles::reason(name, circle).is_none() {
            wrong.push(format!("{name}: {} import each other", circle.join(", ")));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The circles of all crates, each with the crate's folder.
fn all_circles() -> Vec<(String, Vec<String>)> {
    let folders =
        fs::read_dir(root().join("crates")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.chain([root().join("xtask")]).collect();
    folders.sort();
    let mut all = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        all.extend(circles::circles(&folder.join("src")).into_iter().map(|circle| (name.clone(), circle)));
    }
    all
}

/// The workspace's packages, as cargo tells of them.
fn packages() -> Result<Vec<Value>, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        other => Err(format!("cargo metadata names no packages but {other}")),
    }
}

fn wrong_edges(packages: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = EDGES.iter().find(|(other, _)| *other == name) else {
            wrong.push(format!("{name} has no line in the table of edges in xtask/src/tidy.rs"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let built_on = dependencies.filter(|one| one["path"].is_string() && one["kind"] != "dev");
        for other in built_on.filter_map(|one| one["name"].as_str()) {
            if !allowed.contains(&other) {
                wrong.push(format!("{name} may not build on {other}: see the map in ARCHITECTURE.md"));
            }
        }
    }
    wrong
}

fn wrong_file(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if name.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part)) {
        wrong.push(format!("{name}: the name does not say what it holds"));
    }
    if name.contains("/generated") {
        return wrong;
    }
    // Programs that must not compile, and programs to read, may begin as they like.
    if name.contains("/src/") && !text.lines().take(8).any(|line| line.starts_with("//!")) {
        wrong.push(format!("{name}: begins without saying what it promises (//!)"));
    }
    if PLAIN.iter().any(|folder| name.starts_with(folder)) {
        let mut begins_sentence = true;
        for (number, line) in text.lines().enumerate() {
            let comment = line.trim_start();
            let comment = comment.strip_prefix("/// ").or_else(|| comment.strip_prefix("//! "));
            let begins = |word: &&&str| comment.is_some_and(|comment| comment.starts_with(**word));
            if begins_sentence && let Some(word) = INDIRECT.iter().find(begins) {
                wrong.push(format!(
                    "{name}:{}: begins with {word:?}: name the thing, or begin with a verb",
                    number + 1
                ));
            }
            begins_sentence = ends_a_sentence(line);
        }
    }
    wrong.extend(debug_formats::wrong(name, text));
    let lines = text.lines().count();
    if lines > LINES {
        wrong.push(format!("{name}: {lines} lines; split it by noun, below {LINES}"));
    }
    wrong
}

/// Returns true if a comment in the next line begins a sentence.
fn ends_a_sentence(line: &str) -> bool {
    let line = line.trim();
    let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
    comment.is_none_or(|comment| comment.is_empty() || comment.ends_with(['.', ':', '`']))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn the_workspace_keeps_its_rules() {
    if let Err(problem) = check(&all_circles()) {
        panic!("{problem}");
    }
}

#[test]
fn what_breaks_a_rule_is_named() {
    let package = serde_json::json!({
        "name": "klient-schema",
        "dependencies": [
            {"name": "klient-apimachinery", "path": "/", "kind": null},
            {"name": "klient-client", "path": "/", "kind": null},
            {"name": "klient-apiserver", "path": "/", "kind": "dev"},
        ],
    });
    let wrong = wrong_edges(&[package, serde_json::json!({"name": "klient-new", "dependencies": []})]);
    assert_eq!(
        wrong,
        [
            "klient-schema may not build on klient-client: see the map in ARCHITECTURE.md",
            "klient-new has no line in the table of edges in xtask/src/tidy.rs",
        ]
    );
    let long = format!("//! A noun.\n{}", "\n".repeat(LINES));
    assert_eq!(wrong_file("crates/a/src/noun.rs", &long).len(), 1);
    assert_eq!(wrong_file("crates/a/src/utils/noun.rs", "fn f() {}\n").len(), 2);
    let indirect = "//! A noun.\n\n/// What it is.\n/// How it goes on.\nfn f() {}\n";
    assert_eq!(
        wrong_file("crates/client/src/noun.rs", indirect),
        [
            "crates/client/src/noun.rs:3: begins with \"What \": name the thing, or begin with a verb",
            "crates/client/src/noun.rs:4: begins with \"How \": name the thing, or begin with a verb",
        ]
    );
}
