//! klient-bench runs one case with klient and prints one JSON line with the figures.
//!
//!   klient-bench decode --data data --n 10000 --enc pb|json [--skip]
//!   klient-bench list   --n 10000 --enc pb|json
//!   klient-bench items  --n 100000 --enc pb|json
//!   klient-bench get    --n 1000 --count 20000 --conc 64 [--tls] [--layer limiter|spans|trace|recorder]
//!   klient-bench namespaces --kubeconfig FILE --count 30000 [--page 500] [--fill]
//!   klient-bench discovery --kubeconfig FILE --groups 100 [--cache FOLDER] [--fill]
//!   klient-bench first-byte --kubeconfig FILE
//!   klient-bench informer --n 10000 [--keep packed|decoded] [--managed-fields] [--strategy list|watchlist]
//!   klient-bench watch  --n 1000 --m 20000 [--keep packed|decoded] [--managed-fields] [--decode]
//!   klient-bench idle   --informers 20 --seconds 10
//!   klient-bench index  --data data --n 100000 [--keep packed|decoded]
//!   klient-bench queue  --keys 100000 --rounds 10 --workers 4 --bursts 1000 [--thread]
//!   klient-bench apply-data --data data
//!   klient-bench apply  --data data --what deployment|list
//!   klient-bench three-way --data data
//!   klient-bench apply-http --kubeconfig FILE --clients 16 [--changes] [--seconds 5]
//!   klient-bench pods --kubeconfig FILE --count 20000 [--fill | --enc pb|json]
//!   klient-bench creates --kubeconfig FILE --count 1000 --conc 64 --what config-maps|secrets|widgets|ruled-widgets
//!   klient-bench definitions --kubeconfig FILE
//!   klient-bench webhook --kubeconfig FILE --data data --url https://127.0.0.1:28443/validate
//!   klient-bench widgets --kubeconfig FILE --count 10000 [--fill | --changes 500]
//!   klient-bench controller --kubeconfig FILE --count 10000 [--changes 500]
//!   klient-bench cel    --rule numbers [--rules ../crates/cel/benches/rules.json] [--repeat 20000]
//!   klient-bench pod-list --address 127.0.0.1:28888 --pid PID --count 10000 [--token TOKEN] [--conc 4] [--seconds 5]
//!   klient-bench live   --address 127.0.0.1:28888 --pid PID --kubeconfig FILE --count 10000 [--token TOKEN]
//!                       [--clients 100] [--rate 100] [--seconds 10]
//!   klient-bench unread --kubeconfig FILE [--requests 10000] [--unread 500]
//!   klient-bench streams --url http://127.0.0.1:PORT[/spdy] --what stdout|stdin|down|up --mib 256
//!   klient-bench streams --url URL --what exec-trips|forward-trips --count 10000
//!   klient-bench streams --url URL --what forwards --rounds 10

mod apply;
mod cel;
mod controller;
mod creates;
mod discovery;
mod get;
mod index;
mod informer;
mod live;
mod namespaces;
mod pod_list;
mod pods;
mod queue;
mod streams;
mod unread;
mod watch;
mod webhook;
mod widget;
mod widgets;

use std::any::Any;
use std::time::Instant;

use klient_api::core::v1::Pod;
use klient_apimachinery::List;
use klient_apimachinery::codec::{Format, ListReader, ManagedFields, Wire as _};
use klient_client::{Client, Config, Encoding, ListOptions, Pem};
use measure::{Args, Clock, median, memory, vm};
use serde_json::{Map, Value, json};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().expect("usage: klient-bench CASE [flags]");
    let args = Args::parse(arguments);
    let mut out = Map::new();
    out.insert("peer".into(), json!("klient"));
    out.insert("case".into(), json!(case));
    for (name, value) in &args.0 {
        out.insert(name.clone(), value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)));
    }
    let keep: Box<dyn Any> = match case.as_str() {
        "decode" => decode(&args, &mut out),
        "list" => run(list(&args, &mut out)),
        "items" => run(items(&args, &mut out)),
        "get" => run(get::run(&args, &mut out)),
        "namespaces" => run(namespaces::run(&args, &mut out)),
        "discovery" => run(discovery::run(&args, &mut out)),
        "first-byte" => run(discovery::first_byte(&args, &mut out)),
        "informer" => run(informer::sync(&args, &mut out)),
        "watch" => run(watch::events(&args, &mut out)),
        "idle" => run(informer::idle(&args, &mut out)),
        "index" => index::run(&args, &mut out),
        "apply-data" => Box::new(apply::write_data(&args)),
        "apply" => Box::new(apply::unchanged(&args, &mut out)),
        "three-way" => Box::new(apply::three_way(&args, &mut out)),
        "apply-http" => run(apply::over_http(&args, &mut out)),
        "streams" => run(streams::run(&args, &mut out)),
        "unread" => run(unread::run(&args, &mut out)),
        "pod-list" => Box::new(pod_list::run(&args, &mut out)),
        "live" => run(live::run(&args, &mut out)),
        "pods" => run(pods::run(&args, &mut out)),
        "creates" => run(creates::run(&args, &mut out)),
        "definitions" => run(widgets::define(&args)),
        "webhook" => run(webhook::run(&args, &mut out)),
        "widgets" => run(widgets::run(&args, &mut out)),
        "controller" => run(controller::run(&args, &mut out)),
        "queue" => Box::new(queue::run(&args, &mut out)),
        "cel" => Box::new(cel::run(&args, &mut out)),
        _ => panic!("no such case {case}"),
    };
    memory(&mut out);
    println!("{}", Value::Object(out));
    drop(keep);
}

fn decode(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let n = args.num("n", 10_000);
    let enc = args.str("enc", "pb");
    let format = if enc == "pb" { Format::Protobuf } else { Format::Json };
    let managed_fields = if args.flag("skip") { ManagedFields::Skip } else { ManagedFields::Keep };
    let bytes = std::fs::read(format!("{}/podlist-{n}.{enc}", args.str("data", "data"))).unwrap();
    let before = vm("VmRSS");
    let clock = Clock::start();
    let mut list = read(format, managed_fields, &bytes);
    assert_eq!(list.items.len(), n);
    out.insert("rss_bytes_per_pod".into(), json!((vm("VmRSS") - before) * 1024 / n as u64));
    let mut nanos = vec![];
    for _ in 0..args.num("iters", 7) {
        drop(list);
        let begin = Instant::now();
        list = read(format, managed_fields, &bytes);
        nanos.push(begin.elapsed().as_secs_f64() * 1e9 / n as f64);
    }
    clock.stop(out);
    out.insert("ns_per_pod".into(), json!(median(nanos)));
    Box::new(list)
}

fn run<T: 'static>(case: impl Future<Output = T>) -> Box<dyn Any> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let kept = runtime.block_on(case);
    // What is kept may be at work in it.
    Box::new((kept, runtime))
}

fn client(args: &Args) -> Client {
    Client::new(config(args)).unwrap()
}

fn config(args: &Args) -> Config {
    let url = match args.flag("tls") {
        true => args.str("https", "https://127.0.0.1:28443"),
        false => args.str("http", "http://127.0.0.1:18080"),
    };
    let (n, m) = (args.num("n", 10_000), args.num("m", 0));
    let mut config = Config::from_url(&format!("{url}/n{n}-m{m}")).unwrap();
    if args.flag("tls") {
        config.tls.ca = Some(Pem::file(format!("{}/ca.pem", args.str("data", "data"))));
    }
    if args.str("enc", "pb") == "json" {
        config.encoding = Encoding::Json;
    }
    config
}

/// Lists pods and keeps them.
async fn list(args: &Args, out: &mut Map<String, Value>) -> List<Pod> {
    let client = client(args);
    let clock = Clock::start();
    let list = client.api::<Pod>().list(&ListOptions::default()).await.unwrap();
    clock.stop(out);
    assert_eq!(list.items.len(), args.num("n", 10_000));
    list
}

/// Lists pods, and drops each as it comes.
async fn items(args: &Args, out: &mut Map<String, Value>) {
    let client = client(args);
    let before = vm("VmRSS");
    let clock = Clock::start();
    let mut items = client.api::<Pod>().items(&ListOptions::default()).await.unwrap();
    let mut count = 0;
    while let Some(pod) = items.next().await.unwrap() {
        assert!(pod.metadata.name.is_some());
        count += 1;
    }
    clock.stop(out);
    assert_eq!(count, args.num("n", 10_000));
    out.insert("peak_above_start_kb".into(), json!(vm("VmHWM") - before));
}

fn read(format: Format, managed_fields: ManagedFields, bytes: &[u8]) -> List<Pod> {
    if managed_fields == ManagedFields::Keep {
        return List::decode(format, bytes).unwrap();
    }
    let mut reader = ListReader::new(format, managed_fields);
    let mut items = Vec::new();
    for chunk in bytes.chunks(64 * 1024) {
        reader.push(chunk);
        while let Some(pod) = reader.next_item().unwrap() {
            items.push(pod);
        }
    }
    reader.end();
    while let Some(pod) = reader.next_item().unwrap() {
        items.push(pod);
    }
    items.shrink_to_fit();
    List { items, metadata: reader.finish().unwrap() }
}
