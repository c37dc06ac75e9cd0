//! The case `index`: reading a store.

use std::any::Any;
use std::time::Instant;

use k8s_openapi::List;
use k8s_openapi::api::core::v1::Pod;
use kube::core::{Expression, Selector};
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher;
use measure::{Args, Clock, median};
use serde_json::{Map, Value, json};

pub(crate) fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let n = args.num("n", 100_000);
    let bytes = std::fs::read(format!("{}/podlist-{n}.json", args.str("data", "data"))).unwrap();
    let list: List<Pod> = serde_json::from_slice(&bytes).unwrap();
    drop(bytes);
    let (reader, mut writer) = reflector::store::<Pod>();
    let keys: Vec<_> = (0..1000).map(|i| ObjectRef::from_obj(&list.items[(i * 7919) % n])).collect();
    let clock = Clock::start();
    for pod in list.items {
        writer.apply_watcher_event(&watcher::Event::Apply(pod));
    }
    let wall = clock.stop(out);
    out.insert("add_ns".into(), json!(wall * 1e6 / n as f64));
    let mut time = |name: &str, count: usize, call: &dyn Fn(usize) -> usize| {
        let mut nanos = Vec::new();
        let mut items = 0;
        for _ in 0..7 {
            let begin = Instant::now();
            items = (0..count).map(call).sum();
            nanos.push(begin.elapsed().as_nanos() as f64 / count as f64);
        }
        out.insert(format!("{name}_ns"), json!(median(nanos)));
        out.insert(format!("{name}_items"), json!(items / count));
    };
    let selector = Selector::from_iter([("app.kubernetes.io/name".to_owned(), "svc-007".to_owned())]);
    let tiers = ["frontend", "backend"].map(str::to_owned).into();
    let either: Selector = [
        Expression::In("tier".to_owned(), tiers),
        Expression::Equal("app.kubernetes.io/name".to_owned(), "svc-007".to_owned()),
    ]
    .into_iter()
    .collect();
    let namespaces: Vec<_> = (0..50).map(|i| format!("team-{i:02}")).collect();
    let in_namespace = |pod: &Pod, i: usize| pod.metadata.namespace.as_ref() == Some(&namespaces[i % 50]);
    time("get_by_key", 100_000, &|i| usize::from(reader.get(&keys[i % keys.len()]).is_some()));
    time("lister_namespace", 20, &|i| reader.state_filter(|pod| in_namespace(pod, i)).len());
    time("lister_all", 5, &|_| reader.state().len());
    time("lister_selector", 5, &|_| reader.state_filter_selector(&selector).len());
    time("lister_selector_in", 5, &|_| reader.state_filter_selector(&either).len());
    Box::new((reader, writer))
}
