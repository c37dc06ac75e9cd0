//! [`Pool`], the informers of an identity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_client::Client;

use crate::failure::{Code, Failure};
use crate::feed::{Feed, FeedKey};
use crate::options::Limits;

/// The informers of an identity: one for each resource, namespace and field selector, which all who ask for it share.
pub(crate) struct Pool {
    client: Client,
    limits: Limits,
    recheck: Duration,
    feeds: Mutex<HashMap<FeedKey, Arc<Feed>>>,
}

impl Pool {
    pub(crate) fn new(client: Client, limits: Limits, recheck: Duration) -> Self {
        Pool { client, limits, recheck, feeds: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FeedKey, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The informer for a key, which starts if it does not run. That of all namespaces serves for one of them, if it is in use
    /// already.
    ///
    /// # Errors
    ///
    /// If the limit of informers is reached, and all of them have readers.
    pub(crate) fn feed(&self, key: FeedKey) -> Result<Arc<Feed>, Failure> {
        let mut feeds = self.lock();
        feeds.retain(|_, feed| !feed.has_ended());
        let whole = FeedKey { namespace: None, ..key.clone() };
        let found = feeds.get(&key).or_else(|| feeds.get(&whole).filter(|feed| feed.has_synced()));
        if let Some(feed) = found {
            feed.touch();
            return Ok(feed.clone());
        }
        let limit = self.limits.informers.max(1);
        if feeds.len() >= limit {
            // One that somebody waits for is referred to elsewhere.
            let idle = feeds.values().filter(|feed| Arc::strong_count(feed) == 1);
            let oldest = idle.max_by_key(|feed| feed.unused()).map(|feed| feed.key().clone());
            let Some(oldest) = oldest else {
                let problem = format!("{limit} informers are in use, and no more are allowed at a time");
                return Err(Failure::new(Code::TooManyKinds, problem));
            };
            feeds.remove(&oldest);
        }
        let feed = Arc::new(Feed::start(&self.client, key.clone(), &self.limits, self.recheck));
        feeds.insert(key, feed.clone());
        Ok(feed)
    }

    /// Stops the informers that were unused for some time; returns the number of the others.
    pub(crate) fn stop_unused(&self, idle: Duration) -> usize {
        let mut feeds = self.lock();
        feeds.retain(|_, feed| !feed.has_ended() && (feed.unused() < idle || Arc::strong_count(feed) > 1));
        feeds.len()
    }

    /// Ends all informers, and the streams that read them.
    pub(crate) fn end(&self, failure: &Failure) {
        for (_, feed) in self.lock().drain() {
            feed.ring().end(failure.clone());
        }
    }

    /// The number of informers, and of the objects in them.
    pub(crate) fn size(&self) -> (usize, usize) {
        let feeds = self.lock();
        (feeds.len(), feeds.values().map(|feed| feed.store().len()).sum())
    }
}
