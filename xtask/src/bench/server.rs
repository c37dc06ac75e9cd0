//! `cargo xtask bench server`: creates and large lists on the embedded server, beside a real kube-apiserver.

use super::peer::{self, Peer};
use super::row::{Row, Rows};
use super::runs::{Runs, pair};
use super::{DATA, build, folder, go, klient, record};
use crate::root;
use crate::servers::{self, Server};

/// The target ratio of the embedded server's creates per second with one client to those of kube-apiserver.
const REACH: f64 = 5.0;

/// Pods that are listed.
const PODS: usize = 20_000;

/// Creates of a run with one client, and with 64.
const CLIENTS: [(usize, usize); 2] = [(1, 2_000), (64, 6_000)];

/// Runs the same load on both servers in turn: they share the processors with it.
pub(crate) fn server() -> Result<(), String> {
    let bench = ServerBench::start()?;
    let mut rows = Rows::default();
    bench.creates("config maps", "config-maps", Some(REACH), &mut rows)?;
    bench.lists(&mut rows)?;
    bench.on_both("definitions")?;
    bench.creates("custom resources", "widgets", None, &mut rows)?;
    bench.creates("custom resources with CEL rules", "ruled-widgets", None, &mut rows)?;
    bench.creates("secrets", "secrets", None, &mut rows)?;
    // The webhook stays configured.
    bench.webhook(&mut rows)?;
    record("server", &rows)
}

/// The load, and the servers that it is put on.
struct ServerBench {
    klient: Peer,
    webhook: Peer,
    embedded: Server,
    upstream: Server,
}

impl ServerBench {
    fn start() -> Result<Self, String> {
        let bench = folder()?;
        let (klient, webhook) = (klient(&bench)?, go(&bench, "server")?);
        build::cargo(&root(), &["build", "--release", "--package", "klient-cli"])?;
        let folder = servers::folder();
        let upstream = Server::kube_apiserver(&folder)?;
        let embedded = Server::embedded(&root().join("target/release/klient"), &folder)?;
        Ok(ServerBench { klient, webhook, embedded, upstream })
    }

    fn words(&self, server: &Server, case: &str) -> String {
        format!("{case} --kubeconfig {}", server.kubeconfig.display())
    }

    fn on_both(&self, case: &str) -> Result<[String; 2], String> {
        let on = |server| self.klient.run(&self.words(server, case));
        Ok([on(&self.embedded)?, on(&self.upstream)?])
    }

    /// The medians of a figure on both servers.
    fn pair(&self, case: &str, figure: &str) -> Result<(f64, f64), String> {
        let (ours, theirs) = (self.words(&self.embedded, case), self.words(&self.upstream, case));
        pair((&self.klient, &ours, figure), (&self.klient, &theirs, figure))
    }

    fn creates(&self, name: &str, what: &str, reach: Option<f64>, rows: &mut Rows) -> Result<(), String> {
        for (clients, count) in CLIENTS {
            let case = format!("creates --what {what} --count {count} --conc {clients}");
            let (ours, theirs) = self.pair(&case, "req_per_s")?;
            let name = format!("creates of {name} per s, {clients} clients, kube-apiserver");
            rows.push(match reach {
                Some(reach) if clients == 1 => Row::rate(name, ours, theirs, reach),
                _ => Row::told(name, ours, theirs),
            });
        }
        Ok(())
    }

    fn lists(&self, rows: &mut Rows) -> Result<(), String> {
        let case = format!("pods --count {PODS}");
        self.on_both(&format!("{case} --fill"))?;
        for (encoding, name) in [("json", "JSON"), ("pb", "protobuf")] {
            let (ours, theirs) = self.pair(&format!("{case} --enc {encoding}"), "wall_ms")?;
            rows.push(Row::told(format!("list of {PODS} pods in {name}, ms, kube-apiserver"), ours, theirs));
        }
        Ok(())
    }

    /// Creates that a webhook validates.
    fn webhook(&self, rows: &mut Rows) -> Result<(), String> {
        const NAME: &str = "secrets with a validating webhook";
        let _serving = peer::Server::start(&self.webhook)?;
        let configured =
            self.on_both(&format!("webhook --data {DATA} --url https://{}/validate", peer::HTTPS))?;
        for (line, server) in configured.iter().zip(["the embedded server", "kube-apiserver"]) {
            let mut runs = Runs::default();
            runs.push(line)?;
            if let Some(problem) = runs.string("problem") {
                rows.skip(&format!("creates of {NAME} per s"), &format!("{server}: {problem}"));
                return Ok(());
            }
        }
        self.creates(NAME, "secrets", None, rows)
    }
}
