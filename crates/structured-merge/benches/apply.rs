//! Cost of an apply: an unchanged Deployment, and a long list.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use klient_apimachinery::Time;
use klient_schema::{apps_v1, core_v1};
use klient_structured_merge::{FieldManager, FieldSet, Managers, Map, Updater};
use serde_json::{Value, json};

const NOW: Time = Time::from_unix(1_800_000_000);

fn map(value: Value) -> Map {
    value.as_object().unwrap().clone()
}

/// An applied configuration of about 3 KB of JSON.
fn deployment() -> Map {
    let env: Vec<Value> =
        (0..10).map(|n| json!({"name": format!("VARIABLE_{n}"), "value": format!("value-{n}")})).collect();
    let container = |name: &str| {
        json!({
            "name": name,
            "image": format!("registry.example/shop/{name}:1.42.0"),
            "env": env,
            "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/config"}],
        })
    };
    map(json!({
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "tier": "front"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {
                    "containers": [container("web"), container("sidecar")],
                    "volumes": [{"name": "config", "configMap": {"name": "web"}}],
                },
            },
        },
    }))
}

fn unchanged_deployment(c: &mut Criterion) {
    let updater = Updater::of_one("apps/v1", (&apps_v1::DEPLOYMENT).into());
    let fields = FieldManager { updater: &updater, api_version: "apps/v1", ..FieldManager::default() };
    let config = deployment();
    let mut live = fields.apply(&Map::new(), &config, "kubectl", false, NOW).unwrap();
    for number in 0..5 {
        let annotation = json!({"metadata": {"annotations": {format!("example.com/a{number}"): "1"}}});
        live = fields.apply(&live, &map(annotation), &format!("applier-{number}"), false, NOW).unwrap();
    }
    for number in 0..4 {
        let mut new = Value::Object(live.clone());
        new["metadata"]["labels"][format!("l{number}")] = "1".into();
        new["status"][["replicas", "readyReplicas", "updatedReplicas", "availableReplicas"][number]] =
            3.into();
        let mut new = map(new);
        fields.update(&live, &mut new, &format!("updater-{number}"), NOW).unwrap();
        live = new;
    }
    assert_eq!(Managers::of(&live).unwrap().len(), 10);
    let again = fields.apply(&live, &config, "kubectl", false, NOW).unwrap();
    assert_eq!(again, live);
    c.bench_function("apply/unchanged-deployment-10-managers", |b| {
        b.iter(|| fields.apply(&live, &config, "kubectl", false, NOW).unwrap());
    });
    let set = live["metadata"]["managedFields"][0]["fieldsV1"].to_string();
    let mut group = c.benchmark_group("fields");
    group.throughput(Throughput::Bytes(set.len() as u64));
    group.bench_function("read", |b| b.iter(|| FieldSet::from_json(&set).unwrap()));
    let read = FieldSet::from_json(&set).unwrap();
    group.bench_function("write", |b| b.iter(|| read.to_json()));
    group.finish();
    let mut new = live.clone();
    new["spec"]["replicas"] = 4.into();
    c.bench_function("update/replicas-of-deployment-10-managers", |b| {
        b.iter_batched(
            || new.clone(),
            |mut new| fields.update(&live, &mut new, "kubectl", NOW).map(|()| new).unwrap(),
            BatchSize::SmallInput,
        );
    });
}

fn long_list(c: &mut Criterion) {
    let updater = Updater::of_one("v1", (&core_v1::POD).into());
    let fields = FieldManager { updater: &updater, api_version: "v1", ..FieldManager::default() };
    let pod = |names: &mut dyn Iterator<Item = usize>, value: &str| {
        let env: Vec<Value> = names.map(|n| json!({"name": format!("VAR_{n:04}"), "value": value})).collect();
        map(json!({"spec": {"containers": [{"name": "a", "env": env}]}}))
    };
    let config = pod(&mut (0..1_000), "1");
    let live = fields.apply(&Map::new(), &config, "alice", false, NOW).unwrap();
    let mut group = c.benchmark_group("list-map-1000");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("unchanged", |b| {
        b.iter(|| fields.apply(&live, &config, "alice", false, NOW).unwrap());
    });
    let other = pod(&mut (0..1_000).rev(), "2");
    group.bench_function("all-changed-and-reversed", |b| {
        b.iter(|| fields.apply(&live, &other, "alice", false, NOW).unwrap());
    });
    let half = pod(&mut (0..500), "1");
    group.bench_function("half-removed", |b| {
        b.iter(|| fields.apply(&live, &half, "alice", false, NOW).unwrap());
    });
    group.finish();
}

criterion_group!(benches, unchanged_deployment, long_list);
criterion_main!(benches);
