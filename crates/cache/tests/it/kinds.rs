//! Informers of kinds known at run time only, of metadata only, and in every encoding and form.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::meta::v1::{DeleteOptions, PartialObjectMetadata};
use klient_apimachinery::{Object, Resource as _, ResourceInfo, Sources as _, Unstructured};
use klient_cache::{Event, Informer, InformerFactory, InformerOptions, Keep};
use klient_client::{Client, Config, Encoding, Patch};
use klient_workqueue::Backoff;
use serde_json::json;

use crate::stage::{cluster, color, config, create, delete, listing, paints, quick, repaint, soon};

pub(crate) const GADGETS: ResourceInfo =
    ResourceInfo::from_static("shop.example", "v1", "Gadget", "gadgets", true);

/// Defines gadgets at the server.
pub(crate) async fn create_gadgets(client: &Client) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    });
    let definition = CustomResourceDefinition::from_json(definition.to_string().as_bytes()).unwrap();
    client.api().create(&definition).await.unwrap();
}

pub(crate) fn gadget(name: &str, color: &str) -> Unstructured {
    let mut gadget = Unstructured::new("shop.example/v1", "Gadget", name);
    gadget["spec"] = json!({"color": color});
    gadget
}

pub(crate) fn gadgets(client: &Client) -> klient_client::Api<Unstructured, klient_client::DynamicPlace> {
    client.dynamic(GADGETS).namespace("default")
}

/// An error from before a wait does not count.
#[tokio::test]
async fn a_kind_that_is_defined_after_an_informer_failed_is_waited_for() {
    // No retry happens while the test runs, except those that waits trigger.
    let hour = Duration::from_secs(3600);
    let backoff =
        Backoff { duration: hour, factor: 1.0, jitter: 0.0, steps: u32::MAX, cap: None }.resetting(hour);
    for watch_list in [true, false] {
        let (_server, client) = cluster().await;
        let factory = InformerFactory::builder(client.clone())
            .reflector(|options| (options.backoff, options.watch_list) = (backoff.clone(), watch_list))
            .build();
        let gadgets = factory.for_resource(&GADGETS);
        factory.start();
        for _ in 0..2 {
            let error = soon("an error", factory.wait_for_sync()).await.unwrap_err();
            assert_eq!(error.as_source().unwrap().code(), Some(404), "{error}");
        }
        create_gadgets(&client).await;
        let synced = async {
            // The server takes a moment to serve it.
            while let Err(error) = factory.wait_for_sync_within(Duration::from_secs(10)).await {
                assert_eq!(error.as_source().and_then(|error| error.code()), Some(404), "{error}");
            }
        };
        soon("the first list", synced).await;
        assert!(gadgets.has_synced() && gadgets.last_error().is_none());
        factory.shutdown().await;
    }
}

#[tokio::test]
async fn custom_objects_are_followed() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let gadgets = gadgets(&client);
    gadgets.create(&gadget("a", "red")).await.unwrap();
    for keep in [Keep::Packed, Keep::Decoded] {
        for reflector in [quick(), listing()] {
            let options = InformerOptions { reflector, keep, ..Default::default() };
            let informer = Informer::new(client.dynamic(GADGETS), options);
            let mut events = informer.events();
            informer.start();
            soon("the first list", informer.wait_for_sync()).await.unwrap();
            let object = informer.store().get("default/a").unwrap();
            assert_eq!(object["spec"], json!({"color": "red"}));
            assert_eq!((object.api_version(), object.kind()), ("shop.example/v1", "Gadget"));
            let blue = Patch::Merge(json!({"spec": {"color": "blue"}}));
            let changed = gadgets.patch("a", &blue).await.unwrap();
            soon("the change", informer.store().wait_for_resource_version(changed.resource_version()))
                .await
                .unwrap();
            assert_eq!(informer.store().get("default/a").unwrap()["spec"]["color"], "blue");
            gadgets.delete("a", &DeleteOptions::default()).await.unwrap();
            loop {
                if let Some(Event::Deleted(deleted)) = soon("an event", events.next()).await {
                    assert_eq!(deleted.object.unwrap()["spec"]["color"], "blue");
                    break;
                }
            }
            gadgets.create(&gadget("a", "red")).await.unwrap();
        }
    }
}

/// A running informer finds a kind that is served later.
#[tokio::test]
async fn a_kind_may_come_and_go() {
    let (_server, client) = cluster().await;
    let options = InformerOptions { reflector: quick(), ..Default::default() };
    let informer = Informer::new(client.dynamic(GADGETS), options);
    informer.start();
    let error = soon("an error", informer.wait_for_sync()).await.unwrap_err();
    assert_eq!(error.as_source().unwrap().code(), Some(404));
    create_gadgets(&client).await;
    let made = soon("the kind", async {
        loop {
            if let Ok(made) = gadgets(&client).create(&gadget("a", "red")).await {
                return made;
            }
        }
    })
    .await;
    soon("the object", informer.store().wait_for_resource_version(made.resource_version())).await.unwrap();
    assert!(informer.store().contains("default/a"));
    let definitions = client.api::<CustomResourceDefinition>();
    definitions.delete("gadgets.shop.example", &DeleteOptions::default()).await.unwrap();
    let gone = async {
        while !(informer.store().is_empty() && informer.last_error().is_some()) {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the kind", gone).await;
}

#[tokio::test]
async fn metadata_may_be_all_that_is_followed() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    create_gadgets(&client).await;
    for encoding in [Encoding::Negotiate, Encoding::Json] {
        let through = Client::new(Config { encoding, ..config(&server) }).unwrap();
        for keep in [Keep::Packed, Keep::Decoded] {
            for reflector in [quick(), listing()] {
                let options = || InformerOptions { reflector: reflector.clone(), keep, ..Default::default() };
                let informer =
                    Informer::new(through.metadata(ConfigMap::INFO).namespace("default"), options());
                informer.start();
                soon("the first list", informer.wait_for_sync()).await.unwrap();
                let changed = repaint(&client, "a", "blue").await;
                soon("the change", informer.store().wait_for_resource_version(&changed)).await.unwrap();
                let object = informer.store().get("default/a").unwrap();
                assert_eq!(object.resource_version(), changed);
                assert_eq!(object.labels().get("color"), Some("blue"));
                assert_eq!(object.metadata.labels["color"], "blue");
                delete(&client, "a").await;
                let last = create(&client, "a", "red").await;
                soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
                assert_eq!(informer.store().select(&"color=red".parse().unwrap()).len(), 1);
                let custom = Informer::new(through.metadata(GADGETS), options());
                custom.start();
                soon("the first list", custom.wait_for_sync()).await.unwrap();
            }
        }
    }
}

/// A source by resource lists the same as a typed handle.
#[tokio::test]
async fn sources_are_found_by_resource() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    let source = client.list_watch::<PartialObjectMetadata>(&ConfigMap::INFO, Some("default"));
    let options = InformerOptions { reflector: quick(), ..Default::default() };
    let informer = Informer::from_sources(vec![source], options);
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    assert_eq!(informer.store().get("default/a").unwrap().labels().get("color"), Some("red"));
}

#[tokio::test]
async fn however_objects_come_and_are_kept_they_are_the_same() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    let mut informers = Vec::new();
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let through = Client::new(Config { encoding, ..config(&server) }).unwrap();
        for keep in [Keep::Packed, Keep::Decoded] {
            for reflector in [quick(), listing()] {
                let options = InformerOptions { reflector, keep, ..Default::default() };
                let informer = Informer::new(paints(&through), options);
                informer.start();
                soon("the first list", informer.wait_for_sync()).await.unwrap();
                informers.push(informer);
            }
        }
    }
    // One object of the list and one of the watch.
    let last = repaint(&client, "b", "blue").await;
    for name in ["a", "b"] {
        let mut wanted = paints(&client).get(name).await.unwrap();
        // Caches drop them by default.
        wanted.metadata.managed_fields = Default::default();
        for informer in &informers {
            soon("the change", informer.store().wait_for_resource_version(&last)).await.unwrap();
            let object = informer.store().get(&format!("default/{name}")).unwrap();
            assert_eq!(*object, wanted);
            assert_eq!(color(&object.encoded().decode().unwrap()), color(&wanted));
            assert_eq!(object.uid(), wanted.uid());
            assert_eq!(Object::namespace(&object), Some("default"));
        }
    }
}
