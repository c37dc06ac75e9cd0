//! [`Snapshot`], the objects of a server without that in which two runs may differ.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use klient_apimachinery::{Object as _, Time, Unstructured};
use klient_apiserver::{Local, StoredObject};
use serde_json::{Map, Value};

use crate::identity::{Identity, stable_name};
use crate::options::Options;

/// The objects of a server at a moment, without that in which two runs may differ: uids are replaced by the names of
/// their objects, generated names by their prefix, times by `TIME`, observed generations by `current` and `behind`.
/// Resource versions, generations and managed fields are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// The objects by the text of their identities. Generated names have a number.
    objects: BTreeMap<String, Value>,
    /// The objects of an empty cluster that are as they were in it.
    unchanged: BTreeSet<String>,
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

/// The names of objects that have been, by uid.
pub(crate) type Uids = HashMap<String, Identity>;

/// The stored objects that count: none of excluded resources, and none that is older than a version.
pub(crate) fn counted(local: &Local, since: u64, options: &Options) -> Vec<StoredObject> {
    let mut objects = local.objects();
    objects.retain(|object| object.resource_version() > since && is_counted(object, options));
    objects
}

fn is_counted(object: &StoredObject, options: &Options) -> bool {
    let info = object.resource();
    !options.is_excluded(&info.group, &info.plural)
}

impl Snapshot {
    /// Takes a snapshot of the objects that have changed since a version, and adds their uids to the known ones.
    pub(crate) fn take(local: &Local, since: u64, uids: &mut Uids, options: &Options) -> Snapshot {
        let (stored, unchanged): (Vec<_>, Vec<_>) = local
            .objects()
            .into_iter()
            .filter(|object| is_counted(object, options))
            .partition(|object| object.resource_version() > since);
        let live = stored.iter().chain(&unchanged).map(|object| object.uid().to_owned()).collect();
        let unchanged =
            unchanged.iter().map(|object| Identity::named(object, object.name()).to_string()).collect();
        let objects: Vec<(Identity, Unstructured)> = stored
            .iter()
            .map(|stored| {
                let object = stored.to_unstructured();
                (Identity::named(stored, &stable_name(&object)), object)
            })
            .collect();
        uids.extend(objects.iter().map(|(identity, object)| (object.uid().to_owned(), identity.clone())));
        let names = Names {
            uids,
            live,
            generated: objects
                .iter()
                .filter(|(identity, _)| identity.name.ends_with('*'))
                .map(|(_, object)| (object.name(), stable_name(object)))
                .collect(),
        };
        // Objects with generated names are a multiset, in the order of their content.
        let mut by_name: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (identity, object) in &objects {
            let mut value = names.normalize_object(object);
            for (resource, field) in &options.ignored_fields {
                if *resource == identity.resource {
                    remove(&mut value, field);
                }
            }
            by_name.entry(identity.to_string()).or_default().push(value);
        }
        let mut numbered = BTreeMap::new();
        for (name, mut values) in by_name {
            values.sort_by_cached_key(Value::to_string);
            let is_generated = name.ends_with('*');
            for (index, value) in values.into_iter().enumerate() {
                let name = if is_generated { format!("{name}{}", index + 1) } else { name.clone() };
                numbered.insert(name, value);
            }
        }
        Snapshot { objects: numbered, unchanged }
    }

    /// Returns true if there is an object of the name.
    pub(crate) fn contains(&self, identity: &Identity) -> bool {
        let name = identity.to_string();
        self.objects.keys().any(|other| *other == name || name.ends_with('*') && other.starts_with(&name))
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

/// Removes a field at a JSON pointer, in which `*` stands for every key and index.
fn remove(value: &mut Value, pointer: &str) {
    let Some((key, rest)) = pointer.strip_prefix('/').map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    match value {
        Value::Object(map) if rest.is_empty() => map.retain(|other, _| key != "*" && *other != key),
        Value::Object(map) => {
            map.iter_mut()
                .filter(|(other, _)| key == "*" || **other == key)
                .for_each(|(_, value)| remove(value, &rest));
        }
        Value::Array(values) => {
            let is_it = |index: usize| key == "*" || key.parse() == Ok(index);
            if rest.is_empty() {
                let mut index = 0;
                values.retain(|_| (!is_it(index), index += 1).0);
            } else {
                values
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, _)| is_it(*index))
                    .for_each(|(_, value)| remove(value, &rest));
            }
        }
        _ => {}
    }
}

/// The names that differ between runs, and their replacements.
struct Names<'a> {
    uids: &'a Uids,
    live: HashSet<String>,
    generated: HashMap<&'a str, String>,
}

/// The length of a uid.
const UID: usize = 36;

impl Names<'_> {
    fn normalize_object(&self, object: &Unstructured) -> Value {
        let mut map = object.0.clone();
        let generation = object["metadata"]["generation"].as_u64();
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            for field in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
                metadata.remove(field);
            }
        }
        self.normalize_map(&mut map, generation);
        Value::Object(map)
    }

    fn normalize_map(&self, map: &mut Map<String, Value>, generation: Option<u64>) {
        for (key, value) in map.iter_mut() {
            match (generation, value.as_u64()) {
                (Some(generation), Some(observed)) if key == "observedGeneration" => {
                    *value = if observed == generation { "current" } else { "behind" }.into();
                }
                _ => self.normalize(value, generation),
            }
        }
    }

    fn normalize(&self, value: &mut Value, generation: Option<u64>) {
        match value {
            Value::Object(map) => self.normalize_map(map, generation),
            Value::Array(values) => values.iter_mut().for_each(|value| self.normalize(value, generation)),
            Value::String(text) => {
                if let Some(replaced) = self.replaced(text) {
                    *text = replaced;
                }
            }
            _ => {}
        }
    }

    fn replaced(&self, text: &str) -> Option<String> {
        if let Some(name) = self.generated.get(text) {
            return Some(name.clone());
        }
        if text.len() >= 20 && text.as_bytes()[4] == b'-' && text.parse::<Time>().is_ok() {
            return Some("TIME".to_owned());
        }
        let mut rest = text;
        let mut replaced = String::new();
        while let Some((before, uid)) = find_uid(rest) {
            replaced.push_str(before);
            match self.uids.get(uid) {
                Some(identity) if self.live.contains(uid) => {
                    replaced.push_str(&format!("(uid of {identity})"))
                }
                Some(identity) => replaced.push_str(&format!("(uid of a former {identity})")),
                None => replaced.push_str(uid),
            }
            rest = &rest[before.len() + UID..];
        }
        (rest.len() < text.len()).then(|| replaced + rest)
    }
}

/// The first part of a text that looks like a uid, and the text before it.
fn find_uid(text: &str) -> Option<(&str, &str)> {
    let is_uid = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let at = text.as_bytes().windows(UID).position(is_uid)?;
    Some((&text[..at], &text[at..at + UID]))
}
