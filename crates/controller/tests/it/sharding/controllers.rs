//! Controllers whose replicas share their objects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_apimachinery::{ListOptions, ObjectKey};
use klient_apiserver::TestServer;
use klient_cache::{Cached, Informer, InformerFactory, Lister};
use klient_client::{Client, Error};
use klient_controller::sharding::{ShardGuard, Sharding};
use klient_controller::{Action, Controller, ControllerHandle, Predicate, Source};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{assigned, join};
use crate::cluster::{cluster, config, config_map, factory, soon, until};
use crate::gate::Gate;

const OBJECTS: usize = 10_000;
const REPLICAS: usize = 8;
const ROUNDS: usize = 6;

/// The time after which a test fails in which a key is in no hands.
const PATIENCE: Duration = Duration::from_secs(60);

/// The keys in the hands of all replicas.
struct Hands {
    keys: Mutex<HashMap<ObjectKey, Record>>,
    /// The number of reconciles.
    reconciles: watch::Sender<u64>,
}

#[derive(Default)]
struct Record {
    /// The replica that has the key in hand, with a guard of its own.
    holder: Option<(String, Arc<ShardGuard>)>,
    /// The replica that reconciled it last.
    last: Arc<str>,
}

/// A key in hand, in a reconcile.
struct InHand<'a> {
    hands: &'a Hands,
    key: ObjectKey,
    guard: Arc<ShardGuard>,
}

impl Hands {
    /// Takes a key in hand. No other replica has it, unless its guard is lost.
    fn begin(&self, sharding: &Sharding, key: ObjectKey) -> Option<InHand<'_>> {
        // It may be lost by now.
        let guard = Arc::new(sharding.begin(&key)?);
        let mut keys = self.keys.lock().unwrap();
        let record = keys.entry(key.clone()).or_default();
        if let Some((other, of_other)) = &record.holder {
            // In this order: a guard that is lost is not valid again.
            let (this, that) = (guard.is_valid(), of_other.is_valid());
            assert!(!(this && that), "{key} is in the hands of {other} and {}", sharding.identity());
        }
        record.holder = Some((sharding.identity().to_owned(), guard.clone()));
        Some(InHand { hands: self, key, guard })
    }
}

impl InHand<'_> {
    fn done(&self, identity: &str) {
        self.hands.keys.lock().unwrap().get_mut(&self.key).unwrap().last = identity.into();
        self.hands.reconciles.send_modify(|reconciles| *reconciles += 1);
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let mut keys = self.hands.keys.lock().unwrap();
        let record = keys.get_mut(&self.key).unwrap();
        record.holder.take_if(|(_, guard)| Arc::ptr_eq(guard, &self.guard));
    }
}

struct Replica {
    sharding: Sharding,
    gate: Gate,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Context {
    hands: Arc<Hands>,
    sharding: Sharding,
}

impl Replica {
    fn start(
        server: &TestServer,
        config_maps: &Informer<ConfigMap>,
        hands: &Arc<Hands>,
        number: usize,
    ) -> Self {
        let gate = Gate::default();
        let sharding = join(&gate.client(server), &format!("replica-{number}"));
        let context = Context { hands: hands.clone(), sharding: sharding.clone() };
        let mut controller = Controller::builder(config_maps).workers(4).sharded(&sharding).reconcile(
            Arc::new(context),
            async |object: Cached<ConfigMap>, context: Arc<Context>| {
                if let Some(in_hand) = context.hands.begin(&context.sharding, object.key()) {
                    tokio::task::yield_now().await;
                    in_hand.done(context.sharding.identity());
                }
                Ok::<_, Error>(Action::done())
            },
        );
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            controller.run(shutdown).await.unwrap();
        });
        Replica { sharding, gate, stop, task }
    }

    /// Ends the controller, then gives the keys up.
    async fn stop(self) {
        let _ = self.stop.send(());
        soon("the end of the run", self.task).await.unwrap();
        soon("the leave", self.sharding.leave()).await;
    }
}

/// Waits until each key is owned by one of the replicas, which has reconciled it.
async fn all_in_hands(hands: &Hands, replicas: &[Replica], keys: &[ObjectKey], after: &str) {
    let mut reconciles = hands.reconciles.subscribe();
    let rest = || {
        let last: Vec<_> = {
            // Held for one look-up per key, since each reconcile waits for it.
            let records = hands.keys.lock().unwrap();
            keys.iter().map(|key| records.get(key).map(|record| record.last.clone())).collect()
        };
        let replicas: HashMap<_, _> =
            replicas.iter().map(|replica| (replica.sharding.identity(), &replica.sharding)).collect();
        let is_owned = |key: &ObjectKey, last: &Option<Arc<str>>| {
            last.as_deref().and_then(|last| replicas.get(last)).is_some_and(|sharding| sharding.owns(key))
        };
        keys.iter().zip(&last).filter(|(key, last)| !is_owned(key, last)).count()
    };
    let waiting = async {
        loop {
            let before = *reconciles.borrow_and_update();
            let rest = rest() as u64;
            if rest == 0 {
                break;
            }
            // Each of them takes a reconcile, or an assignment, of which nothing tells here.
            let enough = reconciles.wait_for(|count| *count >= before + rest);
            let _ = tokio::time::timeout(Duration::from_millis(500), enough).await;
        }
    };
    let result = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(result.is_ok(), "{} keys are in no hands after {after}", rest());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_replicas_share_ten_thousand_objects_and_none_is_in_two_hands() {
    let seed = std::env::var("KLIENT_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("KLIENT_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (server, client) = cluster().await;
    let factory = factory(client.clone());
    let config_maps = factory.informer::<ConfigMap>();
    create(&client).await;
    factory.start();
    factory.wait_for_sync().await.unwrap();
    let keys = config_maps.lister().keys();
    assert_eq!(keys.len(), OBJECTS);

    let hands = Arc::new(Hands { keys: Mutex::default(), reconciles: watch::Sender::new(0) });
    let start = |number| Replica::start(&server, &config_maps, &hands, number);
    let mut replicas: Vec<_> = (0..REPLICAS).map(start).collect();
    let mut killed = Vec::new();
    all_in_hands(&hands, &replicas, &keys, "the start").await;
    let counts = replicas.iter().map(|replica| keys.iter().filter(|key| replica.sharding.owns(*key)).count());
    let counts: Vec<_> = counts.collect();
    println!("{counts:?} keys");
    assert!(counts.iter().all(|count| (1000..1500).contains(count)), "{counts:?}");

    for round in 0..ROUNDS {
        let what = ["a death", "a leave", "a join"][(round + random.usize(..2)) % 3];
        println!("{what}");
        match what {
            "a join" => replicas.push(start(REPLICAS + round)),
            _ => {
                let replica = replicas.swap_remove(random.usize(..replicas.len()));
                if what == "a death" {
                    // It goes on without the server until its guards are lost.
                    replica.gate.close();
                    killed.push(replica);
                } else {
                    replica.stop().await;
                }
            }
        }
        // Work goes on meanwhile, whoever does it.
        for key in random.choose_multiple(keys.iter(), 100) {
            let change =
                klient_client::Patch::Merge(serde_json::json!({"data": {"round": round.to_string()}}));
            client.api::<ConfigMap>().namespace("default").patch(key.name(), &change).await.unwrap();
        }
        all_in_hands(&hands, &replicas, &keys, what).await;
    }
    println!("{} reconciles", *hands.reconciles.borrow());
    for replica in replicas {
        replica.stop().await;
    }
    for replica in killed {
        replica.task.abort();
    }
}

/// Creates the objects.
async fn create(client: &Client) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let config_maps = client.api::<ConfigMap>().namespace("default");
        tasks.spawn(async move {
            for number in (task..OBJECTS).step_by(16) {
                config_maps.create(&config_map(&format!("web-{number}"), "blue")).await.unwrap();
            }
        });
    }
    while let Some(created) = tasks.join_next().await {
        created.unwrap();
    }
}

struct Secrets {
    client: Client,
    secrets: Lister<Secret>,
    owned: Mutex<Vec<usize>>,
}

/// Gives the config map one secret with a generated name, which a reconciler that reads an old cache does twice.
async fn one_secret(object: Cached<ConfigMap>, context: Arc<Secrets>) -> Result<Action, Error> {
    let owned = context.secrets.by_index("owner", object.uid()).unwrap_or_default().len();
    context.owned.lock().unwrap().push(owned);
    if owned == 0 {
        let metadata = ObjectMeta {
            generate_name: Some("child-".into()),
            owner_references: vec![OwnerReference::controller_of(&*object)],
            ..Default::default()
        };
        let secrets = context.client.api::<Secret>().namespace_of(&object.key());
        secrets.create(&Secret { metadata, ..Default::default() }).await?;
    }
    Ok(Action::done())
}

/// A replica that gives each config map one secret.
struct OneSecret {
    sharding: Sharding,
    handle: ControllerHandle,
    context: Arc<Secrets>,
    task: JoinHandle<()>,
}

impl OneSecret {
    /// The informer of secrets has a client of its own.
    async fn start(client: &Client, of_secrets: Client, identity: &str) -> Self {
        let (factory, of_secrets) = (factory(client.clone()), factory(of_secrets));
        let (config_maps, secrets) = (factory.informer::<ConfigMap>(), of_secrets.informer::<Secret>());
        secrets.add_indexer("owner", klient_cache::Indexer::owner_uid()).unwrap();
        for factory in [&factory, &of_secrets] {
            factory.start();
            factory.wait_for_sync().await.unwrap();
        }
        let sharding = join(client, identity);
        let context =
            Arc::new(Secrets { client: client.clone(), secrets: secrets.lister(), owned: Mutex::default() });
        let mut controller = Controller::builder(&config_maps)
            .owns(&secrets)
            .sharded(&sharding)
            .reconcile(context.clone(), one_secret);
        let handle = controller.handle();
        let task = tokio::spawn(async move {
            let _factories = (factory, of_secrets);
            controller.run(std::future::pending()).await.unwrap();
        });
        OneSecret { sharding, handle, context, task }
    }

    /// The numbers of secrets that the reconciles found.
    fn owned(&self) -> Vec<usize> {
        self.context.owned.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_next_owner_of_a_key_waits_until_its_cache_has_seen_the_writes_of_the_one_before() {
    let (server, client) = cluster().await;
    let gate = Gate::default();
    let a = OneSecret::start(&client, Client::new(config(&server)).unwrap(), "a").await;
    let b = OneSecret::start(&client, gate.client(&server), "b").await;
    for replica in [&a, &b] {
        assigned(&replica.sharding, "a share", |sharding| sharding.assignment().members().len() == 2).await;
    }
    let mut names = (0..).map(|number| format!("web-{number}"));
    let name = names.find(|name| a.sharding.owns(&format!("default/{name}"))).unwrap();
    // The cache of b does not see the secret that a makes.
    gate.close();
    client.api::<ConfigMap>().namespace("default").create(&config_map(&name, "blue")).await.unwrap();
    until("the secret", || a.owned().len() > 1).await;
    a.task.abort();
    let _ = a.task.await;
    soon("the leave", a.sharding.leave()).await;
    assigned(&b.sharding, "the key", |b| b.owns(&format!("default/{name}"))).await;
    let is_taken = || b.handle.metrics().queue.is_some_and(|queue| !queue.unfinished_work.is_zero());
    until("the key is taken", is_taken).await;
    tokio::task::yield_now().await;
    assert!(b.owned().is_empty(), "{:?}", b.owned());
    gate.open();
    until("a reconcile", || !b.owned().is_empty()).await;
    assert_eq!(b.owned()[0], 1);
    assert_eq!(b.handle.metrics().stale_reads, 0);
    let secrets = client.api::<Secret>().namespace("default").list(&ListOptions::default()).await.unwrap();
    assert_eq!(secrets.items.len(), 1);
    b.task.abort();
}

#[tokio::test]
async fn keys_that_a_replica_gets_are_reconciled_if_their_objects_pass_the_predicate() {
    let (_server, client) = cluster().await;
    let (a, b) = (join(&client, "a"), join(&client, "b"));
    for replica in [&a, &b] {
        assigned(replica, "a share", |sharding| {
            sharding.assignment().members().len() == 2
                && (0..100).any(|number| sharding.owns(&format!("default/any-{number}")))
        })
        .await;
    }
    // Of b, which has no controller.
    let name = |prefix: &str| {
        let mut names = (0..).map(|number| format!("{prefix}-{number}"));
        names.find(|name| b.owns(&format!("default/{name}"))).unwrap()
    };
    let names @ [passed, _, panicking] = &["passed", "rejected", "panicking"].map(name);
    let config_maps = client.api::<ConfigMap>().namespace("default");
    for name in names {
        config_maps.create(&config_map(name, "blue")).await.unwrap();
    }
    let (calls, mut received) = unbounded_channel();
    let reconcile = async |object: Cached<ConfigMap>, calls: Arc<UnboundedSender<String>>| {
        calls.send(object.name().to_owned()).map(|()| Action::done())
    };
    let predicate = Predicate::object(|object: &Cached<ConfigMap>| {
        assert!(!object.name().starts_with("panicking"), "a panic of the predicate");
        !object.name().starts_with("rejected")
    });
    let source = Source::new(&factory(client.clone()).informer::<ConfigMap>()).filter(predicate);
    let mut controller = Controller::builder(source).sharded(&a).reconcile(Arc::new(calls), reconcile);
    let handle = controller.handle();
    let task = tokio::spawn(async move { controller.run(std::future::pending()).await });
    let is_idle = || handle.metrics().queue.is_some_and(|queue| queue.adds >= 2 && queue.depth == 0);
    until("the first list is passed over", is_idle).await;
    b.leave().await;
    let mut reconciled = Vec::new();
    while !(reconciled.contains(passed) && reconciled.contains(panicking)) {
        reconciled.push(soon("a reconcile", received.recv()).await.unwrap());
    }
    // All keys were added before the first one was taken.
    until("the queue is empty", is_idle).await;
    reconciled.extend(std::iter::from_fn(|| received.try_recv().ok()));
    assert!(!reconciled.iter().any(|name| name.starts_with("rejected")), "{reconciled:?}");
    task.abort();
}

#[tokio::test]
async fn a_namespace_without_changes_delays_no_handover() {
    let (_server, client) = cluster().await;
    // The source of kube-system gets no event, and so no version.
    let factory =
        || InformerFactory::builder(client.clone()).namespace("default").namespace("kube-system").build();
    let start = |sharding: &Sharding| {
        let factory = factory();
        let config_maps = factory.informer::<ConfigMap>();
        let (calls, received) = unbounded_channel();
        let reconcile = async |object: Cached<ConfigMap>, context: Arc<(Client, UnboundedSender<String>)>| {
            if object.name().starts_with("web") && !object.metadata.labels.contains_key("seen") {
                let seen = klient_client::Patch::Merge(
                    serde_json::json!({"metadata": {"labels": {"seen": "true"}}}),
                );
                context.0.api::<ConfigMap>().namespace_of(&object.key()).patch(object.name(), &seen).await?;
            }
            context.1.send(object.name().to_owned()).unwrap();
            Ok::<_, Error>(Action::done())
        };
        let context = Arc::new((client.clone(), calls));
        let mut controller =
            Controller::builder(&config_maps).sharded(sharding).reconcile(context, reconcile);
        let handle = controller.handle();
        let task = tokio::spawn(async move {
            let _factory = factory;
            controller.run(std::future::pending()).await
        });
        (received, handle, task)
    };
    let a = join(&client, "a");
    assigned(&a, "all keys", |a| a.owns("default/web")).await;
    let (mut calls_a, _, task) = start(&a);
    client.api::<ConfigMap>().namespace("default").create(&config_map("web", "blue")).await.unwrap();
    soon("a reconcile", async { while calls_a.recv().await.unwrap() != "web" {} }).await;
    let b = join(&client, "b");
    let (mut calls_b, handle, _task) = start(&b);
    task.abort();
    let _ = task.await;
    soon("the leave", a.leave()).await;
    soon("a reconcile", async { while calls_b.recv().await.unwrap() != "web" {} }).await;
    assert_eq!(handle.metrics().stale_reads, 0);
}

#[tokio::test]
async fn a_reconcile_is_cancelled_when_its_key_is_lost_and_made_again_when_the_key_is_back() {
    /// Tells of the end of a reconcile.
    struct Ends(UnboundedSender<&'static str>);
    impl Drop for Ends {
        fn drop(&mut self) {
            let _ = self.0.send("cancelled");
        }
    }
    let (server, client) = cluster().await;
    let gate = Gate::default();
    let sharding = join(&gate.client(&server), "a");
    let factory = factory(client.clone());
    let (calls, mut received) = unbounded_channel();
    let reconcile = async |_: Cached<ConfigMap>, calls: Arc<UnboundedSender<&'static str>>| {
        let _ends = Ends((*calls).clone());
        let _ = calls.send("begun");
        std::future::pending::<Result<Action, Error>>().await
    };
    let mut controller = Controller::builder(&factory.informer::<ConfigMap>())
        .sharded(&sharding)
        .reconcile(Arc::new(calls), reconcile);
    let handle = controller.handle();
    let task = tokio::spawn(async move { controller.run(std::future::pending()).await });
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(soon("a reconcile", received.recv()).await, Some("begun"));
    gate.close();
    assert_eq!(soon("the loss", received.recv()).await, Some("cancelled"));
    until("the error", || handle.metrics().errors == 1).await;
    assert!(!sharding.owns("default/sky"));
    gate.open();
    assert_eq!(soon("another reconcile", received.recv()).await, Some("begun"));
    assert!(sharding.owns("default/sky"));
    task.abort();
}
