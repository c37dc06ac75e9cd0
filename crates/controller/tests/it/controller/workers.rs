//! Several workers.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use klient_api::core::v1::ConfigMap;
use klient_cache::Cached;
use klient_client::Error;
use klient_controller::{Action, Controller};
use tokio::sync::Barrier;

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, until};

#[tokio::test]
async fn as_many_keys_are_reconciled_at_once_as_there_are_workers() {
    const WORKERS: usize = 4;
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let all = Arc::new(Barrier::new(WORKERS));
    let controller = Controller::builder(&informer).workers(WORKERS).reconcile(
        context,
        move |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            let all = all.clone();
            async move {
                // Fewer workers would wait here for ever.
                all.wait().await;
                calls.tell(object.name());
                Ok::<_, Error>(Action::done())
            }
        },
    );
    let running = Running::start(controller);
    for index in 0..WORKERS {
        config_maps.create(&config_map(&index.to_string(), "red")).await.unwrap();
    }
    for _ in 0..WORKERS {
        next(&mut calls).await;
    }
    assert_eq!(running.handle.metrics().max_concurrent_reconciles, WORKERS);
    running.stop().await.1.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_key_is_in_two_hands_however_often_it_changes() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let in_hand: Arc<Mutex<HashSet<String>>> = Arc::default();
    let controller = Controller::builder(&informer).workers(8).reconcile(
        in_hand,
        async |object: Cached<ConfigMap>, in_hand: Arc<Mutex<HashSet<String>>>| {
            let name = object.name().to_owned();
            assert!(in_hand.lock().unwrap().insert(name.clone()), "{name} is in two hands");
            for _ in 0..fastrand::usize(..20) {
                tokio::task::yield_now().await;
            }
            in_hand.lock().unwrap().remove(&name);
            Ok::<_, Error>(match fastrand::u8(..3) {
                0 => Action::requeue_now(),
                1 => Action::requeue(std::time::Duration::from_millis(1)),
                _ => Action::done(),
            })
        },
    );
    let running = Running::start(controller);
    for name in ["a", "b", "c"] {
        config_maps.create(&config_map(name, "0")).await.unwrap();
    }
    for round in 1..100 {
        for name in ["a", "b", "c"] {
            config_maps.update(&config_map(name, &round.to_string())).await.unwrap();
        }
    }
    let reconciled = |metrics: klient_controller::ControllerMetrics| {
        metrics.success + metrics.requeue + metrics.requeue_after + metrics.errors
    };
    until("a hundred reconciles", || reconciled(running.handle.metrics()) > 100).await;
    let metrics = running.handle.metrics();
    assert_eq!((metrics.panics, metrics.errors), (0, 0));
    running.stop().await.1.unwrap();
}
