//! [`Interner`]: one copy of each namespace, label, label set and owner list.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use klient_apimachinery::Str;
use klient_apimachinery::codec::{EncodedMeta, EncodedOwner};

/// The labels of one or many objects, sorted by key.
#[derive(PartialEq, Eq, Hash)]
pub struct LabelSet(Box<[Arc<Label>]>);

#[derive(PartialEq, Eq, Hash)]
struct Label {
    key: Str,
    value: Str,
}

impl LabelSet {
    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|label| label.key.as_str().cmp(key)).ok()?;
        Some(&self.0[found].value)
    }

    /// Keys and values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|label| (label.key.as_str(), label.value.as_str()))
    }

    /// Returns true if there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if these sorted labels are equal to the set.
    fn is(&self, labels: &[(Cow<'_, str>, Cow<'_, str>)]) -> bool {
        self.iter().eq(labels.iter().map(|(key, value)| (&**key, &**value)))
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// An owner of an object, from `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Owner {
    /// The owner's `apiVersion`.
    pub api_version: Str,
    /// The owner's kind.
    pub kind: Str,
    /// The owner's name. The owner is in the object's namespace, or cluster-scoped.
    pub name: Str,
    /// The owner's uid.
    pub uid: Str,
    /// `true` for the managing controller, of which an object has at most one.
    pub controller: bool,
}

/// The owners of one or many objects.
pub(crate) type Owners = Box<[Owner]>;

/// Pools of interned values.
#[derive(Default)]
pub(crate) struct Interner {
    hasher: RandomState,
    namespaces: Pool<Str>,
    labels: Pool<Label>,
    sets: Pool<LabelSet>,
    owners: Pool<Owners>,
}

impl Interner {
    pub(crate) fn namespace(&mut self, name: &str) -> Arc<Str> {
        self.namespaces.get(self.hasher.hash_one(name), |other| other == name, || name.into())
    }

    pub(crate) fn labels(&mut self, meta: &EncodedMeta<'_>) -> Arc<LabelSet> {
        // API servers send labels sorted.
        if meta.labels.is_sorted_by_key(|(key, _)| key) {
            return self.sorted_labels(&meta.labels);
        }
        let mut labels = meta.labels.clone();
        labels.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.sorted_labels(&labels)
    }

    fn sorted_labels(&mut self, labels: &[(Cow<'_, str>, Cow<'_, str>)]) -> Arc<LabelSet> {
        let Interner { hasher, labels: pool, .. } = self;
        let make = |(key, value): &(Cow<'_, str>, Cow<'_, str>)| {
            let is = |label: &Label| label.key == **key && label.value == **value;
            let label = || Label { key: key.as_ref().into(), value: value.as_ref().into() };
            pool.get(hasher.hash_one((&**key, &**value)), is, label)
        };
        let hash = hasher.hash_one(labels);
        self.sets.get(hash, |set| set.is(labels), || LabelSet(labels.iter().map(make).collect()))
    }

    pub(crate) fn owners(&mut self, meta: &EncodedMeta<'_>) -> Option<Arc<Owners>> {
        if meta.owners.is_empty() {
            return None;
        }
        let mut hash = self.hasher.build_hasher();
        meta.owners.iter().for_each(|owner| owner.uid.hash(&mut hash));
        Some(self.owners.get(
            std::hash::Hasher::finish(&hash),
            |owners| owners.len() == meta.owners.len() && owners.iter().zip(&meta.owners).all(is_same),
            || meta.owners.iter().map(owner).collect(),
        ))
    }
}

fn is_same((one, other): (&Owner, &EncodedOwner<'_>)) -> bool {
    one.uid == *other.uid
        && one.name == *other.name
        && one.kind == *other.kind
        && one.api_version == *other.api_version
        && one.controller == other.controller
}

fn owner(owner: &EncodedOwner<'_>) -> Owner {
    Owner {
        api_version: owner.api_version.as_ref().into(),
        kind: owner.kind.as_ref().into(),
        name: owner.name.as_ref().into(),
        uid: owner.uid.as_ref().into(),
        controller: owner.controller,
    }
}

/// A set of shared values. Values that are used nowhere else are removed from time to time.
struct Pool<T> {
    table: HashTable<(u64, Arc<T>)>,
    /// The number of insertions until unused values are removed.
    inserts_before_sweep: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { table: HashTable::new(), inserts_before_sweep: MIN_INSERTS_BEFORE_SWEEP }
    }
}

const MIN_INSERTS_BEFORE_SWEEP: usize = 1024;

impl<T> Pool<T> {
    fn get(&mut self, hash: u64, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some((_, found)) = self.table.find(hash, |(_, value)| is(value)) {
            return found.clone();
        }
        if self.inserts_before_sweep == 0 {
            self.table.retain(|(_, value)| Arc::strong_count(value) > 1);
            self.table.shrink_to_fit(|(hash, _)| *hash);
            // Makes the cost of removal constant per insertion.
            self.inserts_before_sweep = self.table.len().max(MIN_INSERTS_BEFORE_SWEEP);
        }
        self.inserts_before_sweep -= 1;
        let value = Arc::new(make());
        self.table.insert_unique(hash, (hash, value.clone()), |(hash, _)| *hash);
        value
    }
}
