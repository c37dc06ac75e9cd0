//! Requests beside lists and watches of the same client that are not read.

use std::time::Instant;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Wire as _;
use klient_client::{Api, Client, Config, InNamespace, ListOptions, WatchOptions};
use measure::{Args, Clock, vm};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

const OBJECTS: usize = 2_000;
const WORKERS: usize = 16;

type ConfigMaps = Api<ConfigMap, InNamespace>;

/// Sends `--requests` gets alone, and then beside `--unread` lists and as many watches, of 2,000 objects of 1 KB each.
pub async fn run(args: &Args, out: &mut Map<String, Value>) -> impl Sized + use<> {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let api = Client::new(config).unwrap().api::<ConfigMap>().namespace("default");
    let (requests, unread) = (args.num("requests", 10_000), args.num("unread", 500));
    fill(&api).await;
    gets(&api, requests / 10).await;
    let alone = gets(&api, requests).await;

    let before = vm("VmRSS");
    let (mut lists, mut watches) = (vec![], vec![]);
    for _ in 0..unread {
        lists.push(api.items(&ListOptions::default()).await.unwrap());
        let from_start = WatchOptions { send_initial_events: true, ..Default::default() };
        watches.push(api.watch(&from_start).await.unwrap());
    }
    gets(&api, requests / 10).await;
    let clock = Clock::start();
    let beside = gets(&api, requests).await;
    clock.stop(out);
    out.insert("us_alone".into(), json!(alone));
    out.insert("us_beside".into(), json!(beside));
    let held = vm("VmRSS").saturating_sub(before);
    out.insert("kib_per_unread".into(), json!(held as f64 / (2 * unread) as f64));
    (lists, watches)
}

/// Creates the objects, unless that is done.
async fn fill(api: &ConfigMaps) {
    let numbers: Vec<usize> = (0..OBJECTS).collect();
    let mut creating = JoinSet::new();
    for numbers in numbers.chunks(OBJECTS / WORKERS) {
        let (api, numbers) = (api.clone(), numbers.to_owned());
        creating.spawn(async move {
            for number in numbers {
                let object =
                    json!({"metadata": {"name": format!("c{number}")}, "data": {"text": "x".repeat(1024)}});
                let object = ConfigMap::from_json(object.to_string().as_bytes()).unwrap();
                match api.create(&object).await {
                    Ok(_) => {}
                    Err(error) => assert!(error.is_already_exists(), "{error}"),
                }
            }
        });
    }
    creating.join_all().await;
}

/// Sends gets, 16 at once, and returns for how many microseconds each took, waiting included.
async fn gets(api: &ConfigMaps, requests: usize) -> f64 {
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let api = api.clone();
        workers.spawn(async move {
            for number in (worker..requests).step_by(WORKERS) {
                api.get(&format!("c{}", number % OBJECTS)).await.unwrap();
            }
        });
    }
    workers.join_all().await;
    begin.elapsed().as_secs_f64() * 1e6 / requests as f64
}
