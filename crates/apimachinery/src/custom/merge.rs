//! Unknown fields: received fields that a type does not know, merged into the written object.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use serde_json::{Map, Value};

/// Fields by which items of a list are matched.
const IDENTITY: [&str; 4] = ["name", "key", "id", "type"];

/// Adds to `written` the fields of `received` that are not in `known`, the received object as its type writes it.
pub(super) fn keep_unknown_fields(
    received: &Map<String, Value>,
    known: &Map<String, Value>,
    written: &mut Map<String, Value>,
) {
    for (name, received) in received {
        match (known.get(name), written.get_mut(name)) {
            (None, None) => {
                written.insert(name.clone(), received.clone());
            }
            (Some(known), Some(written)) => keep_unknown(received, known, written),
            // It was removed, or set by the program.
            _ => {}
        }
    }
}

fn keep_unknown(received: &Value, known: &Value, written: &mut Value) {
    match (received, known, written) {
        (Value::Object(received), Value::Object(known), Value::Object(written)) => {
            keep_unknown_fields(received, known, written);
        }
        (Value::Array(received), Value::Array(known), Value::Array(written))
            if received.len() == known.len() =>
        {
            for (item, origin) in origins(known, written).into_iter().enumerate() {
                if let Some(origin) = origin {
                    keep_unknown(&received[origin], &known[origin], &mut written[item]);
                }
            }
        }
        _ => {}
    }
}

/// The index of the known item that each written item was.
fn origins(known: &[Value], written: &[Value]) -> Vec<Option<usize>> {
    let mut matching = Matching { origins: vec![None; written.len()], taken: vec![false; known.len()] };
    matching.at_same_index(|at| known[at] == written[at]);
    matching.by_key(known.iter().map(Some), written.iter().map(Some));
    matching.by_key(known.iter().map(identity), written.iter().map(identity));
    if known.len() == written.len() {
        matching.at_same_index(|at| identity(&known[at]).is_none() && identity(&written[at]).is_none());
    }
    matching.origins
}

/// Pairs of known and written items.
struct Matching {
    origins: Vec<Option<usize>>,
    /// The known items that have a match.
    taken: Vec<bool>,
}

impl Matching {
    fn pair(&mut self, known: usize, written: usize) {
        self.origins[written] = Some(known);
        self.taken[known] = true;
    }

    fn at_same_index(&mut self, is_same: impl Fn(usize) -> bool) {
        for at in 0..self.taken.len().min(self.origins.len()) {
            if !self.taken[at] && self.origins[at].is_none() && is_same(at) {
                self.pair(at, at);
            }
        }
    }

    /// Pairs items with the same key, in order. Those without a key are left.
    fn by_key<K: Hash + Eq>(
        &mut self,
        known: impl Iterator<Item = Option<K>>,
        written: impl Iterator<Item = Option<K>>,
    ) {
        let mut free: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, key) in known.enumerate().filter(|(at, _)| !self.taken[*at]) {
            if let Some(key) = key {
                free.entry(key).or_default().push_back(at);
            }
        }
        for (at, key) in written.enumerate() {
            if self.origins[at].is_none()
                && let Some(known) = key.and_then(|key| free.get_mut(&key)?.pop_front())
            {
                self.pair(known, at);
            }
        }
    }
}

/// The fields by which an item is matched, if it has any.
fn identity(item: &Value) -> Option<[Option<&Value>; 4]> {
    let identity = IDENTITY.map(|field| item.get(field));
    identity.iter().any(Option::is_some).then_some(identity)
}
