//! Applying deltas to a [`Store`].

use std::sync::Arc;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;

use super::state::Replacement;
use super::{Change, Partition, Store};
use crate::decode_result::DecodeResult;
use crate::delta::{Delta, MAX_BATCH_SIZE};
use crate::entry::Entry;
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

impl<K: Wire + Object> Store<K> {
    /// Applies deltas, and returns the resulting changes.
    pub(crate) fn apply(&self, deltas: Vec<Delta<DecodeResult<K>>>, partition: &Partition) -> Vec<Change<K>> {
        let _writer = self.writer();
        let indexers = self.read().indexers();
        let prepare = |decoded: DecodeResult<K>| match decoded {
            DecodeResult::Entry(entry) => {
                let found = indexers.iter().map(|(name, indexer)| indexer.values(name, &entry)).collect();
                Some(PreparedChange::Put(entry, found))
            }
            DecodeResult::Undecodable(version) => Some(PreparedChange::Mark(version)),
            DecodeResult::Unnamed => None,
        };
        let mut changes = Vec::with_capacity(deltas.len());
        let mut deltas = deltas.into_iter().peekable();
        while deltas.peek().is_some() {
            // This is the only writer, so that what is prepared without the lock stays valid.
            let mut prepared = Vec::new();
            for delta in deltas.by_ref() {
                match delta {
                    Delta::Replaced(entries, version) => {
                        let Replacement { puts, removed } = self.read().diff_list(entries, partition);
                        prepared.reserve(puts.len() + removed.len() + 1);
                        prepared.extend(puts.into_iter().filter_map(prepare));
                        prepared
                            .extend(removed.into_iter().map(|key| PreparedChange::Remove(key, None, true)));
                        prepared.push(PreparedChange::Listed(version));
                    }
                    Delta::Added(decoded) | Delta::Updated(decoded) => {
                        prepared.extend(prepare(decoded));
                        continue;
                    }
                    Delta::Deleted(key, Some(DecodeResult::Undecodable(version))) => {
                        prepared.push(PreparedChange::Remove(key, None, true));
                        prepared.push(PreparedChange::Bookmark(version.resource_version.clone()));
                        continue;
                    }
                    Delta::Deleted(key, last) => {
                        let last = last.and_then(|last| match last {
                            DecodeResult::Entry(last) => Some(last),
                            _ => None,
                        });
                        prepared.push(PreparedChange::Remove(key, last, false));
                        continue;
                    }
                    Delta::Bookmark(version) => {
                        prepared.push(PreparedChange::Bookmark(version));
                        continue;
                    }
                    Delta::Sync => continue,
                }
                break;
            }
            let mut state = self.write();
            if prepared.len() > MAX_BATCH_SIZE {
                state.reserve(prepared.len());
                changes.reserve(prepared.len());
            }
            for change in prepared {
                match change {
                    PreparedChange::Put(entry, found) => {
                        state.advance(partition, entry.version());
                        changes.push(state.put(entry, found));
                    }
                    PreparedChange::Mark(version) => {
                        state.advance(partition, &version.resource_version);
                        changes.extend(state.mark_undecodable(version));
                    }
                    PreparedChange::Remove(key, last, is_unknown) => {
                        if let Some(last) = &last {
                            state.advance(partition, last.version());
                        }
                        changes.extend(state.remove(&key, last, is_unknown));
                    }
                    PreparedChange::Listed(version) => state.set_version(partition, &version),
                    PreparedChange::Bookmark(version) => state.advance(partition, &version),
                }
            }
        }
        let version: Box<str> = self.read().version().into();
        // Also without another version: of several partitions the lowest counts.
        self.0.progress.send_modify(|known| known.version = version);
        changes
    }
}

/// A change that is prepared before the lock is taken.
enum PreparedChange<K> {
    Put(Arc<Entry<K>>, Vec<crate::index::IndexValues>),
    Mark(Arc<Undecodable>),
    Remove(ObjectKey, Option<Arc<Entry<K>>>, bool),
    Listed(Box<str>),
    Bookmark(Box<str>),
}
