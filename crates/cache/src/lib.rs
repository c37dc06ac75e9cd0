//! Caches of Kubernetes objects.
//!
//! - [`Informer`]: one watch for all who want to know of a resource; it fills a [`Store`] and tells handlers;
//! - [`InformerFactory`]: one informer for each resource, however many ask for it;
//! - [`Store`], [`Lister`]: reading objects by key, namespace, labels, and whatever an [`Indexer`] finds them by;
//! - [`Cached`]: a handle to an object, which is decoded when it is first looked into;
//! - [`Reflector`]: keeps a store as the server's list is;
//! - [`DeltaQueue`]: where changes wait in order.
//!
//! There is no HTTP here: objects come from whatever implements
//! [`ListWatch`](klient_apimachinery::ListWatch), as the client's handles and the embedded API server's store do.

mod backoff;
mod buffer;
mod cached;
mod delta;
mod entry;
mod error;
mod event;
mod factory;
mod handler;
mod index;
mod informer;
mod intern;
mod key;
mod reflector;
mod slots;
mod snapshot;
mod store;

pub use backoff::Backoff;
pub use cached::{Cached, Deleted};
pub use delta::{BATCH, Delta, DeltaQueue};
pub use error::Error;
pub use event::Event;
pub use factory::{FactoryBuilder, InformerFactory};
pub use handler::{Filter, Handler, HandlerOptions, Overflow};
pub use index::Indexer;
pub use informer::{
    Events, Informer, InformerMetrics, InformerOptions, Lister, NamespaceLister, Registration,
};
pub use intern::{LabelSet, Owner};
pub use key::{InvalidKey, ObjectKey};
pub use reflector::{ErrorHandler, Reflector, ReflectorOptions};
pub use snapshot::Snapshot;
pub use store::{Keep, NAMESPACE_INDEX, Store, Transform};
