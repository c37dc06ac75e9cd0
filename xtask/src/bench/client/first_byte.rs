//! The time from the start of a program to the first byte that it sends.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::bench::peer::Peer;
use crate::bench::row::{Row, Rows};
use crate::bench::{Bench, DATA};
use crate::servers::Server;

/// The number of runs of each program, alternating.
const RUNS: usize = 15;

/// Measures programs that read a kubeconfig and send a request, over TLS.
pub(super) fn first_byte(bench: &Bench, server: &Server, rows: &mut Rows) -> Result<(), String> {
    let peers = [&bench.klient, &bench.client_go, &bench.kube];
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..RUNS {
        for (peer, times) in peers.iter().zip(&mut times) {
            times.push(started(bench, server, peer)?.as_secs_f64() * 1e3);
        }
    }
    let [klient, client_go, kube] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    });
    for (theirs, peer) in [(client_go, "client-go"), (kube, "kube")] {
        rows.push(Row::told(
            format!("start of a program to its first byte sent, ms, {peer}"),
            klient,
            theirs,
        ));
    }
    Ok(())
}

/// Starts a program, waits for its first byte, and ends it.
fn started(bench: &Bench, server: &Server, peer: &Peer) -> Result<Duration, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("cannot listen: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("no address: {error}"))?;
    let kubeconfig = bench.folder.join(DATA).join("first-byte.kubeconfig");
    let text = fs::read_to_string(&server.kubeconfig)
        .map_err(|error| format!("cannot read {}: {error}", server.kubeconfig.display()))?;
    let lines = text.lines().map(|line| match line.split_once("server: ") {
        Some((before, _)) => format!("{before}server: https://{address}\n"),
        None => format!("{line}\n"),
    });
    fs::write(&kubeconfig, lines.collect::<String>())
        .map_err(|error| format!("cannot write {}: {error}", kubeconfig.display()))?;
    let began = Instant::now();
    let mut child = peer.start(&format!("first-byte --kubeconfig {}", kubeconfig.display()))?;
    let sent = listener.accept().and_then(|(mut socket, _)| socket.read_exact(&mut [0]));
    let time = began.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    sent.map(|()| time).map_err(|error| format!("nothing was sent: {error}"))
}
