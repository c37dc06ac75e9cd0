//! Comparison of stores with the server.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{ListOptions, Resource as _};
use klient_cache::{
    CheckOptions, Informer, InformerOptions, Keep, Pager, PagerOptions, ReflectorOptions, StoreWriter,
};

use crate::cluster::{ConfigMaps, cluster, config_map, config_maps, create, soon};

/// A store with the server's present list.
async fn filled(config_maps: &ConfigMaps) -> StoreWriter<ConfigMap> {
    let listed = Pager::new(config_maps.clone(), PagerOptions::default()).list().await.unwrap();
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let objects = listed.items.iter().map(klient_apimachinery::codec::Encoded::of).collect();
    store.replace(objects, listed.resource_version()).unwrap();
    store
}

#[tokio::test]
async fn a_store_is_compared_with_what_the_server_had_at_its_version() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a", "b", "c"]).await;
    let store = filled(&config_maps).await;
    create(&config_maps, &["d"]).await;
    config_maps.delete("a", &DeleteOptions::default()).await.unwrap();
    let differences = store.check_against(config_maps, &CheckOptions::default()).await.unwrap();
    assert!(differences.is_empty(), "{differences}");
    assert_eq!(differences.to_string(), format!("none at {}", store.resource_version()));
}

#[tokio::test]
async fn every_difference_is_named() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a", "b", "c"]).await;
    let before = config_maps.get("b").await.unwrap();
    let changed = config_maps.update(&config_map("b", "blue")).await.unwrap();
    let store = filled(&config_maps).await;
    let at = store.resource_version();

    let put = |object: &ConfigMap| klient_apimachinery::codec::Encoded::of(object);
    let mut never = before.clone();
    never.metadata.name = Some("never".into());
    let c = config_maps.get("c").await.unwrap();
    store.replace(vec![put(&before), put(&never), put(&c)], &at).unwrap();
    let differences = store.check_against(config_maps, &CheckOptions::default()).await.unwrap();
    let (old, new) = (before.metadata.resource_version, changed.metadata.resource_version);
    assert_eq!(
        differences.to_string(),
        format!(
            "at {at}: missing default/a; extra default/never; default/b is {}, not {}",
            old.unwrap(),
            new.unwrap()
        )
    );
}

#[tokio::test]
async fn what_the_server_has_forgotten_cannot_be_compared() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let store = filled(&config_maps).await;
    create(&config_maps, &["b"]).await;
    server.compact();
    let error = store.check_against(config_maps.clone(), &CheckOptions::default()).await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");

    let empty = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let error = empty.check_against(config_maps, &CheckOptions::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"\" is no resourceVersion of configmaps to compare a store at: wait for its first list"
    );
}

#[tokio::test]
async fn a_lister_of_some_objects_is_compared_with_those() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    config_maps.create(&config_map("b", "blue")).await.unwrap();
    let blue = Some("color=blue".into());
    let reflector = ReflectorOptions { label_selector: blue.clone(), ..Default::default() };
    let options = InformerOptions { reflector, ..Default::default() };
    let lister = Informer::new(config_maps.clone(), options);
    lister.start();
    let lister = lister.lister();
    soon("the first list", lister.wait_for_sync()).await.unwrap();

    let blue = CheckOptions { label_selector: blue, ..Default::default() };
    let differences = lister.check_against(config_maps.clone(), &blue).await.unwrap();
    assert!(differences.is_empty(), "{differences}");
    let differences = lister.check_against(config_maps, &CheckOptions::default()).await.unwrap();
    assert_eq!(differences.missing, ["default/a".parse().unwrap()]);
}

#[tokio::test]
async fn a_source_of_one_namespace_says_nothing_of_others() {
    let (_server, client) = cluster().await;
    create(&config_maps(&client), &["a"]).await;
    let all = client.api::<ConfigMap>();
    let listed = all.list(&ListOptions::default()).await.unwrap();
    let store = StoreWriter::new(ConfigMap::INFO, Keep::Decoded);
    let objects = listed.items.iter().map(klient_apimachinery::codec::Encoded::of).collect();
    store.replace(objects, listed.resource_version()).unwrap();
    store
        .put_object(&{
            let mut elsewhere = config_map("x", "red");
            elsewhere.metadata.namespace = Some("elsewhere".into());
            elsewhere.metadata.resource_version = Some(listed.resource_version().into());
            elsewhere
        })
        .unwrap();
    let differences = store.check_against(config_maps(&client), &CheckOptions::default()).await.unwrap();
    assert!(differences.is_empty(), "{differences}");
    let differences = store.check_against(all, &CheckOptions::default()).await.unwrap();
    assert_eq!(differences.extra, ["elsewhere/x".parse().unwrap()]);
}
