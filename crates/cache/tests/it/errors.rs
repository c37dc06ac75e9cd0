//! Errors: `{error}` is complete, down to the last cause.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{
    BoxFuture, ListOptions, ListWatch, Listing, Object, Resource as _, ResourceInfo, SourceError, Sources,
    WatchOptions, Watching,
};
use klient_cache::{
    Error, InformerFactory, InvalidKey, Keep, ObjectKey, Pager, RetryWatch, RetryWatchOptions, StoreWriter,
    until, until_without_retry,
};

use crate::stage::soon;

/// An error whose cause is available from `source()` alone.
#[derive(Debug)]
struct Broken(std::io::Error);

impl Broken {
    fn new() -> Self {
        Broken(std::io::Error::other("the cable was cut"))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request failed")
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A source whose lists and watches fail.
#[derive(Clone)]
struct Unreachable(ResourceInfo);

impl<K: Wire + Object> ListWatch<K> for Unreachable {
    fn resource(&self) -> &ResourceInfo {
        &self.0
    }

    fn within(&self) -> Option<&str> {
        None
    }

    fn list<'a>(&'a self, _: &'a ListOptions) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>> {
        Box::pin(async { Err(SourceError::transient(Broken::new())) })
    }

    fn watch<'a>(&'a self, _: &'a WatchOptions) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>> {
        Box::pin(async { Err(SourceError::transient(Broken::new())) })
    }
}

impl Sources for Unreachable {
    fn list_watch<K: Wire + Object>(
        &self,
        resource: &ResourceInfo,
        _: Option<&str>,
    ) -> std::sync::Arc<dyn ListWatch<K>> {
        std::sync::Arc::new(Unreachable(resource.clone()))
    }
}

#[track_caller]
fn check(error: &Error, expected: &str) {
    assert_eq!(error.to_string(), expected);
    assert!(error.source().is_none(), "a report of causes would say it twice");
}

#[tokio::test]
async fn errors_of_lists_and_watches_show_their_causes() {
    const CAUSE: &str = "the request failed: the cable was cut";
    let source = || Unreachable(ConfigMap::INFO);

    let mut pager = Pager::<ConfigMap>::new(source(), Default::default());
    check(&pager.next().await.unwrap_err(), &format!("cannot list configmaps: {CAUSE}"));

    let watched =
        until_without_retry::<ConfigMap>(source(), &WatchOptions::default(), |_| Ok(true)).await.unwrap_err();
    check(&watched, &format!("cannot follow configmaps: {CAUSE}"));

    let options = RetryWatchOptions { min_restart_delay: Duration::ZERO, ..Default::default() };
    let mut watch = RetryWatch::<ConfigMap>::new(source(), "1", options).unwrap();
    tokio::time::timeout(Duration::from_millis(10), watch.next()).await.unwrap_err();
    check(watch.last_error().unwrap(), &format!("cannot follow configmaps: {CAUSE}"));

    let factory = InformerFactory::new(source());
    let informer = factory.informer::<ConfigMap>();
    factory.start();
    soon("a failure", async {
        while informer.last_error().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    check(&informer.last_error().unwrap(), &format!("cannot follow configmaps: {CAUSE}"));
    let unsynced = soon("the limit", factory.wait_for_sync_within(Duration::from_millis(1))).await;
    check(
        &unsynced.unwrap_err(),
        &format!("informers have not synced in 0.001 s: configmaps (cannot follow configmaps: {CAUSE})"),
    );
}

#[tokio::test]
async fn an_error_of_a_condition_shows_its_causes() {
    let (_server, client) = crate::stage::cluster().await;
    let config_map = crate::stage::create(&client, "a", "red").await;
    let before = (config_map.parse::<u64>().unwrap() - 1).to_string();
    let condition = |_: &_| Err(Broken::new().into());
    let failed =
        until::<ConfigMap>(client.api::<ConfigMap>(), &before, RetryWatchOptions::default(), condition);
    let failed = soon("the condition", failed).await.unwrap_err();
    check(&failed, "the condition on configmaps failed: the request failed: the cable was cut");
    assert!(failed.as_condition().unwrap().downcast_ref::<Broken>().is_some());
}

#[test]
fn an_error_of_an_object_shows_the_field_and_the_problem() {
    let store = StoreWriter::<ConfigMap>::new(ConfigMap::INFO, Keep::Packed);
    let json = br#"{"metadata":{"name":"a","namespace":"default"},"data":{"color":7}}"#;
    let object = klient_apimachinery::codec::Encoded::new(klient_apimachinery::codec::Format::Json, *json);
    let error = store.put(object).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("an object of configmaps cannot be decoded and is left out, default/a: "),
        "{text}"
    );
    assert!(text.contains("data") && error.source().is_none(), "{text}");
}

#[test]
fn an_invalid_key_is_shown() {
    let error: InvalidKey = "a/b/c".parse::<ObjectKey>().unwrap_err();
    assert_eq!(error.to_string(), r#""a/b/c" is no key of an object: expected NAMESPACE/NAME or NAME"#);
}
