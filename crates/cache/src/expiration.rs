//! [`ExpirationCache`], a cache whose objects expire.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Decides by an object and its age whether it has expired (client-go's `ExpirationPolicy`): see
/// [`ttl_policy`].
pub type ExpirationPolicy<T> = Box<dyn Fn(&T, Duration) -> bool + Send + Sync>;

/// A policy by which objects older than `limit` have expired (client-go's `TTLPolicy`). With zero, none
/// expire.
pub fn ttl_policy<T>(limit: Duration) -> ExpirationPolicy<T> {
    Box::new(move |_, age| !limit.is_zero() && age > limit)
}

/// A cache whose objects expire (client-go's `ExpirationCache`, made by `NewTTLStore`). An object's age
/// counts from when it was last put.
///
/// There is no background task: an expired object is removed when it is [read](Self::get), and all expired
/// objects when all are [listed](Self::list).
///
/// ```
/// use std::time::Duration;
/// use klient_cache::{ExpirationCache, ttl_policy};
///
/// let tokens = ExpirationCache::new(|(user, _): &(&str, &str)| *user, ttl_policy(Duration::from_secs(60)));
/// tokens.put(("jane", "s3cret"));
/// assert_eq!(tokens.get(&"jane"), Some(("jane", "s3cret")));
///
/// // What may be kept at all may depend on the object, too.
/// let tokens = ExpirationCache::new(|(user, _): &(&str, &str)| *user, Box::new(|(user, _), _| *user == "root"));
/// tokens.put(("root", "s3cret"));
/// assert_eq!(tokens.get(&"root"), None);
/// ```
pub struct ExpirationCache<Q, T> {
    key: Box<dyn Fn(&T) -> Q + Send + Sync>,
    is_expired: ExpirationPolicy<T>,
    objects: Mutex<HashMap<Q, Timestamped<T>>>,
}

struct Timestamped<T> {
    object: T,
    put: Instant,
}

impl<Q: Clone + Eq + Hash, T: Clone> ExpirationCache<Q, T> {
    /// An empty cache, with a function that gives an object's key, and an expiration policy.
    pub fn new(
        key: impl Fn(&T) -> Q + Send + Sync + 'static,
        policy: ExpirationPolicy<T>,
    ) -> ExpirationCache<Q, T> {
        ExpirationCache { key: Box::new(key), is_expired: policy, objects: Mutex::default() }
    }

    /// Inserts or replaces an object; its age starts at zero.
    pub fn put(&self, object: T) {
        let key = (self.key)(&object);
        self.lock().insert(key, Timestamped { object, put: Instant::now() });
    }

    /// Replaces the contents of the cache.
    pub fn replace(&self, objects: Vec<T>) {
        let put = Instant::now();
        let objects = objects.into_iter().map(|object| ((self.key)(&object), Timestamped { object, put }));
        *self.lock() = objects.collect();
    }

    /// Removes an object; returns it unless it had expired.
    pub fn remove(&self, key: &Q) -> Option<T> {
        let now = Instant::now();
        let removed = self.lock().remove(key)?;
        self.is_kept(&removed, now).then_some(removed.object)
    }

    /// The object with a key; an expired one is removed and not returned.
    pub fn get(&self, key: &Q) -> Option<T> {
        let now = Instant::now();
        let mut objects = self.lock();
        let found = objects.get(key)?;
        if self.is_kept(found, now) {
            return Some(found.object.clone());
        }
        objects.remove(key);
        None
    }

    /// All objects that have not expired, in no particular order. Removes those that have.
    pub fn list(&self) -> Vec<T> {
        let now = Instant::now();
        let mut objects = self.lock();
        objects.retain(|_, object| self.is_kept(object, now));
        objects.values().map(|entry| entry.object.clone()).collect()
    }

    /// The keys of all objects, including expired ones that were not removed yet.
    pub fn keys(&self) -> Vec<Q> {
        self.lock().keys().cloned().collect()
    }

    fn is_kept(&self, entry: &Timestamped<T>, now: Instant) -> bool {
        !(self.is_expired)(&entry.object, now.saturating_duration_since(entry.put))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Q, Timestamped<T>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, T> fmt::Debug for ExpirationCache<Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "ExpirationCache({objects} objects)")
    }
}
