//! [`DeltaFifoOptions`], the options of a [`DeltaFifo`](super::DeltaFifo).

use std::fmt;
use std::sync::Arc;

use super::known_objects::KnownObjects;
use crate::store::Transform;

/// Options of a [`DeltaFifo`](super::DeltaFifo).
pub struct DeltaFifoOptions<Q, T> {
    /// The objects that the consumer has. Without them, [`replace`](super::DeltaFifo::replace) detects deletions of
    /// queued keys only, and [`resync`](super::DeltaFifo::resync) does nothing.
    pub known_objects: Option<Arc<dyn KnownObjects<Q, T>>>,
    /// A function that changes objects before they are queued; known objects are not passed to it. It may be
    /// called twice on one object, so that it must be idempotent.
    pub transform: Option<Transform<T>>,
}

impl<Q, T> Default for DeltaFifoOptions<Q, T> {
    fn default() -> Self {
        DeltaFifoOptions { known_objects: None, transform: None }
    }
}

impl<Q, T> fmt::Debug for DeltaFifoOptions<Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaFifoOptions")
            .field("known_objects", &self.known_objects.is_some())
            .field("transform", &self.transform.is_some())
            .finish()
    }
}
