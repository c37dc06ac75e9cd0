//! The cases `informer` and `watch`: a reflector that fills a store, and who looks at its stream.

use std::any::Any;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::runtime::{reflector, watcher};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::client;

/// Until the store has all objects; with changes, from the first of them to the last.
pub(crate) async fn run(args: &Args, out: &mut Map<String, Value>) -> Box<dyn Any> {
    let (n, m) = (args.num("n", 1000), args.num("m", 0));
    let config = match args.str("strategy", "list").as_str() {
        "watchlist" => watcher::Config::default().streaming_lists(),
        _ => watcher::Config::default(),
    };
    let (reader, writer) = reflector::store::<Pod>();
    let seen = Arc::new(AtomicUsize::new(0));
    let (done, last) = oneshot::channel();
    let clock = Clock::start();
    let stream = reflector::reflector(writer, watcher::watcher(Api::<Pod>::all(client(args)), config));
    let counted = seen.clone();
    let task = tokio::spawn(async move {
        let mut stream = pin!(stream);
        let (mut first, mut applied) = (None, 0);
        let mut done = Some(done);
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                watcher::Event::InitApply(_) => drop(counted.fetch_add(1, Ordering::Relaxed)),
                watcher::Event::Apply(_) => {
                    let first = *first.get_or_insert_with(Clock::start);
                    applied += 1;
                    if applied == m {
                        let mut figures = Map::new();
                        let wall = first.stop(&mut figures);
                        done.take().expect("it is told once").send((figures, wall)).unwrap();
                    }
                }
                _ => {}
            }
        }
    });
    reader.wait_until_ready().await.unwrap();
    clock.stop(out);
    assert_eq!((reader.len(), seen.load(Ordering::Relaxed)), (n, n));
    if m > 0 {
        let told = tokio::time::timeout(Duration::from_secs(300), last).await;
        let (mut figures, wall) = told.expect("all come in time").expect("the task goes on");
        out.append(&mut figures);
        out.insert("events_per_s".into(), json!((m - 1) as f64 / wall * 1e3));
    } else {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Box::new((reader, task))
}
