//! Server-side apply and three-way patches in process, and applies over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use klient_apimachinery::{Time, patch};
use klient_client::{Client, Config};
use klient_schema::{apps_v1, core_v1};
use klient_structured_merge::{FieldManager, Managers, Map, Updater};
use measure::{Args, Clock, median};
use serde_json::{Value, json};

const NOW: Time = Time::from_unix(1_800_000_000);

fn map(value: Value) -> Map {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

/// Writes what is applied and patched, for all peers.
pub fn write_data(args: &Args) {
    let data = PathBuf::from(args.str("data", "data"));
    let write = |name: &str, value: &Value| fs::write(data.join(name), value.to_string()).unwrap();
    write("apply-deployment.json", &deployment("web"));
    let env: Vec<Value> = (0..1_000).map(|n| json!({"name": format!("VAR_{n:04}"), "value": "1"})).collect();
    write(
        "apply-list.json",
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"containers": [{"name": "a", "env": env}]},
        }),
    );
    let [original, modified, current] = definitions();
    write("crd-original.json", &original);
    write("crd-modified.json", &modified);
    write("crd-current.json", &current);
}

/// What one applies: some 3 KB of JSON.
fn deployment(name: &str) -> Value {
    let env: Vec<Value> =
        (0..10).map(|n| json!({"name": format!("VARIABLE_{n}"), "value": format!("value-{n}")})).collect();
    let container = |name: &str| {
        json!({
            "name": name,
            "image": format!("registry.example/shop/{name}:1.42.0"),
            "env": env,
            "ports": [{"name": format!("{name}-a"), "containerPort": 8080}, {"name": format!("{name}-b"), "containerPort": 9090}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/config"}],
        })
    };
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web", "tier": "front"}},
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
    })
}

/// A large custom resource definition (some 350 KB) as it was applied, as it is to be, and as the server has it.
fn definitions() -> [Value; 3] {
    let property = |n: usize, text: &str| {
        json!({
            "description": format!("Field {n} says {text} of the things that this resource describes, at some length."),
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "description": "The name of the thing."},
                "size": {"type": "integer", "format": "int32", "minimum": 0},
                "mode": {"type": "string", "enum": ["Fast", "Slow", "Off"]},
            },
            "required": ["name"],
        })
    };
    let definition = |names: &mut dyn Iterator<Item = usize>, text: &dyn Fn(usize) -> &'static str| {
        let properties: Map = names.map(|n| (format!("field{n:04}"), property(n, text(n)))).collect();
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.a.example"},
            "spec": {
                "group": "a.example",
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true}],
                "schema": {"type": "object", "properties": properties},
            },
        })
    };
    let original = definition(&mut (0..1_000), &|_| "little");
    let modified = definition(&mut (10..1_010), &|n| if n % 50 == 0 { "much" } else { "little" });
    let mut current = original.clone();
    current["metadata"]["uid"] = "8a3c1d52-5f4e-4a53-b7a3-111111111111".into();
    current["metadata"]["labels"] = json!({"added": "elsewhere"});
    current["status"] = json!({"storedVersions": ["v1"]});
    [original, modified, current]
}

fn read(args: &Args, name: &str) -> Vec<u8> {
    fs::read(Path::new(&args.str("data", "data")).join(name)).unwrap()
}

/// Measures an apply that changes nothing.
pub fn unchanged(args: &Args, out: &mut Map) {
    let what = args.str("what", "deployment");
    let config = map(serde_json::from_slice(&read(args, &format!("apply-{what}.json"))).unwrap());
    let (api_version, table) =
        if what == "deployment" { ("apps/v1", &apps_v1::DEPLOYMENT) } else { ("v1", &core_v1::POD) };
    let updater = Updater::of_one(api_version, table.into());
    let fields = FieldManager { updater: &updater, api_version, ..FieldManager::default() };
    let mut live = fields.apply(&Map::new(), &config, "kubectl", false, NOW).unwrap();
    if what == "deployment" {
        for number in 0..5 {
            let annotation = json!({"metadata": {"annotations": {format!("example.com/a{number}"): "1"}}});
            live = fields.apply(&live, &map(annotation), &format!("applier-{number}"), false, NOW).unwrap();
        }
        for (number, field) in
            ["replicas", "readyReplicas", "updatedReplicas", "availableReplicas"].iter().enumerate()
        {
            let mut new = Value::Object(live.clone());
            new["metadata"]["labels"][format!("l{number}")] = "1".into();
            new["status"][*field] = 3.into();
            let mut new = map(new);
            fields.update(&live, &mut new, &format!("updater-{number}"), NOW).unwrap();
            live = new;
        }
    }
    out.insert("managers".into(), Managers::of(&live).unwrap().len().into());
    let took = measure(|| {
        assert!(fields.apply(&live, &config, "kubectl", false, NOW).unwrap().len() == live.len());
    });
    out.insert("us".into(), json!(median(took)));
}

/// Measures a three-way patch of a custom resource definition, from bytes to bytes.
pub fn three_way(args: &Args, out: &mut Map) {
    let files = ["crd-original.json", "crd-modified.json", "crd-current.json"].map(|name| read(args, name));
    let mut size = 0;
    let took = measure(|| {
        let [original, modified, current] =
            files.each_ref().map(|bytes| serde_json::from_slice::<Map>(bytes).unwrap());
        let patch = patch::merge::three_way(&original, &modified, &current, &[]).unwrap();
        size = Value::Object(patch).to_string().len();
    });
    out.insert("us".into(), json!(median(took)));
    out.insert("bytes".into(), size.into());
}

/// Runs something for some time, and returns how many microseconds it took each time.
fn measure(mut run: impl FnMut()) -> Vec<f64> {
    let mut took = vec![];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        let before = Instant::now();
        run();
        took.push(before.elapsed().as_secs_f64() * 1e6);
    }
    took
}

/// Applies a Deployment of its own with each of some clients, again and again, to the server of a kubeconfig.
pub async fn over_http(args: &Args, out: &mut Map) {
    let clients = args.num("clients", 1);
    let client =
        Client::new(Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap()).unwrap();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}).to_string();
    let made = client.request(Method::POST).absolute_path("/api/v1/namespaces");
    match made.body("application/json", namespace).send().await {
        Ok(_) => {}
        Err(error) => assert!(error.is_already_exists(), "{error}"),
    }
    let changes = args.flag("changes");
    let applies = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = vec![];
    for number in 0..clients {
        let (client, applies, is_over) = (client.clone(), applies.clone(), is_over.clone());
        let name = format!("web-{number}");
        let mut config = deployment(&name);
        // What exists already is as others left it.
        apply(&client, &name, &config).await;
        tasks.push(tokio::spawn(async move {
            for count in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                if changes {
                    config["spec"]["template"]["metadata"]["annotations"] =
                        json!({"count": count.to_string()});
                }
                apply(&client, &name, &config).await;
                applies.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    // Caches fill, connections open.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, clock) = (applies.load(Ordering::Relaxed), Clock::start());
    let begin = Instant::now();
    tokio::time::sleep(Duration::from_secs(args.num("seconds", 5) as u64)).await;
    let count = applies.load(Ordering::Relaxed) - before;
    out.insert("per_second".into(), json!(count as f64 / begin.elapsed().as_secs_f64()));
    clock.stop(out);
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
}

async fn apply(client: &Client, name: &str, config: &Value) {
    let request = client
        .request(Method::PATCH)
        .group_version("apps", "v1")
        .namespace("shop")
        .resource("deployments")
        .name(name)
        .query("fieldManager", "bench")
        .query("force", "true");
    request.body("application/apply-patch+yaml", config.to_string()).send().await.unwrap();
}
