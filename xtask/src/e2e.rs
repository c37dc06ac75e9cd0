//! `cargo xtask e2e [--seed N] [--sequences N] [--steps N]`: the cases of server-side apply, of admission, of statuses, of
//! the client, of derived kinds and of the gateway's manifests on a real kube-apiserver, then, on it and on the embedded
//! server, random sequences of writes and programs of other libraries, and what the servers differ in. `cargo xtask e2e
//! programs [NAME]` runs the programs alone.
//!
//! It needs Go, with which kube-apiserver is built when it is first run: ten minutes on two cores.

pub(crate) mod programs;

use std::process::Command;

use crate::root;
use crate::servers::{self, Server};

/// Tests that run on the server of `KLIENT_JUDGE`: the arguments of `cargo test`, and what they are.
const CASES: [(&[&str], &str); 6] = [
    (&["--package", "klient-apiserver", "--test", "it", "apply::"], "server-side apply"),
    (&["--package", "klient-apiserver", "--test", "it", "admission::"], "admission"),
    (&["--package", "klient-apiserver", "--test", "it", "statuses::"], "the status of built-in kinds"),
    (&["--package", "klient-client", "--features", "streams", "--test", "it", "conformance::"], "the client"),
    (&["--package", "klient", "--features", "derive,webhook", "--test", "derive"], "derived kinds"),
    (&["--package", "klient-gateway", "--test", "it", "deployed::"], "the manifests of the gateway"),
];

/// Runs all; the arguments are those of `klient-sequences`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let servers = Servers::start()?;
    for (tests, subject) in CASES {
        let mut cases = cargo(&["test", "--quiet"]);
        cases.args(tests).args(["--", "--test-threads=1"]);
        cases.env("KLIENT_JUDGE", &servers.upstream.kubeconfig);
        done(cases, &format!("the cases of {subject} do not hold on kube-apiserver: see above"))?;
    }
    let play = |more: &[&str], problem: &str| {
        let mut play = cargo(&["run", "--quiet", "--package", "klient-sequences", "--", "--server"]);
        play.arg(&servers.embedded.kubeconfig).arg("--upstream").arg(&servers.upstream.kubeconfig);
        play.args(arguments).args(more);
        done(play, problem)
    };
    let played = [
        play(&[], "the servers differ for sequences: see above"),
        play(&["--webhooks"], "the servers differ for sequences with webhooks: see above"),
        programs::run(&[], &servers),
    ];
    let problems: Vec<String> = played.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Runs the programs of these names, or all of them without a name.
pub(crate) fn programs(names: &[&str]) -> Result<(), String> {
    programs::run(names, &Servers::start()?)
}

/// The server that is compared, and the one whose answers are right, with nothing in them.
struct Servers {
    embedded: Server,
    upstream: Server,
}

impl Servers {
    fn start() -> Result<Servers, String> {
        let build = ["build", "--quiet", "--package", "klient-cli", "--package", "klient-sequences"];
        done(cargo(&build), "klient cannot be built: see above")?;
        let folder = servers::folder();
        let upstream = Server::kube_apiserver(&folder)?;
        let embedded = Server::embedded(&root().join("target/debug/klient"), &folder)?;
        Ok(Servers { embedded, upstream })
    }
}

pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).current_dir(root());
    command
}

pub(crate) fn done(mut command: Command, problem: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot run it: {error}"))?;
    if status.success() { Ok(()) } else { Err(problem.to_owned()) }
}
