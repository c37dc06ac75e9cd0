//! Reconciles read their own writes, with informers whose watches lag.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use http_body::{Body, Frame};
use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_apimachinery::{ListOptions, ObjectKey};
use klient_cache::{Cached, Informer, InformerFactory, InformerFactoryBuilder, Lister};
use klient_client::{BoxError, Client, Error, ResponseBody, Transport};
use klient_controller::{Action, Controller, ControllerBuilder, wait_for_own_writes};
use tower::ServiceExt as _;

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config, config_map, factory, secret, until};
use crate::gate::Gate;

struct Context {
    client: Client,
    secrets: Lister<Secret>,
    calls: Arc<Calls>,
}

/// Gives the config map one secret with a generated name, which a reconciler that reads an old cache does twice.
async fn one_secret(object: Cached<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
    let owned = context.secrets.by_index("owner", object.uid()).unwrap_or_default();
    context.calls.tell(format!("{} owned", owned.len()));
    if owned.is_empty() {
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

fn key() -> ObjectKey {
    ObjectKey::new(Some("default"), "sky")
}

/// A running controller that has made its first reconcile, and whose informers have heard nothing since.
async fn lagging(
    server: &klient_apiserver::TestServer,
    client: &Client,
    options: impl FnOnce(ControllerBuilder<ConfigMap>) -> ControllerBuilder<ConfigMap>,
) -> (Gate, Running, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let gate = Gate::default();
    let factory = factory(gate.client(server));
    let (config_maps, secrets) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    secrets.add_indexer("owner", klient_cache::Indexer::owner_uid()).unwrap();
    let (calls, mut received) = calls();
    let context = Context { client: client.clone(), secrets: secrets.lister(), calls };
    let controller =
        options(Controller::builder(&config_maps).owns(&secrets)).reconcile(Arc::new(context), one_secret);
    factory.start();
    factory.wait_for_sync().await.unwrap();
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    config_maps.store().wait_until(|store| store.contains("default/sky")).await.unwrap();
    gate.close();
    let running = Running::start(controller);
    assert_eq!(next(&mut received).await, "0 owned");
    until("the end of the reconcile", || running.handle.metrics().success == 1).await;
    (gate, running, received)
}

#[tokio::test]
async fn the_next_reconcile_of_a_key_waits_until_the_cache_has_seen_the_writes_of_the_one_before() {
    let (server, client) = cluster().await;
    let (gate, running, mut calls) = lagging(&server, &client, |builder| builder).await;
    assert!(running.handle.reconcile(key()));
    until("the key is taken", || running.handle.metrics().queue.unwrap().depth == 0).await;
    tokio::task::yield_now().await;
    assert!(calls.try_recv().is_err());
    gate.open();
    assert_eq!(next(&mut calls).await, "1 owned");
    let secrets = client.api::<Secret>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(secrets.items.len(), 1);
    assert_eq!(running.handle.metrics().stale_reads, 0);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn the_wait_ends_at_its_limit_and_is_counted() {
    let (server, client) = cluster().await;
    let limit = Duration::from_millis(20);
    let (gate, running, mut calls) =
        lagging(&server, &client, |builder| builder.own_writes_timeout(limit)).await;
    assert!(running.handle.reconcile(key()));
    // It acts on the old state.
    assert_eq!(next(&mut calls).await, "0 owned");
    assert_eq!(running.handle.metrics().stale_reads, 1);
    gate.open();
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn without_a_limit_nothing_is_waited_for() {
    let (server, client) = cluster().await;
    let (gate, running, mut calls) =
        lagging(&server, &client, |builder| builder.own_writes_timeout(Duration::ZERO)).await;
    assert!(running.handle.reconcile(key()));
    assert_eq!(next(&mut calls).await, "0 owned");
    assert_eq!(running.handle.metrics().stale_reads, 0);
    gate.open();
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_cache() {
    let (server, client) = cluster().await;
    let (_gate, running, mut calls) = lagging(&server, &client, |builder| builder).await;
    assert!(running.handle.reconcile(key()));
    until("the key is taken", || running.handle.metrics().queue.unwrap().depth == 0).await;
    running.stop().await.1.unwrap();
    assert!(calls.try_recv().is_err());
}

/// A body in JSON whose versions cannot be compared, as those of an aggregated server.
struct Opaque(ResponseBody);

impl Body for Opaque {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let opaque = |data: Bytes| {
            let text = String::from_utf8(data.to_vec()).unwrap();
            Bytes::from(text.replace(r#""resourceVersion":""#, r#""resourceVersion":"opaque-"#))
        };
        Pin::new(&mut self.0).poll_frame(cx).map_ok(|frame| frame.map_data(opaque))
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_compared_is_not_waited_for() {
    let (server, client) = cluster().await;
    let layer = tower::layer::layer_fn(|transport: Transport| {
        transport.map_response(|response: Response<ResponseBody>| {
            response.map(|body| ResponseBody::new(Opaque(body)))
        })
    });
    let opaque = Client::with_layer(config(&server), layer).unwrap();
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let reconcile = move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
        let opaque = opaque.clone();
        async move {
            let create = opaque.request(Method::POST).group_version("", "v1").namespace("default");
            let answer = create.resource("secrets").object(&secret("child")).send().await?;
            assert!(String::from_utf8_lossy(answer.bytes()).contains("opaque-"));
            wait_for_own_writes().await;
            calls.tell("done");
            Ok::<_, Error>(Action::done())
        }
    };
    let running = Running::start(
        Controller::builder(&factory.informer::<ConfigMap>())
            .owns(&factory.informer::<Secret>())
            // Longer than the test waits.
            .own_writes_timeout(Duration::from_secs(3600))
            .reconcile(context, reconcile),
    );
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "done");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_key_that_waits_for_its_writes_holds_no_worker() {
    let (server, client) = cluster().await;
    let limit = Duration::from_secs(3600);
    let (gate, running, mut calls) =
        lagging(&server, &client, |builder| builder.own_writes_timeout(limit)).await;
    assert!(running.handle.reconcile(key()));
    until("the key is taken", || running.handle.metrics().queue.unwrap().depth == 0).await;
    // Of an object that does not exist: a success without a call.
    assert!(running.handle.reconcile(ObjectKey::new(Some("default"), "sea")));
    until("the reconcile of the other key", || running.handle.metrics().success == 2).await;
    // The key itself is still in processing.
    assert!(running.handle.reconcile(key()));
    tokio::task::yield_now().await;
    assert!(calls.try_recv().is_err());
    gate.open();
    assert_eq!(next(&mut calls).await, "1 owned");
    running.stop().await.1.unwrap();
}

/// Runs a reconcile that writes a secret, and returns when its wait for the informer of secrets has ended.
async fn write_and_wait<F>(
    of_controller: &Client,
    secrets: &Informer<Secret>,
    write: impl Fn() -> F + Send + Sync + 'static,
) where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let config_maps = factory(of_controller.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let reconcile = move |_: Cached<ConfigMap>, calls: Arc<Calls>| {
        let written = write();
        async move {
            written.await?;
            wait_for_own_writes().await;
            calls.tell("done");
            Ok::<_, Error>(Action::done())
        }
    };
    let builder = Controller::builder(&config_maps).watches(secrets, |_| None);
    // The limit is longer than the test waits.
    let controller = builder.own_writes_timeout(Duration::from_secs(3600)).reconcile(context, reconcile);
    let running = Running::start(controller);
    of_controller.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "done");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_write_of_an_object_that_the_informer_excludes_is_not_waited_for() {
    let informers: [fn(InformerFactoryBuilder<Client>) -> InformerFactoryBuilder<Client>; 4] = [
        |all| all.namespace("kube-system"),
        |all| all.label_selector("color=blue").unwrap(),
        |all| all.field_selector("metadata.name!=child").unwrap(),
        |all| all.field_selector("metadata.namespace=kube-system").unwrap(),
    ];
    for informer in informers {
        let (_server, client) = cluster().await;
        let secrets = informer(InformerFactory::builder(client.clone())).build().informer::<Secret>();
        let written = client.api::<Secret>().namespace("default");
        write_and_wait(&client, &secrets, move || {
            let written = written.clone();
            async move { written.create(&secret("child")).await.map(drop) }
        })
        .await;
    }
}

#[tokio::test]
async fn a_write_with_which_an_object_leaves_the_selector_is_waited_for() {
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let metadata = ObjectMeta { labels: [("color", "blue")].into(), ..ObjectMeta::named("child") };
    secrets.create(&Secret { metadata, ..Default::default() }).await.unwrap();
    let factory = InformerFactory::builder(client.clone()).label_selector("color=blue").unwrap().build();
    let informer = factory.informer::<Secret>();
    let lister = informer.lister();
    write_and_wait(&client, &informer, move || {
        let secrets = secrets.clone();
        async move { secrets.update(&secret("child")).await.map(drop) }
    })
    .await;
    assert!(lister.get("default/child").is_none());
}

#[tokio::test]
async fn a_write_to_another_cluster_is_not_waited_for() {
    let (_server, client) = cluster().await;
    let (_other_server, other) = cluster().await;
    let secrets = InformerFactory::new(client.clone()).informer::<Secret>();
    // So many that the versions of the other cluster are ahead.
    for number in 0..50 {
        let config_maps = other.api::<ConfigMap>().namespace("default");
        config_maps.create(&config_map(&format!("map-{number}"), "blue")).await.unwrap();
    }
    write_and_wait(&client, &secrets, move || {
        let secrets = other.api::<Secret>().namespace("default");
        async move { secrets.create(&secret("child")).await.map(drop) }
    })
    .await;
}

#[tokio::test]
async fn the_version_of_the_namespace_counts_and_not_that_of_the_slowest() {
    let (_server, client) = cluster().await;
    let factory = InformerFactory::builder(client.clone()).namespace("default").namespace("kube-system");
    let secrets = factory.build().informer::<Secret>();
    let written = client.api::<Secret>().namespace("default");
    write_and_wait(&client, &secrets, move || {
        let written = written.clone();
        async move {
            written.create(&secret("child")).await?;
            // By another, so that the write above is the last that is waited for.
            let delete = async move { written.delete("child", &Default::default()).await.map(drop) };
            tokio::spawn(delete).await.unwrap()
        }
    })
    .await;
}

/// Every verb, each followed by a read of the cache.
#[tokio::test]
async fn a_reconcile_can_wait_for_its_own_writes_of_each_verb() {
    let (_server, client) = cluster().await;
    let factory = factory(client.clone());
    let (config_maps, secrets) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    let (calls, mut received) = calls();
    let context = Context { client: client.clone(), secrets: secrets.lister(), calls };
    let reconcile = async |_: Cached<ConfigMap>, context: Arc<Context>| {
        let secrets = context.client.api::<Secret>().namespace("default");
        let read = async |what: &str| {
            wait_for_own_writes().await;
            let secret = context.secrets.get("default/child");
            let version = secret.as_ref().map(|secret| secret.resource_version().to_owned());
            context.calls.tell(format!("{what} {}", version.unwrap_or("gone".to_owned())));
        };
        let metadata =
            ObjectMeta { finalizers: vec!["example.com/hold".into()], ..ObjectMeta::named("child") };
        let created = secrets.create(&Secret { metadata, ..Default::default() }).await?;
        let version = |secret: &Secret| secret.metadata.resource_version.clone().unwrap_or_default();
        context.calls.tell(format!("create {}", version(&created)));
        read("create").await;
        let mut changed = created.clone();
        changed.metadata.labels.insert("color", "blue".into());
        let changed = secrets.update(&changed).await?;
        context.calls.tell(format!("update {}", version(&changed)));
        read("update").await;
        secrets.delete("child", &Default::default()).await?;
        wait_for_own_writes().await;
        let going = context.secrets.get("default/child").unwrap();
        assert!(klient_apimachinery::Object::deletion_timestamp(&*going).is_some());
        let unhold = klient_client::Patch::Merge(serde_json::json!({"metadata": {"finalizers": null}}));
        secrets.patch("child", &unhold).await?;
        context.calls.tell("unhold gone");
        read("unhold").await;
        secrets.create(&Secret { metadata: ObjectMeta::named("child"), ..Default::default() }).await?;
        context.calls.tell("delete gone");
        secrets.delete("child", &Default::default()).await?;
        read("delete").await;
        Ok::<_, Error>(Action::done())
    };
    let running = Running::start(
        Controller::builder(&config_maps).owns(&secrets).reconcile(Arc::new(context), reconcile),
    );
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    for verb in ["create", "update", "unhold", "delete"] {
        let written = next(&mut received).await;
        assert!(written.starts_with(verb), "{written}");
        assert_eq!(next(&mut received).await, written);
    }
    running.stop().await.1.unwrap();
}
