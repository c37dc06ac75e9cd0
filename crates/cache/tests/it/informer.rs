//! Informers as a whole: start, sync, stop, ownership, and servers that were away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::{ListWatch, Resource as _, ResourceInfo};
use klient_cache::{Event, Indexer, Informer, InformerOptions, Keep, ObjectKey, ReflectorOptions};
use klient_client::{Client, Config};
use klient_workqueue::Queue;

use crate::proxy::{Answer, Kind, Proxy};
use crate::stage::{
    Told, cluster, color, config, create, delete, informer, listing, paint, paints, quick, repaint, soon,
    version,
};

#[tokio::test]
async fn what_may_not_be_listed_is_told_at_once() {
    let (server, client) = cluster().await;
    let nobody = Config::from_kubeconfig(&server.kubeconfig_for(&server.token("nobody", &[]))).unwrap();
    let nobody = Client::new(nobody).unwrap();
    for reflector in [quick(), listing()] {
        let options = InformerOptions { reflector, ..Default::default() };
        let forbidden = Informer::new(nobody.api::<Pod>(), options);
        forbidden.start();
        let error = soon("an error", forbidden.wait_for_sync()).await.unwrap_err();
        assert!(error.is_permanent(), "{error:?}");
        assert_eq!(error.as_source().unwrap().code(), Some(403));
        assert_eq!(error.resource(), &Pod::INFO);
        assert!(error.to_string().starts_with("cannot follow pods: "), "{error}");
        assert!(forbidden.last_error().is_some());
    }
    let toys = ResourceInfo::from_static("shop.example", "v1", "Toy", "toys", true);
    let unknown =
        Informer::new(client.dynamic(toys), InformerOptions { reflector: quick(), ..Default::default() });
    unknown.start();
    let error = soon("an error", unknown.lister().wait_for_sync()).await.unwrap_err();
    assert_eq!(error.as_source().unwrap().code(), Some(404));
    assert!(error.to_string().starts_with("cannot follow toys.shop.example: "), "{error}");
    let handler = unknown.add_event_handler(|_| {});
    assert!(soon("an error", handler.wait_for_sync()).await.unwrap_err().is_permanent());
}

#[tokio::test]
async fn one_that_does_not_run_is_not_waited_for() {
    let (_server, client) = cluster().await;
    let informer = informer(&client);
    let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
    assert_eq!(error.to_string(), "the informer of configmaps was not started: call start() first");
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    informer.stop().await;
    let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
    assert!(error.is_stopped(), "{error:?}");
}

#[tokio::test]
async fn who_waits_learns_that_it_was_stopped() {
    let (server, _client) = cluster().await;
    let proxy = Proxy::new(&server, |_| Answer::Silence).await;
    let informer = informer(&proxy.client());
    informer.start();
    let handler = informer.add_event_handler(|_| {});
    let waiting = {
        let informer = informer.clone();
        tokio::spawn(async move { tokio::join!(informer.wait_for_sync(), handler.wait_for_sync()) })
    };
    proxy.requests(1).await;
    informer.stop().await;
    let (informer, handler) = soon("both errors", waiting).await.unwrap();
    assert!(informer.unwrap_err().is_stopped() && handler.unwrap_err().is_stopped());
}

/// Access that was forbidden may be granted later: the informer keeps retrying.
#[tokio::test]
async fn one_that_was_refused_goes_on_trying() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match asked.kind() {
        Kind::Watch => Answer::Pass,
        _ if asked.number < 2 => Answer::Failure(403, "Forbidden"),
        _ => Answer::Pass,
    })
    .await;
    let informer = informer(&proxy.client());
    informer.start();
    assert!(soon("an error", informer.wait_for_sync()).await.unwrap_err().is_permanent());
    let handler = informer.add_event_handler(|_| {});
    let synced = async {
        while handler.wait_for_sync().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("the first list", synced).await;
    assert!(informer.has_synced() && informer.last_error().is_none());
}

#[tokio::test]
async fn it_stops_when_nobody_uses_it_any_more() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let informer = informer(&proxy.client());
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    let store = informer.store().clone();
    let (lister, handler, events) =
        (informer.lister().namespace("default"), informer.add_event_handler(|_| {}), informer.events());
    // Each of them alone keeps it running.
    drop(informer);
    let keepers: [Box<dyn std::any::Any>; 3] = [Box::new(lister), Box::new(handler), Box::new(events)];
    for (round, keeper) in keepers.into_iter().enumerate() {
        let made = repaint(&client, "a", &format!("color-{round}")).await;
        soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
        soon("the watch", proxy.streams(1)).await;
        drop(keeper);
    }
    soon("the end of the watch", proxy.streams(0)).await;
    assert!(store.contains("default/a"), "what a store holds stays");
}

#[tokio::test]
async fn a_lister_takes_the_key_of_a_work_queue() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();

    let queue = Queue::new();
    let key = ObjectKey::new(Some("default"), "a");
    queue.add(key.clone());
    let work = queue.try_get().unwrap();
    let elsewhere = ObjectKey::new(Some("kube-system"), "a");
    let lister = informer.lister();
    assert_eq!(lister.get(&key).unwrap().key(), key);
    assert_eq!(lister.get(&work).unwrap().key(), key);
    assert!(lister.contains(&work) && !lister.contains(&elsewhere));
    assert!(lister.get(&elsewhere).is_none() && lister.undecodable(&key).is_none());

    let lister = lister.namespace("default");
    assert_eq!(lister.get(&key).unwrap().key(), key);
    assert_eq!(lister.get(&work).unwrap().key(), key);
    assert_eq!(lister.get(key.name()).unwrap().key(), key);
    assert!(lister.get(&elsewhere).is_none());
}

#[tokio::test]
async fn a_detached_handler_stays_until_it_is_stopped() {
    let (server, client) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    let informer = informer(&proxy.client());
    let (mut told, handler) = Told::of(&informer);
    handler.detach();
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    let other = informer.clone();
    drop(informer);
    create(&client, "a", "red").await;
    assert!(told.sorted::<1>().await[0].starts_with("+a red"));
    other.stop().await;
    soon("the end of the watch", proxy.streams(0)).await;
    assert_eq!(told.next().await, ["end"]);
}

#[tokio::test]
async fn one_that_was_stopped_starts_again_where_it_was() {
    let (server, client) = cluster().await;
    for name in ["a", "b", "c"] {
        create(&client, name, "red").await;
    }
    for reflector in [quick(), listing()] {
        let proxy = Proxy::passing(&server).await;
        let informer =
            Informer::new(paints(&proxy.client()), InformerOptions { reflector, ..Default::default() });
        let (mut told, handler) = Told::of(&informer);
        informer.start();
        informer.start();
        soon("the first list", handler.wait_for_sync()).await.unwrap();
        let mut first = told.sorted::<3>().await;
        first.sort();
        assert_eq!(first, ["+a red at first", "+b red at first", "+c red at first"]);
        informer.stop().await;
        informer.stop().await;
        soon("the end of the watch", proxy.streams(0)).await;
        assert_eq!(informer.store().len(), 3);
        let known = informer.store().resource_version();

        repaint(&client, "a", "blue").await;
        delete(&client, "b").await;
        let last = create(&client, "d", "red").await;
        assert!(told.is_empty());
        let before = proxy.words().len();
        informer.start();
        // It has synced once it has the present list.
        soon("the list", informer.wait_for_sync()).await.unwrap();
        assert!(informer.store().contains("default/d") && !informer.store().contains("default/b"));
        soon("the list", informer.store().wait_for_resource_version(&last)).await.unwrap();
        assert_eq!(told.sorted().await, ["+d red", "-b red perhaps", "~a red to blue"]);
        let asked = &proxy.words()[before];
        assert!(asked.ends_with(&format!(" from {known}")), "{asked}");
        repaint(&client, "c", "blue").await;
        assert_eq!(told.next().await, ["~c red to blue"]);
        for (name, color) in [("a", "red"), ("c", "red"), ("b", "red")] {
            let object = paint(name, color);
            match name {
                "b" => drop(create(&client, name, color).await),
                _ => drop(repaint(&client, object.metadata.name.as_deref().unwrap(), color).await),
            }
        }
        delete(&client, "d").await;
    }
}

#[tokio::test]
async fn what_was_missed_is_told_as_far_as_it_can_be_known() {
    let (server, client) = cluster().await;
    for name in ["changed", "gone", "other", "same"] {
        create(&client, name, "red").await;
    }
    for reflector in [quick(), listing()] {
        let proxy = Proxy::passing(&server).await;
        let informer =
            Informer::new(paints(&proxy.client()), InformerOptions { reflector, ..Default::default() });
        let (mut told, handler) = Told::of(&informer);
        informer.start();
        soon("the first list", handler.wait_for_sync()).await.unwrap();
        told.sorted::<4>().await;
        proxy.stop_listening().await;
        repaint(&client, "changed", "green").await;
        repaint(&client, "changed", "blue").await;
        repaint(&client, "gone", "blue").await;
        delete(&client, "gone").await;
        delete(&client, "other").await;
        create(&client, "other", "blue").await;
        create(&client, "passing", "blue").await;
        delete(&client, "passing").await;
        let last = create(&client, "new", "blue").await;
        server.compact();
        proxy.listen().await;
        soon("the list", informer.store().wait_for_resource_version(&last)).await.unwrap();
        // The update of `gone` to blue was not observed.
        assert_eq!(
            told.sorted().await,
            ["+new blue", "-gone red perhaps", "~changed red to blue", "~other red to another blue"]
        );
        assert!(told.is_empty());
        delete(&client, "new").await;
        create(&client, "gone", "red").await;
        repaint(&client, "changed", "red").await;
        delete(&client, "other").await;
        create(&client, "other", "red").await;
    }
}

#[tokio::test]
async fn several_namespaces_fill_one_store() {
    let (server, client) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    let through = proxy.client();
    let namespaces = ["default", "kube-node-lease"];
    let put = async |namespace: &str, name: &str| {
        version(&client.api::<ConfigMap>().namespace(namespace).create(&paint(name, "red")).await.unwrap())
    };
    put("default", "a").await;
    put("kube-public", "a").await;
    let last = put("kube-node-lease", "a").await;
    let sources = namespaces.map(|namespace| {
        Arc::new(through.api::<ConfigMap>().namespace(namespace)) as Arc<dyn ListWatch<ConfigMap>>
    });
    let options = InformerOptions { reflector: listing(), ..Default::default() };
    let informer = Informer::from_sources(sources.into(), options);
    let (mut told, handler) = Told::of(&informer);
    informer.start();
    soon("the first lists", handler.wait_for_sync()).await.unwrap();
    soon("the version", informer.store().wait_for_resource_version(&last)).await.unwrap();
    assert_eq!(told.sorted().await, ["+a red at first", "+a red at first"]);
    let names = |namespace: &str| -> Vec<_> {
        let objects = informer.lister().namespace(namespace).list();
        objects.iter().map(|object| object.name().to_owned()).collect()
    };
    assert_eq!(names("default"), ["a"]);
    assert!(names("kube-public").is_empty());

    // A list deletes objects of its own namespace only.
    proxy.stop_listening().await;
    delete(&client, "a").await;
    put("kube-node-lease", "b").await;
    server.compact();
    proxy.listen().await;
    assert_eq!(told.sorted().await, ["+b red", "-a red perhaps"]);
    assert!(names("default").is_empty());
    assert_eq!(names("kube-node-lease").len(), 2);
}

/// A namespace that cannot be listed does not keep the others from being watched.
#[tokio::test]
async fn one_namespace_that_fails_is_named() {
    let (_server, client) = cluster().await;
    let proxy_plan = |asked: &crate::proxy::Asked| match asked.path().contains("kube-system") {
        true => Answer::Failure(403, "Forbidden"),
        false => Answer::Pass,
    };
    let proxy = Proxy::new(&_server, proxy_plan).await;
    let through = proxy.client();
    let sources = ["default", "kube-system"].map(|namespace| {
        Arc::new(through.api::<ConfigMap>().namespace(namespace)) as Arc<dyn ListWatch<ConfigMap>>
    });
    let options = InformerOptions { reflector: quick(), ..Default::default() };
    let informer = Informer::from_sources(sources.into(), options);
    informer.start();
    let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot follow configmaps in namespace kube-system: "), "{error}");
    create(&client, "a", "red").await;
    let came = async {
        while !informer.store().contains("default/a") {
            tokio::task::yield_now().await;
        }
    };
    soon("the object", came).await;
    assert!(!informer.has_synced());
}

#[tokio::test]
async fn what_was_written_can_be_waited_for() {
    let (_server, client) = cluster().await;
    let informer = informer(&client);
    informer.start();
    for count in 0..50 {
        let name = format!("a{count}");
        let made = create(&client, &name, "red").await;
        soon("the object", informer.store().wait_for_resource_version(&made)).await.unwrap();
        assert_eq!(informer.store().get(&format!("default/{name}")).unwrap().resource_version(), made);
        delete(&client, &name).await;
    }
    for nonsense in ["", "0", "010", "abc", "-1"] {
        let error = informer.store().wait_for_resource_version(nonsense).await.unwrap_err();
        assert!(error.to_string().contains("no resourceVersion of configmaps"), "{nonsense:?}: {error}");
    }
}

#[tokio::test]
async fn objects_are_found_by_what_was_added_before_and_after_the_start() {
    let (_server, client) = cluster().await;
    for (name, color) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        create(&client, name, color).await;
    }
    let informer = informer(&client);
    let by_color = || Indexer::new(|object: &klient_cache::Cached<ConfigMap>| Some(color(object).to_owned()));
    informer.add_indexer("before", by_color()).unwrap();
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    informer.add_indexer("after", by_color()).unwrap();
    informer.add_indexer("label", Indexer::label("color")).unwrap();
    let error = informer.add_indexer("after", by_color()).unwrap_err();
    assert_eq!(error.to_string(), "the store of configmaps already has another index \"after\"");
    let check = |color: &str, wanted: &[&str]| {
        for index in ["before", "after", "label"] {
            let mut names: Vec<_> = (informer.store().by_index(index, color).unwrap().iter())
                .map(|object| object.name().to_owned())
                .collect();
            names.sort();
            assert_eq!(names, wanted, "{index} {color}");
        }
    };
    check("red", &["a", "c"]);
    repaint(&client, "a", "blue").await;
    delete(&client, "c").await;
    let last = create(&client, "d", "red").await;
    soon("the changes", informer.store().wait_for_resource_version(&last)).await.unwrap();
    check("red", &["d"]);
    check("blue", &["a", "b"]);
    check("green", &[]);
    let mut values = informer.store().index_values("before").unwrap();
    values.sort();
    assert_eq!(values, ["blue", "red"]);
}

#[tokio::test]
async fn objects_are_changed_before_they_are_kept() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    for keep in [Keep::Packed, Keep::Decoded] {
        for reflector in [quick(), listing()] {
            let calls = Arc::new(AtomicUsize::new(0));
            let called = calls.clone();
            let options = InformerOptions {
                reflector,
                keep,
                transform: Some(Arc::new(move |object: &mut ConfigMap| {
                    called.fetch_add(1, Ordering::Relaxed);
                    object.data =
                        [("color", format!("dark {}", color(object).trim_start_matches("dark ")))].into();
                    object.metadata.labels = [("dark", "yes")].into();
                })),
                ..Default::default()
            };
            let informer = Informer::new(paints(&client), options);
            informer.start();
            let (mut told, _handler) = Told::of(&informer);
            assert_eq!(told.next().await, ["+a dark red at first"]);
            repaint(&client, "a", "blue").await;
            assert_eq!(told.next().await, ["~a dark red to dark blue"]);
            assert_eq!(informer.store().select(&"dark=yes".parse().unwrap()).len(), 1);
            assert!(calls.load(Ordering::Relaxed) >= 2);
            repaint(&client, "a", "red").await;
        }
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_changed_is_left_out() {
    let (_server, client) = cluster().await;
    create(&client, "bad", "red").await;
    create(&client, "good", "red").await;
    for reflector in [quick(), listing()] {
        let errors = Arc::new(AtomicUsize::new(0));
        let told = errors.clone();
        let on_error: klient_cache::WatchErrorHandler = Arc::new(move |error| {
            assert!(error.is_undecodable(), "{error:?}");
            told.fetch_add(1, Ordering::Relaxed);
        });
        let options = InformerOptions {
            reflector: klient_cache::ReflectorOptions { on_error: Some(on_error), ..reflector },
            transform: Some(Arc::new(|object: &mut ConfigMap| {
                let is_bad = object.metadata.name.as_deref() == Some("bad");
                assert!(!is_bad, "a panic that the test is about");
            })),
            ..Default::default()
        };
        let informer = Informer::new(paints(&client), options);
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
        repaint(&client, "bad", "blue").await;
        let last = repaint(&client, "good", "blue").await;
        soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
        assert!(informer.store().contains("default/good") && !informer.store().contains("default/bad"));
        assert_eq!(errors.load(Ordering::Relaxed), 2);
        repaint(&client, "bad", "red").await;
        repaint(&client, "good", "red").await;
    }
}

#[tokio::test]
async fn a_server_that_is_restarted_is_followed_on() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = Informer::new(
        paints(&Client::new(config(&server)).unwrap()),
        InformerOptions { reflector: quick(), ..Default::default() },
    );
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    let address = server.address();
    drop(client);
    server.stop().await;
    let listen = klient_apiserver::Options { listen: Some(address), ..Default::default() };
    let refused = async {
        while !informer.last_error().is_some_and(|error| error.as_source().unwrap().is_refused()) {
            tokio::task::yield_now().await;
        }
    };
    soon("a refusal", refused).await;
    assert!(informer.store().contains("default/a"));
    drop(klient_apiserver::Server::start(listen).await.unwrap());
}

#[tokio::test]
async fn the_stream_of_events_ends_with_the_informer() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let informer = informer(&client);
    let mut events = informer.events();
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    informer.stop().await;
    assert_eq!(soon("an event", events.next()).await.unwrap().key().name(), "a");
    assert!(soon("the end", events.next()).await.is_none());
}

#[tokio::test]
async fn an_error_handler_that_panics_stops_the_informer_and_lets_nobody_wait() {
    let (server, _client) = cluster().await;
    let proxy = Proxy::new(&server, |_| Answer::Failure(500, "InternalError")).await;
    let reflector =
        klient_cache::ReflectorOptions { on_error: Some(Arc::new(|_| panic!("on purpose"))), ..quick() };
    let client = proxy.client();
    let informer =
        Informer::new(client.api::<ConfigMap>(), InformerOptions { reflector, ..Default::default() });
    informer.start();
    assert!(soon("an error", informer.wait_for_sync()).await.unwrap_err().is_stopped());
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_for_ever_stops_nobody() {
    let (server, _client) = cluster().await;
    let mut busy = crate::proxy::status(503, "ServiceUnavailable", "later");
    busy["details"]["retryAfterSeconds"] = serde_json::json!(i32::MAX);
    let proxy = Proxy::new(&server, move |_| Answer::Status(busy.clone())).await;
    let options = InformerOptions { reflector: listing(), ..Default::default() };
    let informer = Informer::new(paints(&proxy.client()), options);
    informer.start();
    soon("an error", async {
        while informer.last_error().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The wait has no limit of its own, and can be cancelled.
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), informer.wait_for_sync()).await;
    assert!(waiting.is_err());
    informer.stop().await;
}

/// A wait for a version ends when the version can no longer come.
#[tokio::test]
async fn a_version_is_not_waited_for_when_nothing_fills_the_store_any_more() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let running = async || {
        let informer = informer(&client);
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
        (informer.store().clone(), informer)
    };
    let (store, informer) = running().await;
    let waiting = tokio::spawn(async move { store.wait_for_resource_version("1000000").await });
    informer.stop().await;
    assert!(soon("an error", waiting).await.unwrap().unwrap_err().is_stopped());
    assert!(
        soon("an error", informer.store().wait_for_resource_version("1000000"))
            .await
            .unwrap_err()
            .is_stopped()
    );
    // A version that was reached stays reached.
    soon("the version", informer.store().wait_for_resource_version("1")).await.unwrap();
    informer.start();
    let last = create(&client, "b", "red").await;
    soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();

    let (store, informer) = running().await;
    let waiting = tokio::spawn(async move { store.wait_for_resource_version("1000000").await });
    drop(informer);
    assert!(soon("an error", waiting).await.unwrap().unwrap_err().is_stopped());

    let writer = klient_cache::StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let store = writer.store();
    let reflecting = crate::stage::reflect(klient_cache::Reflector::new(paints(&client), writer, quick()));
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    drop(reflecting);
    assert!(soon("an error", store.wait_for_resource_version("1000000")).await.unwrap_err().is_stopped());
}

/// The version of another resource, or of an object that a selector excludes, comes with bookmarks, which may
/// fail to come.
#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_come_is_waited_for_two_minutes() {
    let store = klient_cache::StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    store.replace(Vec::new(), "7").unwrap();
    let began = tokio::time::Instant::now();
    let error = store.wait_for_resource_version("8").await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 120);
    assert!(error.is_timeout() && !error.is_stopped());
    let text = error.to_string();
    assert!(
        text.starts_with("the store of configmaps did not reach version 8 in 120 s, it is at \"7\""),
        "{text}"
    );
}

/// Errors that no retry can mend.
#[tokio::test]
async fn refusals_that_last_come_back_at_once() {
    let (server, _) = cluster().await;
    for (code, reason) in [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (406, "NotAcceptable"),
        (415, "UnsupportedMediaType"),
        (422, "Invalid"),
    ] {
        for reflector in [quick(), listing()] {
            let proxy = Proxy::new(&server, move |_| Answer::Failure(code, reason)).await;
            let options = InformerOptions { reflector, ..Default::default() };
            let informer = Informer::new(paints(&proxy.client()), options);
            informer.start();
            let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
            assert!(error.is_permanent(), "{error:?}");
            assert_eq!(error.as_source().unwrap().code(), Some(code));
        }
    }
}

#[tokio::test]
async fn a_selector_that_makes_no_sense_is_told_at_once() {
    let (server, _) = cluster().await;
    let proxy = Proxy::passing(&server).await;
    for reflector in [
        ReflectorOptions { label_selector: Some("a=b=c".into()), ..quick() },
        ReflectorOptions { field_selector: Some("metadata.name".into()), ..listing() },
    ] {
        let options = InformerOptions { reflector, ..Default::default() };
        let informer = Informer::new(paints(&proxy.client()), options);
        informer.start();
        let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
        assert!(error.is_permanent(), "{error:?}");
        assert!(error.to_string().contains(" selector \""), "{error}");
        assert_eq!(informer.last_error().map(|error| error.to_string()), Some(error.to_string()));
        assert!(soon("it once more", informer.wait_for_sync()).await.is_err());
    }
    assert!(proxy.words().is_empty(), "no server is asked");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_at_once() {
    let (server, _) = cluster().await;
    let (other, _) = cluster().await;
    let suspicious = Config { tls: config(&other).tls, ..config(&server) };
    for reflector in [quick(), listing()] {
        let options = InformerOptions { reflector, ..Default::default() };
        let informer = Informer::new(paints(&Client::new(suspicious.clone()).unwrap()), options);
        informer.start();
        let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
        assert!(error.is_permanent() && error.as_source().unwrap().is_refused(), "{error:?}");
    }
}

/// A detached handler ends with its informer.
#[tokio::test]
async fn detached_handlers_end_with_their_informer() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let through = proxy.client();
    let held = Arc::new(());
    for _ in 0..10 {
        let informer = informer(&through);
        let holding = held.clone();
        informer.add_event_handler(move |_: Event<ConfigMap>| drop(holding.clone())).detach();
        informer.start();
        soon("the first list", informer.wait_for_sync()).await.unwrap();
    }
    soon("the end of the watches", proxy.streams(0)).await;
    let ended = async {
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the handlers", ended).await;
}

/// The version of the store as a whole is that of the namespace in which nothing happens.
#[tokio::test]
async fn a_condition_on_the_store_is_asked_after_each_change_even_of_one_namespace_of_several() {
    let (_server, client) = cluster().await;
    let factory = klient_cache::InformerFactory::builder(client.clone())
        .namespace("default")
        .namespace("kube-public")
        .build();
    let informer = factory.informer::<ConfigMap>();
    factory.start();
    factory.wait_for_sync().await.unwrap();
    let version = informer.store().resource_version();
    let store = informer.store();
    let change = async {
        let metadata = klient_apimachinery::meta::v1::ObjectMeta::named("sky");
        let sky = ConfigMap { metadata, ..Default::default() };
        client.api::<ConfigMap>().namespace("default").create(&sky).await.unwrap();
    };
    let (seen, ()) = soon("the change", async {
        tokio::join!(store.wait_until(|store| store.contains("default/sky")), change)
    })
    .await;
    seen.unwrap();
    assert_eq!(store.resource_version(), version);

    let waiting = store.wait_until(|store| store.contains("default/sea"));
    let (waited, ()) = soon("the end", async { tokio::join!(waiting, informer.stop()) }).await;
    assert!(waited.unwrap_err().is_stopped());
}
