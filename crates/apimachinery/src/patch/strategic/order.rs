//! The order of merged lists: the patch's items in the patch's order, the existing items near their neighbours.

use std::collections::HashMap;

use serde_json::Value;

use super::map::wrong_type;
use super::{DIRECTIVE, Result, fail};
use crate::go::{GoValue, type_name};

/// The type of the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elements {
    Objects,
    Plain,
}

impl Elements {
    /// The type of the items of lists that are to be merged, which must be the same for all.
    pub(super) fn of(lists: &[&[Value]]) -> Result<Elements> {
        let mut items = lists.iter().copied().flatten();
        let first = match items.next() {
            None => return fail("no elements in any of the given slices"),
            Some(Value::Array(_)) => return fail("lists of lists are not supported"),
            Some(first) => first,
        };
        if first.is_null() || !items.all(|item| type_name(item) == type_name(first)) {
            let lists: Vec<String> =
                lists.iter().map(|list| GoValue(&list.to_vec().into()).to_string()).collect();
            return fail(format!("list element types are not identical: [{}]", lists.join(" ")));
        }
        Ok(if first.is_object() { Elements::Objects } else { Elements::Plain })
    }
}

/// A canonical string of a value, the same for equal values only.
pub(super) fn identity(value: &Value) -> String {
    value.to_string()
}

/// The key of an item of a merged list.
pub(super) fn keyed<'v>(item: &'v Value, key: &str) -> Result<&'v Value> {
    let Value::Object(entries) = item else { return wrong_type("map[string]interface {}", item) };
    match entries.get(key) {
        Some(value) => Ok(value),
        None => fail(format!("map: {} does not contain declared merge key: {key}", GoValue(item))),
    }
}

pub(super) fn is_deletion(item: &Value) -> bool {
    item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete")
}

/// Checks that the items of a patch have the order of its `$setElementOrder`.
pub(super) fn check(patch: &[Value], order: &[Value], key: &str) -> Result<()> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let keeps = |item: &&Value| key.is_empty() || !is_deletion(item);
    if let (false, Some(plain)) = (key.is_empty(), patch.iter().find(|item| !item.is_object())) {
        return wrong_type("map[string]interface {}", plain);
    }
    let mut rest = order.iter().peekable();
    let mut items = patch.iter().filter(keeps).peekable();
    while let (Some(item), Some(other)) = (items.peek(), rest.peek()) {
        if item.get(DIRECTIVE).is_some() {
            items.next();
            continue;
        }
        if same(item, other, key)? {
            items.next();
        }
        rest.next();
    }
    if items.next().is_none() {
        return Ok(());
    }
    fail(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        GoValue(&patch.to_vec().into()),
        GoValue(&order.to_vec().into())
    ))
}

pub(super) fn same(a: &Value, b: &Value, key: &str) -> Result<bool> {
    if key.is_empty() { Ok(a == b) } else { Ok(keyed(a, key)? == keyed(b, key)?) }
}

/// Splits a list into items that are in `among`, and others.
pub(super) fn split(list: Vec<Value>, among: &[Value], key: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let places = Places::of(among, key);
    if !key.is_empty() {
        let plain = among.iter().position(|item| !item.is_object()).unwrap_or(usize::MAX);
        for item in &list {
            keyed(item, key)?;
            if places.place(item).unwrap_or(among.len()) > plain {
                return fail(format!("value for key {plain} is not a map"));
            }
        }
    }
    Ok(list.into_iter().partition(|item| places.place(item).is_some()))
}

/// Joins the patch's items and the existing ones: the former in `order`, the latter in their order in `live`, each
/// before the first of the former that is behind it there.
pub(super) fn arrange(
    known: Vec<Value>,
    others: Vec<Value>,
    order: &[Value],
    live: &[Value],
    key: &str,
    kind: Elements,
) -> Result<Vec<Value>> {
    let known = sort(known, order, key, kind)?;
    let others = sort(others, live, key, kind)?;
    let places = Places::of_kind(live, key, kind);
    let mut arranged = Vec::with_capacity(known.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in known {
        let behind = places.place(&item);
        while let Some(other) =
            others.next_if(|other| matches!((places.place(other), behind), (Some(a), Some(b)) if a < b))
        {
            arranged.push(other);
        }
        arranged.push(item);
    }
    arranged.extend(others);
    Ok(arranged)
}

/// Sorts items by their place in `order`, deleting ones last.
pub(super) fn sort(mut list: Vec<Value>, order: &[Value], key: &str, kind: Elements) -> Result<Vec<Value>> {
    let mut deletions = Vec::new();
    if kind == Elements::Objects {
        for item in list.iter().chain(order) {
            keyed(item, key)?;
        }
        deletions = list.extract_if(.., |item| is_deletion(item)).collect();
    }
    let places = Places::of_kind(order, key, kind);
    let mut placed: Vec<_> = list.into_iter().map(|item| (places.place(&item), item)).collect();
    if placed.iter().all(|(place, _)| place.is_some()) {
        placed.sort_by_key(|(place, _)| *place);
    } else {
        placed = insertion_sorted(placed);
    }
    Ok(placed.into_iter().map(|(_, item)| item).chain(deletions).collect())
}

/// Sorts items of which some have no place.
///
/// Kubernetes compares such an item as less than any other, and any other as less than it. The result depends on Go's
/// sort: insertion sort for up to 20 items, so that an item moves ahead of all that are not before it.
fn insertion_sorted(list: Vec<(Option<usize>, Value)>) -> Vec<(Option<usize>, Value)> {
    const MOST: usize = 20;
    if list.len() > MOST {
        let (placed, others): (Vec<_>, Vec<_>) = list.into_iter().partition(|(place, _)| place.is_some());
        let mut placed = placed;
        placed.sort_by_key(|(place, _)| *place);
        return others.into_iter().rev().chain(placed).collect();
    }
    let mut sorted: Vec<(Option<usize>, Value)> = Vec::with_capacity(list.len());
    for item in list {
        let is_before =
            |other: &(Option<usize>, Value)| matches!((other.0, item.0), (Some(a), Some(b)) if a <= b);
        let at = sorted.iter().rposition(is_before).map_or(0, |at| at + 1);
        sorted.insert(at, item);
    }
    sorted
}

/// The positions of values in a list.
struct Places<'k> {
    places: HashMap<String, usize>,
    key: &'k str,
}

impl<'k> Places<'k> {
    fn of(list: &[Value], key: &'k str) -> Self {
        let mut places = HashMap::with_capacity(list.len());
        for (place, item) in list.iter().enumerate() {
            if let Some(name) = name(item, key) {
                places.entry(name).or_insert(place);
            }
        }
        Places { places, key }
    }

    /// Scalars are their own keys.
    fn of_kind(list: &[Value], key: &'k str, kind: Elements) -> Self {
        Places::of(list, if kind == Elements::Objects { key } else { "" })
    }

    fn place(&self, item: &Value) -> Option<usize> {
        self.places.get(&name(item, self.key)?).copied()
    }
}

fn name(item: &Value, key: &str) -> Option<String> {
    if key.is_empty() { Some(identity(item)) } else { item.get(key).map(identity) }
}
