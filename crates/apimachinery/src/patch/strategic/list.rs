//! Merges a patch into a list.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::map::{self, Purpose};
use super::node::Node;
use super::order::{self, Elements, identity, keyed};
use super::{DIRECTIVE, Result, fail};

/// A list with a patch merged into it.
pub(super) struct Merged {
    pub(super) items: Vec<Value>,
    /// The keys of the existing items that are left, in order, by which `$setElementOrder` places items that it does
    /// not name. Behind them are as many new items as old ones were deleted, since Kubernetes puts those in their
    /// places before it looks.
    pub(super) order: Vec<Value>,
}

/// Merges a list by key, or as a set of scalars. With `deleting`, scalars of the patch are removed.
pub(super) fn merge(
    list: Vec<Value>,
    patch: Vec<Value>,
    item: Node,
    key: &str,
    deleting: bool,
    purpose: Purpose,
) -> Result<Merged> {
    if list.is_empty() && patch.is_empty() {
        return Ok(Merged { items: list, order: Vec::new() });
    }
    match Elements::of(&[&list, &patch])? {
        Elements::Plain if deleting => {
            let gone: HashSet<String> = patch.iter().map(identity).collect();
            let items = list.into_iter().filter(|value| !gone.contains(&identity(value))).collect();
            Ok(Merged { items, order: Vec::new() })
        }
        Elements::Plain => {
            let mut seen = HashSet::new();
            let both = list.iter().chain(&patch);
            let merged = both.filter(|value| seen.insert(identity(value))).cloned().collect();
            let (known, others) = order::split(merged, &patch, key)?;
            let items = order::arrange(known, others, &patch, &list, key, Elements::Plain)?;
            Ok(Merged { items, order: list })
        }
        Elements::Objects if key.is_empty() => {
            fail(format!("cannot merge lists without merge key for {}", item.kind()))
        }
        Elements::Objects => merge_objects(list, patch, item, key, purpose),
    }
}

fn merge_objects(
    list: Vec<Value>,
    patch: Vec<Value>,
    item: Node,
    key: &str,
    purpose: Purpose,
) -> Result<Merged> {
    let before = list.len();
    let Directed { list, patch, replaces } = carry_out_directives(list, patch, key)?;
    let deleted = before - list.len();
    let mut order = keys(&list, key);
    let (list, patch) = if replaces { (patch, Vec::new()) } else { (list, patch) };
    let live = keys(&list, key);
    let merged = merge_items(list, &patch, item, key, purpose)?;
    let new = merged.iter().skip(live.len()).take(deleted);
    order.extend(new.map(|item| json!({ key: item[key] })));
    let (known, others) = order::split(merged, &patch, key)?;
    let items = order::arrange(known, others, &patch, &live, key, Elements::Objects)?;
    Ok(Merged { items, order })
}

/// The keys of items.
fn keys(list: &[Value], key: &str) -> Vec<Value> {
    list.iter().map(|item| item.get(key).map_or(Value::Null, |name| json!({ key: name }))).collect()
}

/// The result of the directives in items.
struct Directed {
    /// The existing items that are not deleted.
    list: Vec<Value>,
    /// The patch's items without directives.
    patch: Vec<Value>,
    /// True if the patch's items replace all existing ones.
    replaces: bool,
}

fn carry_out_directives(mut list: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<Directed> {
    let mut rest = Vec::with_capacity(patch.len());
    let mut replaces = false;
    let mut gone = HashSet::new();
    for value in patch {
        match value.get(DIRECTIVE) {
            None => rest.push(value),
            Some(Value::String(directive)) if directive == "delete" => {
                gone.insert(identity(keyed(&value, key)?));
            }
            Some(Value::String(directive)) if directive == "replace" => replaces = true,
            Some(Value::String(directive)) if directive == "merge" => {
                return fail("merging lists cannot yet be specified in the patch");
            }
            Some(_) => match value {
                Value::Object(item) => return map::unknown_directive(item),
                _ => unreachable!("it has a field"),
            },
        }
    }
    if !gone.is_empty() {
        list.retain(|value| value.get(key).is_none_or(|name| !gone.contains(&identity(name))));
    }
    Ok(Directed { list, patch: rest, replaces })
}

/// Merges the patch's items into those of the list; new ones are appended.
fn merge_items(
    mut list: Vec<Value>,
    patch: &[Value],
    item: Node,
    key: &str,
    purpose: Purpose,
) -> Result<Vec<Value>> {
    let mut places = HashMap::new();
    for (place, value) in list.iter().enumerate() {
        if let Some(name) = value.get(key) {
            places.entry(identity(name)).or_insert(place);
        }
    }
    for value in patch {
        let name = identity(keyed(value, key)?);
        match (places.get(&name), value) {
            (Some(place), Value::Object(new)) => {
                if let Value::Object(old) = &mut list[*place] {
                    map::merge(old, new.clone(), item, purpose)?;
                }
            }
            _ => {
                places.insert(name, list.len());
                list.push(value.clone());
            }
        }
    }
    Ok(list)
}
