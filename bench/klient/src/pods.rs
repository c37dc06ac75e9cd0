//! The case `pods`: lists of many pods, as bytes.

use std::time::Instant;

use http::Method;
use klient_api::core::v1::Pod;
use klient_apimachinery::codec::Wire as _;
use klient_client::{Client, Config};
use measure::{Args, median};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

const WORKERS: usize = 32;

/// Lists all pods in `--enc`, of which there must be `--count`, three times after one that is not measured, and drops the
/// bytes as they come; creates the pods with `--fill`.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let count = args.num("count", 20_000);
    if args.flag("fill") {
        return fill(&client, count).await;
    }
    let media_type = match args.str("enc", "pb").as_str() {
        "json" => "application/json",
        _ => "application/vnd.kubernetes.protobuf",
    };
    let mut bytes = list(&client, media_type).await;
    let mut took = vec![];
    for _ in 0..3 {
        let begin = Instant::now();
        bytes = list(&client, media_type).await;
        took.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    out.insert("wall_ms".into(), json!(median(took)));
    out.insert("bytes_per_pod".into(), json!(bytes / count));
}

/// Lists the pods, and returns how many bytes that were.
async fn list(client: &Client, media_type: &str) -> usize {
    let request = client.request(Method::GET).absolute_path("/api/v1/pods").accept(media_type);
    let mut stream = request.stream().await.unwrap();
    let mut bytes = 0;
    while let Some(chunk) = stream.chunk().await.unwrap() {
        bytes += chunk.len();
    }
    bytes
}

async fn fill(client: &Client, count: usize) {
    let mut creating = JoinSet::new();
    for worker in 0..WORKERS {
        let pods = client.api::<Pod>().namespace("default");
        creating.spawn(async move {
            for number in (worker..count).step_by(WORKERS) {
                let pod = Pod::from_json(pod(number).to_string().as_bytes()).unwrap();
                pods.create(&pod).await.unwrap();
            }
        });
    }
    creating.join_all().await;
}

fn pod(number: usize) -> Value {
    let env: Vec<Value> = (0..8)
        .map(|n| json!({"name": format!("SETTING_{n}"), "value": format!("value-{}", number * 10 + n)}))
        .collect();
    let container = |name: &str| {
        json!({
            "name": name,
            "image": format!("registry.example.com/shop/{name}:1.{}", number % 7),
            "args": ["--listen=:8080", "--log-level=info"],
            "env": env,
            "ports": [{"name": name, "containerPort": 8080}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/config"}],
        })
    };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": format!("web-{number:05}"),
            "labels": {"app": "web", "pod-template-hash": format!("{:08x}", number % 500)},
        },
        "spec": {
            "containers": [container("web"), container("proxy")],
            "volumes": [{"name": "config", "configMap": {"name": "web"}}],
        },
    })
}
