//! Discovery of many groups, from the server and from a cache on disk, and the start of a program.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apimachinery::codec::{Format, Wire as _};
use klient_client::{Client, Config, DiskCache};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};

/// Asks for all resources of a server with `--groups` groups of custom resources, of which the definitions are created
/// first with `--fill`; with the cache in the folder `--cache` if that is set.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let groups = args.num("groups", 100);
    if args.flag("fill") {
        fill(&client(args), groups).await;
    }
    let clock = Clock::start();
    let discovery = client(args).discovery();
    let discovery = match args.str("cache", "").as_str() {
        "" => discovery.memory_cached(),
        folder => discovery.disk_cached(DiskCache {
            discovery: format!("{folder}/discovery").into(),
            http: Some(format!("{folder}/http").into()),
            ttl: Duration::from_secs(6 * 60 * 60),
        }),
    };
    let served = discovery.resources().await.unwrap();
    clock.stop(out);
    assert!(served.resources.len() >= groups, "{}", served.resources.len());
    assert!(served.failed.groups.is_empty());
}

/// Sends one request, which is not answered.
pub async fn first_byte(args: &Args, _: &mut Map<String, Value>) {
    let answer = client(args).discovery().version().await;
    assert!(answer.is_err());
}

fn client(args: &Args) -> Client {
    Client::new(Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap()).unwrap()
}

/// Creates the definitions, and waits until the last is served.
async fn fill(client: &Client, groups: usize) {
    for number in 0..groups {
        let group = format!("g{number}.example.com");
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("widgets.{group}") },
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
            },
        });
        let crd = CustomResourceDefinition::decode(Format::Json, crd.to_string().as_bytes()).unwrap();
        match client.api::<CustomResourceDefinition>().create(&crd).await {
            Ok(_) => {}
            Err(error) => assert!(error.is_already_exists(), "{error}"),
        }
    }
    let last = format!("g{}.example.com", groups - 1);
    loop {
        let served = client.discovery().resources().await.unwrap();
        if served.resources.iter().any(|resource| resource.info.group == last) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
