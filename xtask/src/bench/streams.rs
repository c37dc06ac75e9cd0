//! `cargo xtask bench streams`: exec and port-forward, beside client-go and kube, with one server in Go.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::row::{Row, Rows};
use super::runs::{Runs, in_turn};
use super::{Bench, record};
use crate::go;

/// The target ratio of throughputs, and that of the CPU of the client, both to those of client-go.
const RATE: f64 = 1.0;
const CPU: f64 = 0.5;

/// A case, and its name in a row.
struct Case {
    words: &'static str,
    name: &'static str,
    figures: &'static [Figure],
}

/// A figure that a case prints, and its name in a row.
struct Figure {
    key: &'static str,
    name: &'static str,
    /// A row of a figure and of its peer's.
    row: fn(String, f64, f64) -> Row,
}

/// The figures of bytes in one direction.
const BYTES: &[Figure] = &[
    Figure { key: "mb_per_s", name: "MB/s", row: |name, ours, theirs| Row::rate(name, ours, theirs, RATE) },
    Figure {
        key: "cpu_ms_per_gib",
        name: "CPU ms per GiB",
        row: |name, ours, theirs| Row::ratio(name, ours, theirs, CPU),
    },
    Figure { key: "user_ms_per_gib", name: "of that CPU outside the kernel, ms per GiB", row: Row::told },
    MEMORY,
];

/// The figures of bytes that are sent back.
const TRIPS: &[Figure] = &[
    Figure { key: "p50_us", name: "p50 µs", row: Row::told },
    Figure { key: "p99_us", name: "p99 µs", row: Row::told },
    Figure { key: "cpu_us_per_trip", name: "CPU µs", row: Row::told },
    MEMORY,
];

/// The figures of many connections.
const FORWARDS: &[Figure] = &[
    Figure { key: "round_ms", name: "ms", row: Row::told },
    Figure { key: "cpu_ms_per_round", name: "CPU ms", row: Row::told },
    MEMORY,
];

const MEMORY: Figure = Figure { key: "peak_rss_kb", name: "KiB resident at most", row: Row::told };

const CASES: [Case; 7] = [
    Case { words: "--what stdout --mib 256", name: "exec, standard output", figures: BYTES },
    Case { words: "--what stdin --mib 256", name: "exec, standard input", figures: BYTES },
    Case { words: "--what down --mib 256", name: "forwarded connection, from the pod", figures: BYTES },
    Case { words: "--what up --mib 256", name: "forwarded connection, to the pod", figures: BYTES },
    Case { words: "--what exec-trips --count 3000", name: "64 bytes through exec and back", figures: TRIPS },
    Case {
        words: "--what forward-trips --count 3000",
        name: "64 bytes through a forwarded connection and back",
        figures: TRIPS,
    },
    Case {
        words: "--what forwards --rounds 10",
        name: "100 connections that send and receive 64 KiB each",
        figures: FORWARDS,
    },
];

/// Runs each case over WebSocket and over SPDY, which kube does not speak.
pub(crate) fn streams() -> Result<(), String> {
    let bench = Bench::build()?;
    let server = StreamServer::start()?;
    let mut rows = Rows::default();
    for Case { words, name, figures } in CASES {
        let websocket = format!("streams --url http://{} {words}", server.address);
        let spdy = format!("streams --url http://{}/spdy {words}", server.address);
        let [klient, client_go, kube, klient_spdy, client_go_spdy] = in_turn([
            (&bench.klient, &*websocket),
            (&bench.client_go, &*websocket),
            (&bench.kube, &*websocket),
            (&bench.klient, &*spdy),
            (&bench.client_go, &*spdy),
        ])?;
        for figure in figures {
            let mut push =
                |transport: &str, ours: &Runs, theirs: &Runs, peer: &str, row: fn(_, _, _) -> Row| {
                    let name = format!("{name}, over {transport}, {}, {peer}", figure.name);
                    rows.push(row(name, ours.median(figure.key)?, theirs.median(figure.key)?));
                    Ok::<_, String>(())
                };
            push("WebSocket", &klient, &client_go, "client-go", figure.row)?;
            push("WebSocket", &klient, &kube, "kube", Row::told)?;
            push("SPDY", &klient_spdy, &client_go_spdy, "client-go", figure.row)?;
        }
    }
    record("streams", &rows)
}

/// The server of Kubernetes' own packages, which ends when dropped.
struct StreamServer {
    child: Child,
    address: String,
}

impl StreamServer {
    fn start() -> Result<Self, String> {
        let problem = |problem: &dyn std::fmt::Display| format!("e2e/streams does not serve: {problem}");
        let mut command = Command::new(go::build("streams")?);
        let child = command.arg("server").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| problem(&error))?;
        let stdout = child.stdout.take().expect("it was asked for");
        // From here on it ends with this.
        let mut server = StreamServer { child, address: String::new() };
        let read = BufReader::new(stdout).read_line(&mut server.address);
        read.map_err(|error| problem(&error))?;
        server.address.truncate(server.address.trim_end().len());
        match server.address.as_str() {
            "" => Err(problem(&"it has printed no address")),
            _ => Ok(server),
        }
    }
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
