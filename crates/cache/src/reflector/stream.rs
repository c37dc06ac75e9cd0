//! Lists that come through a watch (KEP-3157).

use std::collections::HashMap;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{Object, SourceError, WatchEvent, WatchOptions, Watching};
use tokio::time::Instant;

use super::Core;
use super::decode_batches::DecodeBatches;
use crate::decode_result::DecodeResult;
use crate::key::ObjectKey;

impl<K: Wire + Object> Core<K> {
    /// Takes all objects from a watch, and gives it to be followed on. `None` if the server does not offer that: then
    /// all are listed.
    pub(super) async fn stream_list(&mut self) -> Result<Option<Begun<K>>, SourceError> {
        loop {
            self.begin_attempt();
            let error = match self.try_stream_list().await {
                Ok(begun) => return Ok(begun),
                Err(error) => error,
            };
            if error.is_expired() || error.is_too_large_version() {
                if !std::mem::replace(&mut self.is_unavailable, true) {
                    continue;
                }
            } else if !(error.is_refused() || error.is_too_many_requests()) {
                // Only a server that was heard can have refused the way of asking.
                self.streams &= !is_refusal(&error);
                return if error.code().is_some() { Ok(None) } else { Err(error) };
            }
            self.report(&error);
            self.pause(error.retry_after()).await;
        }
    }

    async fn try_stream_list(&mut self) -> Result<Option<Begun<K>>, SourceError> {
        let mut options = WatchOptions { send_initial_events: true, ..self.watch_options() };
        if self.is_unavailable {
            options.resource_version = None;
        }
        let source = self.source.clone();
        let mut watching = source.watch(&options).await?;
        let mut initial = Initial::default();
        let mut batches = DecodeBatches::new(self.store.clone());
        let mut arrived = Vec::new();
        let (mut silent_since, mut is_past_list) = (Instant::now(), false);
        loop {
            let limit = silent_since + self.options.bookmark_timeout;
            let next = tokio::time::timeout_at(limit, watching.next(&mut arrived)).await;
            // What is there comes before what changes: only that shows that the list goes on.
            is_past_list |= arrived.iter().any(|event| !matches!(event, WatchEvent::Added(_)));
            if !is_past_list && !arrived.is_empty() {
                silent_since = Instant::now();
            }
            let mut objects = Vec::with_capacity(arrived.len());
            let mut end = None;
            let mut rest = arrived.drain(..);
            for event in rest.by_ref() {
                match event {
                    WatchEvent::Added(object) => objects.push((object, News::New)),
                    WatchEvent::Modified(object) => objects.push((object, News::Changed)),
                    WatchEvent::Deleted(object) => objects.push((object, News::Gone)),
                    WatchEvent::Error(status) => return Err((*status).into()),
                    WatchEvent::Bookmark(bookmark) if bookmark.initial_events_end => {
                        end = Some(bookmark);
                        break;
                    }
                    WatchEvent::Bookmark(_) => {}
                }
            }
            let rest: Vec<_> = rest.collect();
            self.keep(batches.push(objects).await, |taken, news| initial.keep(taken, news));
            if let Some(bookmark) = end {
                while let Some(made) = batches.next().await {
                    self.keep(made, |taken, news| initial.keep(taken, news));
                }
                self.replace(initial.entries()?, &bookmark.resource_version).await;
                return Ok(Some(Begun { watching, arrived: rest, next: next.unwrap_or(Ok(true)) }));
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
                    self.streams = false;
                    return Ok(None);
                }
            }
        }
    }
}

/// A watch that has begun, and what of it has arrived already.
pub(super) struct Begun<K> {
    pub(super) watching: Box<dyn Watching<K>>,
    pub(super) arrived: Vec<WatchEvent<Encoded<K>>>,
    /// Whether there is more, as told along with what has arrived.
    pub(super) next: Result<bool, SourceError>,
}

impl<K> Begun<K> {
    pub(super) fn new(watching: Box<dyn Watching<K>>) -> Self {
        Begun { watching, arrived: Vec::new(), next: Ok(true) }
    }
}

/// The server does not understand what it is asked for, and will not the next time.
fn is_refusal(error: &SourceError) -> bool {
    error.code().is_some_and(|code| (400..500).contains(&code) && !matches!(code, 401 | 403 | 404 | 408))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    New,
    Changed,
    Gone,
}

/// The objects of a streamed list. As a rule each comes once, and none changes before the end.
struct Initial<K> {
    entries: Vec<Option<DecodeResult<K>>>,
    /// Where each is, once one has come again.
    places: Option<HashMap<ObjectKey, usize>>,
    /// An object is gone of which not even the name can be read, so that it may still be among the entries.
    is_doubtful: bool,
}

impl<K> Default for Initial<K> {
    fn default() -> Self {
        Initial { entries: Vec::new(), places: None, is_doubtful: false }
    }
}

impl<K: Object> Initial<K> {
    fn keep(&mut self, taken: DecodeResult<K>, news: News) {
        let is_gone = news == News::Gone;
        if news != News::New && self.places.is_none() {
            self.places = Some(self.find_places());
        }
        let (Some(places), Some(key)) = (&mut self.places, taken.key()) else {
            self.is_doubtful |= is_gone;
            return self.entries.extend((!is_gone).then_some(Some(taken)));
        };
        let taken = (!is_gone).then_some(taken);
        match places.get(&key) {
            Some(place) => self.entries[*place] = taken,
            None => {
                places.insert(key, self.entries.len());
                self.entries.push(taken);
            }
        }
    }

    fn find_places(&self) -> HashMap<ObjectKey, usize> {
        let keys = self.entries.iter().enumerate();
        keys.filter_map(|(place, taken)| Some((taken.as_ref()?.key()?, place))).collect()
    }

    fn entries(self) -> Result<Vec<DecodeResult<K>>, SourceError> {
        if self.is_doubtful {
            return Err(SourceError::unreadable("an object that is gone cannot be read"));
        }
        Ok(self.entries.into_iter().flatten().collect())
    }
}
