//! [`ResourceEventHandler`], the receiver of an informer's events, and its options.

use std::sync::Arc;
use std::time::Duration;

use crate::cached::{Cached, Deleted};
use crate::event::Event;
use crate::undecodable::Undecodable;

/// Receives the events of an informer, one at a time, in the order of changes of each object (client-go's
/// `ResourceEventHandler`).
///
/// Implemented by every `FnMut(Event<K>)`. Calls are made from a task of the handler's own, and events are
/// buffered meanwhile. A handler should return soon: add the key to a work queue instead of reconciling here.
/// Code that awaits between events takes [`Informer::events`](crate::Informer::events).
pub trait ResourceEventHandler<K>: Send + 'static {
    /// Called when an object was added to the cache. `is_in_initial_list` is as in [`Event::Added`].
    fn on_add(&mut self, object: Cached<K>, is_in_initial_list: bool);

    /// Called when an object was modified, and for each object at a resync.
    fn on_update(&mut self, old: Cached<K>, new: Cached<K>);

    /// Called when an object was deleted.
    fn on_delete(&mut self, object: Deleted<K>);

    /// Called when an object's present version cannot be decoded: see [`Event::Undecodable`]. Does nothing by
    /// default.
    fn on_undecodable(&mut self, known: Option<Cached<K>>, version: Arc<Undecodable>) {
        let _ = (known, version);
    }
}

impl<K, F: FnMut(Event<K>) + Send + 'static> ResourceEventHandler<K> for F {
    fn on_add(&mut self, object: Cached<K>, is_in_initial_list: bool) {
        self(Event::Added { object, is_in_initial_list });
    }

    fn on_update(&mut self, old: Cached<K>, new: Cached<K>) {
        self(Event::Updated { old, new });
    }

    fn on_delete(&mut self, object: Deleted<K>) {
        self(Event::Deleted(object));
    }

    fn on_undecodable(&mut self, known: Option<Cached<K>>, version: Arc<Undecodable>) {
        self(Event::Undecodable { known, version });
    }
}

/// A handler that receives the objects that pass a filter (client-go's `FilteringResourceEventHandler`). An
/// object that begins to pass comes as added, one that no longer passes as deleted.
#[derive(Debug)]
pub struct FilteringResourceEventHandler<P, H> {
    is_wanted: P,
    handler: H,
}

impl<P, H> FilteringResourceEventHandler<P, H> {
    /// Passes the objects for which `is_wanted` returns `true` to `handler`.
    pub fn new(is_wanted: P, handler: H) -> Self {
        FilteringResourceEventHandler { is_wanted, handler }
    }
}

impl<K, P, H> ResourceEventHandler<K> for FilteringResourceEventHandler<P, H>
where
    P: FnMut(&Cached<K>) -> bool + Send + 'static,
    H: ResourceEventHandler<K>,
    K: klient_apimachinery::Object,
{
    fn on_add(&mut self, object: Cached<K>, is_in_initial_list: bool) {
        if (self.is_wanted)(&object) {
            self.handler.on_add(object, is_in_initial_list);
        }
    }

    fn on_update(&mut self, old: Cached<K>, new: Cached<K>) {
        match ((self.is_wanted)(&old), (self.is_wanted)(&new)) {
            (true, true) => self.handler.on_update(old, new),
            (false, true) => self.handler.on_add(new, false),
            (true, false) => {
                self.handler.on_delete(Deleted {
                    key: old.key(),
                    known: Some(old.clone()),
                    object: Some(old),
                    is_final_state_unknown: false,
                });
            }
            (false, false) => {}
        }
    }

    fn on_delete(&mut self, object: Deleted<K>) {
        // The final state may fail the filter; the handler must learn of the deletion if the state before it
        // passed.
        if object.known.as_ref().or(object.object.as_ref()).is_none_or(|known| (self.is_wanted)(known)) {
            self.handler.on_delete(object);
        }
    }

    fn on_undecodable(&mut self, known: Option<Cached<K>>, version: Arc<Undecodable>) {
        // The filter cannot be asked about an object that could never be decoded; such objects pass.
        if known.as_ref().is_none_or(|known| (self.is_wanted)(known)) {
            self.handler.on_undecodable(known, version);
        }
    }
}

/// Options of one event handler.
#[derive(Clone, Debug)]
pub struct HandlerOptions {
    /// The period after which the handler receives all objects again as [`Event::Updated`] without a change;
    /// by default that of the informer. Nothing is requested from the server.
    pub resync: Option<Duration>,
    /// The number of events that are buffered before [`overflow`](Self::overflow) applies; 1024 by default.
    pub buffer: usize,
    /// The behaviour when the buffer is full.
    pub overflow: Overflow,
}

impl Default for HandlerOptions {
    fn default() -> Self {
        HandlerOptions { resync: None, buffer: 1024, overflow: Overflow::default() }
    }
}

/// The behaviour when more events are pending than a handler's buffer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The informer waits, with its store, its other handlers and the connection that it reads. No event is
    /// dropped. Suitable for fast handlers that must see every state; a stream of [`Events`](crate::Events)
    /// with this option has to be read to the end.
    Block,
    /// Changes of the same object are merged into one and intermediate states are dropped; the informer does
    /// not wait. The buffer is then bounded by the number of objects.
    #[default]
    Coalesce,
}
