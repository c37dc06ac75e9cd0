//! The cases `informer` and `idle`: how long informers take to be in step, and what they cost then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use klient_api::core::v1::Pod;
use klient_apimachinery::codec::ManagedFields;
use klient_cache::{Event, Informer, InformerOptions, Keep, ResourceEventHandlerRegistration};
use measure::{Args, Clock};
use serde_json::{Map, Value, json};

use crate::client;

/// An informer of all pods: its options are the defaults but for what the flags say.
pub(crate) fn of_pods(args: &Args) -> Informer<Pod> {
    let mut options = InformerOptions { keep: keep(args), ..InformerOptions::default() };
    if args.flag("managed-fields") {
        options.reflector.managed_fields = ManagedFields::Keep;
    }
    options.reflector.watch_list = args.str("strategy", "watchlist") == "watchlist";
    Informer::new(client(args).api::<Pod>(), options)
}

pub(crate) fn keep(args: &Args) -> Keep {
    match args.str("keep", "packed").as_str() {
        "packed" => Keep::Packed,
        "decoded" => Keep::Decoded,
        other => panic!("nothing is kept {other}"),
    }
}

/// Until the store has all objects, and one handler was told of them.
pub(crate) async fn sync(
    args: &Args,
    out: &mut Map<String, Value>,
) -> (Informer<Pod>, ResourceEventHandlerRegistration<Pod>) {
    let informer = of_pods(args);
    let adds = Arc::new(AtomicUsize::new(0));
    let counted = adds.clone();
    let clock = Clock::start();
    let handler = informer.add_event_handler(move |_: Event<Pod>| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    informer.start();
    handler.wait_for_sync().await.unwrap();
    clock.stop(out);
    let n = args.num("n", 10_000);
    assert_eq!((adds.load(Ordering::Relaxed), informer.store().len()), (n, n));
    tokio::time::sleep(Duration::from_millis(50)).await;
    (informer, handler)
}

/// What informers cost when nothing happens.
pub(crate) async fn idle(args: &Args, out: &mut Map<String, Value>) -> Vec<Informer<Pod>> {
    let informers: Vec<_> = (0..args.num("informers", 20)).map(|_| of_pods(args)).collect();
    for informer in &informers {
        informer.start();
        informer.wait_for_sync().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let clock = Clock::start();
    tokio::time::sleep(Duration::from_secs(args.num("seconds", 10) as u64)).await;
    clock.stop(out);
    out.insert("lists".into(), json!(informers.iter().map(|informer| informer.metrics().lists).sum::<u64>()));
    informers
}
