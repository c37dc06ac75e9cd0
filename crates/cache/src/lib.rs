//! Caches of Kubernetes objects.
//!
//! - [`Informer`]: one watch of a resource, shared by many consumers; it fills a [`Store`] and notifies
//!   handlers;
//! - [`InformerFactory`]: one shared informer per resource;
//! - [`Store`], [`Lister`]: objects by key, namespace, labels and the values of an [`Indexer`];
//! - [`Cached`]: a handle to an object, decoded on first use;
//! - [`Reflector`]: keeps a store equal to the server's list;
//! - [`DeltaQueue`]: the ordered queue of changes between reflector and store;
//! - [`RetryWatch`], [`until`], [`Pager`]: watching, waiting and listing without a store;
//! - [`MutationCache`], [`ExpirationCache`], [`UndeltaStore`], [`DeltaFifo`]: the other parts of client-go's
//!   `tools/cache`.
//!
//! There is no HTTP here: objects come from an implementation of
//! [`ListWatch`](klient_apimachinery::ListWatch), such as the client's handles and the embedded API server's
//! storage.

mod buffer;
mod cached;
mod consistency;
mod decode_result;
mod delta;
mod delta_fifo;
mod entry;
mod error;
mod event;
mod expiration;
mod factory;
mod handler;
mod index;
mod informer;
mod informer_set;
mod intern;
mod key;
mod malloc_hint;
mod mutation;
mod pager;
mod reflector;
mod retry_watch;
mod slot_map;
mod snapshot;
mod store;
mod undecodable;
mod undelta_store;
mod until;

pub use cached::{Cached, Deleted};
pub use consistency::{CheckOptions, Differences, DifferentVersion};
pub use delta::{Delta, DeltaQueue, MAX_BATCH_SIZE};
pub use delta_fifo::{DeltaFifo, DeltaFifoOptions, KeyDelta, KnownObjects};
pub use error::Error;
pub use event::Event;
pub use expiration::{ExpirationCache, ExpirationPolicy, ttl_policy};
pub use factory::{InformerFactory, InformerFactoryBuilder};
pub use handler::{FilteringResourceEventHandler, HandlerOptions, Overflow, ResourceEventHandler};
pub use index::Indexer;
pub use informer::{
    Events, Informer, InformerMetrics, InformerOptions, Lister, NamespaceLister,
    ResourceEventHandlerRegistration,
};
pub use intern::{LabelSet, Owner};
pub use key::{InvalidKey, ObjectKey};
pub use mutation::{MutationCache, MutationCacheOptions};
pub use pager::{Pager, PagerOptions};
pub use reflector::{Reflector, ReflectorOptions, WatchErrorHandler};
pub use retry_watch::{RetryWatch, RetryWatchOptions};
pub use snapshot::Snapshot;
pub use store::{Keep, NAMESPACE_INDEX, Store, StoreWriter, Transform};
pub use undecodable::Undecodable;
pub use undelta_store::UndeltaStore;
pub use until::{Condition, ConditionError, in_order, until, until_with_sync, until_without_retry};
