//! kube-peer runs one case with kube and prints one JSON line with the figures.
//!
//!   kube-peer list   --n 10000
//!   kube-peer get    --n 1000 --count 20000 --conc 64 [--tls]
//!   kube-peer namespaces --kubeconfig FILE --count 30000 [--page 500]
//!   kube-peer discovery --kubeconfig FILE --groups 100
//!   kube-peer first-byte --kubeconfig FILE
//!   kube-peer decode --data data --n 10000
//!   kube-peer informer --n 10000 --strategy list|watchlist
//!   kube-peer watch  --n 1000 --m 20000 --strategy list|watchlist
//!   kube-peer controller --kubeconfig FILE --count 10000 [--changes 500]
//!   kube-peer index  --data data --n 100000
//!   kube-peer streams --url http://127.0.0.1:PORT --what stdout|stdin|down|up --mib 256
//!   kube-peer streams --url URL --what exec-trips|forward-trips --count 10000
//!   kube-peer streams --url URL --what forwards --rounds 10

mod controller;
mod discovery;
mod get;
mod index;
mod informer;
mod namespaces;
mod streams;

use std::any::Any;
use std::time::Instant;

use k8s_openapi::List;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::{Client, Config};
use measure::{Args, Clock, median, memory};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("it is the first");
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().expect("usage: kube-peer CASE [flags]");
    let args = Args::parse(arguments);
    let mut out = Map::new();
    out.insert("peer".into(), json!("kube"));
    out.insert("case".into(), json!(case));
    let keep: Box<dyn Any> = match case.as_str() {
        "decode" => decode(&args, &mut out),
        "list" => run(list(&args, &mut out)),
        "get" => run(get::run(&args, &mut out)),
        "discovery" => run(discovery::run(&args, &mut out)),
        "first-byte" => run(discovery::first_byte(&args, &mut out)),
        "namespaces" => run(namespaces::run(&args, &mut out)),
        "informer" | "watch" => run(informer::run(&args, &mut out)),
        "controller" => run(controller::run(&args, &mut out)),
        "streams" => run(streams::run(&args, &mut out)),
        "index" => index::run(&args, &mut out),
        _ => panic!("no such case {case}"),
    };
    memory(&mut out);
    println!("{}", Value::Object(out));
    drop(keep);
}

fn run(case: impl Future<Output = Box<dyn Any>>) -> Box<dyn Any> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(case);
    // What is kept may be at work in it.
    Box::new((kept, runtime))
}

fn client(args: &Args) -> Client {
    let (n, m) = (args.num("n", 10_000), args.num("m", 0));
    let base = match args.flag("tls") {
        true => args.str("https", "https://127.0.0.1:28443"),
        false => args.str("http", "http://127.0.0.1:18080"),
    };
    let mut config = Config::new(format!("{base}/n{n}-m{m}").parse().unwrap());
    config.proxy_url = None;
    if args.flag("tls") {
        let ca = CertificateDer::from_pem_file(format!("{}/ca.pem", args.str("data", "data"))).unwrap();
        config.root_cert = Some(vec![ca.to_vec()]);
    }
    Client::try_from(config).unwrap()
}

/// Lists pods and keeps them.
async fn list(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let pods = Api::<Pod>::all(client(args));
    let clock = Clock::start();
    let list = pods.list(&ListParams::default()).await.unwrap();
    clock.stop(out);
    assert_eq!(list.items.len(), args.num("n", 10_000));
    Box::new(list)
}

/// Decodes a list of pods as k8s-openapi does with serde_json.
fn decode(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let n = args.num("n", 10_000);
    let bytes = std::fs::read(format!("{}/podlist-{n}.json", args.str("data", "data"))).unwrap();
    let mut nanos = vec![];
    let mut keep = None;
    for _ in 0..args.num("iters", 7) {
        drop(keep.take());
        let begin = Instant::now();
        let list: List<Pod> = serde_json::from_slice(&bytes).unwrap();
        nanos.push(begin.elapsed().as_secs_f64() * 1e9 / n as f64);
        assert_eq!(list.items.len(), n);
        keep = Some(list);
    }
    out.insert("ns_per_pod".into(), json!(median(nanos)));
    Box::new(keep)
}
