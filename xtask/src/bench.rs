//! `cargo xtask bench wire`: klient beside its peers, in one run, as ratios of medians.

mod build;
mod peer;
mod row;

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::root;
use build::api_build_seconds;
use peer::{Peer, Server};
use row::Row;

/// How often each side of each comparison is run, one after the other.
const RUNS: usize = 5;

/// How codecs, lists and types compare.
pub(crate) fn wire() -> Result<(), String> {
    let folder = root().join("bench");
    let data = folder.join("target/data");
    fs::create_dir_all(&data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;
    let peers = Peers::build(&folder)?;
    peers.server.run(&["-dump", "-n", "10000", "-data", text(&data)?])?;
    let mut rows = Vec::new();
    let decode = |enc: &str| {
        vec!["decode".to_owned(), "--n".to_owned(), "10000".to_owned(), "--enc".to_owned(), enc.to_owned()]
    };
    let with_data = |mut words: Vec<String>| -> Result<Vec<String>, String> {
        words.extend(["--data".to_owned(), text(&data)?.to_owned()]);
        Ok(words)
    };

    let (ours, theirs) = pair(
        (&peers.klient, &with_data(decode("pb"))?, "ns_per_pod"),
        (&peers.client_go, &with_data(decode("pb"))?, "ns_per_pod"),
    )?;
    rows.push(Row::ratio("decode PodList from protobuf, ns per pod, client-go", ours, theirs, 0.35));
    let (ours, theirs) = pair(
        (&peers.klient, &with_data(decode("json"))?, "ns_per_pod"),
        (&peers.kube, &with_data(vec!["decode".to_owned()])?, "ns_per_pod"),
    )?;
    rows.push(Row::ratio("decode PodList from JSON, ns per pod, k8s-openapi", ours, theirs, 0.65));
    let resident = peers.klient.median(&with_data(decode("pb"))?, "rss_bytes_per_pod")?;
    rows.push(Row::limit("resident bytes per decoded pod", resident, 13_000.0));
    let mut lean = with_data(decode("pb"))?;
    lean.push("--skip".to_owned());
    let resident = peers.klient.median(&lean, "rss_bytes_per_pod")?;
    rows.push(Row::limit("resident bytes per pod without managedFields", resident, 11_000.0));

    let serving = Server::start(&peers.server, &data)?;
    let list = ["list", "--n", "10000", "--enc", "pb"].map(str::to_owned).to_vec();
    // The server makes its pods when they are first asked for.
    peers.klient.run(&words(&list))?;
    let (ours, theirs) = pair((&peers.klient, &list, "cpu_ms"), (&peers.client_go, &list, "cpu_ms"))?;
    rows.push(Row::ratio("typed list of 10,000 pods over HTTP, CPU ms, client-go", ours, theirs, 0.4));
    let kube = peers.kube.median(&["list", "--n", "10000"].map(str::to_owned), "cpu_ms")?;
    rows.push(Row::ratio("typed list of 10,000 pods over HTTP, CPU ms, kube", ours, kube, 1.0));
    let items = ["items", "--n", "100000", "--enc", "pb"].map(str::to_owned);
    peers.klient.run(&words(&items))?;
    let peak = peers.klient.median(&items, "peak_above_start_kb")?;
    rows.push(Row::limit("peak KiB above start, list of 100,000 dropped as they come", peak, 16.0 * 1024.0));
    drop(serving);

    rows.push(Row::limit("building klient-api, all groups, debug, CPU s", api_build_seconds(false)?, 20.0));
    rows.push(Row::limit("building klient-api, all groups, release, CPU s", api_build_seconds(true)?, 45.0));
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    print(&text);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let record = folder.join(format!("target/wire-{now}.tsv"));
    fs::write(&record, text).map_err(|error| format!("cannot write {}: {error}", record.display()))
}

#[allow(clippy::print_stdout, reason = "the figures are what the task is for")]
fn print(text: &str) {
    print!("{text}");
}

struct Peers {
    server: Peer,
    client_go: Peer,
    kube: Peer,
    klient: Peer,
}

impl Peers {
    fn build(folder: &Path) -> Result<Self, String> {
        let binaries = folder.join("target/release");
        build::cargo(folder, &["build", "--release"])?;
        let go = |name: &str| -> Result<Peer, String> {
            let binary = folder.join("target").join(name);
            build::go(&folder.join(name), &binary)?;
            Ok(Peer::new(binary))
        };
        Ok(Peers {
            server: go("server")?,
            client_go: go("gopeer")?,
            kube: Peer::new(binaries.join("kube-peer")),
            klient: Peer::new(binaries.join("klient-bench")),
        })
    }
}

/// A figure of one side: who, with which words, and which of what it prints.
type Side<'a> = (&'a Peer, &'a [String], &'a str);

/// The medians of two sides that are run in turn.
fn pair(ours: Side<'_>, theirs: Side<'_>) -> Result<(f64, f64), String> {
    let mut found = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        found.0.push(figure(&ours.0.run(&words(ours.1))?, ours.2)?);
        found.1.push(figure(&theirs.0.run(&words(theirs.1))?, theirs.2)?);
    }
    Ok((median(found.0), median(found.1)))
}

impl Peer {
    fn median(&self, arguments: &[String], name: &str) -> Result<f64, String> {
        let figures = (0..RUNS).map(|_| figure(&self.run(&words(arguments))?, name));
        figures.collect::<Result<Vec<f64>, String>>().map(median)
    }
}

fn figure(line: &str, name: &str) -> Result<f64, String> {
    let figures: Value = serde_json::from_str(line.trim()).map_err(|error| format!("{error}: {line}"))?;
    figures[name].as_f64().ok_or_else(|| format!("no {name} in {line}"))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
