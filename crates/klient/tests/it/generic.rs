//! Code over kinds, which names none of them.

use klient::api::apps::v1::Deployment;
use klient::api::core::v1::{ConfigMap, Namespace, Pod};
use klient::apimachinery::Addressable;
use klient::{
    Api, Client, Config, DeleteOptions, Error, Kind, Metadata, Object, ObjectMeta, OwnerReference, Resource,
    TestServer, Unstructured, Wire as _, retry_on_conflict,
};
use serde_json::json;

const FINALIZER: &str = "shop.example/cleanup";

/// Adds a finalizer to an object of any kind, and tells whether that changed it.
async fn ensure_finalizer<K: Kind, P: Addressable>(api: &Api<K, P>, name: &str) -> Result<bool, Error> {
    let attempt = async || {
        let mut object = api.get(name).await?;
        let is_new = object.metadata_mut().add_finalizer(FINALIZER);
        if is_new {
            api.update(&object).await?;
        }
        Ok(is_new)
    };
    retry_on_conflict(klient::workqueue::Backoff::DEFAULT_RETRY, attempt).await
}

/// Marks a dependent as controlled by its owner.
fn set_controller(dependent: &mut impl Metadata, owner: &impl Resource) {
    dependent.metadata_mut().set_owner(OwnerReference::controller_of(owner));
}

async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    (server, client)
}

#[tokio::test]
async fn one_function_serves_namespaced_and_cluster_scoped_kinds() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    config_maps.create(&colors).await.unwrap();
    assert!(ensure_finalizer(&config_maps, "colors").await.unwrap());
    assert!(!ensure_finalizer(&config_maps, "colors").await.unwrap());
    assert!(ensure_finalizer(&client.api::<Namespace>(), "kube-public").await.unwrap());

    let colors = config_maps.get("colors").await.unwrap();
    assert_eq!(colors.finalizers().collect::<Vec<_>>(), [FINALIZER]);
    assert!(colors.deletion_timestamp().is_none());
    config_maps.delete("colors", &DeleteOptions::background().only_if_unchanged(&colors)).await.unwrap();
    assert!(config_maps.get("colors").await.unwrap().deletion_timestamp().is_some());
}

#[tokio::test]
async fn owners_are_read_from_typed_and_dynamic_objects() {
    let (_server, client) = cluster().await;
    let deployments = client.api::<Deployment>().namespace("default");
    let web = Deployment::from_yaml(
        "
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
",
    );
    let web = deployments.create(&web.unwrap()).await.unwrap();
    assert_eq!(web.generation(), Some(1));

    let mut pod =
        Pod::from_yaml("{metadata: {name: web-0}, spec: {containers: [{name: a, image: b}]}}").unwrap();
    set_controller(&mut pod, &web);
    let pod = client.api::<Pod>().namespace("default").create(&pod).await.unwrap();
    let dynamic = client.dynamic(Pod::INFO).namespace("default").get("web-0").await.unwrap();
    for owner in [pod.controller(), dynamic.controller()] {
        let owner = owner.unwrap();
        assert_eq!((&*owner.kind, &*owner.api_version, &*owner.uid), ("Deployment", "apps/v1", web.uid()));
    }
    assert_eq!(pod.to_yaml(), dynamic.to_yaml());
}

#[tokio::test]
async fn a_delete_of_an_object_that_has_changed_is_a_conflict() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    let read = config_maps.create(&colors).await.unwrap();
    let patch = klient::Patch::Merge(json!({"data": {"sky": "blue"}}));
    config_maps.patch("colors", &patch).await.unwrap();
    let options = DeleteOptions::default().only_if_unchanged(&read);
    assert!(config_maps.delete("colors", &options).await.unwrap_err().is_conflict());
}

#[test]
fn metadata_of_the_wrong_types_in_a_dynamic_object_is_passed_over() {
    let mut object = Unstructured::new("v1", "ConfigMap", "a");
    object["metadata"] = json!({
        "finalizers": ["a.example/b", 1],
        "ownerReferences": [{"kind": 1}, {"kind": "Pod", "name": "a", "controller": true}],
        "generation": "x",
        "deletionTimestamp": "never",
    });
    assert_eq!(object.finalizers().collect::<Vec<_>>(), ["a.example/b"]);
    assert_eq!(object.owner_references().len(), 1);
    assert_eq!(object.controller().unwrap().name, "a");
    assert_eq!((object.generation(), object.deletion_timestamp()), (None, None));
}
