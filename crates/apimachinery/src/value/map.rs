//! [`Map`], the map of API objects.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

use crate::Str;

/// A map with string keys, for labels, annotations and data.
///
/// Entries are sorted by key, the order in which Kubernetes writes them. Most maps of the API have a handful of
/// entries; a sorted vector takes a fraction of a tree's memory.
///
/// ```
/// use klient_apimachinery::{Map, Str};
/// let labels: Map<Str> = [("app", "web"), ("tier", "front")].into();
/// assert_eq!(labels["app"], "web");
/// assert_eq!(labels.get("zone"), None);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Map<V>(Vec<(Str, V)>);

impl<V> Map<V> {
    /// An empty map.
    pub const fn new() -> Self {
        Map(Vec::new())
    }

    /// Reserves capacity for exactly so many more entries.
    pub fn reserve(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }

    /// Gives unused capacity back.
    pub fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// The value of a key, for writing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    /// Returns true if the map has the key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Inserts a value and returns the previous one of the key.
    pub fn insert(&mut self, key: impl Into<Str>, value: V) -> Option<V> {
        let key = key.into();
        match self.slot(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// The value of a key, inserted with `default` if there is none.
    pub fn get_or_insert_with(&mut self, key: impl Into<Str>, default: impl FnOnce() -> V) -> &mut V {
        let key = key.into();
        let at = self.slot(&key).unwrap_or_else(|at| {
            self.0.insert(at, (key, default()));
            at
        });
        &mut self.0[at].1
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps only the entries for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Entries in the order of keys.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter(self.0.iter())
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Values in the order of keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn entry_at(&self, index: usize) -> Option<(&str, &V)> {
        self.0.get(index).map(|(key, value)| (key.as_str(), value))
    }

    /// Appends an entry without regard to the order of keys. [`settle`](Map::settle) must follow.
    pub(crate) fn append(&mut self, key: Str, value: V) -> &mut V {
        let at = self.0.len();
        self.0.push((key, value));
        &mut self.0[at].1
    }

    /// Sorts appended entries by key. Of entries with the same key the last one is kept.
    ///
    /// Inserting unsorted keys one by one takes quadratic time, this does not.
    pub(crate) fn settle(&mut self) {
        if self.0.is_sorted_by(|(key, _), (next, _)| key < next) {
            return;
        }
        self.0.sort_by(|(key, _), (next, _)| key.cmp(next));
        self.0.dedup_by(|(next, value), (key, kept)| {
            let same = next == key;
            if same {
                std::mem::swap(value, kept);
            }
            same
        });
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(key))
    }

    /// The position of a key, or the position to insert it at. Looks behind the last entry first, as keys often come
    /// sorted.
    fn slot(&self, key: &str) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if last.as_str() >= key => self.find(key),
            _ => Err(self.0.len()),
        }
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Map::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V> Index<&str> for Map<V> {
    type Output = V;

    /// # Panics
    ///
    /// If there is no such key; [`get`](Map::get) does not panic.
    fn index(&self, key: &str) -> &V {
        self.get(key).unwrap_or_else(|| panic!("no key {key:?} in the map"))
    }
}

impl<K: Into<Str>, U, V: From<U>> FromIterator<(K, U)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (K, U)>>(entries: I) -> Self {
        let mut map = Map::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<Str>, U, V: From<U>> Extend<(K, U)> for Map<V> {
    fn extend<I: IntoIterator<Item = (K, U)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
        self.settle();
    }
}

impl<K: Into<Str>, U, V: From<U>, const N: usize> From<[(K, U); N]> for Map<V> {
    fn from(entries: [(K, U); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Into<Str>, U, V: From<U>> From<BTreeMap<K, U>> for Map<V> {
    fn from(entries: BTreeMap<K, U>) -> Self {
        entries.into_iter().collect()
    }
}

/// Entries of a [`Map`], in the order of keys.
#[derive(Clone, Debug)]
pub struct Iter<'a, V>(std::slice::Iter<'a, (Str, V)>);

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a str, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<V> ExactSizeIterator for Iter<'_, V> {}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = (&'a str, &'a V);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Iter<'a, V> {
        self.iter()
    }
}

impl<V> IntoIterator for Map<V> {
    type Item = (Str, V);
    type IntoIter = std::vec::IntoIter<(Str, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<V: serde::Serialize> serde::Serialize for Map<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, V: serde::Deserialize<'de>> serde::Deserialize<'de> for Map<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(std::marker::PhantomData<V>);
        impl<'de, V: serde::Deserialize<'de>> serde::de::Visitor<'de> for Visitor<V> {
            type Value = Map<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Map<V>, A::Error> {
                let mut map = Map::new();
                while let Some((key, value)) = access.next_entry::<Str, V>()? {
                    map.append(key, value);
                }
                map.settle();
                Ok(map)
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

#[test]
fn entries_may_come_in_any_order_and_the_last_of_one_key_counts() {
    let map: Map<Str> = [("b", "1"), ("a", "2"), ("b", "3"), ("c", "4"), ("a", "5"), ("b", "6")].into();
    assert_eq!(
        map.iter().map(|(key, value)| format!("{key}{value}")).collect::<Vec<_>>(),
        ["a5", "b6", "c4"]
    );
    let read: Map<Str> = serde_json::from_str(r#"{"b": "1", "a": "2", "b": "3"}"#).unwrap();
    assert_eq!(read, [("a", "2"), ("b", "3")].into());
}
