//! Gets of single objects, one after another or many in flight.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

/// Gets `--count` pods of the first 500, `--conc` in flight.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let client = crate::client(args);
    let pods = Api::<Pod>::all(client.clone()).list(&ListParams::default().limit(500)).await.unwrap();
    let keys: Vec<_> = pods
        .items
        .into_iter()
        .map(|pod| (pod.metadata.namespace.unwrap_or_default(), pod.metadata.name.unwrap_or_default()))
        .collect();
    let keys = Arc::new(keys);
    let (count, conc) = (args.num("count", 20_000), args.num("conc", 1));
    gets(&client, &keys, conc * 20, conc).await;
    let clock = Clock::start();
    gets(&client, &keys, count, conc).await;
    let wall = clock.stop(out);
    out.insert("req_per_s".into(), json!(count as f64 / wall * 1e3));
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("cpu_us_per_req".into(), json!(cpu * 1e3 / count as f64));
    Box::new(client)
}

async fn gets(client: &Client, keys: &Arc<Vec<(String, String)>>, count: usize, conc: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..conc {
        let (client, keys, next) = (client.clone(), keys.clone(), next.clone());
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                let (namespace, name) = &keys[number % keys.len()];
                let pod = Api::<Pod>::namespaced(client.clone(), namespace).get(name).await.unwrap();
                assert_eq!(pod.metadata.name.as_ref(), Some(name));
            }
        });
    }
    workers.join_all().await;
}
