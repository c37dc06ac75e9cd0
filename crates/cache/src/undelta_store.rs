//! [`UndeltaStore`], which turns changes into complete lists.

use std::collections::BTreeMap;
use std::fmt;

/// Turns changes into complete lists, and passes the list to a function at each change (client-go's
/// `UndeltaStore`): for consumers that need all objects at once, such as a program that writes a
/// configuration file.
///
/// The function is called once per change, in order, with the objects sorted by key.
///
/// ```
/// use klient_cache::UndeltaStore;
///
/// let mut pushed = Vec::new();
/// let mut backends = UndeltaStore::new(|(name, _): &(&str, u16)| *name, |all| pushed.push(all));
/// backends.put(("b", 80));
/// backends.put(("a", 80));
/// backends.put(("b", 8080));
/// backends.remove(&"a");
/// drop(backends);
/// assert_eq!(pushed[2], [("a", 80), ("b", 8080)]);
/// assert_eq!(pushed[3], [("b", 8080)]);
/// ```
pub struct UndeltaStore<Q, T, F> {
    key: Box<dyn Fn(&T) -> Q + Send + Sync>,
    objects: BTreeMap<Q, T>,
    push: F,
}

impl<Q: Ord, T: Clone, F: FnMut(Vec<T>)> UndeltaStore<Q, T, F> {
    /// An empty store, with a function that gives an object's key, and one that receives the list at each
    /// change.
    pub fn new(key: impl Fn(&T) -> Q + Send + Sync + 'static, push: F) -> Self {
        UndeltaStore { key: Box::new(key), objects: BTreeMap::new(), push }
    }

    /// Inserts or replaces an object.
    pub fn put(&mut self, object: T) {
        self.objects.insert((self.key)(&object), object);
        self.push();
    }

    /// Removes the object with a key. Calls the function even if there is none.
    pub fn remove(&mut self, key: &Q) {
        self.objects.remove(key);
        self.push();
    }

    /// Replaces all objects.
    pub fn replace(&mut self, objects: Vec<T>) {
        self.objects = objects.into_iter().map(|object| ((self.key)(&object), object)).collect();
        self.push();
    }

    /// The object with a key.
    pub fn get(&self, key: &Q) -> Option<&T> {
        self.objects.get(key)
    }

    /// All objects, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.objects.values()
    }

    fn push(&mut self) {
        (self.push)(self.objects.values().cloned().collect());
    }
}

impl<Q, T, F> fmt::Debug for UndeltaStore<Q, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UndeltaStore({} objects)", self.objects.len())
    }
}
