//! [`Indexer`], and the indices of a store.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use foldhash::fast::RandomState;
use klient_apimachinery::codec::{FieldPath, Wire};
use klient_apimachinery::labels::{Operator, Requirement, Selector};
use klient_apimachinery::{Object, Str};

use crate::cached::Cached;
use crate::entry::Entry;
use crate::intern::LabelSet;

/// A function from an object to the values it is indexed by (client-go's `IndexFunc`).
///
/// ```
/// use klient_api::core::v1::Pod;
/// use klient_apimachinery::codec::FieldPath;
/// use klient_cache::{Cached, Indexer};
///
/// let by_phase = Indexer::new(|pod: &Cached<Pod>| pod.status.phase.clone());
/// // These decode nothing.
/// let by_app = Indexer::<Pod>::label("app");
/// let by_node = Indexer::<Pod>::field(FieldPath::of("spec.nodeName")?);
/// # let _ = (by_node, by_app, by_phase);
/// # Ok::<(), klient_apimachinery::codec::InvalidPath>(())
/// ```
pub struct Indexer<K>(Arc<Values<K>>);

type Values<K> = dyn Fn(&Cached<K>, &mut dyn FnMut(&str)) + Send + Sync;

impl<K> Indexer<K> {
    /// Indexes by the values that a function returns: none, one or many. Reading the object's metadata costs
    /// nothing; reading other fields decodes the object.
    ///
    /// If the function panics, the panic is logged and the object is not in the index.
    pub fn new<I>(values: impl Fn(&Cached<K>) -> I + Send + Sync + 'static) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Indexer(Arc::new(move |object, take| {
            values(object).into_iter().for_each(|value| take(value.as_ref()))
        }))
    }

    /// Indexes by the value of a label.
    pub fn label(key: impl Into<Str>) -> Self {
        let key = key.into();
        Indexer(Arc::new(move |object, take| object.labels().get(&key).into_iter().for_each(take)))
    }

    /// Indexes by the value of a field, such as `spec.nodeName`, read without decoding the object. Objects
    /// without the field are not in the index.
    pub fn field(path: FieldPath<K>) -> Self
    where
        K: Wire,
    {
        Indexer(Arc::new(move |object, take| object.text_at(&path).iter().for_each(|text| take(text))))
    }

    /// Indexes by the uids of all owners.
    pub fn owner_uid() -> Self {
        Indexer(Arc::new(|object, take| object.owners().iter().for_each(|owner| take(&owner.uid))))
    }

    /// The index values of an object, sorted and without duplicates.
    pub(crate) fn values(&self, name: &str, entry: &Arc<Entry<K>>) -> IndexValues
    where
        K: Object,
    {
        let object = Cached::new(entry.clone());
        let mut found = Vec::new();
        let result =
            catch_unwind(AssertUnwindSafe(|| (self.0)(&object, &mut |value| found.push(value.into()))));
        if result.is_err() {
            tracing::error!(index = name, object = %object.key(), "the indexer panicked; the object is not indexed");
            found.clear();
        }
        found.sort_unstable();
        found.dedup();
        found.into()
    }
}

impl<K> Clone for Indexer<K> {
    fn clone(&self) -> Self {
        Indexer(self.0.clone())
    }
}

impl<K> std::fmt::Debug for Indexer<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Indexer")
    }
}

/// The values by which one object is indexed.
pub(crate) type IndexValues = Box<[Arc<str>]>;

/// The slots of objects that share an index value.
pub(crate) type SlotSet = BTreeSet<u32>;

/// A named index.
pub(crate) struct Index<K> {
    pub(crate) name: Arc<str>,
    pub(crate) indexer: Indexer<K>,
    slots: HashMap<Arc<str>, SlotSet, RandomState>,
    /// The values of the object in each slot, so that a removal need not compute them.
    found: Vec<IndexValues>,
}

impl<K> Index<K> {
    pub(crate) fn new(name: Arc<str>, indexer: Indexer<K>) -> Self {
        Index { name, indexer, slots: HashMap::default(), found: Vec::new() }
    }

    pub(crate) fn put(&mut self, slot: u32, mut found: IndexValues) {
        self.remove(slot);
        for value in &mut found {
            match self.slots.get_key_value(value) {
                // Values are interned in the keys of the map.
                Some((known, _)) => *value = known.clone(),
                None => {
                    self.slots.insert(value.clone(), SlotSet::new());
                }
            }
            self.slots.get_mut(value).expect("it was found or put there above").insert(slot);
        }
        let at = slot as usize;
        if self.found.len() <= at {
            self.found.resize_with(at + 1, Default::default);
        }
        self.found[at] = found;
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(found) = self.found.get_mut(slot as usize) else { return };
        for value in std::mem::take(found) {
            remove_slot(&mut self.slots, &value, slot);
        }
    }

    pub(crate) fn slots(&self, value: &str) -> Option<&SlotSet> {
        self.slots.get(value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Arc<str>> {
        self.slots.keys()
    }
}

fn remove_slot<T, Q>(slots: &mut HashMap<T, SlotSet, RandomState>, value: &Q, slot: u32)
where
    T: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: ?Sized + Eq + std::hash::Hash,
{
    if let Some(set) = slots.get_mut(value) {
        set.remove(&slot);
        if set.is_empty() {
            slots.remove(value);
        }
    }
}

/// The built-in index by namespace.
#[derive(Default)]
pub(crate) struct NamespaceIndex(HashMap<Arc<Str>, SlotSet, RandomState>);

impl NamespaceIndex {
    pub(crate) fn put(&mut self, slot: u32, namespace: &Arc<Str>) {
        self.0.entry(namespace.clone()).or_default().insert(slot);
    }

    pub(crate) fn remove(&mut self, slot: u32, namespace: &Arc<Str>) {
        remove_slot(&mut self.0, namespace, slot);
    }

    pub(crate) fn slots(&self, namespace: &str) -> Option<&SlotSet> {
        self.0.get(&Str::from(namespace))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| name.as_str())
    }
}

/// The built-in index by labels. Objects with equal labels share one set, so that a selector is matched once
/// per set, and only against sets that have a label it requires.
#[derive(Default)]
pub(crate) struct LabelIndex {
    sets: HashMap<LabelSetAddress, (Arc<LabelSet>, SlotSet), RandomState>,
    /// The sets that contain a label, by the hash of its key and value.
    by_label: HashMap<u64, Vec<LabelSetAddress>, RandomState>,
}

/// The address of an interned set, which identifies it.
type LabelSetAddress = usize;

impl LabelIndex {
    pub(crate) fn put(&mut self, slot: u32, set: &Arc<LabelSet>) {
        let address = Arc::as_ptr(set) as LabelSetAddress;
        let (_, slots) = self.sets.entry(address).or_insert_with(|| {
            for label in set.iter() {
                self.by_label.entry(hash(label)).or_default().push(address);
            }
            (set.clone(), SlotSet::new())
        });
        slots.insert(slot);
    }

    pub(crate) fn remove(&mut self, slot: u32, set: &Arc<LabelSet>) {
        let address = Arc::as_ptr(set) as LabelSetAddress;
        let Some((_, slots)) = self.sets.get_mut(&address) else { return };
        slots.remove(&slot);
        if !slots.is_empty() {
            return;
        }
        self.sets.remove(&address);
        for label in set.iter() {
            let hash = hash(label);
            if let Some(by_label) = self.by_label.get_mut(&hash) {
                by_label.retain(|other| *other != address);
                if by_label.is_empty() {
                    self.by_label.remove(&hash);
                }
            }
        }
    }

    /// Passes the slots of all objects that match to `take`.
    pub(crate) fn select(&self, selector: &Selector, mut take: impl FnMut(&SlotSet)) {
        let named =
            |requirement: &&Requirement| matches!(requirement.operator(), Operator::Equals | Operator::In);
        let matches = |set: &LabelSet| selector.matches(|key| set.get(key));
        let Some(requirement) = selector.requirements().iter().find(named) else {
            return self.sets.values().filter(|(set, _)| matches(set)).for_each(|(_, slots)| take(slots));
        };
        for value in requirement.values() {
            let label = (requirement.key(), value.as_str());
            for address in self.by_label.get(&hash(label)).into_iter().flatten() {
                let Some((set, slots)) = self.sets.get(address) else { continue };
                // Hashes may collide.
                if set.get(label.0) == Some(label.1) && matches(set) {
                    take(slots);
                }
            }
        }
    }
}

fn hash(label: (&str, &str)) -> u64 {
    foldhash::fast::FixedState::default().hash_one(label)
}
