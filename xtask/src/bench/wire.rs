//! `cargo xtask bench wire`: how codecs, lists and types compare.

use super::build::{api_build_seconds, cargo};
use super::runs::{in_turn, median, pair};
use super::{Bench, DATA, Row, Rows, record};
use crate::root;
use crate::servers::{self, Server};

pub(crate) fn wire() -> Result<(), String> {
    let bench = Bench::build()?;
    bench.dump(10_000)?;
    let (klient, client_go, kube) = (&bench.klient, &bench.client_go, &bench.kube);
    let mut rows = Rows::default();
    let decode = |enc: &str| format!("decode --n 10000 --enc {enc} --data {DATA}");

    let pb = decode("pb");
    let (ours, theirs) = pair((klient, &pb, "ns_per_pod"), (client_go, &pb, "ns_per_pod"))?;
    rows.push(Row::ratio("decode PodList from protobuf, ns per pod, client-go", ours, theirs, 0.35));
    let json = decode("json");
    let (ours, theirs) = pair((klient, &json, "ns_per_pod"), (kube, &json, "ns_per_pod"))?;
    rows.push(Row::ratio("decode PodList from JSON, ns per pod, k8s-openapi", ours, theirs, 0.65));
    let resident = median(klient, &pb, "rss_bytes_per_pod")?;
    rows.push(Row::limit("resident bytes per decoded pod", resident, 13_000.0));
    let resident = median(klient, &format!("{pb} --skip"), "rss_bytes_per_pod")?;
    rows.push(Row::limit("resident bytes per pod without managedFields", resident, 11_000.0));

    let serving = bench.serve()?;
    let list = "list --n 10000 --enc pb";
    // The server makes its pods when they are first asked for.
    klient.run(list)?;
    let (ours, theirs) = pair((klient, list, "cpu_ms"), (client_go, list, "cpu_ms"))?;
    rows.push(Row::ratio("typed list of 10,000 pods over HTTP, CPU ms, client-go", ours, theirs, 0.4));
    let theirs = median(kube, "list --n 10000", "cpu_ms")?;
    rows.push(Row::ratio("typed list of 10,000 pods over HTTP, CPU ms, kube", ours, theirs, 1.0));
    let items = "items --n 100000 --enc pb";
    klient.run(items)?;
    let peak = median(klient, items, "peak_above_start_kb")?;
    rows.push(Row::limit("peak KiB above start, list of 100,000 dropped as they come", peak, 16.0 * 1024.0));
    drop(serving);

    cargo(&root(), &["build", "--release", "--package", "klient-cli"])?;
    let embedded = Server::embedded(&root().join("target/release/klient"), &servers::folder())?;
    let unread = format!("unread --kubeconfig {}", embedded.kubeconfig.display());
    let [runs] = in_turn([(klient, &*unread)])?;
    let (beside, alone) = (runs.median("us_beside")?, runs.median("us_alone")?);
    rows.push(Row::ratio("GET beside 1,000 unread lists and watches, µs, alone", beside, alone, 1.2));
    // The window of a stream, and up to half of it more in the buffers that frames were read into.
    rows.push(Row::limit("KiB held by an unread response of 2 MB", runs.median("kib_per_unread")?, 1_664.0));
    drop(embedded);

    rows.push(Row::limit("building klient-api, all groups, debug, CPU s", api_build_seconds(false)?, 20.0));
    rows.push(Row::limit("building klient-api, all groups, release, CPU s", api_build_seconds(true)?, 45.0));
    record("wire", &rows)
}
