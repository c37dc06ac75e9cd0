//! Kinds that are found out at run time, built-in and custom.

use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{Object as _, Resource as _, ResourceInfo, Unstructured};
use klient_client::{Deleted, ErrorKind, ListOptions, Patch, RestMapper, WatchOptions};
use serde_json::json;

use crate::cluster::{cluster, config_map, create_gadgets, pod, soon, told};

const GADGETS: ResourceInfo = ResourceInfo::from_static("shop.example", "v1", "Gadget", "gadgets", true);

fn gadget(name: &str, size: i64) -> Unstructured {
    let mut gadget = Unstructured::new("shop.example/v1", "Gadget", name);
    gadget["spec"] = json!({ "size": size });
    gadget
}

#[tokio::test]
async fn a_custom_object_lives_from_create_to_delete() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let gadgets = client.dynamic(GADGETS).namespace("default");
    let mut made = gadgets.create(&gadget("g1", 3)).await.unwrap();
    made["spec"]["size"] = json!(4);
    let changed = gadgets.update(&made).await.unwrap();
    assert_eq!(changed["spec"], json!({"size": 4}));
    assert!(gadgets.update(&made).await.unwrap_err().is_conflict());

    let patch = Patch::Merge(json!({"spec": {"size": 5}}));
    assert_eq!(gadgets.patch("g1", &patch).await.unwrap()["spec"]["size"], 5);
    let strategic = gadgets.patch("g1", &Patch::Strategic(json!({}))).await.unwrap_err();
    assert!(strategic.is_unsupported_media_type(), "{strategic:?}");

    let status = Patch::Merge(json!({"status": {"ready": true}, "spec": {"size": 9}}));
    let changed = gadgets.patch_status("g1", &status).await.unwrap();
    assert_eq!((&changed["status"]["ready"], &changed["spec"]["size"]), (&json!(true), &json!(5)));

    assert_eq!(gadgets.scale("g1").await.unwrap().spec.replicas, Some(5));
    let scale: Unstructured = gadgets.get_subresource("g1", "scale").await.unwrap();
    assert_eq!(scale["spec"]["replicas"], 5);

    let invalid = gadgets.create(&gadget("g2", -1)).await.unwrap_err();
    assert!(invalid.is_invalid(), "{invalid:?}");

    let deleted = gadgets.delete("g1", &DeleteOptions::default()).await.unwrap();
    assert!(matches!(deleted, Deleted::Status(_)));
    assert!(gadgets.get("g1").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn custom_objects_are_listed_watched_and_deleted_together() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let gadgets = client.dynamic(GADGETS);
    let mut watch = gadgets.watch(&WatchOptions::default()).await.unwrap();
    let mine = gadgets.namespace("default");
    for (name, size) in [("g1", 1), ("g2", 2), ("g3", 3)] {
        mine.create(&gadget(name, size)).await.unwrap();
    }
    for name in ["+g1", "+g2", "+g3"] {
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), name);
    }
    let some = gadgets.list(&ListOptions { limit: Some(2), ..Default::default() }).await.unwrap();
    assert_eq!(some.items.iter().map(|gadget| gadget.kind()).collect::<Vec<_>>(), ["Gadget", "Gadget"]);
    assert!(some.continue_token().is_some());
    let one = ListOptions { field_selector: Some("metadata.name=g2".into()), ..Default::default() };
    mine.delete_collection(&DeleteOptions::default(), &one).await.unwrap();
    let left = gadgets.list(&ListOptions::default()).await.unwrap();
    assert_eq!(left.items.iter().map(|gadget| gadget.name()).collect::<Vec<_>>(), ["g1", "g3"]);
}

#[tokio::test]
async fn built_in_kinds_can_be_had_without_their_types() {
    let (_server, client) = cluster().await;
    client.api::<Pod>().namespace("default").create(&pod("web", "web")).await.unwrap();
    let pods = client.dynamic(Pod::INFO);
    let list = pods.list(&ListOptions::default()).await.unwrap();
    assert_eq!((list.items[0].api_version(), list.items[0].kind()), ("v1", "Pod"));
    let nodes = client.dynamic(klient_api::core::v1::Node::INFO);
    nodes.create(&Unstructured::new("v1", "Node", "n1")).await.unwrap();
    // A namespace is nothing to a cluster-scoped kind.
    assert_eq!(nodes.namespace("default").get("n1").await.unwrap().namespace(), None);
}

#[tokio::test]
async fn typed_and_untyped_objects_turn_into_each_other() {
    let (_server, client) = cluster().await;
    let typed = client.api::<ConfigMap>().namespace("default");
    let untyped = client.dynamic(ConfigMap::INFO).namespace("default");
    let made = untyped.create(&Unstructured::from_typed(&config_map("sky", "blue"))).await.unwrap();
    let back: ConfigMap = made.to_typed().unwrap();
    assert_eq!(back, typed.get("sky").await.unwrap());
    let error = made.to_typed::<Pod>().unwrap_err();
    assert!(error.to_string().contains("ConfigMap"), "{error}");

    let list = untyped.list(&ListOptions::default()).await.unwrap();
    let items: Result<Vec<ConfigMap>, _> = list.items.iter().map(Unstructured::to_typed).collect();
    assert_eq!(items.unwrap(), typed.list(&ListOptions::default()).await.unwrap().items);
}

#[tokio::test]
async fn one_object_of_a_namespaced_kind_needs_a_namespace() {
    let (server, client) = cluster().await;
    let pods = client.dynamic(Pod::INFO);
    let before = server.resource_version();
    for error in [
        pods.get("web").await.unwrap_err(),
        pods.create(&Unstructured::new("v1", "Pod", "web")).await.unwrap_err(),
        pods.delete("web", &DeleteOptions::default()).await.unwrap_err(),
        pods.get_subresource::<Unstructured>("web", "status").await.unwrap_err(),
        pods.delete_collection(&DeleteOptions::default(), &ListOptions::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(format!("{error:?}").contains("needs a namespace"), "{error:?}");
    }
    assert_eq!(server.resource_version(), before);
}

#[tokio::test]
async fn verbs_that_discovery_does_not_name_are_refused() {
    let (_server, client) = cluster().await;
    let mapper = RestMapper::new(client.discovery().resources().await.unwrap());
    let reviews = client.dynamic(mapper.resource("tokenreviews").unwrap());
    let error = reviews.list(&ListOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert_eq!(error.subject(), "list tokenreviews.authentication.k8s.io");
}

#[tokio::test]
async fn a_kind_nobody_serves_is_not_found() {
    let (_server, client) = cluster().await;
    let error = client.dynamic(GADGETS).list(&ListOptions::default()).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert!(error.to_string().ends_with("the server could not find the requested resource"), "{error}");
}
