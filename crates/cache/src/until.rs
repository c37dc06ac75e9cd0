//! Waiting for a condition on objects: [`until`], [`until_with_sync`] and [`until_without_retry`].
//!
//! - [`until`] observes every change, in order, and fails if the server no longer has a part of them;
//! - [`until_with_sync`] recovers from that by a new list, and may observe two changes as one;
//! - [`until_without_retry`] uses a single watch.
//!
//! None of them has a time limit: use [`tokio::time::timeout`], or drop the future.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListWatch, Object, WatchEvent, WatchOptions};

use crate::error::Error;
use crate::event::Event;
use crate::informer::Informer;
use crate::retry_watch::{RetryWatch, RetryWatchOptions};
use crate::store::Store;

/// The error of a condition: any error, or a string.
pub type ConditionError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed condition on an event (client-go's `ConditionFunc`): see [`in_order`].
pub type Condition<E> = Box<dyn FnMut(&E) -> Result<bool, ConditionError> + Send>;

/// Combines conditions into one that is met once all were met, one after another. One event can meet several
/// in a row.
///
/// ```
/// use klient_api::core::v1::Pod;
/// use klient_apimachinery::WatchEvent;
/// use klient_cache::in_order;
///
/// let mut comes_and_goes = in_order::<WatchEvent<Pod>>(vec![
///     Box::new(|event| Ok(matches!(event, WatchEvent::Added(_)))),
///     Box::new(|event| Ok(matches!(event, WatchEvent::Deleted(_)))),
/// ]);
/// assert!(!comes_and_goes(&WatchEvent::Deleted(Pod::default()))?);
/// assert!(!comes_and_goes(&WatchEvent::Added(Pod::default()))?);
/// assert!(comes_and_goes(&WatchEvent::Deleted(Pod::default()))?);
/// # Ok::<(), klient_cache::ConditionError>(())
/// ```
pub fn in_order<E>(conditions: Vec<Condition<E>>) -> impl FnMut(&E) -> Result<bool, ConditionError> + Send {
    let mut conditions = conditions.into_iter().peekable();
    move |event| {
        while let Some(condition) = conditions.peek_mut() {
            if !condition(event)? {
                return Ok(false);
            }
            conditions.next();
        }
        Ok(true)
    }
}

/// Waits for a change after a resourceVersion that meets a condition, and returns it (client-go's `Until`).
/// Every change is observed, in order; broken connections are resumed as by [`RetryWatch`].
///
/// # Errors
///
/// If the version is empty or `0`. [`as_condition`](Error::as_condition) if the condition fails.
/// [`is_expired`](Error::is_expired) if the server no longer has the version to continue from; the condition
/// is called with that event first. If the server refuses the watch.
/// [`undecodable_object`](Error::undecodable_object) if a changed object cannot be decoded, because the
/// condition cannot be evaluated.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::{WatchEvent, meta::v1::{DeleteOptions, ObjectMeta}};
/// use klient_cache::until;
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let namespaces = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?.api::<Namespace>();
/// let shop = ObjectMeta::named("shop");
/// let shop = namespaces.create(&Namespace { metadata: shop, ..Default::default() }).await?;
/// let created = shop.metadata.resource_version.unwrap_or_default();
///
/// namespaces.delete("shop", &DeleteOptions::default()).await?;
/// let is_gone = |event: &WatchEvent<_>| Ok(matches!(event, WatchEvent::Deleted(_)));
/// let waiting = until(namespaces.clone(), &created, Default::default(), is_gone);
/// let last = tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await??;
/// assert!(matches!(last, WatchEvent::Deleted(namespace) if namespace.metadata.name.as_deref() == Some("shop")));
/// # Ok(()) }
/// ```
pub async fn until<K: Wire + Object>(
    source: impl ListWatch<K>,
    resource_version: &str,
    options: RetryWatchOptions,
    mut condition: impl FnMut(&WatchEvent<K>) -> Result<bool, ConditionError>,
) -> Result<WatchEvent<K>, Error> {
    let mut watch = RetryWatch::new(source, resource_version, options)?;
    while let Some(event) = watch.next().await {
        let event = event?;
        if condition(&event).map_err(|error| Error::condition_failed(watch.resource(), error))? {
            return Ok(event);
        }
        if let WatchEvent::Error(status) = event {
            return Err(watch.error((*status).into()));
        }
    }
    Err(Error::watch_closed(watch.resource()))
}

/// Waits within a single watch for a change that meets a condition, and returns it (client-go's
/// `UntilWithoutRetry`).
///
/// Servers end every watch after some minutes: [`until`] continues where this fails.
///
/// # Errors
///
/// [`as_condition`](Error::as_condition) if the condition fails. [`is_watch_closed`](Error::is_watch_closed)
/// if the watch ends. If the watch cannot be started or reports a failure; the condition is called with the
/// latter first.
pub async fn until_without_retry<K: Wire + Object>(
    source: impl ListWatch<K>,
    options: &WatchOptions,
    mut condition: impl FnMut(&WatchEvent<K>) -> Result<bool, ConditionError>,
) -> Result<WatchEvent<K>, Error> {
    let resource = source.resource();
    let failed = |error| Error::source_failed(resource, source.within(), 0, error);
    let mut watching = source.watch(options).await.map_err(failed)?;
    let mut arrived = Vec::new();
    loop {
        let next = watching.next(&mut arrived).await;
        for event in arrived.drain(..) {
            let event = event.try_map(|object| {
                let decoded = object.decode_as(resource);
                decoded.map_err(|problem| Error::undecodable(resource, object.identity(), &problem))
            })?;
            if condition(&event).map_err(|error| Error::condition_failed(resource, error))? {
                return Ok(event);
            }
            if let WatchEvent::Error(status) = event {
                return Err(failed((*status).into()));
            }
        }
        if !next.map_err(failed)? {
            return Err(Error::watch_closed(resource));
        }
    }
}

/// Waits for a change of an informer's objects that meets a condition, and returns it; `None` if a
/// precondition holds for the complete store (client-go's `UntilWithSync`). The informer is started if it is
/// not running, and stops afterwards unless it is used elsewhere.
///
/// All initial objects come as added. Failures that end [`until`] do not end this, because the informer lists
/// again; changes made meanwhile are merged. A condition should therefore test the state of an object, not a
/// transition.
///
/// # Errors
///
/// [`as_condition`](Error::as_condition) if the precondition or the condition fails.
/// [`is_permanent`](Error::is_permanent) if the first list is refused. [`is_stopped`](Error::is_stopped) if
/// the informer is stopped before its store is complete.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_cache::{Informer, until_with_sync};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let namespaces = || Informer::new(client.api::<Namespace>(), Default::default());
/// let is_there = |event: &klient_cache::Event<Namespace>| Ok(event.key().name() == "kube-system");
/// let event = until_with_sync(namespaces(), |_| Ok(false), is_there).await?;
/// assert_eq!(event.unwrap().key().name(), "kube-system");
///
/// let event = until_with_sync(namespaces(), |store| Ok(store.contains("default")), |_| Ok(false)).await?;
/// assert!(event.is_none());
/// # Ok(()) }
/// ```
pub async fn until_with_sync<K: Wire + Object>(
    informer: Informer<K>,
    precondition: impl FnOnce(&Store<K>) -> Result<bool, ConditionError>,
    mut condition: impl FnMut(&Event<K>) -> Result<bool, ConditionError>,
) -> Result<Option<Event<K>>, Error> {
    let failed = |error| Error::condition_failed(informer.resource(), error);
    // The stream starts before the precondition, so that no later change is missed.
    let mut events = informer.events();
    informer.start();
    informer.wait_for_sync().await?;
    if precondition(informer.store()).map_err(failed)? {
        return Ok(None);
    }
    loop {
        let event = events.next().await.ok_or_else(|| Error::stopped(informer.resource()))?;
        if condition(&event).map_err(failed)? {
            return Ok(Some(event));
        }
    }
}
