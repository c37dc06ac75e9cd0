//! kube-peer runs one case with kube and prints one JSON line with the figures.
//!
//!   kube-peer list     --n 10000 --mode typed|dynamic [--page 500] [--iters 1]
//!   kube-peer informer --n 10000 --mode typed|dynamic --strategy list|watchlist [--page 500] [--strip]
//!   kube-peer watch    --n 1000 --m 50000 [--strip]
//!   kube-peer get      --n 1000 --count 20000 --conc 64 [--tls]
//!   kube-peer index    --n 100000
//!   kube-peer decode   --data data --n 10000

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind, Selector};
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Config, Resource, ResourceExt};
use measure::{Args, Clock, median, memory, vm};
use serde_json::{Map, Value, json};

fn client(a: &Args) -> Client {
    let n = a.num("n", 1000);
    let m = a.num("m", 0);
    let mf = if a.flag("nomf") { "-mf0" } else { "" };
    let base = if a.flag("tls") {
        a.str("https", "https://127.0.0.1:28443")
    } else {
        a.str("http", "http://127.0.0.1:18080")
    };
    let mut c = Config::new(format!("{base}/n{n}-m{m}{mf}").parse().unwrap());
    if a.flag("tls") {
        let pem = std::fs::read_to_string(a.str("data", "data") + "/ca.pem").unwrap();
        let b64: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
        c.root_cert = Some(vec![b64decode(&b64)]);
    }
    c.proxy_url = None;
    Client::try_from(c).unwrap()
}

fn b64decode(s: &str) -> Vec<u8> {
    let t = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut acc, mut bits, mut out) = (0u32, 0, Vec::new());
    for c in s.bytes().filter(|c| *c != b'=') {
        acc = acc << 6 | t.iter().position(|x| *x == c).unwrap() as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
        }
    }
    out
}

fn pods_ar() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"))
}

async fn run_list<K>(a: &Args, api: Api<K>, out: &mut Map<String, Value>) -> Box<dyn std::any::Any>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug + 'static,
{
    let iters = a.num("iters", 1);
    let page = a.num("page", 0);
    let mut walls = vec![];
    let mut keep: Vec<kube::core::ObjectList<K>> = vec![];
    let c = Clock::start();
    for _ in 0..iters {
        keep.clear();
        let t = Instant::now();
        let mut lp = ListParams::default();
        if page > 0 {
            lp = lp.limit(page as u32);
        }
        loop {
            let l = api.list(&lp).await.unwrap();
            let cont = l.metadata.continue_.clone().unwrap_or_default();
            keep.push(l);
            if cont.is_empty() {
                break;
            }
            lp.continue_token = Some(cont);
        }
        assert_eq!(keep.iter().map(|l| l.items.len()).sum::<usize>(), a.num("n", 1000));
        walls.push(t.elapsed().as_secs_f64() * 1e3);
    }
    c.stop(out);
    let cpu = out["cpu_ms"].as_f64().unwrap() / iters as f64;
    out.insert("cpu_ms".into(), json!(cpu));
    out.insert("wall_ms".into(), json!(median(walls)));
    Box::new(keep)
}

async fn run_informer<K>(a: &Args, api: Api<K>, dt: K::DynamicType, watch: bool, out: &mut Map<String, Value>) -> Box<dyn std::any::Any>
where
    K: Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    K::DynamicType: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
{
    let n = a.num("n", 1000);
    let m = a.num("m", 0);
    let mut cfg = watcher::Config::default();
    if a.str("strategy", "list") == "watchlist" {
        cfg = cfg.streaming_lists();
    } else {
        match a.str("page", "500").as_str() {
            "0" => cfg = cfg.any_semantic(), // version 0: one answer, as client-go asks for it
            p => cfg = cfg.page_size(p.parse().unwrap()),
        }
    }
    let writer = reflector::store::Writer::<K>::new(dt);
    let reader = writer.as_reader();
    let strip = a.flag("strip");
    let seen = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = tokio::sync::oneshot::channel::<(Clock, Clock, f64)>();
    let c = Clock::start();
    let w = watcher::watcher(api, cfg);
    let w: std::pin::Pin<Box<dyn Stream<Item = watcher::Result<watcher::Event<K>>> + Send>> = if strip {
        Box::pin(w.map(|e| e.map(|e| e.modify(|o| o.meta_mut().managed_fields = None))))
    } else {
        Box::pin(w)
    };
    let stream = reflector::reflector(writer, w);
    let seen2 = seen.clone();
    let task = tokio::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        let mut applied = 0usize;
        let mut first = None;
        let mut tx = Some(tx);
        while let Some(ev) = stream.next().await {
            match ev.unwrap() {
                watcher::Event::InitApply(_) => {
                    seen2.fetch_add(1, Ordering::Relaxed);
                }
                watcher::Event::Apply(_) => {
                    if applied == 0 {
                        first = Some(Clock::start());
                    }
                    applied += 1;
                    if applied == m {
                        let (u, s) = cpu();
                        let wall = first.unwrap().0.elapsed().as_secs_f64() * 1e3;
                        let _ = tx.take().unwrap().send((first.unwrap(), Clock(Instant::now(), u, s), wall));
                    }
                }
                _ => {}
            }
        }
    });
    reader.wait_until_ready().await.unwrap();
    c.stop(out);
    assert_eq!(reader.len(), n);
    assert_eq!(seen.load(Ordering::Relaxed), n);
    if watch {
        let (f, e, wall) = tokio::time::timeout(Duration::from_secs(300), rx).await.unwrap().unwrap();
        let (u, s) = (e.1 - f.1, e.2 - f.2);
        out.insert("wall_ms".into(), json!(wall));
        out.insert("user_ms".into(), json!(u));
        out.insert("sys_ms".into(), json!(s));
        out.insert("cpu_ms".into(), json!(u + s));
        out.insert("events_per_s".into(), json!((m - 1) as f64 / wall * 1e3));
        out.insert("cpu_us_per_event".into(), json!((u + s) * 1e3 / (m - 1) as f64));
    } else {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Box::new((reader, task))
}

async fn run_get(a: &Args, out: &mut Map<String, Value>) -> Box<dyn std::any::Any> {
    let client = client(a);
    let (count, conc) = (a.num("count", 20000), a.num("conc", 1));
    let all: Api<Pod> = Api::all(client.clone());
    let l = all.list(&ListParams::default().limit(500)).await.unwrap();
    let names: Arc<Vec<(String, String)>> = Arc::new(l.items.iter().map(|p| (p.namespace().unwrap(), p.name_any())).collect());
    let go = async |total: usize| -> Vec<f64> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = vec![];
        for _ in 0..conc {
            let (client, names, next) = (client.clone(), names.clone(), next.clone());
            tasks.push(tokio::spawn(async move {
                let mut lat = vec![];
                loop {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    if k >= total {
                        return lat;
                    }
                    let (ns, name) = &names[k % names.len()];
                    let t = Instant::now();
                    let p = Api::<Pod>::namespaced(client.clone(), ns).get(name).await.unwrap();
                    assert_eq!(p.metadata.name.as_deref(), Some(name.as_str()));
                    lat.push(t.elapsed().as_secs_f64() * 1e6);
                }
            }));
        }
        let mut lat = vec![];
        for t in tasks {
            lat.extend(t.await.unwrap());
        }
        lat
    };
    go(conc * 20).await;
    let c = Clock::start();
    let mut lat = go(count).await;
    let wall = c.stop(out);
    lat.sort_by(f64::total_cmp);
    out.insert("req_per_s".into(), json!(count as f64 / wall * 1e3));
    let cpu = out["cpu_ms"].as_f64().unwrap();
    out.insert("cpu_us_per_req".into(), json!(cpu * 1e3 / count as f64));
    out.insert("p50_us".into(), json!(lat[lat.len() / 2]));
    out.insert("p99_us".into(), json!(lat[lat.len() * 99 / 100]));
    Box::new(client)
}

async fn run_index(a: &Args, out: &mut Map<String, Value>) -> Box<dyn std::any::Any> {
    let n = a.num("n", 100000);
    let b = std::fs::read(format!("{}/podlist-{n}.json", a.str("data", "data"))).unwrap();
    let l: kube::core::ObjectList<Pod> = serde_json::from_slice(&b).unwrap();
    drop(b);
    let (reader, mut writer) = reflector::store::<Pod>();
    let keys: Vec<ObjectRef<Pod>> = (0..1000).map(|i| ObjectRef::from_obj(&l.items[(i * 7919) % n])).collect();
    let c = Clock::start();
    for p in l.items {
        writer.apply_watcher_event(&watcher::Event::Apply(p));
    }
    let wall = c.stop(out);
    out.insert("add_ns".into(), json!(wall * 1e6 / n as f64));
    let mut bench = |name: &str, k: usize, f: &dyn Fn(usize) -> usize| {
        let mut v = vec![];
        let mut items = 0;
        for _ in 0..7 {
            let t = Instant::now();
            items = 0;
            for i in 0..k {
                items += f(i);
            }
            v.push(t.elapsed().as_secs_f64() * 1e9 / k as f64);
        }
        out.insert(format!("{name}_ns"), json!(median(v)));
        out.insert(format!("{name}_items"), json!(items / k));
    };
    let sel = Selector::from_iter([("app.kubernetes.io/name".to_string(), "svc-007".to_string())]);
    let nss: Vec<String> = (0..50).map(|i| format!("team-{i:02}")).collect();
    bench("get_by_key", 100000, &|i| reader.get(&keys[i % keys.len()]).is_some() as usize);
    bench("by_namespace_scan", 20, &|i| {
        reader.state_filter(|p: &Pod| p.metadata.namespace.as_deref() == Some(nss[i % 50].as_str())).len()
    });
    bench("lister_all", 5, &|_| reader.state().len());
    bench("lister_selector", 5, &|_| reader.state_filter_selector(&sel).len());
    Box::new((reader, writer))
}

/// Decodes a list of pods as k8s-openapi does with serde_json.
fn run_decode(a: &Args, out: &mut Map<String, Value>) -> Box<dyn std::any::Any> {
    let n = a.num("n", 10000);
    let bytes = std::fs::read(format!("{}/podlist-{n}.json", a.str("data", "data"))).unwrap();
    let mut walls = vec![];
    let mut keep = None;
    for _ in 0..a.num("iters", 7) {
        drop(keep.take());
        let t = Instant::now();
        let list: k8s_openapi::List<Pod> = serde_json::from_slice(&bytes).unwrap();
        walls.push(t.elapsed().as_secs_f64() * 1e9 / n as f64);
        assert_eq!(list.items.len(), n);
        keep = Some(list);
    }
    out.insert("ns_per_pod".into(), json!(median(walls)));
    Box::new(keep)
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut it = std::env::args().skip(1);
    let case = it.next().expect("usage: kube-peer CASE [flags]");
    let a = Args::parse(it);
    let mut out = Map::new();
    out.insert("peer".into(), json!("kube"));
    out.insert("case".into(), json!(case));
    out.insert("enc".into(), json!("json"));
    for (k, v) in &a.0 {
        out.insert(k.clone(), v.parse::<i64>().map(|v| json!(v)).unwrap_or_else(|_| json!(v)));
    }
    let mut b = tokio::runtime::Builder::new_multi_thread();
    if let Some(w) = a.0.get("workers") {
        b.worker_threads(w.parse().unwrap());
    }
    let rt = b.enable_all().build().unwrap();
    let keep = rt.block_on(async {
        let dynamic = a.str("mode", "typed") == "dynamic";
        match case.as_str() {
            "list" if dynamic => run_list(&a, Api::<DynamicObject>::all_with(client(&a), &pods_ar()), &mut out).await,
            "list" => run_list(&a, Api::<Pod>::all(client(&a)), &mut out).await,
            "informer" | "watch" if dynamic => {
                run_informer(&a, Api::<DynamicObject>::all_with(client(&a), &pods_ar()), pods_ar(), case == "watch", &mut out).await
            }
            "informer" | "watch" => run_informer(&a, Api::<Pod>::all(client(&a)), (), case == "watch", &mut out).await,
            "get" => run_get(&a, &mut out).await,
            "index" => run_index(&a, &mut out).await,
            "decode" => run_decode(&a, &mut out),
            _ => panic!("no such case {case}"),
        }
    });
    memory(&mut out);
    println!("{}", Value::Object(out));
    drop(keep);
    std::process::exit(0);
}
