//! Events that lead to a reconcile, beginning and end of runs.

use std::sync::Arc;
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::{BoxFuture, ResourceInfo};
use klient_cache::{Cached, InformerFactory, ObjectKey};
use klient_client::{Client, Config, Error};
use klient_controller::{Action, Controller, ErrorKind};
use tokio::sync::Semaphore;

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, soon, until};
use crate::log::Log;

async fn describe(
    key: ObjectKey,
    object: Option<Cached<ConfigMap>>,
    calls: Arc<Calls>,
) -> Result<Action, Error> {
    let color = object.as_ref().map_or("gone", |object| &object.data["color"]);
    calls.tell(format!("{key} {color}"));
    Ok(Action::done())
}

#[tokio::test]
async fn a_reconciler_of_keys_sees_creation_change_and_deletion() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "grey")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    // The informer is not started: the controller does that.
    let running = Running::start(Controller::builder(&informer).reconcile_keys(context, describe));

    assert_eq!(next(&mut calls).await, "default/sky grey");
    config_maps.create(&config_map("sea", "green")).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sea green");
    config_maps.update(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sky blue");
    config_maps.delete("sea", &Default::default()).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sea gone");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_reconciler_of_objects_is_not_called_for_one_that_is_gone() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let controller = Controller::builder(&informer).reconcile(
        context,
        async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(object.name());
            Ok::<_, Error>(Action::done())
        },
    );
    let running = Running::start(controller);
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "sky");
    config_maps.delete("sky", &Default::default()).await.unwrap();
    until("the deletion is processed", || running.handle.metrics().success == 2).await;
    config_maps.create(&config_map("sea", "green")).await.unwrap();
    assert_eq!(next(&mut calls).await, "sea");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_what_runs_and_starts_nothing() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    for name in ["a", "b", "c"] {
        config_maps.create(&config_map(name, "red")).await.unwrap();
    }
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let release = Arc::new(Semaphore::new(0));
    let controller = Controller::builder(&informer).reconcile(context, {
        let release = release.clone();
        move |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            let release = release.clone();
            async move {
                calls.tell(format!("begin {}", object.name()));
                release.acquire().await?.forget();
                calls.tell(format!("end {}", object.name()));
                Ok::<_, tokio::sync::AcquireError>(Action::done())
            }
        }
    });
    let running = Running::start(controller);
    let begun = next(&mut calls).await;
    let Running { stop, task, .. } = running;
    stop.send(()).unwrap();
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    release.add_permits(4);
    let (controller, result) = soon("the end", task).await.unwrap();
    result.unwrap();
    assert_eq!(next(&mut calls).await, begun.replace("begin", "end"));
    assert!(calls.try_recv().is_err());

    // It runs again, and reconciles all.
    let running = Running::start(controller);
    for _ in 0..6 {
        next(&mut calls).await;
    }
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn reconciles_that_do_not_end_are_cancelled_and_named() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let controller = Controller::builder(&informer)
        .name("slow")
        .graceful_shutdown_timeout(Duration::from_millis(20))
        .reconcile(context, async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(object.name());
            std::future::pending::<Result<Action, Error>>().await
        });
    let running = Running::start(controller);
    next(&mut calls).await;
    let error = running.stop().await.1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shutdown);
    assert_eq!(
        error.to_string(),
        "controller slow: reconciles were cancelled 0.02 s after the shutdown: default/sky"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconcile_that_blocks_its_thread_holds_up_neither_the_shutdown_nor_that_of_the_next_run() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let controller = Controller::builder(&informer)
        .name("stuck")
        .graceful_shutdown_timeout(Duration::from_millis(20))
        .reconcile(context, move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell("blocks");
            // Waits as a thread.
            let _ = released.lock().unwrap().recv();
            async { Ok::<_, Error>(Action::done()) }
        });
    let running = Running::start(controller);
    next(&mut calls).await;
    let (mut controller, result) = running.stop().await;
    assert_eq!(
        result.unwrap_err().to_string(),
        "controller stuck: reconciles were cancelled 0.02 s after the shutdown: default/sky; \
         these block their threads and still run: default/sky"
    );
    let handle = controller.handle();
    let depth = || handle.metrics().queue.map(|queue| queue.depth);
    // The cache is filled, so that the run waits for the one before.
    let shutdown = until("the first list", || depth() == Some(1));
    soon("the end", controller.run(shutdown)).await.unwrap();
    assert!(calls.try_recv().is_err());
    release.send(()).unwrap();
    drop(release);
    soon("another run", async {
        tokio::select! {
            ended = controller.run(std::future::pending()) => ended.unwrap(),
            call = next(&mut calls) => assert_eq!(call, "blocks"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_dropped_cancels_and_the_next_waits_for_its_tasks() {
    let (_server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    /// Tells of its drop.
    struct Dropped(Arc<Calls>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.tell("dropped");
        }
    }
    let (context, mut calls) = calls();
    let mut controller =
        Controller::builder(&informer).reconcile(context, async |_: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell("begun");
            let _dropped = Dropped(calls);
            std::future::pending::<Result<Action, Error>>().await
        });
    for _ in 0..3 {
        tokio::select! {
            _ = controller.run(std::future::pending()) => unreachable!("nothing ends it"),
            call = next(&mut calls) => assert_eq!(call, "begun"),
        }
        assert_eq!(next(&mut calls).await, "dropped");
    }
}

#[tokio::test]
async fn two_controllers_share_the_informers_of_a_factory() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let running: Vec<_> = ["one", "other"]
        .map(|name| {
            let controller = Controller::builder(&factory.informer::<ConfigMap>())
                .owns(&factory.informer::<Secret>())
                .name(name)
                .reconcile(context.clone(), move |object: Cached<ConfigMap>, calls: Arc<Calls>| async move {
                    calls.tell(format!("{name} {}", object.name()));
                    Ok::<_, Error>(Action::done())
                });
            Running::start(controller)
        })
        .into();
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let mut both = [next(&mut calls).await, next(&mut calls).await];
    both.sort();
    assert_eq!(both, ["one sky", "other sky"]);
    assert_eq!(factory.informer::<ConfigMap>().metrics().watches, 1);
    for running in running {
        running.stop().await.1.unwrap();
    }
}

#[tokio::test]
async fn a_controller_with_the_name_of_another_that_runs_begins_with_a_warning() {
    let (log, _collecting) = Log::begin();
    let (_server, client) = cluster().await;
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    let mut start = async |name: &str| {
        let builder = Controller::builder(&informer).name(name);
        let running = Running::start(builder.reconcile_keys(context.clone(), describe));
        next(&mut calls).await;
        running
    };
    let running = [start("alone").await, start("twins").await];
    let warnings = || log.lines("another controller of this name").len();
    assert_eq!(warnings(), 0);
    let twin = start("twins").await;
    assert_eq!(warnings(), 1);
    for running in running.into_iter().chain([twin]) {
        running.stop().await.1.unwrap();
    }
    // The name is free again.
    start("twins").await.stop().await.1.unwrap();
    assert_eq!(warnings(), 1);
}

#[tokio::test]
async fn a_kind_that_the_server_does_not_have_is_an_error_at_once() {
    let (_server, client) = cluster().await;
    let factory = factory(client);
    let widgets = ResourceInfo::from_static("example.com", "v1", "Widget", "widgets", true);
    let (context, _calls) = calls();
    let mut controller = Controller::builder(&factory.for_resource(&widgets))
        .reconcile(context, async |_, _: Arc<Calls>| Ok::<_, Error>(Action::done()));
    let error = soon("an error", controller.run(std::future::pending())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sync);
    assert!(error.cache_error().unwrap().is_permanent(), "{error}");
    assert!(error.to_string().starts_with("controller widget: cannot fill its caches: "), "{error}");
}

#[tokio::test]
async fn a_permanent_error_of_one_cache_does_not_wait_for_another() {
    let (gone, client) = cluster().await;
    gone.stop().await;
    let hopeful = factory(client).informer::<ConfigMap>();
    let (_server, client) = cluster().await;
    let widgets = ResourceInfo::from_static("example.com", "v1", "Widget", "widgets", true);
    let widgets = factory(client).for_resource(&widgets);
    let (context, _calls) = calls();
    let mut controller =
        Controller::builder(&hopeful).watches(&widgets, |_| None).reconcile_keys(context, describe);
    let error = soon("an error", controller.run(std::future::pending())).await.unwrap_err();
    assert!(error.cache_error().unwrap().is_permanent(), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_after_the_limit() {
    let (server, client) = cluster().await;
    server.stop().await;
    let factory = factory(client);
    let (context, _calls) = calls();
    let mut controller = Controller::builder(&factory.informer::<ConfigMap>())
        .cache_sync_timeout(Duration::from_millis(50))
        .reconcile_keys(context, describe);
    let error = soon("an error", controller.run(std::future::pending())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sync, "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("controller configmap: its caches were not filled within 0.05 s: configmaps"),
        "{text}"
    );
    // A shutdown ends the wait.
    soon("the end", controller.run(std::future::ready(()))).await.unwrap();
}

#[tokio::test]
async fn an_informer_that_stops_ends_the_run_with_an_error_when_reconciles_have_ended() {
    let stops: [fn(InformerFactory<Client>) -> BoxFuture<'static, ()>; 2] = [
        |factory| Box::pin(async move { factory.shutdown().await }),
        |factory| Box::pin(async move { factory.informer::<Secret>().stop().await }),
    ];
    let one_of: [&[&str]; 2] = [&["configmaps", "secrets"], &["secrets"]];
    for (stop, one_of) in stops.into_iter().zip(one_of) {
        let (_server, client) = cluster().await;
        let factory = factory(client.clone());
        let (context, mut calls) = calls();
        let (release, released) = tokio::sync::watch::channel(false);
        let controller = Controller::builder(&factory.informer::<ConfigMap>())
            .owns(&factory.informer::<Secret>())
            .name("colors")
            .reconcile(context, move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
                let mut released = released.clone();
                async move {
                    calls.tell("begun");
                    released.wait_for(|released| *released).await?;
                    calls.tell("ended");
                    Ok::<_, tokio::sync::watch::error::RecvError>(Action::done())
                }
            });
        let running = Running::start(controller);
        let config_maps = client.api::<ConfigMap>().namespace("default");
        config_maps.create(&config_map("sky", "blue")).await.unwrap();
        assert_eq!(next(&mut calls).await, "begun");
        stop(factory).await;
        release.send_replace(true);
        let (_controller, result) = soon("the end of the run", running.task).await.unwrap();
        let error = result.unwrap_err();
        assert_eq!(next(&mut calls).await, "ended");
        assert_eq!(error.kind(), ErrorKind::InformerStopped);
        let text = error.to_string();
        let stopped = text.strip_prefix("controller colors: the informer of ");
        let stopped = stopped.and_then(|rest| {
            rest.strip_suffix(
                " was stopped, so that there are no more events; stop informers and shut factories down when the \
                 controller has ended",
            )
        });
        assert!(stopped.is_some_and(|stopped| one_of.contains(&stopped)), "{text}");
    }
}

#[tokio::test]
async fn a_handle_reconciles_a_key_or_all_while_the_controller_runs() {
    let client = Client::new(Config::from_url("http://127.0.0.1:1").unwrap()).unwrap();
    let informer = factory(client).informer::<ConfigMap>();
    let (context, _calls) = calls();
    let controller = Controller::builder(&informer).reconcile_keys(context, describe);
    assert!(!controller.handle().reconcile(ObjectKey::new(Some("default"), "sky")));

    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let running = Running::start(Controller::builder(&informer).reconcile_keys(context, describe));
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sky blue");
    running.handle.reconcile_all();
    assert_eq!(next(&mut calls).await, "default/sky blue");
    assert!(running.handle.reconcile(ObjectKey::new(Some("default"), "sea")));
    assert_eq!(next(&mut calls).await, "default/sea gone");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn beginning_and_end_of_a_run_are_logged_in_the_words_of_controller_runtime() {
    let (log, _collecting) = Log::begin();
    let (_server, client) = cluster().await;
    let factory = factory(client.clone());
    let (config_maps, secrets) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    let (context, mut calls) = calls();
    let builder = Controller::builder(&config_maps).owns(&secrets).name("logged").workers(3);
    let running = Running::start(builder.reconcile_keys(context, describe));
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    next(&mut calls).await;
    running.stop().await.1.unwrap();
    let expected = [
        "INFO starting event source controller=\"logged\" source=configmaps",
        "INFO starting event source controller=\"logged\" source=secrets",
        "INFO starting controller controller=\"logged\"",
        "INFO starting workers controller=\"logged\" worker_count=3",
        "INFO shutdown signal received, waiting for all workers to finish controller=\"logged\"",
        "INFO all workers finished controller=\"logged\"",
    ];
    assert_eq!(log.lines("INFO"), expected);
}

/// Keeps the fields of the spans of reconciles, a line each.
#[derive(Clone, Default)]
struct Spans(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::field::Visit for Spans {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{field}={value:?}"));
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "reconcile"
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn each_reconcile_has_a_span_with_an_id() {
    let spans = Spans::default();
    // With a single subscriber another test could switch the span off for all threads.
    let _second = tracing::Dispatch::new(Spans::default());
    let _subscriber = tracing::subscriber::set_default(spans.clone());
    let (_server, client) = cluster().await;
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let running = Running::start(Controller::builder(&informer).reconcile_keys(context, describe));
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    next(&mut calls).await;
    running.stop().await.1.unwrap();
    let fields = spans.0.lock().unwrap();
    assert_eq!(fields[..2], ["controller=\"configmap\"", "object=default/sky"]);
    let id = fields[2].strip_prefix("reconcile_id=").unwrap();
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    assert!(lengths == [8, 4, 4, 4, 12] && id.as_bytes()[14] == b'4', "{id}");
}
