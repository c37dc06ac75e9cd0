//! [`InformerFactory`], one informer for each resource, however many ask for it.

mod builder;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{Object, Resource, ResourceInfo, Sources, Unstructured};

pub use builder::InformerFactoryBuilder;

use crate::error::Error;
use crate::index::Indexer;
use crate::informer::{Informer, InformerHandle, InformerOptions, Lister};
use crate::informer_set::{InformerKey, InformerSet, ResourceKey};
use crate::reflector::ReflectorOptions;
use crate::store::{Keep, Transform};

/// One informer for each resource, however many ask for it. Clones are the same factory.
///
/// # Ownership
///
/// - The factory holds every informer that it was asked for, whatever becomes of the handle that it returned, until
///   it is [shut down](Self::shutdown) or its last clone is dropped. Indexers and
///   [detached](crate::ResourceEventHandlerRegistration::detach) handlers stay with the informer.
/// - Informers that are asked for before [`start`](Self::start) are started by it, those asked for later at once.
/// - An informer that somebody [stops](Informer::stop) is let go, and [`wait_for_sync`](Self::wait_for_sync) does not
///   wait for it. It runs again, and is held again, when it is started or asked for once more; if nobody holds it
///   meanwhile, it is made anew then.
/// - Once the last clone of the factory is dropped, an informer runs for as long as somebody else holds it: see
///   [`Informer`]. After a shutdown none runs.
///
/// A handler that holds a clone of the factory keeps it alive until it is shut down.
///
/// ```
/// # fn f(client: klient_client::Client) -> Result<(), klient_cache::Error> {
/// # use klient_api::core::v1::Pod;
/// # use klient_cache::{Indexer, InformerFactory};
/// let factory = InformerFactory::new(client);
/// factory.informer::<Pod>().add_indexer("app", Indexer::label("app"))?;
/// factory.informer::<Pod>().add_event_handler(|event| println!("{event:?}")).detach();
/// let pods = factory.lister::<Pod>();
/// factory.start();
/// let web = pods.by_index("app", "web")?;
/// # Ok(()) }
/// ```
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::{apps::v1::Deployment, core::v1::Namespace};
/// use klient_cache::InformerFactory;
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let factory = InformerFactory::new(client);
/// let namespaces = factory.lister::<Namespace>();
/// let deployments = factory.lister::<Deployment>();
/// factory.start();
/// factory.wait_for_sync().await?;
/// assert!(namespaces.contains("default") && deployments.is_empty());
/// factory.shutdown().await;
/// # Ok(()) }
/// ```
pub struct InformerFactory<S>(Arc<Inner<S>>);

struct Inner<S> {
    sources: S,
    namespaces: Vec<String>,
    reflector: ReflectorOptions,
    keep: Keep,
    resync: Option<Duration>,
    resyncs: HashMap<ResourceKey, Duration>,
    /// By type, as a `Transform` of it.
    transforms: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// By type and resource, as a `Vec<(Box<str>, Indexer<K>)>`.
    indexers: HashMap<InformerKey, Box<dyn Any + Send + Sync>>,
    informers: Arc<Mutex<InformerSet>>,
}

impl<S: Sources> InformerFactory<S> {
    /// A factory of informers of all namespaces.
    pub fn new(sources: S) -> Self {
        Self::builder(sources).build()
    }

    /// A factory with options.
    ///
    /// ```
    /// # fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::{apps::v1::Deployment, core::v1::Pod};
    /// use klient_apimachinery::codec::FieldPath;
    /// use klient_cache::{Indexer, InformerFactory};
    /// use std::time::Duration;
    ///
    /// let factory = InformerFactory::builder(client)
    ///     .namespace("shop")
    ///     .label_selector("tier=front")?
    ///     .indexer::<Pod>("node", Indexer::field(FieldPath::of("spec.nodeName")?))
    ///     .resync(Duration::from_secs(60))
    ///     .resync_of::<Pod>(Duration::from_secs(20))
    ///     .transform(|deployment: &mut Deployment| deployment.metadata.annotations.clear())
    ///     .build();
    /// # let _ = factory; Ok(()) }
    /// ```
    pub fn builder(sources: S) -> InformerFactoryBuilder<S> {
        InformerFactoryBuilder::new(sources)
    }

    /// The informer of a kind, which the factory holds from then on.
    pub fn informer<K: Resource + Wire>(&self) -> Informer<K> {
        self.informer_of(&K::INFO)
    }

    /// A way to read the objects of a kind, by its informer: see [`informer`](Self::informer).
    pub fn lister<K: Resource + Wire>(&self) -> Lister<K> {
        self.informer::<K>().lister()
    }

    /// The informer of any resource, such as one that discovery names or that a CRD defines.
    pub fn for_resource(&self, resource: &ResourceInfo) -> Informer<Unstructured> {
        self.informer_of(resource)
    }

    /// The informer of any resource that keeps the objects' metadata only.
    pub fn metadata_for(&self, resource: &ResourceInfo) -> Informer<PartialObjectMetadata> {
        self.informer_of(resource)
    }

    /// The informer of a resource whose objects are read as `K`.
    pub fn informer_of<K: Wire + Object>(&self, resource: &ResourceInfo) -> Informer<K> {
        let mut informers = self.informers();
        let key = (TypeId::of::<K>(), ResourceKey::of(resource));
        let made = informers.get(&key);
        if let Some(Ok(handle)) = made.map(|made| made.into_any().downcast::<InformerHandle<K>>()) {
            if informers.has_started {
                handle.run();
            }
            informers.hold(handle.clone());
            return Informer(handle);
        }
        let informer = Informer::from_sources(self.sources(resource), self.options(resource));
        let indexers = self.0.indexers.get(&key);
        let indexers = indexers.and_then(|indexers| indexers.downcast_ref::<NamedIndexers<K>>());
        for (name, indexer) in indexers.into_iter().flatten() {
            let added = informer.store().add_indexer(name, indexer.clone());
            added.expect("the builder takes one indexer of each name");
        }
        informer.0.set_factory(&self.0.informers);
        informers.insert(key, informer.0.clone());
        if informers.is_shut_down {
            informer.0.set_shut_down();
        } else if informers.has_started {
            informer.0.run();
        }
        informer
    }

    fn sources<K: Wire + Object>(
        &self,
        resource: &ResourceInfo,
    ) -> Vec<Arc<dyn klient_apimachinery::ListWatch<K>>> {
        let Inner { sources, namespaces, .. } = &*self.0;
        if namespaces.is_empty() || !resource.namespaced {
            return vec![sources.list_watch(resource, None)];
        }
        namespaces.iter().map(|namespace| sources.list_watch(resource, Some(namespace))).collect()
    }

    fn options<K: 'static>(&self, resource: &ResourceInfo) -> InformerOptions<K> {
        let transform = self.0.transforms.get(&TypeId::of::<K>());
        InformerOptions {
            reflector: self.0.reflector.clone(),
            keep: self.0.keep,
            transform: transform.and_then(|transform| transform.downcast_ref::<Transform<K>>()).cloned(),
            resync: self.0.resyncs.get(&ResourceKey::of(resource)).copied().or(self.0.resync),
        }
    }

    /// Starts all informers that were asked for, and from now on those that will be. Called again, it starts those that
    /// were [stopped](Informer::stop) and that somebody still holds. It does nothing after
    /// [`shutdown`](Self::shutdown): informers that are asked for then do not start, and say so when they are waited for.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        let mut informers = self.informers();
        if !informers.is_shut_down {
            informers.has_started = true;
            for informer in informers.all() {
                informer.run();
                informers.hold(informer);
            }
        }
    }

    /// Waits until all informers that were asked for, and that nobody has [stopped](Informer::stop), have their first
    /// objects.
    ///
    /// # Errors
    ///
    /// As soon as one of them fails for good: see [`Informer::wait_for_sync`]. The error names its resource.
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        let informers = self.informers().current();
        let mut waiting: Vec<_> = informers.iter().map(|informer| Some(informer.wait_for_sync())).collect();
        std::future::poll_fn(|context| {
            let mut is_pending = false;
            for slot in &mut waiting {
                match slot.as_mut().map(|waiting| waiting.as_mut().poll(context)) {
                    None => {}
                    Some(std::task::Poll::Pending) => is_pending = true,
                    Some(std::task::Poll::Ready(Ok(()))) => *slot = None,
                    Some(std::task::Poll::Ready(Err(error))) => return std::task::Poll::Ready(Err(error)),
                }
            }
            if is_pending { std::task::Poll::Pending } else { std::task::Poll::Ready(Ok(())) }
        })
        .await
    }

    /// [Waits](Self::wait_for_sync) until all informers have their first objects, but not for ever.
    ///
    /// # Errors
    ///
    /// As [`wait_for_sync`](Self::wait_for_sync); and when the time is up ([`is_timeout`](Error::is_timeout)): the error
    /// names every resource of which an informer has not synced, and what went wrong last.
    pub async fn wait_for_sync_within(&self, limit: Duration) -> Result<(), Error> {
        if let Ok(done) = tokio::time::timeout(limit, self.wait_for_sync()).await {
            return done;
        }
        Error::sync_timeout(limit, self.unsynced()).map_or(Ok(()), Err)
    }

    /// The resources of the informers that [`wait_for_sync`](Self::wait_for_sync) waits for and that have not synced, and
    /// of each what went wrong last, if anything did.
    pub fn unsynced(&self) -> Vec<(ResourceInfo, Option<Error>)> {
        let informers = self.informers().current();
        let unsynced = informers.iter().filter(|informer| !informer.has_synced());
        unsynced.map(|informer| (informer.resource().clone(), informer.last_error())).collect()
    }

    /// Stops all informers, lets go of them, and returns when all their tasks have ended. Those who hold one can still
    /// read what it held.
    pub async fn shutdown(&self) {
        let informers = {
            let mut informers = self.informers();
            (informers.has_started, informers.is_shut_down) = (false, true);
            informers.all()
        };
        for informer in informers {
            informer.end().await;
        }
        let released = self.informers().release_all();
        drop(released);
    }

    fn informers(&self) -> MutexGuard<'_, InformerSet> {
        self.0.informers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Indexers by name.
type NamedIndexers<K> = Vec<(Box<str>, Indexer<K>)>;

impl<S> Clone for InformerFactory<S> {
    fn clone(&self) -> Self {
        InformerFactory(self.0.clone())
    }
}

impl<S> fmt::Debug for InformerFactory<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let informers = self.0.informers.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("InformerFactory")
            .field("namespaces", &self.0.namespaces)
            .field("has_started", &informers.has_started)
            .finish_non_exhaustive()
    }
}
