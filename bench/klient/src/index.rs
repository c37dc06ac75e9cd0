//! The case `index`: reading a store.

use std::any::Any;
use std::hint::black_box;
use std::time::Instant;

use klient_api::core::v1::Pod;
use klient_apimachinery::Resource as _;
use klient_apimachinery::codec::{Encoded, Format, ListReader, ManagedFields};
use klient_apimachinery::labels::Selector;
use klient_cache::{Keep, StoreWriter};
use measure::{Args, Clock, median};
use serde_json::{Map, Value, json};

use crate::informer::keep;

pub(crate) fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let n = args.num("n", 100_000);
    let store = StoreWriter::<Pod>::new(Pod::INFO, keep(args));
    let pods = read(&format!("{}/podlist-{n}.pb", args.str("data", "data")));
    let clock = Clock::start();
    for pod in pods {
        store.put(pod).unwrap();
    }
    let wall = clock.stop(out);
    out.insert("add_ns".into(), json!(wall * 1e6 / n as f64));
    let mut keys: Vec<_> = store.keys();
    keys.sort();
    let keys: Vec<_> = (0..1000).map(|i| keys[(i * 7919) % n].as_str().to_owned()).collect();
    let namespaces: Vec<_> = (0..50).map(|i| format!("team-{i:02}")).collect();
    let selector = |text: &str| text.parse::<Selector>().unwrap();
    let one = selector("app.kubernetes.io/name=svc-007");
    let two = selector("tier in (frontend,backend),app.kubernetes.io/name=svc-007");
    let containers = |key: &str| store.get(key).unwrap().spec.containers.len();

    let mut time = |name: &str, count: usize, call: &dyn Fn(usize) -> usize| {
        let mut nanos = Vec::new();
        let mut items = 0;
        for _ in 0..7 {
            let begin = Instant::now();
            items = (0..count).map(|i| black_box(call(i))).sum();
            nanos.push(begin.elapsed().as_nanos() as f64 / count as f64);
        }
        out.insert(format!("{name}_ns"), json!(median(nanos)));
        out.insert(format!("{name}_items"), json!(items / count));
    };
    time("get_by_key", 100_000, &|i| usize::from(store.get(&keys[i % keys.len()]).is_some()));
    // A packed object that nobody holds is decoded at each look.
    time("get_and_read", 10_000, &|i| containers(&keys[i % keys.len()]).min(1));
    if keep(args) == Keep::Packed {
        // As long as somebody holds it, it stays decoded.
        let held: Vec<_> = keys.iter().map(|key| store.get(key).unwrap()).collect();
        assert!(held.iter().all(|pod| !pod.spec.containers.is_empty()));
        time("get_and_read_held", 100_000, &|i| containers(&keys[i % keys.len()]).min(1));
    }
    time("lister_namespace", 500, &|i| store.list_in(&namespaces[i % 50]).len());
    time("lister_namespace_selector", 500, &|i| store.select_in(&namespaces[i % 50], &one).len());
    time("lister_all", 5, &|_| store.list().len());
    time("snapshot", 500, &|_| store.snapshot().len());
    time("lister_selector", 50, &|_| store.select(&one).len());
    time("lister_selector_in", 50, &|_| store.select(&two).len());
    Box::new(store)
}

/// The pods of a file.
fn read(path: &str) -> Vec<Encoded<Pod>> {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = ListReader::new(Format::Protobuf, ManagedFields::Skip);
    let mut pods = Vec::new();
    for chunk in bytes.chunks(64 * 1024) {
        reader.push(chunk);
        while let Some(pod) = reader.next_item().unwrap() {
            pods.push(pod);
        }
    }
    reader.end();
    reader.finish().unwrap();
    pods
}
