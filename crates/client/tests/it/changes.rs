//! Objects and their changes, over broken connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Request, Response};
use klient_api::core::v1::ConfigMap;
use klient_client::{
    BoxError, Change, Client, Config, DeleteOptions, ListOptions, RequestBody, ResponseBody, Transport,
};
use tower::ServiceExt as _;

use crate::cluster::{cluster, config, config_map, soon};

/// A change in a word and the names of its objects: `=a,b`, `+a`, `-a`.
fn told(change: &Change<ConfigMap>) -> String {
    let name = |map: &ConfigMap| map.metadata.name.as_deref().unwrap().to_owned();
    match change {
        Change::Listed(maps) => format!("={}", maps.items.iter().map(name).collect::<Vec<_>>().join(",")),
        Change::Applied(map) => format!("+{}", name(map)),
        Change::Deleted(map) => format!("-{}", name(map)),
    }
}

#[tokio::test]
async fn a_list_is_followed_by_changes_that_go_on_after_the_connection_breaks() {
    let (server, client) = cluster().await;
    let maps = client.api::<ConfigMap>().namespace("default");
    maps.create(&config_map("a", "red")).await.unwrap();
    let mut changes = maps.changes(&ListOptions::fields("metadata.name!=kube-root-ca.crt"));
    let mut next = async || told(&soon("a change", changes.next()).await.unwrap());
    assert_eq!(next().await, "=a");
    maps.create(&config_map("b", "red")).await.unwrap();
    assert_eq!(next().await, "+b");
    // It goes on behind the last change.
    server.restart().await.unwrap();
    maps.create(&config_map("c", "red")).await.unwrap();
    maps.delete("b", &DeleteOptions::default()).await.unwrap();
    assert_eq!(next().await, "+c");
    assert_eq!(next().await, "-b");
    // The server has the changes since then no more, so all is listed again.
    server.restart().await.unwrap();
    maps.create(&config_map("d", "red")).await.unwrap();
    server.compact();
    assert_eq!(next().await, "=a,c,d");
    maps.create(&config_map("e", "red")).await.unwrap();
    assert_eq!(next().await, "+e");
}

#[tokio::test]
async fn changes_after_a_version_begin_without_a_list() {
    let (_server, client) = cluster().await;
    let maps = client.api::<ConfigMap>().namespace("default");
    let first = maps.create(&config_map("a", "red")).await.unwrap();
    maps.create(&config_map("b", "red")).await.unwrap();
    let version = first.metadata.resource_version.unwrap();
    let mut changes = maps.changes(&ListOptions::default()).after(version);
    assert_eq!(told(&soon("a change", changes.next()).await.unwrap()), "+b");
}

#[tokio::test]
async fn failures_of_the_server_are_waited_out_and_refusals_are_returned() {
    let (server, client) = cluster().await;
    client.api::<ConfigMap>().namespace("default").create(&config_map("a", "red")).await.unwrap();
    // The first two lists and the first two watches fail.
    let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let counts = counts.clone();
        tower::service_fn(move |request: Request<RequestBody>| {
            let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
            let number = counts[usize::from(is_watch)].fetch_add(1, Ordering::Relaxed);
            let transport = transport.clone();
            async move {
                let status = [502, 429].get(number as usize);
                let Some(status) = status else { return transport.oneshot(request).await };
                let body = ResponseBody::new(String::new());
                Response::builder().status(*status).body(body).map_err(BoxError::from)
            }
        })
    });
    let maps = Client::with_layer(config(&server), layer).unwrap().api::<ConfigMap>().namespace("default");
    let mut changes = maps.changes(&ListOptions::fields("metadata.name=a"));
    assert_eq!(told(&soon("the list", changes.next()).await.unwrap()), "=a");
    assert!(changes.last_error().is_none(), "the third has succeeded");
    maps.delete("a", &DeleteOptions::default()).await.unwrap();
    assert_eq!(told(&soon("a change", changes.next()).await.unwrap()), "-a");

    let ann = Config::from_kubeconfig(&server.kubeconfig_for(&server.token("ann", &[]))).unwrap();
    let mut refused =
        Client::new(ann).unwrap().api::<ConfigMap>().namespace("default").changes(&ListOptions::default());
    let error = soon("the refusal", refused.next()).await.unwrap_err();
    assert!(error.is_forbidden() && !error.is_transient(), "{error}");

    // While nothing succeeds, it waits, and has the reason.
    let mut lost = client.api::<ConfigMap>().namespace("default").changes(&ListOptions::default());
    server.stop().await;
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), lost.next()).await;
    assert!(waited.is_err(), "nothing has changed");
    assert!(lost.last_error().is_some_and(|error| error.is_transient()));
}
