//! [`InformerMetrics`], figures of an informer.

use std::sync::Arc;

use crate::undecodable::Undecodable;

/// Figures of an informer since it was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InformerMetrics {
    /// The number of objects in the store.
    pub objects: usize,
    /// The number of complete lists.
    pub lists: u64,
    /// The number of watches that were started.
    pub watches: u64,
    /// The resourceVersion that the store has reached; empty before the first list.
    pub resource_version: Box<str>,
    /// The number of events that are queued for each handler.
    pub pending_events: Vec<usize>,
    /// The object versions that cannot be decoded.
    pub undecodable: Vec<Arc<Undecodable>>,
}
