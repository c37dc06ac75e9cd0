//! [`ResourceEventHandler`], who is told of events, and how.

use std::sync::Arc;
use std::time::Duration;

use crate::cached::{Cached, Deleted};
use crate::event::Event;
use crate::undecodable::Undecodable;

/// Is told of events, one after another, in the order in which they happened to each object.
///
/// Any `FnMut(Event<K>)` is one. It runs as a task of its own; while it is busy, events wait. What takes long does not
/// belong here: put the key in a work queue. To wait for something between events, take
/// [`Informer::events`](crate::Informer::events) instead.
pub trait ResourceEventHandler<K>: Send + 'static {
    /// An object is new to the cache.
    fn on_add(&mut self, object: Cached<K>, is_in_initial_list: bool);

    /// An object has changed, or is told again.
    fn on_update(&mut self, old: Cached<K>, new: Cached<K>);

    /// An object is gone.
    fn on_delete(&mut self, object: Deleted<K>);

    /// An object is there, and its present version cannot be decoded: see [`Event::Undecodable`]. By default nothing
    /// is done.
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

/// A handler that is told of some objects only. One that comes to be among them is told as new, one that ceases to be
/// as gone.
#[derive(Debug)]
pub struct FilteringResourceEventHandler<P, H> {
    is_wanted: P,
    handler: H,
}

impl<P, H> FilteringResourceEventHandler<P, H> {
    /// A handler that is told of the objects of which `is_wanted` says so.
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
        // It may have changed as it went: whoever was told of it must be told that it is gone.
        if object.known.as_ref().or(object.object.as_ref()).is_none_or(|known| (self.is_wanted)(known)) {
            self.handler.on_delete(object);
        }
    }

    fn on_undecodable(&mut self, known: Option<Cached<K>>, version: Arc<Undecodable>) {
        // Of one that could never be decoded nobody can say whether it is wanted.
        if known.as_ref().is_none_or(|known| (self.is_wanted)(known)) {
            self.handler.on_undecodable(known, version);
        }
    }
}

/// How a handler is told.
#[derive(Clone, Debug)]
pub struct HandlerOptions {
    /// How often all objects are told again as [`Event::Updated`], although nothing changed; by default as often as
    /// the informer says. The server is not asked.
    pub resync: Option<Duration>,
    /// How many events may wait before that happens which [`overflow`](Self::overflow) says.
    pub buffer: usize,
    /// What happens when more would have to wait.
    pub overflow: Overflow,
}

impl Default for HandlerOptions {
    fn default() -> Self {
        HandlerOptions { resync: None, buffer: 1024, overflow: Overflow::default() }
    }
}

/// What happens when more events would have to wait for a handler than may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The informer waits, and with it all its other handlers, its store and the connection that it reads. No event is
    /// lost. It is for handlers that are known to be quick and must see every state; a stream of
    /// [`Events`](crate::Events) with this must be read to the end.
    Block,
    /// Of each object only what it has come to is kept: states between are dropped, and the informer goes on, so that
    /// nobody else waits. As much may then wait as there are objects.
    #[default]
    Coalesce,
}
