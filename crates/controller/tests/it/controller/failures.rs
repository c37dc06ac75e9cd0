//! Errors, panics, time limits, and the next step after a reconcile.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apiserver::TestServer;
use klient_cache::{Cached, InformerFactory};
use klient_client::{BoxError, Error};
use klient_controller::{Action, Controller, TerminalError};
use klient_workqueue::RateLimiter;
use tokio::time::Instant;

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, until};

/// No delay, and a record of calls.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<String>>>);

impl<T> RateLimiter<T> for Record
where
    T: std::fmt::Display,
{
    fn when(&self, item: &T) -> Duration {
        self.0.lock().unwrap().push(format!("when {item}"));
        Duration::ZERO
    }

    fn forget(&self, item: &T) {
        self.0.lock().unwrap().push(format!("forget {item}"));
    }
}

#[tokio::test]
async fn errors_panics_and_time_outs_are_counted_and_retried_until_a_success() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let record = Record::default();
    let attempts = AtomicU32::new(0);
    let controller = Controller::builder(&informer)
        .rate_limiter(record.clone())
        .reconcile_timeout(Duration::from_millis(20))
        .reconcile(context, move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            calls.tell(attempt.to_string());
            // Before the future is there.
            assert_ne!(attempt, 0, "the first attempt");
            async move {
                match attempt {
                    1 => panic!("the second attempt"),
                    2 => Err("the third attempt".into()),
                    3 => std::future::pending().await,
                    4 => Ok::<_, BoxError>(Action::requeue_now()),
                    _ => Ok(Action::done()),
                }
            }
        });
    let running = Running::start(controller);
    for attempt in 0..6 {
        assert_eq!(next(&mut calls).await, attempt.to_string());
    }
    until("the success", || running.handle.metrics().success == 1).await;
    let metrics = running.handle.metrics();
    assert_eq!((metrics.errors, metrics.panics, metrics.timeouts, metrics.requeue), (4, 2, 1, 1));
    running.stop().await.1.unwrap();
    let when = "when default/sky";
    assert_eq!(*record.0.lock().unwrap(), [when, when, when, when, when, "forget default/sky"]);
}

/// Panics when it is shown, or dropped.
#[derive(Debug)]
enum Trap {
    Display,
    Drop,
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        assert!(matches!(self, Trap::Drop), "the text of an error");
        f.write_str("a trap")
    }
}

impl std::error::Error for Trap {}

impl Drop for Trap {
    fn drop(&mut self) {
        assert!(matches!(self, Trap::Display), "the drop of an error");
    }
}

#[tokio::test]
async fn a_panic_of_an_error_is_a_panic_of_the_reconciler() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let attempts = AtomicU32::new(0);
    let controller = Controller::builder(&informer).rate_limiter(Record::default()).reconcile(
        context,
        move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            async move {
                calls.tell(attempt.to_string());
                match attempt {
                    0 => Err(Trap::Display.into()),
                    1 => Err(Trap::Drop.into()),
                    2 => Err(BoxError::from(TerminalError::new(Trap::Drop))),
                    3 => std::panic::panic_any(Trap::Drop),
                    _ => Ok(Action::done()),
                }
            }
        },
    );
    let running = Running::start(controller);
    for attempt in 0..5 {
        assert_eq!(next(&mut calls).await, attempt.to_string());
    }
    until("the success", || running.handle.metrics().success == 1).await;
    assert_eq!(running.handle.metrics().panics, 4);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_terminal_error_is_not_retried() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let record = Record::default();
    let controller = Controller::builder(&informer).rate_limiter(record.clone()).reconcile(
        context,
        async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(&*object.data["color"]);
            Err::<Action, _>(TerminalError::new("no such color"))
        },
    );
    let running = Running::start(controller);
    assert_eq!(next(&mut calls).await, "blue");
    config_maps.update(&config_map("sky", "grey")).await.unwrap();
    assert_eq!(next(&mut calls).await, "grey");
    until("the errors", || running.handle.metrics().terminal_errors == 2).await;
    running.stop().await.1.unwrap();
    assert_eq!(*record.0.lock().unwrap(), ["forget default/sky"; 2]);
}

/// The informer has its objects from the server's storage: with paused time requests would time out.
#[tokio::test(start_paused = true)]
async fn a_requeue_comes_after_its_time_and_errors_back_off_from_5_ms_to_1000_s() {
    let server = TestServer::start().await.unwrap();
    let informer = InformerFactory::new(server.local()).informer::<klient_api::core::v1::Namespace>();
    let (context, mut calls) = calls();
    let began = Instant::now();
    let attempts = AtomicU32::new(0);
    let controller = Controller::builder(&informer).reconcile(
        context,
        move |namespace: Cached<klient_api::core::v1::Namespace>, calls: Arc<Calls>| {
            let attempt = match namespace.name() {
                "default" => Some(attempts.fetch_add(1, Ordering::Relaxed)),
                _ => None,
            };
            async move {
                let Some(attempt) = attempt else { return Ok(Action::done()) };
                calls.tell(began.elapsed().as_millis().to_string());
                match attempt {
                    0 => Ok(Action::requeue(Duration::from_secs(3600))),
                    1..22 => Err("not yet"),
                    22 => Ok(Action::requeue(Duration::from_secs(1))),
                    23 => Err("once more"),
                    _ => Ok(Action::done()),
                }
            }
        },
    );
    let running = Running::start(controller);
    let mut at = Vec::new();
    for _ in 0..25 {
        let call = calls.recv().await.unwrap();
        at.push(call.parse::<u64>().unwrap());
    }
    let delays: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let exponential = |failure: u32| 1_000_000.min(5 * 2_u64.pow(failure));
    let expected: Vec<u64> =
        [3_600_000].into_iter().chain((0..21).map(exponential)).chain([1000, 5]).collect();
    // Timers have a resolution of a millisecond.
    for (delay, expected) in delays.iter().zip(&expected) {
        assert!((*expected..=expected + 2).contains(delay), "{delays:?} for {expected:?}");
    }
    running.stop().await.1.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconcile_that_blocks_its_thread_is_told_while_it_does() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let controller =
        Controller::builder(&informer).reconcile(context, move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell("blocks");
            // Waits as a thread.
            let _ = released.lock().unwrap().recv();
            async { Ok::<_, Error>(Action::done()) }
        });
    let running = Running::start(controller);
    next(&mut calls).await;
    until("the block is told", || running.handle.metrics().blocked == 1).await;
    assert_eq!(running.handle.metrics().active_workers, 1);
    release.send(()).unwrap();
    until("the worker is free", || running.handle.metrics().active_workers == 0).await;
    let metrics = running.handle.metrics();
    assert_eq!((metrics.blocked, metrics.success), (1, 1));
    running.stop().await.1.unwrap();
}
