//! Gets of single objects, one after another or many in flight, and what observes or limits them.

use std::sync::Arc;

use klient_api::core::v1::Pod;
use klient_client::{Client, HttpTrace, ListOptions, RateLimiter};
use measure::{Args, in_flight};
use serde_json::{Map, Value};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Gets `--count` pods of the first 500, `--conc` in flight.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let client = client(args);
    let options = ListOptions { limit: Some(500), ..Default::default() };
    let pods = client.api::<Pod>().list(&options).await.unwrap().items;
    let keys: Vec<_> = pods
        .into_iter()
        .map(|pod| (pod.metadata.namespace.unwrap_or_default(), pod.metadata.name.unwrap_or_default()))
        .collect();
    let (keys, pods) = (Arc::new(keys), client.api::<Pod>());
    let get = move |number: usize| {
        let (keys, pods) = (keys.clone(), pods.clone());
        async move {
            let (namespace, name) = &keys[number % keys.len()];
            let pod = pods.namespace(namespace).get(name).await.unwrap();
            assert_eq!(pod.metadata.name.as_ref(), Some(name));
        }
    };
    in_flight(args, out, get).await;
}

/// A client with one layer switched on.
fn client(args: &Args) -> Client {
    let mut config = crate::config(args);
    match args.str("layer", "none").as_str() {
        "none" => {}
        "limiter" => config.rate_limiter = Some(RateLimiter::token_bucket(1e9, u32::MAX).unwrap()),
        // Spans as a subscriber keeps them, which writes nothing.
        "spans" => {
            let spans = Targets::new().with_target("klient::request", LevelFilter::DEBUG);
            tracing_subscriber::registry().with(spans).init();
        }
        "trace" => {
            let events = Targets::new().with_target(HttpTrace::TARGET, LevelFilter::DEBUG);
            let layer = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(events);
            tracing_subscriber::registry().with(layer).init();
        }
        #[cfg(feature = "metrics")]
        "recorder" => recorder::install(),
        other => panic!("no such layer {other}"),
    }
    Client::new(config).unwrap()
}

#[cfg(feature = "metrics")]
mod recorder {
    //! A recorder that keeps sums under a lock.

    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use metrics::atomics::AtomicU64;
    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    #[derive(Default)]
    struct Sums {
        counters: Mutex<HashMap<Key, Arc<AtomicU64>>>,
    }

    impl Recorder for Sums {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let mut counters = self.counters.lock().unwrap();
            let counter = match counters.get(key) {
                Some(counter) => counter.clone(),
                None => counters.entry(key.clone()).or_default().clone(),
            };
            Counter::from_arc(counter)
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    pub(super) fn install() {
        metrics::set_global_recorder(Sums::default()).map_err(|error| error.to_string()).unwrap();
    }
}
