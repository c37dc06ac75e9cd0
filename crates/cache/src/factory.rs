//! [`InformerFactory`], one shared informer per resource.

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

/// One shared informer per resource (client-go's `SharedInformerFactory`). Clones are the same factory.
///
/// # Ownership
///
/// - The factory owns every informer that it has made, even if the returned handle is dropped, until it is
///   [shut down](Self::shutdown) or its last clone is dropped. Indexers and
///   [detached](crate::ResourceEventHandlerRegistration::detach) handlers live as long as the informer.
/// - [`start`](Self::start) starts the informers made before it; those made later start at once.
/// - [Stopping](Informer::stop) an informer makes the factory release it;
///   [`wait_for_sync`](Self::wait_for_sync) does not wait for it. Starting or requesting it again makes the
///   factory own it again, or makes a new one if no handle was left.
/// - After the last clone of the factory is dropped, an informer runs for as long as other handles exist: see
///   [`Informer`]. After a shutdown no informer runs.
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
#[doc(alias = "SharedInformerFactory")]
#[doc(alias = "DynamicSharedInformerFactory")]
pub struct InformerFactory<S>(Arc<Inner<S>>);

struct Inner<S> {
    sources: S,
    namespaces: Vec<String>,
    reflector: ReflectorOptions,
    keep: Keep,
    resync: Option<Duration>,
    resyncs: HashMap<ResourceKey, Duration>,
    /// A `Transform` of each type.
    transforms: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// A `Vec<(Box<str>, Indexer<K>)>` of each type and resource.
    indexers: HashMap<InformerKey, Box<dyn Any + Send + Sync>>,
    informers: Arc<Mutex<InformerSet>>,
}

impl<S: Sources> InformerFactory<S> {
    /// A factory of informers for all namespaces.
    pub fn new(sources: S) -> Self {
        Self::builder(sources).build()
    }

    /// A builder of a factory with namespaces, selectors, indexers, transforms or resyncs.
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

    /// The informer of a kind; made at the first call, and owned by the factory.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, if the factory was started.
    pub fn informer<K: Resource + Wire>(&self) -> Informer<K> {
        self.informer_of(&K::INFO)
    }

    /// A lister of a kind, over its [`informer`](Self::informer).
    ///
    /// # Panics
    ///
    /// As [`informer`](Self::informer).
    pub fn lister<K: Resource + Wire>(&self) -> Lister<K> {
        self.informer::<K>().lister()
    }

    /// The informer of a resource that is known at run time only, such as one found by discovery or defined
    /// by a CRD.
    ///
    /// # Panics
    ///
    /// As [`informer`](Self::informer).
    pub fn for_resource(&self, resource: &ResourceInfo) -> Informer<Unstructured> {
        self.informer_of(resource)
    }

    /// The informer of a resource that keeps the metadata of objects only.
    ///
    /// # Panics
    ///
    /// As [`informer`](Self::informer).
    pub fn metadata_for(&self, resource: &ResourceInfo) -> Informer<PartialObjectMetadata> {
        self.informer_of(resource)
    }

    /// The informer of a resource whose objects are decoded as `K`.
    ///
    /// # Panics
    ///
    /// As [`informer`](Self::informer).
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

    /// Starts all informers made so far, and from now on each new one when it is made. A second call starts
    /// informers that were [stopped](Informer::stop) and still have a handle. Does nothing after
    /// [`shutdown`](Self::shutdown): informers made from then on never start, and waiting for them is an
    /// error.
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

    /// Waits until all informers of the factory have their first list in the store (client-go's
    /// `WaitForCacheSync`). [Stopped](Informer::stop) informers do not count.
    ///
    /// # Errors
    ///
    /// The first permanent error of any informer: see [`Informer::wait_for_sync`]. It names the resource.
    #[doc(alias = "WaitForCacheSync")]
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

    /// [Waits for sync](Self::wait_for_sync), at most for `limit`.
    ///
    /// # Errors
    ///
    /// As [`wait_for_sync`](Self::wait_for_sync); and after `limit` an error
    /// ([`is_timeout`](Error::is_timeout)) that names every resource that has not synced, with the last error
    /// of each.
    pub async fn wait_for_sync_within(&self, limit: Duration) -> Result<(), Error> {
        if let Ok(done) = tokio::time::timeout(limit, self.wait_for_sync()).await {
            return done;
        }
        Error::sync_timeout(limit, self.unsynced()).map_or(Ok(()), Err)
    }

    /// The resources of the informers that [`wait_for_sync`](Self::wait_for_sync) waits for and that have not
    /// synced, each with the informer's last error, if there was one.
    pub fn unsynced(&self) -> Vec<(ResourceInfo, Option<Error>)> {
        let informers = self.informers().current();
        let unsynced = informers.iter().filter(|informer| !informer.has_synced());
        unsynced.map(|informer| (informer.resource().clone(), informer.last_error())).collect()
    }

    /// Stops all informers, releases them, and returns when their tasks have ended. Stores can still be read
    /// through other handles.
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

/// Indexers with their names.
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
