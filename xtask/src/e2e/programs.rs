//! Programs of other libraries and of klient, whose output is the same on both servers.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Servers;
use crate::servers::{self, Server};
use crate::{go, root};

/// All programs.
const PROGRAMS: [Program; 4] = [
    Program { name: "kube", build: || cargo("kube") },
    Program { name: "helm", build: || go::build("helm") },
    Program { name: "webhooks", build: || go::build("webhooks") },
    Program { name: "lamps", build: || member("lamps") },
];

/// Runs the programs of these names, or all of them without a name, and tells the problems of all.
pub(super) fn run(names: &[&str], servers: &Servers) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| PROGRAMS.iter().all(|program| program.name != **name)) {
        return Err(format!("there is no program {unknown} in e2e"));
    }
    let chosen = PROGRAMS.iter().filter(|program| names.is_empty() || names.contains(&program.name));
    let problems: Vec<String> = chosen.filter_map(|program| program.run(servers).err()).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// A program in a folder of `e2e/`. It writes and reads objects on the server of `$KUBECONFIG`, prints
/// the answers without what no two servers have in common, and fails only if it cannot go on.
struct Program {
    name: &'static str,
    build: fn() -> Result<PathBuf, String>,
}

impl Program {
    /// Builds it, and runs it on both servers.
    #[allow(clippy::print_stdout, reason = "the differences are what the task is for")]
    fn run(&self, servers: &Servers) -> Result<(), String> {
        let program = (self.build)()?;
        let ours = self.play(&program, &servers.embedded, "klient")?;
        let theirs = self.play(&program, &servers.upstream, "kube-apiserver")?;
        let differences = differences(&ours, &theirs);
        if differences.is_empty() {
            println!("e2e/{}: {} lines, the same on both servers", self.name, theirs.lines().count());
            return Ok(());
        }
        println!("{}", differences.join("\n"));
        Err(format!("the servers differ for e2e/{}: see above", self.name))
    }

    /// Runs it on a server, keeps its output beside the servers, and returns it.
    fn play(&self, program: &PathBuf, server: &Server, on: &str) -> Result<String, String> {
        let name = self.name;
        let output = Command::new(program)
            .env("KUBECONFIG", &server.kubeconfig)
            .current_dir(root().join("e2e").join(name))
            .output()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let kept = servers::folder().join(format!("{name}.{on}.txt"));
        fs::write(&kept, &output.stdout)
            .map_err(|error| format!("cannot write {}: {error}", kept.display()))?;
        if !output.status.success() {
            let (status, stderr) = (output.status, String::from_utf8_lossy(&output.stderr));
            return Err(format!(
                "e2e/{name} has ended with {status} on {on}, after what is in {}: {stderr}",
                kept.display()
            ));
        }
        String::from_utf8(output.stdout).map_err(|error| format!("e2e/{name} on {on}: {error}"))
    }
}

/// Builds a program in Rust, which is a workspace of its own.
pub(crate) fn cargo(name: &str) -> Result<PathBuf, String> {
    let folder = root().join("e2e").join(name);
    let mut build = super::cargo(&["build", "--quiet"]);
    build.current_dir(&folder);
    super::done(build, &format!("e2e/{name} cannot be built: see above"))?;
    Ok(folder.join(format!("target/debug/e2e-{name}")))
}

/// Builds a program in Rust that is a member of this workspace.
fn member(name: &str) -> Result<PathBuf, String> {
    let package = format!("klient-{name}");
    let build = super::cargo(&["build", "--quiet", "--package", &package]);
    super::done(build, &format!("e2e/{name} cannot be built: see above"))?;
    Ok(root().join("target/debug").join(package))
}

/// The lines that differ, of `-` the embedded server and of `+` kube-apiserver. Programs print the same number of lines, or
/// have gone apart.
fn differences(ours: &str, theirs: &str) -> Vec<String> {
    let (mut ours, mut theirs) = (ours.lines(), theirs.lines());
    let mut lines = Vec::new();
    loop {
        let (one, other) = (ours.next(), theirs.next());
        if one.is_none() && other.is_none() {
            return lines;
        }
        if one != other {
            lines.extend(one.map(|line| format!("- {line}")));
            lines.extend(other.map(|line| format!("+ {line}")));
        }
    }
}

#[test]
fn lines_that_differ_are_told_of_both_servers() {
    assert!(differences("a\nb\n", "a\nb\n").is_empty());
    assert_eq!(differences("a\nb\nc\n", "a\nB\n"), ["- b", "+ B", "- c"]);
}
