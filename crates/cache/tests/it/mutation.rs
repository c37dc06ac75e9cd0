//! A program's own writes in front of a store: client-go's own tests, and one over HTTP.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
use klient_apimachinery::{Object as _, Resource as _};
use klient_cache::{
    Cached, Deleted, Indexer, Informer, Keep, MutationCache, MutationCacheOptions, ResourceEventHandler as _,
    StoreWriter,
};
use tokio::time::advance;

use crate::cluster::{cluster, config_map, config_maps, create, soon};

type Cache = MutationCache<ConfigMap>;

/// A config map with a name, uid and version: `pod/uid-1@2`.
fn object(text: &str) -> ConfigMap {
    let (name, rest) = text.split_once('/').unwrap();
    let (uid, version) = rest.split_once('@').unwrap();
    let metadata = ObjectMeta {
        name: Some(name.into()),
        uid: Some(uid.into()),
        resource_version: Some(version.into()),
        ..Default::default()
    };
    ConfigMap { metadata, ..Default::default() }
}

/// The same as a store returns it.
fn cached(text: &str) -> Cached<ConfigMap> {
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    store.put_object(&object(text)).unwrap();
    store.list().remove(0)
}

fn deleted(text: &str) -> Deleted<ConfigMap> {
    let object = cached(text);
    Deleted { key: object.key(), known: None, object: Some(object), is_final_state_unknown: false }
}

fn cache(include_adds: bool) -> (StoreWriter<ConfigMap>, Cache) {
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let options = MutationCacheOptions { include_adds, ..Default::default() };
    let cache = MutationCache::new(store.store(), options);
    (store, cache)
}

/// The version that the cache returns for a name; empty if there is none.
fn found(cache: &Cache, name: &str) -> String {
    cache.get(name).map(|object| object.resource_version().to_owned()).unwrap_or_default()
}

/// Runs steps and compares the version of `pod` that the cache returns. Steps are `put`, `remove` (the
/// store), `write` (the program), `told` and `gone` (the informer's events), each with an object.
#[track_caller]
fn check(include_adds: bool, steps: &str, expected: &str) {
    let (store, mut cache) = cache(include_adds);
    for step in steps.split("; ") {
        match step.split_once(' ').unwrap() {
            ("put", text) => store.put_object(&object(text)).unwrap(),
            ("remove", name) => assert!(store.remove(&name.parse().unwrap())),
            ("write", text) => cache.mutation(&object(text)).unwrap(),
            ("told", text) => cache.on_add(cached(text), false),
            ("gone", text) => cache.on_delete(deleted(text)),
            other => panic!("no such step: {other:?}"),
        }
    }
    assert_eq!(found(&cache, "pod"), expected, "{steps}");
}

#[test]
fn the_newer_of_both_is_given() {
    check(false, "put pod/u@1; write pod/u@2", "2");
    check(false, "put pod/u@2; write pod/u@2", "2");
    check(false, "put pod/u@3; write pod/u@2", "3");
    check(false, "put pod/u@9; write pod/u@10", "10");
    check(false, "put pod/u@1; write pod/u@3; write pod/u@2", "3");
}

#[test]
fn versions_that_are_no_numbers_leave_it_to_the_store() {
    check(false, "put pod/u@abc; write pod/u@abd", "abc");
}

#[test]
fn what_the_store_does_not_have_is_given_only_if_wanted() {
    check(false, "write pod/u@2", "");
    check(true, "write pod/u@2", "2");
    check(false, "put pod/u@1; write pod/u@2; remove pod", "");
    check(true, "put pod/u@1; write pod/u@2; remove pod", "2");
}

#[test]
fn what_the_informer_tells_makes_older_writes_needless() {
    check(false, "write pod/uid-1@2; told pod/uid-1@2; put pod/uid-1@1", "1");
    check(false, "write pod/uid-1@2; told pod/uid-1@3; put pod/uid-1@1", "1");
    check(false, "write pod/uid-1@2; told pod/uid-1@1; put pod/uid-1@1", "2");
}

#[test]
fn a_deletion_that_is_told_ends_what_was_written() {
    let before = "put pod/uid-1@2; write pod/uid-1@3; remove pod; ";
    check(true, &format!("{before}gone pod/uid-1@1"), "");
    check(true, &format!("{before}gone pod/uid-2@3"), "");
    check(true, &format!("{before}gone pod/uid-other@1"), "3");
    check(true, "write pod/uid-1@2; gone pod/uid-1@1", "");
}

#[test]
fn a_write_that_is_told_of_late_does_not_bring_back_what_is_gone() {
    let deleted = "put pod/uid-1@1; put pod/uid-1@2; remove pod; told pod/uid-1@2; gone pod/uid-1@2; ";
    check(true, &format!("{deleted}write pod/uid-1@2"), "");
    check(true, &format!("{deleted}write pod/uid-1@3"), "");
    check(true, &format!("{deleted}write pod/uid-2@3"), "3");
    let replaced = "put pod/uid-1@1; put pod/uid-1@2; remove pod; put pod/uid-2@3; told pod/uid-1@2; \
                    gone pod/uid-1@2; told pod/uid-2@3; ";
    check(true, &format!("{replaced}write pod/uid-1@2"), "3");
}

#[tokio::test(start_paused = true)]
async fn writes_are_forgotten_after_a_time() {
    let (store, cache) = cache(true);
    store.put_object(&object("a/u@1")).unwrap();
    cache.mutation(&object("a/u@2")).unwrap();
    cache.mutation(&object("b/u@3")).unwrap();
    advance(Duration::from_secs(299)).await;
    assert_eq!((found(&cache, "a"), found(&cache, "b")), ("2".to_owned(), "3".to_owned()));
    advance(Duration::from_secs(1)).await;
    assert_eq!((found(&cache, "a"), found(&cache, "b")), ("1".to_owned(), String::new()));
}

#[test]
fn what_nobody_looks_at_is_forgotten_first() {
    let (_store, cache) = cache(true);
    for number in 1..=100 {
        cache.mutation(&object(&format!("cm-{number}/u@{number}"))).unwrap();
    }
    assert_eq!(found(&cache, "cm-1"), "1");
    cache.mutation(&object("one-more/u@101")).unwrap();
    assert_eq!(found(&cache, "cm-1"), "1");
    assert_eq!(found(&cache, "cm-2"), "");
}

#[test]
fn an_index_gives_the_newer_of_both_too() {
    let versions = |cache: &Cache, color: &str| {
        let found = cache.by_index("color", color).unwrap();
        let mut found: Vec<_> =
            found.iter().map(|object| format!("{}@{}", object.name(), object.resource_version())).collect();
        found.sort();
        found.join(" ")
    };
    let colored = |name: &str, color: &str, version: &str| {
        let mut object = config_map(name, color);
        object.metadata.resource_version = Some(version.into());
        object.metadata.uid = Some(name.into());
        object
    };
    for (include_adds, blue) in [(false, "a@3"), (true, "a@3 b@5 d@8")] {
        let (store, mut cache) = cache(include_adds);
        assert!(cache.by_index("color", "blue").is_err());
        store.add_indexer("color", Indexer::label("color")).unwrap();
        store.put_object(&colored("a", "blue", "2")).unwrap();
        store.put_object(&colored("b", "red", "4")).unwrap();
        cache.mutation(&colored("a", "blue", "3")).unwrap();
        cache.mutation(&colored("b", "blue", "5")).unwrap();
        cache.mutation(&colored("c", "green", "7")).unwrap();
        cache.mutation(&colored("d", "blue", "8")).unwrap();
        assert_eq!(versions(&cache, "blue"), blue);
        cache.on_delete(deleted("d/d@9"));
        assert_eq!(versions(&cache, "blue"), blue.trim_end_matches(" d@8"));
    }
}

#[test]
fn an_object_without_a_name_is_refused() {
    let (_store, cache) = cache(true);
    assert!(cache.mutation(&ConfigMap::default()).is_err());
}

#[tokio::test]
async fn a_program_sees_what_it_wrote_while_the_informer_is_behind() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let informer = Informer::new(config_maps.clone(), Default::default());
    let options = MutationCacheOptions { include_adds: true, ..Default::default() };
    let cache = MutationCache::new(informer.store().clone(), options);
    let handler = informer.add_event_handler(cache.clone());
    informer.start();
    soon("the first list", handler.wait_for_sync()).await.unwrap();
    // The store stays behind from here on.
    informer.stop().await;

    let updated = config_maps.update(&config_map("a", "blue")).await.unwrap();
    cache.mutation(&updated).unwrap();
    let created = config_maps.create(&config_map("b", "blue")).await.unwrap();
    cache.mutation(&created).unwrap();
    config_maps.delete("b", &DeleteOptions::default()).await.unwrap();
    let last = create(&config_maps, &["c"]).await;
    assert_eq!(found(&cache, "default/a"), updated.resource_version());
    assert_eq!(informer.store().get("default/a").unwrap().labels().get("color"), Some("red"));
    // The cache has not learned of the deletion.
    assert_eq!(found(&cache, "default/b"), created.resource_version());

    informer.start();
    soon("c", informer.store().wait_for_resource_version(&last)).await.unwrap();
    assert_eq!(found(&cache, "default/a"), updated.resource_version());
    assert_eq!(informer.store().get("default/a").unwrap().labels().get("color"), Some("blue"));
}
