//! Writing, checking and importing what the generators work on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use klient_codegen::{Facts, GeneratedFile, Package, features, generate};
use serde_json::Value;

use crate::root;

const FACTS: &str = "crates/codegen/specs/kubernetes.facts";
/// Facts about the OpenAPI documents of kube-apiserver, for a test of those of the embedded server.
const OPENAPI: &str = "crates/apiserver/tests/it/openapi/documents.facts";
const DOCUMENTATION: &str = "crates/codegen/specs/kubernetes.docs";

/// Crates with generated code.
const CRATES: [&str; 5] = ["apimachinery", "api", "applyconfigurations", "clientset", "schema"];

/// Crates whose features are the API groups.
const FEATURED: [&str; 4] = ["api", "applyconfigurations", "clientset", "klient"];

/// The objects a new cluster has, as the embedded server makes them.
const BOOTSTRAP: &str = "crates/apiserver/src/bootstrap.jsonl";

/// Makes the facts file, and the objects of a new cluster, from the documents in `directory`.
pub(crate) fn import(directory: &str) -> Result<(), String> {
    let directory = Path::new(directory);
    let facts = klient_codegen::import(directory).map_err(|error| error.to_string())?;
    write_file(&root().join(FACTS), &facts.to_string())?;
    let objects = klient_codegen::import_bootstrap(directory).map_err(|error| error.to_string())?;
    write_file(&root().join(BOOTSTRAP), &objects)
}

/// Makes the facts about OpenAPI documents: of v3 from the files in a directory, `api/openapi-spec/v3` of
/// k8s.io/kubernetes, and of v2 from a file, `/openapi/v2` of a server. They are about what a server serves by default.
pub(crate) fn openapi(v3: &str, v2: &str) -> Result<(), String> {
    let facts = Facts::parse(&read(FACTS)?).map_err(|error| error.to_string())?;
    let mut documents = BTreeMap::new();
    let entries = fs::read_dir(v3).map_err(|error| format!("cannot read {v3}: {error}"))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("cannot read {v3}: {error}"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.trim_end_matches("_openapi.json").replace("__", "/");
        let served = |package: &Package| {
            let group_version = name.strip_prefix("apis/").or_else(|| name.strip_prefix("api/"));
            package.served
                && group_version.is_some_and(|name| name == package.api_version() || name == package.group)
        };
        let is_other = !name.starts_with("apis/") && !name.starts_with("api/") && name != "logs";
        if is_other || facts.packages.iter().any(served) {
            documents.insert(name, json(&path)?);
        }
    }
    let facts = klient_codegen::openapi_facts(&documents, &json(Path::new(v2))?);
    write_file(&root().join(OPENAPI), &facts)
}

fn json(path: &Path) -> Result<Value, String> {
    let text = fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes all generated code.
pub(crate) fn write() -> Result<(), String> {
    let files = files()?;
    for stale in stale(&files) {
        fs::remove_file(&stale).map_err(|error| format!("cannot remove {}: {error}", stale.display()))?;
    }
    for file in files {
        let path = root().join(&file.path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&file.text) {
            write_file(&path, &file.text)?;
        }
    }
    Ok(())
}

/// Fails if the generated code is not what the generators would write.
pub(crate) fn check() -> Result<(), String> {
    let files = files()?;
    let mut wrong: Vec<String> = stale(&files).iter().map(|path| path.display().to_string()).collect();
    for file in files {
        if fs::read_to_string(root().join(&file.path)).ok().as_ref() != Some(&file.text) {
            wrong.push(file.path);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("not what the facts give; run `cargo xtask codegen`:\n  {}", wrong.join("\n  ")))
}

fn files() -> Result<Vec<GeneratedFile>, String> {
    let mut facts = Facts::parse(&read(FACTS)?).map_err(|error| error.to_string())?;
    facts.document(&read(DOCUMENTATION)?).map_err(|error| error.to_string())?;
    let mut files = generate(&facts);
    for file in &mut files {
        file.text = format(&file.text).map_err(|problem| format!("{}: {problem}", file.path))?;
    }
    for name in FEATURED {
        files.push(manifest(&facts, name)?);
    }
    Ok(files)
}

/// The manifest of a crate whose features are the API groups.
fn manifest(facts: &Facts, name: &str) -> Result<GeneratedFile, String> {
    const MARK: &str = "# Features are written by cargo xtask codegen.\n";
    let path = format!("crates/{name}/Cargo.toml");
    let text = read(&path)?;
    let (head, _) = text.split_once(MARK).ok_or_else(|| format!("{path} has no line {MARK:?}"))?;
    Ok(GeneratedFile { path, text: format!("{head}{MARK}{}", features(facts, name)) })
}

/// Generated files that the generators no longer write.
fn stale(files: &[GeneratedFile]) -> Vec<PathBuf> {
    let wanted: BTreeSet<PathBuf> = files.iter().map(|file| root().join(&file.path)).collect();
    let mut found = Vec::new();
    for name in CRATES {
        collect(&root().join("crates").join(name).join("src/generated"), &mut found);
    }
    found.retain(|path| !wanted.contains(path));
    found
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn format(text: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root().join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run rustfmt: {error}"))?;
    let mut input = rustfmt.stdin.take().ok_or("rustfmt has no input")?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = rustfmt.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    writer.join().map_err(|_| "rustfmt's input")?.map_err(|error| format!("rustfmt: {error}"))?;
    if !output.status.success() {
        return Err("rustfmt refuses it".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("cannot read {path}: {error}"))
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(problem)?;
    }
    fs::write(path, text).map_err(problem)
}

#[test]
fn generated_code_is_what_the_facts_give() {
    if let Err(problem) = check() {
        panic!("{problem}");
    }
}
