//! Reading a [`Store`]: by key, namespace, labels and index values.

use std::sync::Arc;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::labels::Selector;
use klient_apimachinery::{Object, Str};

use super::state::State;
use super::{Change, NAMESPACE_INDEX, Store};
use crate::cached::Cached;
use crate::entry::Entry;
use crate::error::Error;
use crate::index::SlotSet;
use crate::key::{ObjectKey, split};
use crate::snapshot::Snapshot;
use crate::undecodable::Undecodable;

impl<K: Wire + Object> Store<K> {
    /// The names of all indices; [`NAMESPACE_INDEX`] is the first.
    pub fn index_names(&self) -> Vec<Str> {
        let added = self.read().indexers();
        std::iter::once(NAMESPACE_INDEX.into())
            .chain(added.iter().map(|(name, _)| Str::from(&**name)))
            .collect()
    }

    /// The object with a key: an [`ObjectKey`], or the string `NAMESPACE/NAME`, or `NAME` of a cluster-scoped object.
    pub fn get(&self, key: &str) -> Option<Cached<K>> {
        let (namespace, name) = split(key);
        self.get_in(namespace, name)
    }

    /// The object with a namespace and a name. The namespace of a cluster-scoped object is empty.
    pub fn get_in(&self, namespace: &str, name: &str) -> Option<Cached<K>> {
        let state = self.read();
        Some(Cached::new(state.get(namespace, name)?.clone()))
    }

    /// Returns true if there is an object with a key: see [`get`](Self::get).
    pub fn contains(&self, key: &str) -> bool {
        let (namespace, name) = split(key);
        self.read().get(namespace, name).is_some()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Returns true if there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All objects, in no particular order.
    pub fn list(&self) -> Vec<Cached<K>> {
        self.snapshot().iter().collect()
    }

    /// The keys of all objects, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.snapshot().entries().map(|entry| entry.key()).collect()
    }

    /// The objects of a namespace, in no particular order.
    pub fn list_in(&self, namespace: &str) -> Vec<Cached<K>> {
        let state = self.read();
        cached(&state, state.namespaces.slots(namespace))
    }

    /// The objects whose labels match, in no particular order.
    pub fn select(&self, selector: &Selector) -> Vec<Cached<K>> {
        if selector.is_everything() {
            return self.list();
        }
        self.selected(selector, |_| true)
    }

    /// The objects of a namespace whose labels match, in no particular order.
    pub fn select_in(&self, namespace: &str, selector: &Selector) -> Vec<Cached<K>> {
        if selector.is_everything() {
            return self.list_in(namespace);
        }
        self.selected(selector, |entry| entry.namespace.as_str() == namespace)
    }

    fn selected(&self, selector: &Selector, is: impl Fn(&Entry<K>) -> bool) -> Vec<Cached<K>> {
        let state = self.read();
        let mut selected = Vec::new();
        state.labels.select(selector, |slots| {
            let entries = slots.iter().filter_map(|slot| state.slots.get(*slot));
            selected.extend(entries.filter(|entry| is(entry)).map(|entry| Cached::new(entry.clone())));
        });
        selected
    }

    /// The objects that have a value in an index (client-go's `ByIndex`).
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn by_index(&self, index: &str, value: &str) -> Result<Vec<Cached<K>>, Error> {
        let state = self.read();
        self.slots(&state, index, value).map(|slots| cached(&state, slots))
    }

    /// The keys of the objects that have a value in an index (client-go's `IndexKeys`).
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn index_keys(&self, index: &str, value: &str) -> Result<Vec<ObjectKey>, Error> {
        let state = self.read();
        let slots = self.slots(&state, index, value)?;
        let entries = slots.into_iter().flatten().filter_map(|slot| state.slots.get(*slot));
        Ok(entries.map(|entry| entry.key()).collect())
    }

    /// All values of an index (client-go's `ListIndexFuncValues`), in no particular order.
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn index_values(&self, index: &str) -> Result<Vec<Str>, Error> {
        let state = self.read();
        if index == NAMESPACE_INDEX {
            return Ok(state.namespaces.names().map(Into::into).collect());
        }
        let index = state.index(index).ok_or_else(|| Error::no_index(self.resource(), index))?;
        Ok(index.values().map(|value| Str::from(&**value)).collect())
    }

    fn slots<'a>(&self, state: &'a State<K>, index: &str, value: &str) -> Result<Option<&'a SlotSet>, Error> {
        if index == NAMESPACE_INDEX {
            return Ok(state.namespaces.slots(value));
        }
        let found = state.index(index).ok_or_else(|| Error::no_index(self.resource(), index))?;
        Ok(found.slots(value))
    }

    /// Returns true if an index would have an object under a value.
    pub(crate) fn is_indexed(&self, index: &str, value: &str, entry: &Arc<Entry<K>>) -> bool {
        if index == NAMESPACE_INDEX {
            return entry.namespace.as_str() == value;
        }
        let indexer = self.read().index(index).map(|index| index.indexer.clone());
        indexer.is_some_and(|indexer| indexer.values(index, entry).iter().any(|found| **found == *value))
    }

    /// The present version of the object with a key, if it cannot be decoded. The store then holds the last
    /// decodable state, if there was one.
    pub fn undecodable(&self, key: &str) -> Option<Arc<Undecodable>> {
        let (namespace, name) = split(key);
        self.read().undecodable.get(&ObjectKey::new(Some(namespace), name)).cloned()
    }

    /// All object versions that cannot be decoded, in no particular order.
    pub fn undecodables(&self) -> Vec<Arc<Undecodable>> {
        self.read().undecodable.values().cloned().collect()
    }

    /// A snapshot of all objects, and the versions that cannot be decoded.
    pub(crate) fn snapshot_and_undecodables(&self) -> (Snapshot<K>, Vec<Change<K>>) {
        let state = self.read();
        let undecodables = state.undecodable.values().map(|version| {
            let known = state.get(version.key.namespace().unwrap_or_default(), version.key.name());
            Change::Undecodable { known: known.cloned(), version: version.clone() }
        });
        (Snapshot::new(state.slots.chunks(), state.len(), state.version()), undecodables.collect())
    }

    /// All objects at this time.
    pub fn snapshot(&self) -> Snapshot<K> {
        let state = self.read();
        Snapshot::new(state.slots.chunks(), state.len(), state.version())
    }
}

fn cached<K>(state: &State<K>, slots: Option<&SlotSet>) -> Vec<Cached<K>> {
    let slots = slots.into_iter().flatten();
    slots.filter_map(|slot| state.slots.get(*slot)).map(|entry| Cached::new(entry.clone())).collect()
}
