//! Factories of informers: ownership, errors of informers that do not sync, and shutdown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::Resource as _;
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_cache::{Event, Events, Indexer, Informer, InformerFactory};
use klient_client::Client;

use crate::proxy::{Answer, Proxy};
use crate::stage::{cluster, create, informer, quick, soon, words};

async fn until(what: &str, is: impl Fn() -> bool) {
    soon(what, async {
        while !is() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// As client-go's users do: the informer's handle is not kept.
#[tokio::test]
async fn an_indexer_added_to_an_informer_of_a_factory_is_there_for_its_lister() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let factory = InformerFactory::new(client);
    factory.informer::<ConfigMap>().add_indexer("color", Indexer::label("color")).unwrap();
    let lister = factory.lister::<ConfigMap>();
    factory.start();
    soon("the first list", factory.wait_for_sync()).await.unwrap();
    assert_eq!(lister.by_index("color", "red").unwrap().len(), 1);
    // Each call returns the same informer, even after a handle is dropped.
    drop(lister);
    assert_eq!(factory.lister::<ConfigMap>().by_index("color", "red").unwrap().len(), 1);
    factory.shutdown().await;
}

#[tokio::test]
async fn an_indexer_of_the_builder_is_there_whenever_the_informer_is_made() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let factory = InformerFactory::builder(client)
        .indexer::<ConfigMap>("color", Indexer::label("size"))
        .indexer::<ConfigMap>("color", Indexer::label("color"))
        .indexer_for::<PartialObjectMetadata>(&ConfigMap::INFO, "metadata", Indexer::label("color"))
        .build();
    factory.start();
    for _ in 0..2 {
        let lister = factory.lister::<ConfigMap>();
        soon("the first list", lister.wait_for_sync()).await.unwrap();
        assert_eq!(lister.by_index("color", "red").unwrap().len(), 1);
        assert!(lister.by_index("metadata", "red").is_err());
        let metadata = factory.metadata_for(&ConfigMap::INFO);
        soon("the first list", metadata.wait_for_sync()).await.unwrap();
        assert_eq!(metadata.store().by_index("metadata", "red").unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_handler_detached_from_an_informer_of_a_factory_is_told_until_the_shutdown() {
    let (server, client) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    let factory = InformerFactory::new(proxy.client());
    for is_started in [false, true] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let count_it = move |_: Event<ConfigMap>| {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        factory.informer::<ConfigMap>().add_event_handler(count_it).detach();
        factory.start();
        create(&client, &format!("started-{is_started}"), "red").await;
        until("an event", || count.load(Ordering::Relaxed) > 0).await;
    }
    factory.shutdown().await;
    soon("the end of the watch", proxy.streams(0)).await;
}

/// As client-go's users do: an informer is requested, and its handle is dropped.
#[tokio::test]
async fn an_informer_of_a_factory_is_held_whatever_becomes_of_its_handle() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let handles: [fn(&InformerFactory<Client>); 4] = [
        |factory| drop(factory.informer::<ConfigMap>()),
        |factory| drop(factory.lister::<ConfigMap>()),
        |factory| drop(factory.informer::<ConfigMap>().events()),
        |factory| drop(factory.clone().informer::<ConfigMap>().add_event_handler(|_: Event<ConfigMap>| {})),
    ];
    for ask in handles {
        for asks_before_start in [true, false] {
            let factory = InformerFactory::builder(proxy.client())
                .indexer::<ConfigMap>("color", Indexer::label("color"))
                .build();
            if asks_before_start {
                ask(&factory);
            }
            factory.start();
            ask(&factory);
            soon("the first list", factory.wait_for_sync()).await.unwrap();
            let lister = factory.lister::<ConfigMap>();
            assert_eq!(lister.by_index("color", "red").unwrap().len(), 1);
            drop(lister);
            assert_eq!(factory.informer::<ConfigMap>().metrics().lists, 1, "it is the same informer");
            factory.shutdown().await;
            soon("the end of the watch", proxy.streams(0)).await;
        }
    }
}

#[tokio::test]
async fn an_informer_that_is_stopped_is_let_go_by_its_factory() {
    let (server, client) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    let factory = InformerFactory::new(proxy.client());
    let informer = factory.informer::<ConfigMap>();
    factory.start();
    soon("the first list", factory.wait_for_sync()).await.unwrap();

    // A wait does not include it while it is stopped; it runs again when it is started or requested.
    type Start = fn(&InformerFactory<Client>, &Informer<ConfigMap>);
    let ways: [Start; 3] = [
        |_, informer| informer.start(),
        |factory, _| factory.start(),
        |factory, _| drop(factory.lister::<ConfigMap>()),
    ];
    for (index, start) in ways.into_iter().enumerate() {
        informer.stop().await;
        soon("the end of the watch", proxy.streams(0)).await;
        soon("nothing", factory.wait_for_sync()).await.unwrap();
        assert!(factory.unsynced().is_empty());
        assert!(soon("an error", informer.wait_for_sync()).await.unwrap_err().is_stopped());
        create(&client, &format!("made-{index}"), "red").await;
        start(&factory, &informer);
        soon("the next list", factory.wait_for_sync()).await.unwrap();
        assert!(informer.store().get_in("default", &format!("made-{index}")).is_some());
    }
    // No other handle exists, so that it is made anew.
    informer.stop().await;
    let store = informer.store().clone();
    drop(informer);
    let lister = factory.lister::<ConfigMap>();
    soon("the first list", lister.wait_for_sync()).await.unwrap();
    create(&client, "last", "red").await;
    until("the object in the new store", || lister.get_in("default", "last").is_some()).await;
    assert!(store.get_in("default", "last").is_none());
}

#[tokio::test]
async fn an_informer_that_somebody_holds_outlives_its_factory() {
    let (server, client) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    let factory = InformerFactory::new(proxy.client());
    let lister = factory.lister::<ConfigMap>();
    factory.start();
    soon("the first list", factory.wait_for_sync()).await.unwrap();
    drop(factory);
    create(&client, "a", "red").await;
    until("the object", || lister.get_in("default", "a").is_some()).await;
    drop(lister);
    soon("the end of the watch", proxy.streams(0)).await;
}

#[tokio::test]
async fn events_go_on_when_the_informer_is_started_again() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    let mut events = informer.events();
    informer.start();
    let next = async |events: &mut Events<ConfigMap>| soon("an event", events.next()).await;
    assert_eq!(next(&mut events).await.as_ref().map(words).as_deref(), Some("+a red at first"));
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    informer.stop().await;
    for _ in 0..2 {
        assert_eq!(next(&mut events).await.as_ref().map(words), None);
    }
    create(&client, "b", "blue").await;
    informer.start();
    assert_eq!(next(&mut events).await.as_ref().map(words).as_deref(), Some("+b blue"));
}

#[tokio::test]
async fn a_factory_that_is_dropped_lets_go_of_what_it_held() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let factory = InformerFactory::new(proxy.client());
    let told = Arc::new(());
    let telling = told.clone();
    factory
        .informer::<ConfigMap>()
        .add_event_handler(move |_: Event<ConfigMap>| drop(telling.clone()))
        .detach();
    factory.start();
    soon("the first list", factory.wait_for_sync()).await.unwrap();
    assert_eq!(Arc::strong_count(&told), 2);
    drop(factory);
    soon("the end of the watch", proxy.streams(0)).await;
    until("the end of the handler", || Arc::strong_count(&told) == 1).await;
}

#[tokio::test]
async fn a_factory_that_was_shut_down_says_so() {
    let (_server, client) = cluster().await;
    let factory = InformerFactory::new(client);
    factory.start();
    factory.shutdown().await;
    let informer = factory.informer::<ConfigMap>();
    factory.start();
    informer.start();
    let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
    assert!(error.is_stopped());
    assert_eq!(
        error.to_string(),
        "the factory of the informer of configmaps was shut down: make another factory"
    );
    assert!(soon("the end", informer.events().next()).await.is_none());
    assert!(
        soon("an error", informer.store().wait_for_resource_version("1")).await.unwrap_err().is_stopped()
    );
}

#[tokio::test]
async fn a_factory_tells_which_informers_have_not_synced_and_why() {
    let (server, _) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match asked.path() {
        path if path.contains("pods") => Answer::Failure(503, "ServiceUnavailable"),
        path if path.contains("nodes") => Answer::Silence,
        _ => Answer::Pass,
    })
    .await;
    let factory = InformerFactory::builder(proxy.client()).reflector(|options| *options = quick()).build();
    let config_maps = factory.informer::<ConfigMap>();
    let pods = factory.informer::<Pod>();
    let _nodes = factory.informer::<klient_api::core::v1::Node>();
    factory.start();
    soon("the first list", config_maps.wait_for_sync()).await.unwrap();
    until("a refusal", || pods.last_error().is_some()).await;
    let waiting = factory.wait_for_sync_within(Duration::from_millis(50));
    let error = soon("an error", waiting).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("informers have not synced in 0.05 s: "), "{text}");
    assert!(text.contains("pods (cannot follow pods: "), "{text}");
    assert!(text.contains("nodes (the server has not answered in full)"), "{text}");
    assert!(!text.contains("configmaps"), "{text}");
    let mut stuck: Vec<_> =
        factory.unsynced().into_iter().map(|(resource, _)| resource.group_resource().to_string()).collect();
    stuck.sort();
    assert_eq!(stuck, ["nodes", "pods"]);
}

#[tokio::test]
async fn selectors_of_a_factory_are_checked_when_they_are_given() {
    let (_server, client) = cluster().await;
    let builder = || InformerFactory::builder(client.clone());
    let refused = builder().label_selector("a=b=c").unwrap_err().to_string();
    assert!(refused.starts_with("label selector \"a=b=c\": "), "{refused}");
    assert!(builder().field_selector("metadata.name").is_err());
    assert!(builder().label_selector("a in (b,c)").unwrap().field_selector("metadata.name=a").is_ok());
}
