//! [`ExpirationCache`], a cache whose objects are forgotten with time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Says of an object and its age whether it is to be forgotten: see [`ttl_policy`].
pub type ExpirationPolicy<T> = Box<dyn Fn(&T, Duration) -> bool + Send + Sync>;

/// Forgets what is older than a time; nothing, if that is zero.
pub fn ttl_policy<T>(limit: Duration) -> ExpirationPolicy<T> {
    Box::new(move |_, age| !limit.is_zero() && age > limit)
}

/// A cache whose objects are forgotten with time (client-go's `ExpirationCache`, or `NewTTLStore`). Their age counts
/// from when they were put there last.
///
/// Nothing happens in the background: an object is forgotten when somebody looks for it and it is too old, and all
/// such when all are [listed](Self::list).
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
    /// An empty cache of objects which have keys, and of which a policy says when they are to be forgotten.
    pub fn new(
        key: impl Fn(&T) -> Q + Send + Sync + 'static,
        policy: ExpirationPolicy<T>,
    ) -> ExpirationCache<Q, T> {
        ExpirationCache { key: Box::new(key), is_expired: policy, objects: Mutex::default() }
    }

    /// Puts an object in place of that of the same key, if there is one. It is as new, even if nothing changed.
    pub fn put(&self, object: T) {
        let key = (self.key)(&object);
        self.lock().insert(key, Timestamped { object, put: Instant::now() });
    }

    /// Puts objects in place of all there are.
    pub fn replace(&self, objects: Vec<T>) {
        let put = Instant::now();
        let objects = objects.into_iter().map(|object| ((self.key)(&object), Timestamped { object, put }));
        *self.lock() = objects.collect();
    }

    /// Removes the object of a key, and gives it unless it was too old.
    pub fn remove(&self, key: &Q) -> Option<T> {
        let now = Instant::now();
        let removed = self.lock().remove(key)?;
        self.is_kept(&removed, now).then_some(removed.object)
    }

    /// The object of a key, unless it is too old; then it is forgotten.
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

    /// All objects that are not too old, in no particular order; the others are forgotten.
    pub fn list(&self) -> Vec<T> {
        let now = Instant::now();
        let mut objects = self.lock();
        objects.retain(|_, object| self.is_kept(object, now));
        objects.values().map(|entry| entry.object.clone()).collect()
    }

    /// The keys of all objects, including those that are too old and not yet forgotten.
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
