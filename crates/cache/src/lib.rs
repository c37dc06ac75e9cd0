//! Caches of Kubernetes objects.
//!
//! - [`Informer`]: one watch for all who want to know of a resource; it fills a [`Store`] and tells handlers;
//! - [`InformerFactory`]: one informer for each resource, however many ask for it;
//! - [`Store`], [`Lister`]: reading objects by key, namespace, labels, and whatever an [`Indexer`] finds them by;
//! - [`Cached`]: a handle to an object, which is decoded when it is first looked into;
//! - [`Reflector`]: keeps a store as the server's list is;
//! - [`DeltaQueue`]: where changes wait in order;
//! - [`RetryWatch`], [`until`], [`Pager`]: watching, waiting and listing without a store;
//! - [`MutationCache`], [`ExpirationCache`], [`UndeltaStore`], [`DeltaFifo`]: what client-go has beside informers.
//!
//! There is no HTTP here: objects come from whatever implements
//! [`ListWatch`](klient_apimachinery::ListWatch), as the client's handles and the embedded API server's store do.

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
pub use store::{Keep, NAMESPACE_INDEX, Store, Transform};
pub use undecodable::Undecodable;
pub use undelta_store::UndeltaStore;
pub use until::{Condition, ConditionError, in_order, until, until_with_sync, until_without_retry};
