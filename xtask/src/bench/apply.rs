//! `cargo xtask bench apply`: server-side apply in process and over HTTP, and three-way patches, beside Go's.

use super::build::cargo;
use super::runs::{median, pair};
use super::{Bench, DATA, Row, Rows, record};
use crate::root;
use crate::servers::{self, Server};

/// The target ratio of the embedded server's applies per second to those of kube-apiserver.
const REACH: f64 = 5.0;

pub(crate) fn apply() -> Result<(), String> {
    let bench = Bench::build()?;
    let (klient, client_go) = (&bench.klient, &bench.client_go);
    klient.run(&format!("apply-data --data {DATA}"))?;
    let mut rows = Rows::default();
    for (what, name) in [
        ("deployment", "apply of an unchanged Deployment with 10 managers, µs, Go"),
        ("list", "apply of an unchanged list of 1,000 by key, µs, Go"),
    ] {
        let words = format!("apply --what {what} --data {DATA}");
        let (ours, theirs) = pair((klient, &words, "us"), (client_go, &words, "us"))?;
        rows.push(Row::told(name, ours, theirs));
    }
    let words = format!("three-way --data {DATA}");
    let (ours, theirs) = pair((klient, &words, "us"), (client_go, &words, "us"))?;
    rows.push(Row::told("three-way patch of a CustomResourceDefinition of 350 KB, µs, Go", ours, theirs));

    cargo(&root(), &["build", "--release", "--package", "klient-cli"])?;
    let folder = servers::folder();
    let upstream = Server::kube_apiserver(&folder)?;
    let embedded = Server::embedded(&root().join("target/release/klient"), &folder)?;
    for (flag, what) in [("--changes", "changing"), ("", "unchanged")] {
        for clients in [1, 16] {
            let words = |server: &Server| {
                format!("apply-http {flag} --clients {clients} --kubeconfig {}", server.kubeconfig.display())
            };
            // The same load, one server after the other: they share the processors with it.
            let ours = median(klient, &words(&embedded), "per_second")?;
            let theirs = median(klient, &words(&upstream), "per_second")?;
            let name = format!("{what} applies per s over HTTP, {clients} clients, kube-apiserver");
            rows.push(Row::rate(name, ours, theirs, REACH));
        }
    }
    record("apply", &rows)
}
