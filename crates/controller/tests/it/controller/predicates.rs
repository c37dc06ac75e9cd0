//! Predicates, as a table.

use std::sync::Arc;

use klient_api::apps::v1::Deployment;
use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{ObjectKey, Resource as _};
use klient_cache::{Cached, Event, Keep, StoreWriter};
use klient_client::Error;
use klient_controller::{Action, Controller, Predicate, Source};

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, secret};

/// A deployment whose metadata is changed.
fn state(change: fn(&mut ObjectMeta)) -> Cached<Deployment> {
    let mut metadata = ObjectMeta {
        namespace: Some("default".into()),
        uid: Some("one".into()),
        resource_version: Some("1".into()),
        generation: Some(1),
        labels: [("color", "red")].into(),
        ..ObjectMeta::named("web")
    };
    change(&mut metadata);
    let store = StoreWriter::new(Deployment::INFO, Keep::Packed);
    store.put_object(&Deployment { metadata, ..Default::default() }).unwrap();
    store.get("default/web").unwrap()
}

#[test]
fn predicates_pass_the_changes_that_they_are_named_after() {
    let before = state(|_| {});
    let update = |change| Event::Updated { old: before.clone(), new: state(change) };
    let events = [
        ("added", Event::Added { object: before.clone(), is_in_initial_list: false }),
        ("resync", Event::Updated { old: before.clone(), new: before.clone() }),
        ("status", update(|metadata| metadata.resource_version = Some("2".into()))),
        (
            "generation",
            update(|metadata| {
                (metadata.resource_version, metadata.generation) = (Some("2".into()), Some(2));
            }),
        ),
        (
            "label",
            update(|metadata| {
                metadata.resource_version = Some("2".into());
                metadata.labels.insert("color", "blue".into());
            }),
        ),
        (
            "annotation",
            update(|metadata| {
                metadata.resource_version = Some("2".into());
                metadata.annotations.insert("note", "1".into());
            }),
        ),
        (
            "finalizer",
            update(|metadata| {
                metadata.resource_version = Some("2".into());
                metadata.finalizers.push("example.com/hold".into());
            }),
        ),
        (
            "terminating",
            update(|metadata| {
                (metadata.resource_version, metadata.generation) = (Some("2".into()), Some(2));
                metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".parse().unwrap());
            }),
        ),
        (
            "recreated",
            update(|metadata| {
                (metadata.resource_version, metadata.uid) = (Some("2".into()), Some("two".into()));
            }),
        ),
        (
            "deleted",
            Event::Deleted(klient_cache::Deleted {
                key: before.key(),
                known: Some(before.clone()),
                object: Some(before.clone()),
                is_final_state_unknown: false,
            }),
        ),
        (
            "deleted-other",
            Event::Deleted(klient_cache::Deleted {
                key: before.key(),
                known: Some(state(|metadata| {
                    metadata.labels.insert("color", "blue".into());
                })),
                object: Some(before.clone()),
                is_final_state_unknown: false,
            }),
        ),
        (
            "deleted-unknown",
            Event::Deleted(klient_cache::Deleted {
                key: before.key(),
                known: None,
                object: None,
                is_final_state_unknown: true,
            }),
        ),
    ];
    type P = Predicate<Deployment>;
    let blue = || P::label_selector("color=blue".parse().unwrap());
    let cases: [(&str, P, &str); 11] = [
        (
            "generation",
            P::generation_changed(),
            "added generation terminating recreated deleted deleted-other deleted-unknown",
        ),
        (
            "version",
            P::resource_version_changed(),
            "added status generation label annotation finalizer terminating recreated deleted deleted-other deleted-unknown",
        ),
        ("labels", P::labels_changed(), "added label recreated deleted deleted-other deleted-unknown"),
        (
            "annotations",
            P::annotations_changed(),
            "added annotation recreated deleted deleted-other deleted-unknown",
        ),
        (
            "finalizers",
            P::finalizers_changed(),
            "added finalizer recreated deleted deleted-other deleted-unknown",
        ),
        ("deletion", P::deletion(), "terminating deleted deleted-other deleted-unknown"),
        ("selector", blue(), "label deleted-other deleted-unknown"),
        ("own", P::new(|event| matches!(event, Event::Added { .. })), "added"),
        (
            "or",
            P::generation_changed().or(P::labels_changed()),
            "added generation label terminating recreated deleted deleted-other deleted-unknown",
        ),
        ("and", P::resource_version_changed().and(blue()), "label deleted-other deleted-unknown"),
        ("not", P::resource_version_changed().not(), "resync"),
    ];
    for (name, predicate, expected) in cases {
        let passed: Vec<_> =
            events.iter().filter(|(_, event)| predicate.passes(event)).map(|(name, _)| *name).collect();
        assert_eq!(passed.join(" "), expected, "{name}");
    }
}

#[tokio::test]
async fn an_event_whose_predicate_panics_passes() {
    let (_server, client) = cluster().await;
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let panics = || Predicate::new(|_| panic!("as planned"));
    let (config_maps, secrets) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    let controller = Controller::builder(Source::new(&config_maps).filter(panics()))
        .watches(Source::new(&secrets).filter(Predicate::new(|_| panic!("as planned"))), |secret| {
            [secret.key()]
        })
        .reconcile_keys(context, async |key: ObjectKey, _, calls: Arc<Calls>| {
            calls.tell(key.name());
            Ok::<_, Error>(Action::done())
        });
    let running = Running::start(controller);
    client.api::<ConfigMap>().namespace("default").create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(next(&mut calls).await, "sky");
    client.api::<Secret>().namespace("default").create(&secret("key")).await.unwrap();
    assert_eq!(next(&mut calls).await, "key");
    assert_eq!(running.handle.metrics().handler_panics, 2);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn an_event_that_a_predicate_drops_leads_to_no_reconcile() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let blue = Source::new(&informer)
        .filter(Predicate::label_selector("color=blue".parse().unwrap()))
        .filter(Predicate::object(|object: &Cached<ConfigMap>| object.name() != "hidden"));
    let controller =
        Controller::builder(blue).reconcile(context, async |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            calls.tell(format!("{} {}", object.name(), object.data["color"]));
            Ok::<_, Error>(Action::done())
        });
    let running = Running::start(controller);
    for (name, color) in [("red", "red"), ("hidden", "blue"), ("sky", "blue")] {
        config_maps.create(&config_map(name, color)).await.unwrap();
    }
    assert_eq!(next(&mut calls).await, "sky blue");
    // The change by which it stops to match is told.
    config_maps.update(&config_map("sky", "grey")).await.unwrap();
    assert_eq!(next(&mut calls).await, "sky grey");
    running.stop().await.1.unwrap();
}
