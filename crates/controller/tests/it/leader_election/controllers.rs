//! Controllers under leader election.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_cache::{Cached, InformerFactory};
use klient_controller::{Action, Controller};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};

use super::{elector, leases};
use crate::cluster::{cluster, config_map, factory, soon, until};
use crate::gate::Gate;

#[tokio::test]
async fn a_controller_runs_again_in_each_term() {
    let (server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let informer =
        InformerFactory::builder(client.clone()).namespace("default").build().informer::<ConfigMap>();
    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let reconcile = async |object: Cached<ConfigMap>, calls: Arc<UnboundedSender<String>>| {
        calls.send(object.name().to_owned()).map(|()| Action::done())
    };
    let mut controller = Controller::builder(&informer).reconcile(Arc::new(sender), reconcile);
    let a = elector(&client, "a");
    let (stop, stopped) = oneshot::channel::<()>();
    // The future can be sent to another thread.
    let run = tokio::spawn({
        let a = a.clone();
        async move {
            let shutdown = async { drop(stopped.await) };
            controller.run_while_leading(&a, shutdown).await
        }
    });
    let mut has_run = async || {
        soon("a reconcile", async { while calls.recv().await.expect("it runs") != "sky" {} }).await;
    };
    has_run().await;
    server.stop().await;
    until("a loss", || !a.is_leader()).await;
    server.restart().await.unwrap();
    has_run().await;
    drop(stop);
    soon("the end", run).await.unwrap().unwrap();
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some(""));
}

/// A controller of config maps under an elector, whose reconciles tell of their begin, wait to go on, and write.
struct Slow {
    begun: Notify,
    go: Notify,
    ended: Notify,
    wrote: AtomicBool,
}

#[tokio::test]
async fn no_reconcile_goes_on_or_begins_after_the_lease_is_over_also_if_the_run_is_late() {
    let (server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let slow = Arc::new(Slow {
        begun: Notify::new(),
        go: Notify::new(),
        ended: Notify::new(),
        wrote: AtomicBool::new(false),
    });
    let reconcile = async |_: Cached<ConfigMap>, slow: Arc<Slow>| {
        struct Ended<'a>(&'a Notify);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let _ended = Ended(&slow.ended);
        slow.begun.notify_one();
        slow.go.notified().await;
        slow.wrote.store(true, Ordering::SeqCst);
        Ok::<_, klient_client::Error>(Action::done())
    };
    let mut controller = Controller::builder(&informer).workers(2).reconcile(slow.clone(), reconcile);
    let handle = controller.handle();
    let gate = Gate::default();
    let a = elector(&gate.client(&server), "a");
    let mut run = pin!(controller.run_while_leading(&a, std::future::pending()));
    tokio::select! {
        _ = &mut run => panic!("it ends"),
        () = soon("a reconcile", slow.begun.notified()) => {}
    }
    // From here on the run is not polled, as if the machine had slept and woken a worker first.
    gate.close();
    until("a loss", || !a.is_leader()).await;
    assert!(handle.reconcile("default/other".parse().unwrap()));
    slow.go.notify_waiters();
    soon("the end of the reconcile", slow.ended.notified()).await;
    // The other worker has seen its key, and ended.
    until("the workers' end", || handle.metrics().active_workers == 0).await;
    assert!(!slow.wrote.load(Ordering::SeqCst));
    assert_eq!((handle.metrics().success, handle.metrics().errors), (0, 1));
}

#[tokio::test]
async fn controllers_of_one_elector_lead_in_the_same_terms() {
    let (server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let a = elector(&client, "a");
    let start = |stopped: oneshot::Receiver<()>| {
        let (sender, calls) = tokio::sync::mpsc::unbounded_channel();
        let reconcile = async |object: Cached<ConfigMap>, calls: Arc<UnboundedSender<String>>| {
            calls.send(object.name().to_owned()).map(|()| Action::done())
        };
        let mut controller = Controller::builder(&informer).reconcile(Arc::new(sender), reconcile);
        let a = a.clone();
        let run =
            tokio::spawn(
                async move { controller.run_while_leading(&a, async { drop(stopped.await) }).await },
            );
        (calls, run)
    };
    let ((stop_one, one), (stop_other, other)) = (oneshot::channel(), oneshot::channel());
    let ((mut calls_one, one), (mut calls_other, other)) = (start(one), start(other));
    let has_run = async |calls: &mut tokio::sync::mpsc::UnboundedReceiver<String>| {
        assert_eq!(soon("a reconcile", calls.recv()).await.as_deref(), Some("sky"));
    };
    has_run(&mut calls_one).await;
    has_run(&mut calls_other).await;
    let lease = async || leases(&client).get("lock").await.unwrap().spec;
    let holder = async || lease().await.holder_identity.unwrap_or_default();
    assert_eq!(lease().await.lease_transitions, Some(0));
    // A loss ends the term of both, and both run in the next.
    server.stop().await;
    until("a loss", || !a.is_leader()).await;
    server.restart().await.unwrap();
    has_run(&mut calls_one).await;
    has_run(&mut calls_other).await;
    assert_eq!(lease().await.lease_transitions, Some(1));
    drop(stop_one);
    soon("the end", one).await.unwrap().unwrap();
    assert_eq!((holder().await.as_str(), a.is_leader()), ("a", true));
    drop(stop_other);
    soon("the end", other).await.unwrap().unwrap();
    assert_eq!(holder().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lease_stays_until_a_reconcile_that_blocks_its_thread_has_ended() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (begin, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let context = Arc::new((begin, Mutex::new(blocked)));
    let reconcile = async |_: Cached<ConfigMap>, context: Arc<(UnboundedSender<()>, Mutex<Receiver<()>>)>| {
        context.0.send(()).unwrap();
        let _ = context.1.lock().unwrap().recv();
        Ok::<_, klient_client::Error>(Action::done())
    };
    let mut controller = Controller::builder(&informer)
        .graceful_shutdown_timeout(Duration::ZERO)
        .reconcile(context, reconcile);
    let a = elector(&client, "a");
    let shutdown = async {
        begun.recv().await;
    };
    let error = soon("the end", controller.run_while_leading(&a, shutdown)).await.unwrap_err();
    assert!(error.to_string().contains("block their threads and still run: default/sky"), "{error}");
    let holder = async || leases(&client).get("lock").await.unwrap().spec.holder_identity;
    assert_eq!((holder().await.as_deref(), a.is_leader()), (Some("a"), true));
    // Another run does not begin beside it, and says why.
    let error = soon("the end", controller.run(std::future::pending())).await.unwrap_err();
    assert!(
        error.to_string().contains("its last run still block their threads after 0 s: default/sky"),
        "{error}"
    );
    drop(unblock);
    let given_up = async { while holder().await.as_deref() != Some("") {} };
    soon("the Lease is given up", given_up).await;
    assert!(!a.is_leader());
}

#[tokio::test]
async fn a_controller_that_is_shut_down_while_the_lease_is_taken_ends_when_that_is_given_up() {
    let (server, client) = cluster().await;
    let informer = InformerFactory::new(client.clone()).informer::<ConfigMap>();
    let reconcile = async |_: Cached<ConfigMap>, _| Ok::<_, klient_client::Error>(Action::done());
    let mut controller = Controller::builder(&informer).reconcile(Arc::new(()), reconcile);
    // The candidate creates the Lease, and is not told that it has.
    let gate = Gate::default();
    gate.close_at(http::Method::POST);
    let a = elector(&gate.client(&server), "a");
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(async move {
        let shutdown = async { drop(stopped.await) };
        controller.run_while_leading(&a, shutdown).await
    });
    let created = async { while leases(&client).get_opt("lock").await.unwrap().is_none() {} };
    soon("the Lease", created).await;
    drop(stop);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!run.is_finished());
    gate.open();
    soon("the end", run).await.unwrap().unwrap();
    let lease = leases(&client).get("lock").await.unwrap();
    assert_eq!(lease.spec.holder_identity.as_deref(), Some(""));
}
