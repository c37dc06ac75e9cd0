//! `cargo xtask bench controller`: a controller of custom resources, from a cold start and at rest, beside those of
//! controller-runtime and kube.
//!
//! All runs begin with the same files of a kube-apiserver, which is started for each.

use super::peer::Peer;
use super::row::{Row, Rows};
use super::runs::{RUNS, Runs};
use super::{Bench, go, record};
use crate::servers::{self, Server};

/// The custom resources.
const COUNT: usize = 10_000;

/// The changes whose time to a reconcile is measured.
const CHANGES: usize = 500;

/// The targets: CPU beside the better of the peers, and memory beside controller-runtime.
const CPU: f64 = 0.5;
const MEMORY: f64 = 0.25;

/// The files of a kube-apiserver with the custom resources and nothing else.
const FILLED: &str = "widgets";

/// The runs of a program: those that find nothing done, and those that find all done.
#[derive(Default)]
struct Starts {
    cold: Runs,
    warm: Runs,
}

pub(crate) fn controller() -> Result<(), String> {
    let bench = Bench::build()?;
    let controller_runtime = go(&bench.folder, "controller-runtime")?;
    let folder = servers::folder();
    let server = Server::kube_apiserver(&folder)?;
    bench.klient.run(&format!("{} --fill", words("widgets", &server)))?;
    server.end(&folder, FILLED)?;

    let peers = [&bench.klient, &controller_runtime, &bench.kube];
    let mut starts: [Starts; 3] = Default::default();
    for _ in 0..RUNS {
        for (peer, starts) in peers.iter().zip(&mut starts) {
            let server = Server::kube_apiserver_again(&folder, FILLED)?;
            run(&bench, peer, &server, starts)?;
        }
    }
    let mut rows = Rows::default();
    compare(&starts, &mut rows)?;
    record("controller", &rows)
}

fn words(case: &str, server: &Server) -> String {
    format!("{case} --kubeconfig {} --count {COUNT}", server.kubeconfig.display())
}

/// Runs a controller twice: it finds nothing done, and then all done, after which objects change.
fn run(bench: &Bench, peer: &Peer, server: &Server, starts: &mut Starts) -> Result<(), String> {
    let (controller, widgets) = (words("controller", server), words("widgets", server));
    starts.cold.push(&peer.run(&controller)?)?;
    bench.klient.run(&widgets)?;
    let changes = format!("--changes {CHANGES}");
    let change = || bench.klient.run(&format!("{widgets} {changes}")).map(drop);
    starts.warm.push(&peer.run_beside(&format!("{controller} {changes}"), change)?)?;
    bench.klient.run(&widgets).map(drop)
}

fn compare([klient, controller_runtime, kube]: &[Starts; 3], rows: &mut Rows) -> Result<(), String> {
    type Of = fn(&Starts) -> &Runs;
    let (cold, warm): (Of, Of) = (|starts| &starts.cold, |starts| &starts.warm);
    for (of, start) in [(cold, "cold"), (warm, "warm")] {
        let figures = |figure| {
            let of = |starts| of(starts).median(figure);
            Ok::<_, String>((of(klient)?, [of(controller_runtime)?, of(kube)?]))
        };
        for (figure, unit) in [
            ("wall_ms", "ms until all are done"),
            ("cpu_ms", "CPU ms"),
            ("peak_rss_kb", "KiB resident at most"),
            ("rest_rss_kb", "KiB resident at rest"),
            ("steady_rss_kb", "KiB resident, what is free given back"),
            ("reconciles", "reconciles"),
            ("failed", "reconciles that fail"),
        ] {
            let (ours, theirs) = figures(figure)?;
            let better = theirs[0].min(theirs[1]);
            for (index, (theirs, peer)) in theirs.into_iter().zip(["controller-runtime", "kube"]).enumerate()
            {
                // Such as failures where there are none.
                if theirs == 0.0 {
                    continue;
                }
                let name = format!("{COUNT} resources, {start} start, {unit}, {peer}");
                rows.push(match figure {
                    "cpu_ms" if theirs == better => Row::ratio(name, ours, theirs, CPU),
                    "peak_rss_kb" | "rest_rss_kb" if index == 0 => Row::ratio(name, ours, theirs, MEMORY),
                    _ => Row::told(name, ours, theirs),
                });
            }
        }
    }
    for (figure, unit) in
        [("p50_us", "p50 µs"), ("p99_us", "p99 µs"), ("cpu_us_per_change", "CPU µs per change")]
    {
        let ours = klient.warm.median(figure)?;
        for (starts, peer) in [(controller_runtime, "controller-runtime"), (kube, "kube")] {
            let name = format!("from a change to its reconcile, {unit}, {peer}");
            rows.push(Row::told(name, ours, starts.warm.median(figure)?));
        }
    }
    Ok(())
}
