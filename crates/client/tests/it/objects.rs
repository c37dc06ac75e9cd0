//! Objects that are created, read, replaced and deleted.

use klient_api::core::v1::{ConfigMap, Namespace, Node, Pod};
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta, Preconditions};
use klient_client::{
    AllNamespaces, Client, Deleted, ErrorKind, FieldValidation, ListOptions, WarningHandler, WriteOptions,
};

use crate::cluster::{cluster, config, config_map, named, pod};

#[tokio::test]
async fn an_object_lives_from_create_to_delete() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let made = config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(made.metadata.namespace.as_deref(), Some("default"));
    assert!(made.metadata.uid.is_some());

    let mut read = config_maps.get("sky").await.unwrap();
    assert_eq!(read.data, made.data);
    read.data.insert("color", "grey".into());
    let changed = config_maps.update(&read).await.unwrap();
    assert_eq!(changed.data["color"], "grey");
    assert_ne!(changed.metadata.resource_version, made.metadata.resource_version);

    let deleted = config_maps.delete("sky", &DeleteOptions::default()).await.unwrap();
    assert!(matches!(deleted, Deleted::Status(status) if status.status.as_deref() == Some("Success")));
    let gone = config_maps.get("sky").await.unwrap_err();
    assert!(gone.is_not_found());
    assert_eq!(
        gone.to_string(),
        format!("{}: configmaps \"sky\" not found", gone.subject()),
        "the text says what was asked and what was answered"
    );
    assert_eq!(config_maps.get_opt("sky").await.unwrap(), None);
}

#[tokio::test]
async fn an_object_on_its_way_out_is_given_as_it_is() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut held = config_map("sky", "blue");
    held.metadata.finalizers = vec!["shop.example/wait".into()];
    config_maps.create(&held).await.unwrap();
    let Deleted::Object(object) = config_maps.delete("sky", &DeleteOptions::default()).await.unwrap() else {
        panic!("it is still there");
    };
    assert!(object.metadata.deletion_timestamp.is_some());
}

#[tokio::test]
async fn a_name_can_be_left_to_the_server() {
    let (_server, client) = cluster().await;
    let nameless = ConfigMap {
        metadata: ObjectMeta { generate_name: Some("sky-".into()), ..Default::default() },
        ..Default::default()
    };
    let made = client.api::<ConfigMap>().namespace("default").create(&nameless).await.unwrap();
    assert!(made.metadata.name.unwrap().starts_with("sky-"));
}

#[tokio::test]
async fn whoever_writes_an_old_version_gets_a_conflict() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let first = config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let mut one = first.clone();
    one.data.insert("color", "grey".into());
    config_maps.update(&one).await.unwrap();

    let mut other = first;
    other.data.insert("color", "red".into());
    let error = config_maps.update(&other).await.unwrap_err();
    assert!(error.is_conflict() && !error.is_already_exists(), "{error:?}");
    assert_eq!(config_maps.get("sky").await.unwrap().data["color"], "grey");
}

#[tokio::test]
async fn what_is_there_already_or_breaks_a_rule_is_told_apart() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let twice = config_maps.create(&config_map("sky", "blue")).await.unwrap_err();
    assert!(twice.is_already_exists() && !twice.is_conflict(), "{twice:?}");

    let invalid = config_maps.create(&config_map("Sky!", "blue")).await.unwrap_err();
    assert!(invalid.is_invalid());
    assert_eq!(invalid.code(), Some(422));
    assert_eq!(invalid.causes().map(|(_, field, _)| field).collect::<Vec<_>>(), ["metadata.name"]);

    let elsewhere = client.api::<ConfigMap>().namespace("nowhere").create(&config_map("sky", "blue")).await;
    assert!(elsewhere.unwrap_err().is_not_found());
    let missing = config_maps.update(&config_map("sea", "blue")).await.unwrap_err();
    assert!(missing.is_not_found());
}

#[tokio::test]
async fn cluster_scoped_objects_have_no_namespace() {
    let (_server, client) = cluster().await;
    let nodes = client.api::<Node>();
    nodes.create(&Node { metadata: named("n1"), ..Default::default() }).await.unwrap();
    assert_eq!(nodes.get("n1").await.unwrap().metadata.namespace, None);
    let namespaces = client.api::<Namespace>();
    namespaces.create(&Namespace { metadata: named("shop"), ..Default::default() }).await.unwrap();
    client.api::<ConfigMap>().namespace("shop").create(&config_map("sky", "blue")).await.unwrap();
    let everywhere = client.api::<ConfigMap>().place(AllNamespaces);
    let found: Vec<_> = everywhere.list(&ListOptions::default()).await.unwrap().items;
    assert!(found.iter().any(|found| found.metadata.namespace.as_deref() == Some("shop")));
}

#[tokio::test]
async fn a_status_is_written_apart_from_its_object() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let mut made = pods.create(&pod("web", "web")).await.unwrap();
    made.status.phase = Some("Running".into());
    made.spec.containers[0].image = Some("apache".into());
    let changed = pods.update_status(&made).await.unwrap();
    assert_eq!(changed.status.phase.as_deref(), Some("Running"));
    assert_eq!(changed.spec.containers[0].image.as_deref(), Some("nginx"));

    let mut read = pods.get("web").await.unwrap();
    read.status.phase = Some("Failed".into());
    let same = pods.update(&read).await.unwrap();
    assert_eq!(same.status.phase.as_deref(), Some("Running"));
}

#[tokio::test]
async fn a_dry_run_leaves_nothing_behind() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let dry = config_maps.clone().with(WriteOptions { dry_run: true, ..Default::default() });
    assert!(dry.create(&config_map("sky", "blue")).await.unwrap().metadata.uid.is_some());
    assert_eq!(config_maps.get_opt("sky").await.unwrap(), None);
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    dry.delete("sky", &DeleteOptions::default()).await.unwrap();
    assert!(config_maps.get_opt("sky").await.unwrap().is_some());
}

#[tokio::test]
async fn fields_nobody_knows_are_warned_of_or_refused() {
    let (server, _) = cluster().await;
    let mut config = config(&server);
    let (handler, warnings) = WarningHandler::collector();
    config.warnings = handler;
    let client = Client::new(config).unwrap();
    let mut odd = klient_apimachinery::Unstructured::new("v1", "ConfigMap", "sky");
    odd["colour"] = "blue".into();
    let kind = <ConfigMap as klient_apimachinery::Resource>::INFO;
    let config_maps = client.dynamic(kind).namespace("default");
    config_maps.create(&odd).await.unwrap();
    let warned: Vec<String> = warnings.take().iter().map(ToString::to_string).collect();
    assert_eq!(warned, [r#"unknown field "colour""#]);

    let strict = WriteOptions { field_validation: Some(FieldValidation::Strict), ..Default::default() };
    let error = config_maps.with(strict).create(&odd).await.unwrap_err();
    assert!(error.is_bad_request() && error.to_string().contains("unknown field \"colour\""), "{error:?}");
}

#[tokio::test]
async fn a_delete_can_be_bound_to_one_version_or_one_life() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let made = config_maps.create(&config_map("sky", "blue")).await.unwrap();
    let bound = |uid: Option<&str>, version: Option<&str>| DeleteOptions {
        preconditions: Some(Box::new(Preconditions {
            uid: uid.map(Into::into),
            resource_version: version.map(Into::into),
            ..Default::default()
        })),
        ..Default::default()
    };
    for options in [bound(Some("another"), None), bound(None, Some("1"))] {
        assert!(config_maps.delete("sky", &options).await.unwrap_err().is_conflict());
    }
    let this = bound(made.metadata.uid.as_deref(), made.metadata.resource_version.as_deref());
    config_maps.delete("sky", &this).await.unwrap();
}

#[tokio::test]
async fn a_collection_is_deleted_as_far_as_it_is_selected() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    for (name, app) in [("a", "web"), ("b", "db"), ("c", "web")] {
        pods.create(&pod(name, app)).await.unwrap();
    }
    let web = ListOptions { label_selector: Some("app=web".into()), ..Default::default() };
    let gone = pods.delete_collection(&DeleteOptions::default(), &web).await.unwrap();
    assert_eq!(gone.items.len(), 2);
    let left = pods.list(&ListOptions::default()).await.unwrap();
    assert_eq!(left.items.iter().map(|pod| pod.metadata.name.as_deref().unwrap()).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn an_object_of_another_kind_is_not_taken_for_this_one() {
    let (_server, client) = cluster().await;
    let response = client.request(http::Method::GET).absolute_path("/api/v1/namespaces/default").send().await;
    let error = response.unwrap().decode::<ConfigMap>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().starts_with("GET https://"), "{error}");
}
