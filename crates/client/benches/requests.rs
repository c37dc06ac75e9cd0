//! Requests to the embedded API server over HTTPS: what one costs, and what many objects cost.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::codec::Wire as _;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, InNamespace, ListOptions, WatchEvent, WatchOptions};
use serde_json::json;
use tokio::runtime::Runtime;

const PODS: usize = 10_000;
const EVENTS: usize = 1_000;

/// A pod as a deployment makes it: some 2 KB of JSON.
fn pod(number: usize) -> Pod {
    let name = format!("web-7d4b9c6f5d-{number:05}");
    let mount = json!({"name": "kube-api-access-x7l2p", "readOnly": true,
                       "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10});
    let container = |name: &str| {
        json!({
            "name": name,
            "image": format!("registry.example/shop/{name}:1.42.0"),
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "LOG_LEVEL", "value": "info"},
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": probe,
            "readinessProbe": probe,
            "volumeMounts": [mount],
        })
    };
    let pod = json!({
        "metadata": {
            "name": name,
            "labels": {"app": "web", "pod-template-hash": "7d4b9c6f5d", "tier": "front"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
        },
        "spec": {
            "containers": [container("web"), container("proxy")],
            "volumes": [{"name": "kube-api-access-x7l2p", "emptyDir": {}}],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                             "effect": "NoExecute", "tolerationSeconds": 300}],
        },
    });
    Pod::from_json(pod.to_string().as_bytes()).unwrap()
}

/// Creates pods, many at once.
async fn fill(client: &Client, pods: std::ops::Range<usize>) {
    let api = client.api::<Pod>().namespace("default");
    let numbers: Vec<usize> = pods.collect();
    let mut creating = tokio::task::JoinSet::new();
    for some in numbers.chunks(numbers.len().div_ceil(32)) {
        let (api, some) = (api.clone(), some.to_owned());
        creating.spawn(async move {
            for number in some {
                api.create(&pod(number)).await.unwrap();
            }
        });
    }
    creating.join_all().await;
}

/// Follows pods from a version until so many events have come.
async fn follow(pods: &klient_client::Api<Pod, InNamespace>, from: &WatchOptions) {
    let mut watch = pods.watch(from).await.unwrap();
    for _ in 0..EVENTS {
        assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(_)))));
    }
}

fn requests(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start()).unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();

    let config_maps = client.api::<ConfigMap>().namespace("default");
    let small = json!({"metadata": {"name": "colors"}, "data": {"sky": "blue"}}).to_string();
    runtime.block_on(config_maps.create(&ConfigMap::from_json(small.as_bytes()).unwrap())).unwrap();
    criterion.bench_function("build and send a GET", |bencher| {
        bencher.iter(|| runtime.block_on(config_maps.get("colors")).unwrap());
    });

    let pods = client.api::<Pod>().namespace("default");
    runtime.block_on(fill(&client, 0..PODS - EVENTS));
    let from = WatchOptions {
        resource_version: Some(server.resource_version().to_string().into()),
        ..Default::default()
    };
    runtime.block_on(fill(&client, PODS - EVENTS..PODS));

    let mut group = criterion.benchmark_group("pods");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PODS as u64));
    group.bench_function("list 10,000 pods", |bencher| {
        bencher.iter(|| {
            let list = runtime.block_on(pods.list(&ListOptions::default())).unwrap();
            assert_eq!(list.items.len(), PODS);
            list
        });
    });
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("watch 1,000 events", |bencher| {
        bencher.iter(|| runtime.block_on(follow(&pods, &from)));
    });
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
