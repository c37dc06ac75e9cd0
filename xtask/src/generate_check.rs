//! `cargo xtask generate-check [--apply-configurations] DIR [PROJECT...]`: the generator of custom resources on the
//! definitions of projects.
//!
//! Each folder of DIR has the definitions of a project. Their code is generated, formatted by rustfmt without a change,
//! and compiled into a program that writes an object of each kind, with every field, to an embedded server and reads it as
//! the generated type; or that applies it with its apply configuration, and extracts that from the object. A line per
//! project has the figures: the times are those of the processor, for the library that has the code alone, and for the
//! program, for which the code of all kinds is instantiated.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use klient_generate::{Generated, Options, generate, read};

use crate::bench::children_seconds;
use crate::root;

const ROUND_TRIP: &str = "crates/generate/tests/it/round_trip.rs";

/// Checks the projects in a folder, or those that are named.
#[allow(clippy::print_stdout, reason = "the table is what the task is for")]
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (has_apply, arguments) = match arguments {
        ["--apply-configurations", arguments @ ..] => (true, arguments),
        arguments => (false, arguments),
    };
    let [folder, names @ ..] = arguments else {
        return Err("generate-check needs the folder with the definitions of projects".to_owned());
    };
    let folder = fs::canonicalize(folder).map_err(|error| format!("{folder}: {error}"))?;
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut projects: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    projects.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    projects.retain(|path| names.is_empty() || names.contains(&name(path).as_str()));
    let workspace = root().join("target/generate-check");
    prepare(&workspace)?;
    println!(
        "| project | definitions | kinds and versions | lines | code | program | round trips |\n|---|---|---|---|---|---|---|"
    );
    for project in projects {
        println!("{}", check(&workspace, &project, &name(&project), has_apply)?);
    }
    Ok(())
}

/// Writes a workspace whose first member has the dependencies only, so that a project's time is its own. It has the folder of
/// artifacts and the profile of this workspace, which has built most of them.
fn prepare(workspace: &Path) -> Result<(), String> {
    // What a run that was ended has left may be no package.
    if workspace.exists() {
        fs::remove_dir_all(workspace).map_err(|error| format!("{}: {error}", workspace.display()))?;
    }
    write(
        &workspace.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n",
    )?;
    // The options that rustfmt has by default.
    write(&workspace.join("rustfmt.toml"), "")?;
    let lock = fs::read_to_string(root().join("Cargo.lock")).map_err(|error| error.to_string())?;
    write(&workspace.join("Cargo.lock"), &lock)?;
    member(workspace, "dependencies", "", "fn main() {}\n")?;
    cargo(workspace, &["build", "--package", "dependencies"]).map(|_| ())
}

fn member(workspace: &Path, name: &str, library: &str, program: &str) -> Result<(), String> {
    let klient = root().join("crates/klient");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         klient = {{ path = \"{}\", default-features = false, features = [\"apiextensions\", \"apiserver\", \"apply-derive\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
        klient.display()
    );
    write(&workspace.join(name).join("Cargo.toml"), &manifest)?;
    write(&workspace.join(name).join("src/lib.rs"), library)?;
    write(&workspace.join(name).join("src/main.rs"), program)
}

fn check(workspace: &Path, project: &Path, name: &str, has_apply: bool) -> Result<String, String> {
    let definitions = read([project]).map_err(|error| error.to_string())?;
    let options = Options {
        command: "klient generate".to_owned(),
        apply_configurations: has_apply,
        ..Default::default()
    };
    let generated = generate(&definitions, &options).map_err(|error| error.to_string())?;
    let crds = workspace.join(name).join("src/crds");
    generated.write(&crds).map_err(|error| error.to_string())?;
    format(workspace, &generated)?;
    let kinds = kinds(&generated);
    let library = name.replace('-', "_");
    member(workspace, name, "pub mod crds;\n", &program(project, &library, &kinds, has_apply))?;
    let of_code = cargo(workspace, &["build", "--package", name, "--lib"])?;
    let of_program = cargo(workspace, &["build", "--package", name])?;
    let program = Command::new(root().join("target/debug").join(name)).output();
    let output = program.map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let lines: usize = generated.files().iter().map(|file| file.text.lines().count()).sum();
    let values = String::from_utf8_lossy(&output.stdout);
    Ok(format!(
        "| {name} | {} | {} | {lines} | {of_code:.1} s | {of_program:.1} s | {} |",
        definitions.len(),
        kinds.len(),
        values.trim()
    ))
}

/// Formats the files, which must not change them.
fn format(workspace: &Path, generated: &Generated) -> Result<(), String> {
    let file = workspace.join("formatted.rs");
    let single = ("one file", generated.single_file());
    let files = generated.files().iter().filter(|file| file.path != "mod.rs");
    for (name, text) in files.map(|file| (file.path.as_str(), file.text.as_str())).chain([single]) {
        let lines: Vec<&str> = text.lines().filter(|line| line.trim() != "#[rustfmt::skip]").collect();
        write(&file, &(lines.join("\n") + "\n"))?;
        let mut rustfmt = Command::new("rustfmt");
        let output = rustfmt.args(["--check", "--edition", "2024"]).arg(&file).output();
        let output = output.map_err(|error| format!("cannot run rustfmt: {error}"))?;
        if !output.status.success() {
            let shown =
                String::from_utf8_lossy(&output.stdout).lines().take(40).collect::<Vec<_>>().join("\n");
            return Err(format!(
                "{name} is not formatted:\n{shown}\n{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    Ok(())
}

/// A generated kind.
struct Kind {
    path: String,
    is_namespaced: bool,
}

/// The generated kinds.
fn kinds(generated: &Generated) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for file in generated.files() {
        let module = file.path.trim_end_matches(".rs").replace('/', "::");
        for kind in file.text.split("custom_resource! {").skip(1) {
            let name = kind.split("pub struct ").nth(1).and_then(|rest| rest.split([' ', '{']).next());
            let is_namespaced = kind.contains("scope: Namespaced,");
            kinds.extend(name.map(|name| Kind { path: format!("crds::{module}::{name}"), is_namespaced }));
        }
    }
    kinds
}

/// A program that writes and reads an object of each kind, or applies and extracts it.
fn program(project: &Path, library: &str, kinds: &[Kind], has_apply: bool) -> String {
    let mut program = format!(
        "use {library}::crds;\n\n#[path = {:?}]\n#[allow(dead_code)]\nmod round_trip;\n\n#[tokio::main]\nasync fn main() {{\n    \
         let definitions = round_trip::definitions(std::path::Path::new({project:?}));\n    let mut values = 0;\n",
        root().join(ROUND_TRIP)
    );
    for Kind { path, is_namespaced } in kinds {
        let call = match has_apply {
            false => format!("round_trip::<{path}>(&definitions)"),
            true => {
                let place = if *is_namespaced { ".namespace(\"default\")" } else { "" };
                format!(
                    "apply(&definitions, |client, configuration, options| client.api::<{path}>(){place}\
                     .apply(configuration, options), {path}ApplyConfiguration::extract)"
                )
            }
        };
        writeln!(program, "    values += round_trip::{call}.await;").expect("String");
    }
    program.push_str("    println!(\"{values} values\");\n}\n");
    program
}

/// Runs cargo, and returns the seconds of processor time.
fn cargo(workspace: &Path, arguments: &[&str]) -> Result<f64, String> {
    let before = children_seconds()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("--quiet").args(arguments).current_dir(workspace);
    cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_TARGET_DIR", root().join("target"));
    let output = cargo.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    match output.status.success() {
        true => Ok(children_seconds()? - before),
        false => Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().expect("a file is in a folder");
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
