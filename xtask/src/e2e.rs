//! `cargo xtask e2e [--seed N] [--sequences N] [--steps N]`: the cases of server-side apply and those of the client on a
//! real kube-apiserver, then random sequences of writes on it and on the embedded server, and what they differ in.
//!
//! It needs Go, with which kube-apiserver is built when it is first run: ten minutes on two cores.

use std::process::Command;

use crate::root;
use crate::servers::{self, Server};

/// Tests that run on the server of `KLIENT_JUDGE`: their package, their module, and the message if one fails.
const CASES: [(&str, &str, &str); 2] = [
    (
        "klient-apiserver",
        "apply::",
        "the cases of server-side apply do not hold on kube-apiserver: see above",
    ),
    ("klient-client", "conformance::", "the cases of the client do not hold on kube-apiserver: see above"),
];

/// Plays sequences on both servers; the arguments are those of `klient-sequences`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let cargo = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(words).current_dir(root());
        command
    };
    let done = |mut command: Command, problem: &str| {
        let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
        if status.success() { Ok(()) } else { Err(problem.to_owned()) }
    };
    let build = ["build", "--quiet", "--package", "klient-cli", "--package", "klient-sequences"];
    done(cargo(&build), "klient cannot be built: see above")?;
    let folder = servers::folder();
    let upstream = Server::kube_apiserver(&folder)?;
    for (package, module, problem) in CASES {
        let mut cases = cargo(&["test", "--quiet", "--package", package, "--test", "it", "--", module]);
        cases.arg("--test-threads=1").env("KLIENT_JUDGE", &upstream.kubeconfig);
        done(cases, problem)?;
    }
    let klient = root().join("target/debug/klient");
    let embedded = Server::embedded(&klient, &folder)?;
    let mut play = cargo(&["run", "--quiet", "--package", "klient-sequences", "--", "--server"]);
    play.arg(&embedded.kubeconfig).arg("--upstream").arg(&upstream.kubeconfig).args(arguments);
    done(play, "the servers differ: see above")
}
