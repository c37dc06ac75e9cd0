//! Metrics of the crate `metrics`.

use std::sync::Arc;

use klient_api::core::v1::ConfigMap;
use klient_cache::Cached;
use klient_client::BoxError;
use klient_controller::{Action, Controller, describe_metrics};

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, until};
use crate::recorder::Values;

/// A runtime of one thread, since the recorder is that of a thread.
#[tokio::test]
async fn the_metrics_have_the_names_and_labels_of_controller_runtime() {
    let values = Values::default();
    let _recorder = metrics::set_default_local_recorder(&values);
    describe_metrics();
    let (_server, client) = cluster().await;
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let controller = Controller::builder(&informer).name("colors").workers(3).reconcile(
        context,
        async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(object.name());
            match object.name() {
                "panic" => panic!("as planned"),
                "after" => Ok::<_, BoxError>(Action::requeue(std::time::Duration::from_secs(3600))),
                _ => Ok(Action::done()),
            }
        },
    );
    let running = Running::start(controller);
    let config_maps = client.api::<ConfigMap>().namespace("default");
    for name in ["done", "after"] {
        config_maps.create(&config_map(name, "red")).await.unwrap();
        assert_eq!(next(&mut calls).await, name);
    }
    until("both results", || {
        let metrics = running.handle.metrics();
        metrics.success == 1 && metrics.requeue_after == 1 && metrics.active_workers == 0
    })
    .await;
    let read = |names: &[(&str, &str)]| -> Vec<(String, f64)> {
        let keys = names.iter().map(|(name, labels)| format!("{name}{{{labels}}}"));
        keys.map(|key| (key.clone(), values.get(&key).unwrap())).collect()
    };
    let controller = "controller=colors";
    let queue = "name=colors,controller=colors";
    let total = |result: &str| format!("{controller},result={result}");
    let found = read(&[
        ("controller_runtime_reconcile_total", &total("success")),
        ("controller_runtime_reconcile_total", &total("requeue_after")),
        ("controller_runtime_reconcile_total", &total("requeue")),
        ("controller_runtime_reconcile_total", &total("error")),
        ("controller_runtime_reconcile_time_seconds", controller),
        ("controller_runtime_reconcile_errors_total", controller),
        ("controller_runtime_terminal_reconcile_errors_total", controller),
        ("controller_runtime_reconcile_panics_total", controller),
        ("controller_runtime_reconcile_timeouts_total", controller),
        ("klient_controller_handler_panics_total", controller),
        ("controller_runtime_max_concurrent_reconciles", controller),
        ("controller_runtime_active_workers", controller),
        ("workqueue_depth", queue),
        ("workqueue_adds_total", queue),
        ("workqueue_queue_duration_seconds", queue),
        ("workqueue_work_duration_seconds", queue),
        ("workqueue_retries_total", queue),
    ]);
    let numbers: Vec<_> = found.iter().map(|(_, value)| *value).collect();
    let expected = [1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 2.0, 2.0, 2.0, 1.0];
    assert_eq!(numbers, expected, "{found:#?}");

    config_maps.create(&config_map("panic", "red")).await.unwrap();
    until("the panic", || running.handle.metrics().panics > 0).await;
    let found = read(&[
        ("controller_runtime_reconcile_total", &total("error")),
        ("controller_runtime_reconcile_errors_total", controller),
        ("controller_runtime_reconcile_panics_total", controller),
    ]);
    assert!(found.iter().all(|(_, value)| *value > 0.0), "{found:#?}");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn the_gauges_of_work_in_progress_end_with_the_run() {
    let values = Values::default();
    let _recorder = metrics::set_default_local_recorder(&values);
    let (_server, client) = cluster().await;
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let controller = Controller::builder(&informer)
        .name("colors")
        .graceful_shutdown_timeout(std::time::Duration::ZERO)
        .reconcile(context, async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(object.name());
            std::future::pending::<Result<Action, BoxError>>().await
        });
    let running = Running::start(controller);
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    next(&mut calls).await;
    let gauges = [
        "controller_runtime_active_workers{controller=colors}",
        "workqueue_unfinished_work_seconds{name=colors,controller=colors}",
        "workqueue_longest_running_processor_seconds{name=colors,controller=colors}",
    ];
    let value = |gauge| values.get(gauge);
    let all = |holds: fn(f64) -> bool| gauges.iter().all(|gauge| value(*gauge).is_some_and(holds));
    until("the work is told", || all(|value| value > 0.0)).await;
    running.stop().await.1.unwrap_err();
    assert!(all(|value| value == 0.0), "{:?}", gauges.map(value));
}
