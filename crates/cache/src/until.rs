//! Waiting for something to become of objects: [`until`], [`until_with_sync`] and [`until_without_retry`].
//!
//! - [`until`] sees every change, in order, and fails if the server forgets a part of them;
//! - [`until_with_sync`] gets over everything, and may see two changes as one;
//! - [`until_without_retry`] watches once.
//!
//! None of them gives up by itself: limit the time with [`tokio::time::timeout`], or drop the future.

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListWatch, Object, WatchEvent, WatchOptions};

use crate::error::Error;
use crate::event::Event;
use crate::informer::Informer;
use crate::retry_watch::{RetryWatch, RetryWatchOptions};
use crate::store::Store;

/// What a condition fails with: any error, or a text.
pub type ConditionError = Box<dyn std::error::Error + Send + Sync>;

/// A condition on an event, in a box: see [`in_order`].
pub type Condition<E> = Box<dyn FnMut(&E) -> Result<bool, ConditionError> + Send>;

/// Conditions that are to be met one after another, as one. An event that meets the first may meet the next as well.
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

/// Waits for a change behind a version that meets a condition, and gives it (client-go's `Until`). Every change is
/// seen, in order: broken connections are got over as [`RetryWatch`] does.
///
/// # Errors
///
/// If the version is empty or `0`; if the condition fails ([`as_condition`](Error::as_condition)); if the server no
/// longer has the version to go on from ([`is_expired`](Error::is_expired)), of which the condition is told first; if
/// it refuses the watch; and if a changed object cannot be decoded
/// ([`undecodable_object`](Error::undecodable_object)), of which the condition cannot be asked.
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

/// Waits in one watch for a change that meets a condition, and gives it (client-go's `UntilWithoutRetry`).
///
/// Servers end every watch after a while: [`until`] goes on where this fails.
///
/// # Errors
///
/// If the condition fails ([`as_condition`](Error::as_condition)); if the watch cannot be started, fails, of which
/// the condition is told first, or ends ([`is_watch_closed`](Error::is_watch_closed)).
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

/// Waits in an informer's objects for a change that meets a condition, and gives it; or nothing, if a precondition
/// holds of the store as soon as that is complete (client-go's `UntilWithSync`). The informer is started unless it
/// runs, and stops afterwards unless others use it.
///
/// All objects that are there at first are told as added. This gets over everything that [`until`] fails with, since
/// the informer lists anew where it cannot go on; changes made meanwhile are then seen as one. So conditions should
/// ask what an object is, and not what has become of it.
///
/// # Errors
///
/// If the precondition or the condition fails ([`as_condition`](Error::as_condition)); if the server does not know
/// the resource, or one may not list it ([`is_permanent`](Error::is_permanent)); and if the informer is stopped before
/// its store is complete.
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
    // Before the precondition, so that nothing that happens after it is missed.
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
