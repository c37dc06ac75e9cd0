//! Stores of 10,000 pods: putting, getting, selecting.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use klient_api::core::v1::{Pod, PodSpec};
use klient_apimachinery::Resource as _;
use klient_apimachinery::codec::{Encoded, FieldPath};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_cache::{Indexer, Keep, StoreWriter};

const PODS: usize = 10_000;

fn pod(number: usize, version: usize) -> Encoded<Pod> {
    Encoded::of(&Pod {
        metadata: ObjectMeta {
            name: Some(format!("web-{number:05}").into()),
            namespace: Some(format!("team-{:02}", number % 50).into()),
            resource_version: Some(version.to_string().into()),
            labels: [("app", format!("app-{:03}", number % 500).as_str()), ("tier", "front")].into(),
            ..Default::default()
        },
        spec: PodSpec { node_name: Some(format!("node-{:03}", number % 200).into()), ..Default::default() },
        ..Default::default()
    })
}

fn store(keep: Keep) -> StoreWriter<Pod> {
    let store = StoreWriter::new(Pod::INFO, keep);
    let by_node = FieldPath::of("spec.nodeName").expect("pods have that field");
    store.add_indexer("node", Indexer::field(by_node)).expect("it is the first of that name");
    let pods = (0..PODS).map(|number| pod(number, 1)).collect();
    store.replace(pods, "1").expect("they are pods");
    store
}

fn stores(criterion: &mut Criterion) {
    for (name, keep) in [("packed", Keep::Packed), ("decoded", Keep::Decoded)] {
        let mut group = criterion.benchmark_group(name);
        let store = store(keep);
        let mut version = 1;
        group.bench_function("put a new state", |bencher| {
            let next = || {
                version += 1;
                pod(version % PODS, version)
            };
            bencher.iter_batched(next, |pod| store.put(pod), BatchSize::SmallInput);
        });
        group.bench_function("get a key", |bencher| bencher.iter(|| store.get("team-07/web-00007")));
        group.bench_function("get and look into it", |bencher| {
            bencher.iter(|| store.get("team-07/web-00007").map(|pod| !pod.spec.containers.is_empty()));
        });
        let selector = "app=app-007,tier in (front,back)".parse().expect("it is a selector");
        group.bench_function("select 20 by labels", |bencher| bencher.iter(|| store.select(&selector)));
        group.bench_function("list a namespace of 200", |bencher| bencher.iter(|| store.list_in("team-07")));
        group.bench_function("50 of an index", |bencher| bencher.iter(|| store.by_index("node", "node-007")));
        group.bench_function("snapshot", |bencher| bencher.iter(|| store.snapshot()));
        group.finish();
    }
}

criterion_group!(benches, stores);
criterion_main!(benches);
