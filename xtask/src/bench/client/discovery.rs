//! Discovery of many groups of custom resources, from the server and from a cache on disk.

use std::fs;

use crate::bench::peer::Peer;
use crate::bench::row::{Row, Rows};
use crate::bench::runs::in_turn;
use crate::bench::{Bench, DATA};
use crate::servers::Server;

const GROUPS: usize = 100;

/// The target beside client-go.
const RATIO: f64 = 0.2;

/// Measures discovery beside the peers; kube has no cache on disk.
pub(super) fn discovery(bench: &Bench, server: &Server, rows: &mut Rows) -> Result<(), String> {
    let words = format!("discovery --kubeconfig {} --groups {GROUPS}", server.kubeconfig.display());
    bench.klient.run(&format!("{words} --fill"))?;
    let [klient, client_go, kube] =
        in_turn([(&bench.klient, &*words), (&bench.client_go, &*words), (&bench.kube, &*words)])?;
    for (figure, unit) in [("wall_ms", "ms"), ("cpu_ms", "CPU ms")] {
        let title = |peer| format!("discovery of {GROUPS} groups, {unit}, {peer}");
        let ours = klient.median(figure)?;
        rows.push(Row::ratio(title("client-go"), ours, client_go.median(figure)?, RATIO));
        rows.push(Row::told(title("kube"), ours, kube.median(figure)?));
    }

    let cached = |peer: &Peer, name: &str| -> Result<String, String> {
        let folder = format!("{DATA}/discovery-{name}");
        // There is none the first time.
        let _ = fs::remove_dir_all(bench.folder.join(&folder));
        let words = format!("{words} --cache {folder}");
        peer.run(&words)?;
        Ok(words)
    };
    let (ours, theirs) = (cached(&bench.klient, "klient")?, cached(&bench.client_go, "client-go")?);
    let [klient, client_go] = in_turn([(&bench.klient, &*ours), (&bench.client_go, &*theirs)])?;
    for (figure, unit) in [("wall_ms", "ms"), ("cpu_ms", "CPU ms")] {
        let title = format!("the same from a cache on disk, {unit}, client-go");
        rows.push(Row::ratio(title, klient.median(figure)?, client_go.median(figure)?, RATIO));
    }
    Ok(())
}
