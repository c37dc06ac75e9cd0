//! `cargo xtask bench client`: single requests, large lists, discovery, the start of a program, and the cost of each layer
//! of a request.

mod discovery;
mod first_byte;

use super::build::cargo;
use super::peer::Peer;
use super::runs::{in_turn, pair};
use super::{Bench, DATA, Row, Rows, record};
use crate::root;
use crate::servers::{self, Server};

/// Namespaces that are listed.
const NAMESPACES: usize = 30_000;

/// Requests of a run with one in flight, and with 64.
const IN_FLIGHT: [(usize, usize); 2] = [(1, 5_000), (64, 40_000)];

/// The targets at 64 in flight: requests per second, and CPU per request, beside client-go's and kube's.
const RATES: [f64; 2] = [4.0, 1.6];
const CPU: [f64; 2] = [0.2, 0.6];

pub(crate) fn client() -> Result<(), String> {
    let bench = Bench::build()?;
    bench.dump(1_000)?;
    let with_metrics = with_metrics(&bench)?;
    let mut rows = Rows::default();

    let serving = bench.serve()?;
    // The server makes its pods when they are first asked for.
    bench.klient.run("list --n 1000 --enc pb")?;
    for (conc, count) in IN_FLIGHT {
        for (transport, flags) in [("HTTP", ""), ("TLS", " --tls")] {
            gets(&bench, (transport, flags), conc, count, &mut rows)?;
        }
    }
    layers(&bench, &with_metrics, &mut rows)?;
    drop(serving);

    cargo(&root(), &["build", "--release", "--package", "klient-cli"])?;
    let embedded = Server::embedded(&root().join("target/release/klient"), &servers::folder())?;
    namespaces(&bench, &embedded, &mut rows)?;
    discovery::discovery(&bench, &embedded, &mut rows)?;
    first_byte::first_byte(&bench, &embedded, &mut rows)?;
    record("client", &rows)
}

/// Builds klient's program once more, with the metrics of the client compiled in.
fn with_metrics(bench: &Bench) -> Result<Peer, String> {
    let arguments = [
        "build",
        "--release",
        "--package",
        "klient-bench",
        "--features",
        "metrics",
        "--target-dir",
        "target/metrics",
    ];
    cargo(&bench.folder, &arguments)?;
    Ok(Peer::new(bench.folder.join("target/metrics/release/klient-bench"), &bench.folder))
}

/// Gets beside the peers: over HTTP/1.1, which all of them speak without TLS, or over HTTP/2 with TLS.
fn gets(
    bench: &Bench,
    (transport, flags): (&str, &str),
    conc: usize,
    count: usize,
    rows: &mut Rows,
) -> Result<(), String> {
    let words = format!("get --n 1000 --count {count} --conc {conc} --data {DATA}{flags}");
    // Go's flags are switched on by their name alone.
    let [klient, client_go, kube] =
        in_turn([(&bench.klient, &*words), (&bench.client_go, &*words), (&bench.kube, &*words)])?;
    for (index, (peer, name)) in [(client_go, "client-go"), (kube, "kube")].into_iter().enumerate() {
        let figure = |figure| Ok::<_, String>((klient.median(figure)?, peer.median(figure)?));
        let (ours, theirs) = figure("req_per_s")?;
        let title = format!("gets per s over {transport}, {conc} in flight, {name}");
        let is_target = conc > 1;
        rows.push(match is_target {
            true => Row::rate(title, ours, theirs, RATES[index]),
            false => Row::told(title, ours, theirs),
        });
        let (ours, theirs) = figure("cpu_us_per_req")?;
        let title = format!("CPU µs per get over {transport}, {conc} in flight, {name}");
        rows.push(match is_target {
            true => Row::ratio(title, ours, theirs, CPU[index]),
            false => Row::told(title, ours, theirs),
        });
    }
    Ok(())
}

/// The CPU of a get with one layer, beside one without.
fn layers(bench: &Bench, with_metrics: &Peer, rows: &mut Rows) -> Result<(), String> {
    let words = format!("get --n 1000 --count 40000 --conc 64 --tls --data {DATA}");
    let figure = "cpu_us_per_req";
    for (name, peer, flags) in [
        ("a rate limiter", &bench.klient, " --layer limiter"),
        ("spans", &bench.klient, " --layer spans"),
        ("the HTTP trace", &bench.klient, " --layer trace"),
        ("metrics without a recorder", with_metrics, ""),
        ("metrics with a recorder", with_metrics, " --layer recorder"),
    ] {
        let layered = format!("{words}{flags}");
        let (with, without) = pair((peer, &layered, figure), (&bench.klient, &words, figure))?;
        rows.push(Row::told(format!("CPU µs per get with {name}, without"), with, without));
    }
    Ok(())
}

/// Lists of many namespaces.
fn namespaces(bench: &Bench, server: &Server, rows: &mut Rows) -> Result<(), String> {
    let words = format!("namespaces --kubeconfig {} --count {NAMESPACES}", server.kubeconfig.display());
    bench.klient.run(&format!("{words} --fill"))?;
    for (pages, flags) in [("whole", ""), ("in pages of 500", " --page 500")] {
        let words = format!("{words}{flags}");
        let [klient, client_go, kube] =
            in_turn([(&bench.klient, &*words), (&bench.client_go, &*words), (&bench.kube, &*words)])?;
        for (peer, name) in [(client_go, "client-go"), (kube, "kube")] {
            for (figure, unit) in [("wall_ms", "ms"), ("cpu_ms", "CPU ms")] {
                let title = format!("list of {NAMESPACES} namespaces {pages}, {unit}, {name}");
                rows.push(Row::told(title, klient.median(figure)?, peer.median(figure)?));
            }
        }
    }
    Ok(())
}
