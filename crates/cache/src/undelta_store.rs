//! [`UndeltaStore`], which makes of changes the list of all there is.

use std::collections::BTreeMap;
use std::fmt;

/// Makes of changes the list of all there is, and hands that to a function at each change (client-go's
/// `UndeltaStore`): for what wants all of it at once, such as a program's configuration.
///
/// Each change is one call, in order; what it is called with is sorted by key.
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
    /// An empty store of objects which have keys, and a function that is handed all of them at each change.
    pub fn new(key: impl Fn(&T) -> Q + Send + Sync + 'static, push: F) -> Self {
        UndeltaStore { key: Box::new(key), objects: BTreeMap::new(), push }
    }

    /// Puts an object in place of that of the same key, if there is one.
    pub fn put(&mut self, object: T) {
        self.objects.insert((self.key)(&object), object);
        self.push();
    }

    /// Removes the object of a key. That is a change even if there is none.
    pub fn remove(&mut self, key: &Q) {
        self.objects.remove(key);
        self.push();
    }

    /// Puts objects in place of all there are.
    pub fn replace(&mut self, objects: Vec<T>) {
        self.objects = objects.into_iter().map(|object| ((self.key)(&object), object)).collect();
        self.push();
    }

    /// The object of a key.
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
