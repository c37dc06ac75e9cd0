//! `cargo xtask e2e streams`: klient's ends of exec and port-forward against those of client-go and of kubelet's server, and
//! the embedded server against those of kube.
//!
//! It needs Go, with which the first are built.

use std::process::Command;

use crate::e2e::{self, programs};
use crate::servers::{self, Server};
use crate::{go, root};

/// Builds the ends in Go, and runs the tests against them.
pub(crate) fn run() -> Result<(), String> {
    let program = go::build("streams")?;
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "klient-streams", "--test", "it", "--"])
        .args(["--ignored", "--nocapture", "beside_go::"])
        .env("KLIENT_GO_STREAMS", &program)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("klient and Go do not understand each other: see above".to_owned());
    }
    kube()
}

/// Runs commands and forwards ports by kube, in the built-in containers of an embedded server.
fn kube() -> Result<(), String> {
    e2e::done(
        e2e::cargo(&["build", "--quiet", "--package", "klient-cli"]),
        "klient cannot be built: see above",
    )?;
    let program = programs::cargo("kube")?;
    let server = Server::with_containers(&root().join("target/debug/klient"), &servers::folder())?;
    let mut play = Command::new(program);
    play.arg("containers").env("KUBECONFIG", &server.kubeconfig);
    e2e::done(play, "klient and kube do not understand each other: see above")
}
