//! [`Informer`], one watch of a resource that is shared by many consumers.

mod events;
mod handle;
mod handler_task;
mod lister;
mod metrics;
mod options;
mod registration;
mod resync;
mod selection;
mod shared;

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListWatch, Map, Object, ObjectKey, ResourceInfo, Str};

pub use events::Events;
pub(crate) use handle::InformerHandle;
pub use lister::{Lister, NamespaceLister};
pub use metrics::InformerMetrics;
pub use options::InformerOptions;
pub use registration::ResourceEventHandlerRegistration;

use crate::error::Error;
use crate::handler::{HandlerOptions, ResourceEventHandler};
use crate::index::Indexer;
use crate::informer_set::AnyInformer;
use crate::store::Store;

/// One watch of a resource that is shared by many consumers: it fills a [`Store`] and notifies event handlers
/// of every change (client-go's `SharedInformer`).
///
/// Clones are the same informer. It runs from [`start`](Self::start) for as long as a clone, a [`Lister`], a
/// [`ResourceEventHandlerRegistration`] or [`Events`] of it exists. When the last of them is dropped it
/// stops, together with [detached](ResourceEventHandlerRegistration::detach) handlers. A
/// [factory](crate::InformerFactory) owns the informers that it makes.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_cache::{Event, Informer};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let informer = Informer::new(client.api::<Namespace>(), Default::default());
/// let handler = informer.add_event_handler(|event: Event<Namespace>| println!("{event:?}"));
/// informer.start();
/// informer.wait_for_sync().await?;
/// handler.wait_for_sync().await?;
/// assert!(informer.store().contains("kube-system"));
/// # Ok(()) }
/// ```
#[doc(alias = "SharedInformer")]
#[doc(alias = "SharedIndexInformer")]
pub struct Informer<K: Wire + Object>(pub(crate) Arc<InformerHandle<K>>);

impl<K: Wire + Object> Informer<K> {
    /// An informer of one source. It does nothing before [`start`](Self::start).
    #[must_use = "the informer stops when nobody holds it"]
    pub fn new(source: impl ListWatch<K>, options: InformerOptions<K>) -> Self {
        Self::from_sources(vec![Arc::new(source)], options)
    }

    /// An informer of several sources, such as handles to several namespaces, that fill one store.
    ///
    /// # Panics
    ///
    /// If `sources` is empty.
    #[must_use = "the informer stops when nobody holds it"]
    pub fn from_sources(sources: Vec<Arc<dyn ListWatch<K>>>, options: InformerOptions<K>) -> Self {
        Informer(Arc::new(InformerHandle::new(sources, options)))
    }

    /// The resource that the informer watches.
    pub fn resource(&self) -> &ResourceInfo {
        self.0.shared.store.resource()
    }

    /// Starts to list and watch, unless the informer runs already. After [`stop`](Self::stop) it starts again
    /// with the contents of its store, and has synced once it has listed again.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        self.0.run();
        self.0.with_factory(|informers| informers.hold(self.0.clone()));
    }

    /// Stops the informer and returns when its tasks have ended. The contents of the store stay. The factory
    /// that made the informer releases it.
    pub async fn stop(&self) {
        self.0.with_factory(|informers| informers.release(&*self.0));
        self.0.end().await;
    }

    /// The store that the informer fills. It does not keep the informer running; a [`Lister`] does.
    pub fn store(&self) -> &Store<K> {
        &self.0.shared.store
    }

    /// Read access to the store that keeps the informer running.
    #[must_use]
    pub fn lister(&self) -> Lister<K> {
        Lister::new(self.0.clone())
    }

    /// Returns false if the informer cannot receive an object, since it watches other namespaces, or its selectors exclude
    /// the object's labels, name or namespace. Without labels, and of other fields, it is not known, and the answer is
    /// true.
    pub fn may_receive(&self, key: &ObjectKey, labels: Option<&Map<Str>>) -> bool {
        self.0.may_receive(key, labels)
    }

    /// The resourceVersion that the store has reached for the objects of a namespace: that of its sources of that
    /// namespace, of several the lowest, and not that of other namespaces' sources. Empty before their first list.
    pub fn resource_version_in(&self, namespace: Option<&str>) -> Box<str> {
        self.store().version_among(|index| self.0.lists(index, namespace))
    }

    /// The URLs of the servers that the sources list from: see [`ListWatch::server`]. A source may have none.
    pub fn servers(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.servers()
    }

    /// Adds an indexer to the store: see [`Store::add_indexer`].
    ///
    /// # Errors
    ///
    /// If the store has an index of that name.
    pub fn add_indexer(&self, name: &str, indexer: Indexer<K>) -> Result<(), Error> {
        self.store().add_indexer(name, indexer)
    }

    /// Adds an event handler, before or after [`start`](Self::start). It first receives all objects of the
    /// store as added. Dropping the registration removes the handler.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn add_event_handler(
        &self,
        handler: impl ResourceEventHandler<K>,
    ) -> ResourceEventHandlerRegistration<K> {
        self.add_event_handler_with(HandlerOptions::default(), handler)
    }

    /// Adds an event handler with options: see [`add_event_handler`](Self::add_event_handler).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn add_event_handler_with(
        &self,
        options: HandlerOptions,
        handler: impl ResourceEventHandler<K>,
    ) -> ResourceEventHandlerRegistration<K> {
        let resync = options.resync;
        ResourceEventHandlerRegistration::start(
            self.0.clone(),
            self.0.shared.add_listener(&options),
            resync,
            handler,
        )
    }

    /// The events as a stream, for consumers that await between events.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, if the informer has a resync period.
    pub fn events(&self) -> Events<K> {
        self.events_with(HandlerOptions::default())
    }

    /// The events as a stream, with options of its own.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, if there is a resync period.
    pub fn events_with(&self, options: HandlerOptions) -> Events<K> {
        let resync = options.resync;
        Events::new(self.0.clone(), self.0.shared.add_listener(&options), resync)
    }

    /// Returns true once the first list of every source is in the store.
    pub fn has_synced(&self) -> bool {
        self.0.shared.progress.has_synced()
    }

    /// Waits until the first list of every source is in the store (client-go's `WaitForCacheSync`). Cancel
    /// safe.
    ///
    /// # Errors
    ///
    /// A permanent error of a list ([`is_permanent`](Error::is_permanent)), such as 403 or 404, an invalid
    /// selector, or a certificate that is not trusted, as soon as it occurs; the informer keeps retrying all
    /// the same. Errors of attempts before the call do not count: the call triggers another attempt, at most
    /// one a second, and returns its outcome. An error if the informer is not running.
    ///
    /// Other errors are retried without limit: use [`tokio::time::timeout`] and
    /// [`last_error`](Self::last_error).
    #[doc(alias = "WaitForCacheSync")]
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.0.wait_for_sync().await
    }

    /// Waits until the informer does not run: until it is [stopped](Self::stop), its factory is shut down, or one of its
    /// tasks panics. Ready at once if it was not started. Cancel safe.
    pub async fn stopped(&self) {
        self.0.stopped().await;
    }

    /// The last error of list or watch, if nothing has succeeded since; otherwise the error of an object that
    /// cannot be decoded, if there is one. [`Store::undecodables`] has all such objects.
    pub fn last_error(&self) -> Option<Error> {
        AnyInformer::last_error(&*self.0)
    }

    /// Figures of the informer since it was made.
    pub fn metrics(&self) -> InformerMetrics {
        let partitions = self.0.shared.progress.partitions();
        let handlers = self.0.shared.handlers();
        InformerMetrics {
            objects: self.store().len(),
            lists: partitions.iter().map(|partition| partition.lists).sum(),
            watches: partitions.iter().map(|partition| partition.watches).sum(),
            resource_version: self.store().resource_version(),
            pending_events: handlers.iter().map(|listener| listener.buffer.depth()).collect(),
            undecodable: self.store().undecodables(),
        }
    }
}

impl<K: Wire + Object> Clone for Informer<K> {
    fn clone(&self) -> Self {
        Informer(self.0.clone())
    }
}

impl<K: Wire + Object> fmt::Debug for Informer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Informer({:?}, {:?})", self.store(), self.0.shared.phase())
    }
}
