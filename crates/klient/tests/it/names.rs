//! Every type that a public function gives can be named through the facade. That this compiles is what is shown.

use klient::api::core::v1::{ConfigMap, Node};
use klient::cache::Event;
use klient::{
    Api, ApiGroup, ApiSubresource, Cached, CachedDiscovery, Client, DeferredRestMapper, DeleteOptions,
    Deleted, Discovery, Error, GroupDiscoveryFailed, GroupVersionError, InNamespace, Informer, Items, List,
    ListOptions, OpenApiV3, OpenApiV3GroupVersion, Store, TestServer, Watch, WatchOptions, WholeCluster,
};

fn handles(client: &Client) -> (Api<ConfigMap, InNamespace>, Api<Node, WholeCluster>, Discovery) {
    (client.api::<ConfigMap>().namespace("default"), client.api::<Node>(), client.discovery())
}

async fn delete(api: &Api<ConfigMap, InNamespace>) -> Result<Deleted<ConfigMap>, Error> {
    api.delete("a", &DeleteOptions::default()).await
}

async fn list(api: &Api<ConfigMap, InNamespace>) -> Result<List<ConfigMap>, Error> {
    api.list(&ListOptions::default()).await
}

async fn items(api: &Api<ConfigMap, InNamespace>) -> Result<Items<ConfigMap>, Error> {
    api.items(&ListOptions::default()).await
}

async fn watch(api: &Api<ConfigMap, InNamespace>) -> Result<Watch<ConfigMap>, Error> {
    api.watch(&WatchOptions::default()).await
}

async fn served(discovery: &Discovery) -> Result<(klient::client::Version, klient::client::Served), Error> {
    Ok((discovery.version().await?, discovery.resources().await?))
}

async fn cached(discovery: &Discovery) -> Result<(CachedDiscovery, DeferredRestMapper), Error> {
    let cached = discovery.clone().memory_cached();
    Ok((cached.clone(), DeferredRestMapper::new(cached)))
}

async fn documents(discovery: &CachedDiscovery) -> Result<Vec<OpenApiV3GroupVersion>, Error> {
    let openapi: &OpenApiV3 = discovery.openapi_v3();
    Ok(openapi.paths().await?.into_values().collect())
}

fn parts(
    served: &klient::client::Served,
) -> (&[ApiGroup], &[ApiSubresource], &GroupDiscoveryFailed, Option<&GroupVersionError>) {
    let failed = &served.failed;
    (&served.groups, &served.resources[0].subresources, failed, failed.groups.values().next())
}

fn store(informer: &Informer<ConfigMap>) -> (&Store<ConfigMap>, klient::cache::Events<ConfigMap>) {
    (informer.store(), informer.events())
}

fn object(store: &Store<ConfigMap>) -> Option<Cached<ConfigMap>> {
    store.get("default/a")
}

fn deleted(event: Event<ConfigMap>) -> Option<klient::cache::Deleted<ConfigMap>> {
    match event {
        Event::Deleted(deleted) => Some(deleted),
        _ => None,
    }
}

async fn restart(server: &TestServer) -> Result<(), klient::apiserver::StartError> {
    server.restart().await
}

#[tokio::test]
async fn what_public_functions_give_can_be_named() {
    let server = TestServer::start().await.unwrap();
    restart(&server).await.unwrap();
    let config = klient::Config::from_kubeconfig(&server.kubeconfig()).unwrap();
    let client = Client::new(config).unwrap();
    let (config_maps, _nodes, discovery) = handles(&client);
    let metadata = klient::ObjectMeta::named("a");
    config_maps.create(&ConfigMap { metadata, ..Default::default() }).await.unwrap();
    let ((_, served), informed) =
        (served(&discovery).await.unwrap(), Informer::new(config_maps.clone(), Default::default()));
    assert_eq!(parts(&served).0, cached(&discovery).await.unwrap().0.resources().await.unwrap().groups);
    assert!(!documents(&cached(&discovery).await.unwrap().0).await.unwrap().is_empty());
    let (store, _events) = store(&informed);
    assert!(
        object(store).and_then(|object| deleted(Event::Added { object, is_in_initial_list: true })).is_none()
    );
    let (list, _items) = (list(&config_maps).await.unwrap(), items(&config_maps).await.unwrap());
    assert_eq!(list.items.len(), 1);
    let _watch = watch(&config_maps).await.unwrap();
    assert!(matches!(delete(&config_maps).await.unwrap(), Deleted::Status(_)));
}
