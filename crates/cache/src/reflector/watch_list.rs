//! Lists that are streamed as watch events (KEP-3157).

use std::collections::HashMap;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{Object, SourceError, WatchEvent, WatchOptions, Watching};
use tokio::time::Instant;

use super::decode_batches::DecodeBatches;
use super::reflector_loop::ReflectorLoop;
use crate::decode_result::DecodeResult;
use crate::key::ObjectKey;

impl<K: Wire + Object> ReflectorLoop<K> {
    /// Receives the list from a watch, and returns the watch to continue with. `None` if the server does not
    /// support that: a list is needed.
    pub(super) async fn watch_list(&mut self) -> Result<Option<StartedWatch<K>>, SourceError> {
        loop {
            self.begin_attempt();
            let error = match self.try_watch_list().await {
                Ok(started) => return Ok(started),
                Err(error) => error,
            };
            if error.is_expired() || error.is_too_large_version() {
                if !std::mem::replace(&mut self.is_last_version_unavailable, true) {
                    continue;
                }
            } else if !(error.is_refused() || error.is_too_many_requests()) {
                // Only an answer of the server can mean that it refuses streamed lists.
                self.use_watch_list &= !is_refusal(&error);
                return if error.code().is_some() { Ok(None) } else { Err(error) };
            }
            self.report(&error);
            self.pause(error.retry_after()).await;
        }
    }

    async fn try_watch_list(&mut self) -> Result<Option<StartedWatch<K>>, SourceError> {
        let mut options = WatchOptions { send_initial_events: true, ..self.watch_options() };
        if self.is_last_version_unavailable {
            options.resource_version = None;
        }
        let source = self.source.clone();
        let mut watching = source.watch(&options).await?;
        let mut initial = InitialEvents::default();
        let mut batches = DecodeBatches::new(self.store.clone());
        let mut arrived = Vec::new();
        let (mut silent_since, mut is_past_list) = (Instant::now(), false);
        loop {
            let limit = silent_since + self.options.bookmark_timeout;
            let next = tokio::time::timeout_at(limit, watching.next(&mut arrived)).await;
            // Initial objects come before changes, and only they show that the list makes progress.
            is_past_list |= arrived.iter().any(|event| !matches!(event, WatchEvent::Added(_)));
            if !is_past_list && !arrived.is_empty() {
                silent_since = Instant::now();
            }
            let mut objects = Vec::with_capacity(arrived.len());
            let mut end = None;
            let mut rest = arrived.drain(..);
            for event in rest.by_ref() {
                match event {
                    WatchEvent::Added(object) => objects.push((object, ChangeKind::Added)),
                    WatchEvent::Modified(object) => objects.push((object, ChangeKind::Modified)),
                    WatchEvent::Deleted(object) => objects.push((object, ChangeKind::Deleted)),
                    WatchEvent::Error(status) => return Err((*status).into()),
                    WatchEvent::Bookmark(bookmark) if bookmark.initial_events_end => {
                        end = Some(bookmark);
                        break;
                    }
                    _ => {}
                }
            }
            let rest: Vec<_> = rest.collect();
            self.collect(batches.push(objects).await, |decoded, kind| initial.collect(decoded, kind));
            if let Some(bookmark) = end {
                while let Some(batch) = batches.next().await {
                    self.collect(batch, |decoded, kind| initial.collect(decoded, kind));
                }
                self.replace(initial.entries()?, &bookmark.resource_version).await;
                return Ok(Some(StartedWatch { watching, arrived: rest, next: next.unwrap_or(Ok(true)) }));
            }
            match next {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => {
                    return Err(SourceError::transient("the streamed list ended in the middle"));
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    tracing::debug!(
                        resource = ?self.source.resource(),
                        "the streamed list does not end: the server or a proxy swallows its last bookmark; listing instead"
                    );
                    self.use_watch_list = false;
                    return Ok(None);
                }
            }
        }
    }
}

/// A started watch, and the events received so far.
pub(super) struct StartedWatch<K> {
    pub(super) watching: Box<dyn Watching<K>>,
    pub(super) arrived: Vec<WatchEvent<Encoded<K>>>,
    /// `true` if more follows, as received with the events.
    pub(super) next: Result<bool, SourceError>,
}

impl<K> StartedWatch<K> {
    pub(super) fn new(watching: Box<dyn Watching<K>>) -> Self {
        StartedWatch { watching, arrived: Vec::new(), next: Ok(true) }
    }
}

/// Returns true if the server does not support the request, and will not the next time.
fn is_refusal(error: &SourceError) -> bool {
    error.code().is_some_and(|code| (400..500).contains(&code) && !matches!(code, 401 | 403 | 404 | 408))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// The objects of a streamed list. Usually each comes once, and none changes before the end.
struct InitialEvents<K> {
    entries: Vec<Option<DecodeResult<K>>>,
    /// The index of each object; built when an object comes again.
    indices: Option<HashMap<ObjectKey, usize>>,
    /// Set if a deleted object's name cannot be read, so that it may still be among the entries.
    has_unknown_deletion: bool,
}

impl<K> Default for InitialEvents<K> {
    fn default() -> Self {
        InitialEvents { entries: Vec::new(), indices: None, has_unknown_deletion: false }
    }
}

impl<K: Object> InitialEvents<K> {
    fn collect(&mut self, decoded: DecodeResult<K>, kind: ChangeKind) {
        let is_deleted = kind == ChangeKind::Deleted;
        if kind != ChangeKind::Added && self.indices.is_none() {
            self.indices = Some(self.find_indices());
        }
        let (Some(indices), Some(key)) = (&mut self.indices, decoded.key()) else {
            self.has_unknown_deletion |= is_deleted;
            return self.entries.extend((!is_deleted).then_some(Some(decoded)));
        };
        let decoded = (!is_deleted).then_some(decoded);
        match indices.get(&key) {
            Some(index) => self.entries[*index] = decoded,
            None => {
                indices.insert(key, self.entries.len());
                self.entries.push(decoded);
            }
        }
    }

    fn find_indices(&self) -> HashMap<ObjectKey, usize> {
        let keys = self.entries.iter().enumerate();
        keys.filter_map(|(index, decoded)| Some((decoded.as_ref()?.key()?, index))).collect()
    }

    fn entries(self) -> Result<Vec<DecodeResult<K>>, SourceError> {
        if self.has_unknown_deletion {
            return Err(SourceError::unreadable("an object that is gone cannot be read"));
        }
        Ok(self.entries.into_iter().flatten().collect())
    }
}
