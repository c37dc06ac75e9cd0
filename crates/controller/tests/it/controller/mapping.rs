//! Keys of owners, and of mappings.

use std::collections::HashSet;
use std::sync::Arc;

use klient_api::core::v1::{ConfigMap, Namespace, Secret};
use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
use klient_cache::{Cached, ObjectKey};
use klient_client::Error;
use klient_controller::{Action, Controller};
use tokio::sync::Semaphore;

use super::{Calls, Running, calls, next};
use crate::cluster::{cluster, config_map, factory, secret, soon, until};

async fn tell<K: klient_apimachinery::Object + klient_apimachinery::codec::Wire>(
    object: Cached<K>,
    calls: Arc<Calls>,
) -> Result<Action, Error> {
    calls.tell(&*object.key());
    Ok(Action::done())
}

#[tokio::test]
async fn a_child_leads_to_its_controller_and_to_both_when_it_changes_hands() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let secrets = client.api::<Secret>().namespace("default");
    let sky = config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let sea = config_maps.create(&config_map("sea", "green")).await.unwrap();
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let controller = Controller::builder(&factory.informer::<ConfigMap>())
        .owns(&factory.informer::<Secret>())
        .reconcile(context, tell);
    let running = Running::start(controller);
    let mut initial = [next(&mut calls).await, next(&mut calls).await];
    initial.sort();
    assert_eq!(initial, ["default/sea", "default/sky"]);

    let mut child = secret("child");
    child.metadata.owner_references = vec![OwnerReference::controller_of(&sky)];
    let mut child = secrets.create(&child).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sky");
    child.metadata.owner_references = vec![OwnerReference::controller_of(&sea)];
    let mut child = secrets.update(&child).await.unwrap();
    let both: HashSet<_> = [next(&mut calls).await, next(&mut calls).await].into();
    assert_eq!(both, ["default/sky".to_owned(), "default/sea".to_owned()].into());
    // An owner that is no controller is not told.
    child.metadata.owner_references = vec![OwnerReference::of(&sky)];
    let child = secrets.update(&child).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sea");
    secrets.delete(&child.metadata.name.unwrap(), &Default::default()).await.unwrap();
    secrets.create(&secret("another")).await.unwrap();
    config_maps.update(&config_map("sea", "grey")).await.unwrap();
    assert_eq!(next(&mut calls).await, "default/sea");
    running.stop().await.1.unwrap();
}

/// kube-rs #1383: the owner of a namespaced object is found, too, where it has no namespace.
#[tokio::test]
async fn a_namespaced_child_leads_to_an_owner_without_a_namespace() {
    let (_server, client) = cluster().await;
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let controller = Controller::builder(&factory.informer::<Namespace>())
        .owns(&factory.informer::<ConfigMap>())
        .reconcile(context, tell);
    let running = Running::start(controller);
    for _ in 0..4 {
        next(&mut calls).await;
    }
    let owner = client.api::<Namespace>().get("kube-public").await.unwrap();
    let mut child = config_map("sky", "blue");
    child.metadata.owner_references = vec![OwnerReference::controller_of(&owner)];
    client.api::<ConfigMap>().namespace("default").create(&child).await.unwrap();
    assert_eq!(next(&mut calls).await, "kube-public");
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_mapping_leads_to_any_keys() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let secrets = client.api::<Secret>().namespace("default");
    for name in ["sky", "sea"] {
        config_maps.create(&config_map(name, "blue")).await.unwrap();
    }
    let factory = factory(client.clone());
    let by_color = factory.lister::<ConfigMap>();
    let (context, mut calls) = calls();
    let controller = Controller::builder(&factory.informer::<ConfigMap>())
        .watches(&factory.informer::<Secret>(), move |secret: &Cached<Secret>| {
            let color = secret.labels().get("color").unwrap_or("none");
            let of_color = by_color.select(&format!("color={color}").parse().unwrap());
            of_color.iter().map(Cached::key).collect::<Vec<_>>()
        })
        .reconcile(context, tell);
    let running = Running::start(controller);
    let initial: HashSet<_> = [next(&mut calls).await, next(&mut calls).await].into();
    secrets.create(&secret("unrelated")).await.unwrap();
    let mut blue = secret("blue");
    blue.metadata.labels.insert("color", "blue".into());
    secrets.create(&blue).await.unwrap();
    let mapped: HashSet<_> = [next(&mut calls).await, next(&mut calls).await].into();
    assert_eq!(mapped, initial);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn an_event_of_ten_thousand_keys_does_not_hold_up_other_changes() {
    const KEYS: usize = 10_000;
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let go = Arc::new(Semaphore::new(0));
    let controller = Controller::builder(&factory.informer::<ConfigMap>())
        .watches(&factory.informer::<Secret>(), |secret: &Cached<Secret>| match secret.name() {
            "all" => (0..KEYS).map(|index| ObjectKey::new(Some("default"), &index.to_string())).collect(),
            name => vec![ObjectKey::new(Some("default"), name)],
        })
        .reconcile_keys(context, {
            let go = go.clone();
            move |key: ObjectKey, _: Option<Cached<ConfigMap>>, calls: Arc<Calls>| {
                let go = go.clone();
                async move {
                    calls.tell(key.name());
                    go.acquire().await?.forget();
                    Ok::<_, tokio::sync::AcquireError>(Action::done())
                }
            }
        });
    let running = Running::start(controller);
    secrets.create(&secret("all")).await.unwrap();
    let first = next(&mut calls).await;
    let depth = || running.handle.metrics().queue.unwrap().depth;
    until("all keys are queued", || depth() == KEYS - 1).await;
    secrets.create(&secret("urgent")).await.unwrap();
    until("the change is queued", || depth() == KEYS).await;
    go.add_permits(2 * KEYS);
    assert_eq!(next(&mut calls).await, "urgent");
    let mut seen = HashSet::from([first]);
    while seen.len() < KEYS {
        assert!(seen.insert(next(&mut calls).await), "a key comes once");
    }
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_mapping_that_panics_does_not_end_the_controller() {
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let controller = Controller::builder(&factory.informer::<ConfigMap>())
        .watches(&factory.informer::<Secret>(), |secret: &Cached<Secret>| {
            assert_ne!(secret.name(), "poison");
            [secret.key()]
        })
        .reconcile_keys(context, async |key: ObjectKey, _, calls: Arc<Calls>| {
            calls.tell(key.name());
            Ok::<_, Error>(Action::done())
        });
    let running = Running::start(controller);
    secrets.create(&secret("poison")).await.unwrap();
    secrets.create(&secret("cure")).await.unwrap();
    assert_eq!(next(&mut calls).await, "cure");
    assert_eq!(running.handle.metrics().handler_panics, 1);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn a_mapping_that_panics_for_one_state_still_leads_to_the_keys_of_the_other() {
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let factory = factory(client.clone());
    let (context, mut calls) = calls();
    let controller = Controller::builder(&factory.informer::<ConfigMap>())
        .watches(&factory.informer::<Secret>(), |secret: &Cached<Secret>| {
            let owner = secret.labels().get("owner").expect("an owner");
            [ObjectKey::new(Some("default"), owner)]
        })
        .reconcile_keys(context, async |key: ObjectKey, _, calls: Arc<Calls>| {
            calls.tell(key.name());
            Ok::<_, Error>(Action::done())
        });
    let running = Running::start(controller);
    let mut owned = secret("owned");
    owned.metadata.labels.insert("owner", "sky".into());
    secrets.create(&owned).await.unwrap();
    assert_eq!(next(&mut calls).await, "sky");
    secrets.update(&secret("owned")).await.unwrap();
    assert_eq!(next(&mut calls).await, "sky");
    assert_eq!(running.handle.metrics().handler_panics, 1);
    running.stop().await.1.unwrap();
}

#[tokio::test]
async fn the_first_list_comes_after_changes() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let names: Vec<String> = (0..50).map(|index| format!("old-{index}")).collect();
    for name in &names {
        let metadata = ObjectMeta::named(name.as_str());
        config_maps.create(&ConfigMap { metadata, ..Default::default() }).await.unwrap();
    }
    let informer = factory(client.clone()).informer::<ConfigMap>();
    let (context, mut calls) = calls();
    let go = Arc::new(Semaphore::new(0));
    let controller = Controller::builder(&informer).reconcile(context, {
        let go = go.clone();
        move |object: Cached<ConfigMap>, calls: Arc<Calls>| {
            let go = go.clone();
            async move {
                calls.tell(object.name());
                go.acquire().await?.forget();
                Ok::<_, tokio::sync::AcquireError>(Action::done())
            }
        }
    });
    let running = Running::start(controller);
    let first = next(&mut calls).await;
    assert!(names.contains(&first));
    config_maps.create(&config_map("new", "blue")).await.unwrap();
    // One that is queued already comes as early as its change.
    let changed = names.iter().find(|name| **name != first).unwrap();
    config_maps.update(&config_map(changed, "blue")).await.unwrap();
    let store = informer.store();
    let seen = store.wait_until(|store| {
        store.contains("default/new") && !store.get_in("default", changed).unwrap().data.is_empty()
    });
    soon("the changes", seen).await.unwrap();
    until("the change is queued", || running.handle.metrics().queue.unwrap().depth == 50).await;
    tokio::task::yield_now().await;
    go.add_permits(100);
    let first: HashSet<_> = [next(&mut calls).await, next(&mut calls).await].into();
    assert_eq!(first, ["new".to_owned(), changed.clone()].into());
    running.stop().await.1.unwrap();
}
