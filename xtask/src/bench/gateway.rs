//! `cargo xtask bench gateway`: `/pod/list` of the gateway beside that of Gin and client-go, live tables, and the frames of
//! the page.

use std::fs;
use std::net::TcpStream;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::peer::Peer;
use super::row::{Row, Rows};
use super::runs::{RUNS, Runs};
use super::{build, folder, go, klient, record};
use crate::root;
use crate::servers::{self, Server};

/// The pods of the cluster.
const PODS: usize = 10_000;

/// The targets of `/pod/list` beside Gin and client-go: answers per second, and memory.
const RATE: f64 = 5.0;
const MEMORY: f64 = 0.25;

/// Clients on live tables, and changes per second.
const CLIENTS: usize = 100;
const CHANGES: usize = 100;

/// The rows of the page, as those of its benchmark.
const ROWS: usize = 10_000;

/// The addresses of the services.
const OURS: &str = "127.0.0.1:28888";
const THEIRS: &str = "127.0.0.1:28889";

/// The token of the gateway.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The services, and the load that they are put under.
struct GatewayBench {
    load: Peer,
    gateway: Peer,
    gin: Peer,
    server: Server,
}

/// A service in a process of its own, which ends when dropped.
struct Service(Child);

pub(crate) fn gateway() -> Result<(), String> {
    let bench = GatewayBench::start()?;
    let mut rows = Rows::default();
    bench.pod_list(&mut rows)?;
    bench.live(&mut rows)?;
    drop(bench);
    frames(&mut rows)?;
    record("gateway", &rows)
}

/// The frames of the page in a Chromium; none where there is none.
fn frames(rows: &mut Rows) -> Result<(), String> {
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        let output =
            build::cargo_output(&root(), &["bench", "--package", "klient-gateway", "--bench", "frames"])?;
        let Some(line) = output.lines().find(|line| line.starts_with('{')) else { return Ok(()) };
        runs.push(line)?;
    }
    let mut row = |name: &str, figure: &str| {
        rows.push(Row::alone(format!("the page with {ROWS} rows, {name}"), runs.median(figure)?));
        Ok::<_, String>(())
    };
    row("from the browser's start to its rows, ms", "open_ms")?;
    for (key, name) in [
        ("scroll", "scrolled by 11,000 pixels a second"),
        ("change", "100 changes per s"),
        ("search", "searched letter by letter"),
    ] {
        for (figure, what) in [
            ("p50_ms", "ms between frames, p50"),
            ("p99_ms", "ms between frames, p99"),
            ("longest_ms", "ms between frames at most"),
            ("task_ms", "ms of the longest task from 50"),
        ] {
            row(&format!("{name}, {what}"), &format!("{key}_{figure}"))?;
        }
        // A search leaves fewer rows than the page has room for.
        if key != "search" {
            row(&format!("{name}, frames without rows"), &format!("{key}_blank"))?;
        }
    }
    Ok(())
}

impl GatewayBench {
    fn start() -> Result<Self, String> {
        let bench = folder()?;
        let (load, gin) = (klient(&bench)?, go(&bench, "gin")?);
        build::cargo(&root(), &["build", "--release", "--package", "klient-cli"])?;
        let (klient, folder) = (root().join("target/release/klient"), servers::folder());
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let server = Server::embedded(&klient, &folder)?;
        load.run(&format!("pods --fill --count {PODS} --kubeconfig {}", server.kubeconfig.display()))?;
        let token = folder.join("gateway-token");
        fs::write(&token, TOKEN).map_err(|error| format!("cannot write {}: {error}", token.display()))?;
        Ok(GatewayBench { load, gateway: Peer::new(klient, &folder), gin, server })
    }

    fn gateway(&self) -> Result<Service, String> {
        let (_, port) = OURS.split_once(':').expect("it has a port");
        let kubeconfig = self.server.kubeconfig.display();
        let words =
            format!("gateway --port {port} --access-token-file gateway-token --kubeconfig {kubeconfig}");
        Service::start(&self.gateway, &words, OURS)
    }

    fn gin(&self, flags: &str) -> Result<Service, String> {
        let words = format!("--address {THEIRS} --kubeconfig {} {flags}", self.server.kubeconfig.display());
        Service::start(&self.gin, &words, THEIRS)
    }

    /// The list of all pods, by services that have just started.
    fn pod_list(&self, rows: &mut Rows) -> Result<(), String> {
        let [mut ours, mut gin, mut without]: [Runs; 3] = Default::default();
        for _ in 0..RUNS {
            self.list(&mut ours, self.gateway()?, OURS)?;
            self.list(&mut gin, self.gin("")?, THEIRS)?;
            self.list(&mut without, self.gin("--no-managed-fields")?, THEIRS)?;
        }
        let pair = |theirs: &Runs, figure| Ok::<_, String>((ours.median(figure)?, theirs.median(figure)?));
        for (figure, what) in [
            ("answers_per_s", "answers per s"),
            ("cpu_ms_per_answer", "CPU ms per answer"),
            ("bytes", "bytes per answer"),
            ("rest_kib", "KiB resident at rest"),
            ("peak_kib", "KiB resident at most"),
        ] {
            let name = |peer: &str| format!("/pod/list of {PODS} pods, {what}, {peer}");
            let (ours, theirs) = pair(&gin, figure)?;
            rows.push(match figure {
                "answers_per_s" => Row::rate(name("Gin"), ours, theirs, RATE),
                "rest_kib" | "peak_kib" => Row::ratio(name("Gin"), ours, theirs, MEMORY),
                _ => Row::told(name("Gin"), ours, theirs),
            });
            let (ours, theirs) = pair(&without, figure)?;
            rows.push(Row::told(name("Gin without managedFields"), ours, theirs));
        }
        Ok(())
    }

    fn list(&self, runs: &mut Runs, service: Service, address: &str) -> Result<(), String> {
        let words =
            format!("pod-list --address {address} --token {TOKEN} --pid {} --count {PODS}", service.0.id());
        runs.push(&self.load.run(&words)?)
    }

    /// Tables of all pods, with their changes.
    fn live(&self, rows: &mut Rows) -> Result<(), String> {
        let mut runs = Runs::default();
        for _ in 0..RUNS {
            let gateway = self.gateway()?;
            runs.push(&self.load.run(&format!(
                "live --address {OURS} --token {TOKEN} --pid {} --kubeconfig {} --count {PODS} --clients {CLIENTS} \
                 --rate {CHANGES}",
                gateway.0.id(),
                self.server.kubeconfig.display(),
            ))?)?;
        }
        for (figure, what) in [
            ("p50_us", "from a write's answer to its event, p50 µs"),
            ("p99_us", "from a write's answer to its event, p99 µs"),
            ("request_p50_us", "from a write's request to its event, p50 µs"),
            ("request_p99_us", "from a write's request to its event, p99 µs"),
            ("events_per_s", "events per s"),
            ("cpu_ms_per_s", "CPU ms per s"),
            ("cpu_us_per_event", "CPU µs per event"),
            ("rss_kib", "KiB resident"),
            ("peak_kib", "KiB resident at most"),
        ] {
            let name = format!("{CLIENTS} live tables of {PODS} pods, {CHANGES} changes per s, {what}");
            rows.push(Row::alone(name, runs.median(figure)?));
        }
        Ok(())
    }
}

impl Service {
    /// Starts a service, and waits until it listens.
    fn start(peer: &Peer, words: &str, address: &str) -> Result<Self, String> {
        let mut service = Service(peer.start(words)?);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = service.0.try_wait() {
                return Err(format!("{words}: it has ended with {status}"));
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(format!("{words}: it does not listen"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
