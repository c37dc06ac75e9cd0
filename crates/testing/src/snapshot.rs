//! [`Snapshot`], the objects of a server without that in which two runs may differ.

use std::collections::{BTreeMap, BTreeSet};

use klient_apimachinery::Unstructured;
use klient_apiserver::StoredObject;
use serde_json::Value;

use crate::identity::Identity;
use crate::known::{Known, Live};
use crate::normalize::Normalizer;
use crate::options::Options;

/// The objects of a server at a moment, without that in which two runs may differ: see [`Normalizer`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// The objects by the text of their identities. Those of the same identity have a number.
    objects: BTreeMap<String, Value>,
    /// The objects of an empty cluster that are as they were in it.
    unchanged: BTreeSet<String>,
    /// The number of objects that an identity stands for.
    counts: BTreeMap<Identity, usize>,
}

/// A difference between two snapshots.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) object: String,
    /// The JSON pointer of a field, which is empty for the object as a whole.
    pub(crate) path: String,
    /// The values in the play and in the reference run.
    pub(crate) values: [Option<Value>; 2],
}

/// The objects that count: none of excluded resources, and none that is older than a version.
pub(crate) fn counted<'a>(all: &'a [StoredObject], since: u64, options: &Options) -> Vec<&'a StoredObject> {
    all.iter().filter(|object| object.resource_version() > since && is_counted(object, options)).collect()
}

fn is_counted(object: &StoredObject, options: &Options) -> bool {
    let info = object.resource();
    !options.is_excluded(&info.group, &info.plural)
}

/// The parts of an empty cluster among all objects of a server.
pub(crate) struct Base {
    /// The version of the empty cluster.
    pub(crate) since: u64,
    /// True if the objects that are as in it are to be named.
    pub(crate) is_named: bool,
}

impl Snapshot {
    /// Takes a snapshot of those of all objects that have changed since the empty cluster, and makes them known.
    pub(crate) fn take(all: &[StoredObject], base: &Base, known: &mut Known, options: &Options) -> Snapshot {
        let is_unchanged = |object: &&StoredObject| {
            base.is_named && object.resource_version() <= base.since && is_counted(object, options)
        };
        let unchanged = all.iter().filter(is_unchanged).map(|object| Identity::of_plain(object).to_string());
        let unchanged = unchanged.collect();
        let stored = counted(all, base.since, options);
        let objects: Vec<(&StoredObject, Unstructured)> =
            stored.into_iter().map(|stored| (stored, stored.to_unstructured())).collect();
        known.learn(all, base.since);
        let live = Live::new(all);
        let normalizer = Normalizer { known, live: Some(&live), options };
        // Objects of the same identity are a multiset, in the order of their content.
        let mut by_identity: BTreeMap<Identity, Vec<Value>> = BTreeMap::new();
        for (stored, object) in &objects {
            let identity = known.identity(stored, object);
            let value = normalizer.object(&identity.resource, object);
            by_identity.entry(identity).or_default().push(value);
        }
        let (mut numbered, mut counts) = (BTreeMap::new(), BTreeMap::new());
        for (identity, mut values) in by_identity {
            values.sort_by_cached_key(Value::to_string);
            let is_generated = identity.name.contains('*');
            counts.insert(identity.clone(), values.len());
            for (index, value) in values.into_iter().enumerate() {
                let name = match index + 1 {
                    number if is_generated => format!("{identity}{number}"),
                    1 => identity.to_string(),
                    number => format!("{identity}#{number}"),
                };
                numbered.insert(name, value);
            }
        }
        Snapshot { objects: numbered, unchanged, counts }
    }

    /// Adds the state of a play outside of the cluster.
    pub(crate) fn add_world(&mut self, state: Value) {
        self.objects.insert(WORLD.to_owned(), state);
    }

    /// The number of objects that an identity stands for.
    pub(crate) fn count(&self, identity: &Identity) -> usize {
        self.counts.get(identity).copied().unwrap_or_default()
    }

    /// The differences of this snapshot of a play from one of the reference run. `empty` has the objects of an empty
    /// cluster.
    pub(crate) fn differences(&self, reference: &Snapshot, empty: &Snapshot) -> Vec<Difference> {
        let both = [self, reference];
        let names: BTreeSet<&String> =
            both.iter().flat_map(|snapshot| snapshot.objects.keys().chain(&snapshot.unchanged)).collect();
        let mut differences = Vec::new();
        for name in names {
            if both.iter().all(|snapshot| snapshot.unchanged.contains(name)) {
                continue;
            }
            let values = both.map(|snapshot| {
                let unchanged = || empty.objects.get(name).filter(|_| snapshot.unchanged.contains(name));
                snapshot.objects.get(name).or_else(unchanged)
            });
            compare(values, &mut String::new(), &mut |path, values| {
                let (object, path) = (name.clone(), path.to_owned());
                differences.push(Difference { object, path, values: values.map(|value| value.cloned()) });
            });
        }
        differences
    }
}

/// The name of the state of a play outside of the cluster among those of objects.
const WORLD: &str = "the world";

/// Calls `found` with the fields in which two values differ.
fn compare(
    values: [Option<&Value>; 2],
    path: &mut String,
    found: &mut impl FnMut(&str, [Option<&Value>; 2]),
) {
    let length = path.len();
    match values {
        [Some(Value::Object(play)), Some(Value::Object(reference))] => {
            let added = reference.keys().filter(|key| !play.contains_key(*key));
            for key in play.keys().chain(added) {
                path.push('/');
                path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                compare([play.get(key), reference.get(key)], path, found);
                path.truncate(length);
            }
        }
        [Some(Value::Array(play)), Some(Value::Array(reference))] => {
            for index in 0..play.len().max(reference.len()) {
                path.push_str(&format!("/{index}"));
                compare([play.get(index), reference.get(index)], path, found);
                path.truncate(length);
            }
        }
        [play, reference] if play == reference => {}
        values => found(path, values),
    }
}
