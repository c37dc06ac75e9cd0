//! Making strategic merge patches.

use serde_json::{Map, Value, json};

use super::order::same;
use super::{
    DELETE_FROM_PRIMITIVE_LIST, DIRECTIVE, Node, Purpose, RETAIN_KEYS, Result, SET_ELEMENT_ORDER, fail,
    merge_map,
};
use crate::schema::{Patch, Schema, Type};

/// The patch that brings `current` to `modified`, and removes what `modified` has dropped since `original`, but
/// leaves alone what others have added.
///
/// # Errors
///
/// If an item of a merged list does not have the list's key.
pub fn three_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
    schema: &'static Schema,
) -> Result<Map<String, Value>> {
    let node = Node(Some(Type::Message(schema)));
    let changes = diff_maps(current, modified, node, Only::Changes, false)?;
    let mut patch = diff_maps(original, modified, node, Only::Deletions, false)?;
    merge_map(&mut patch, changes, node, Purpose::Combine)?;
    Ok(patch)
}

/// Which half of a difference is wanted.
#[derive(Clone, Copy, PartialEq)]
enum Only {
    Changes,
    Deletions,
}

fn diff_maps(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    node: Node,
    only: Only,
    retain_keys: bool,
) -> Result<Map<String, Value>> {
    let mut patch = Map::new();
    for (key, new) in modified {
        let (child, strategy) = node.field(key);
        match (original.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new_map)) => {
                if child.is_replaced(strategy) {
                    if only == Only::Changes && old != new_map {
                        patch.insert(key.clone(), new.clone());
                    }
                    continue;
                }
                let inner = diff_maps(old, new_map, child, only, strategy.retain_keys)?;
                if !inner.is_empty() {
                    patch.insert(key.clone(), Value::Object(inner));
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) if strategy.merge => {
                diff_lists(&mut patch, key, old, new, child.item(), strategy, only)?;
            }
            (Some(old), new) if old == new => {}
            _ if only == Only::Changes => {
                patch.insert(key.clone(), new.clone());
            }
            _ => {}
        }
    }
    let dropped: Vec<&String> = original.keys().filter(|key| !modified.contains_key(*key)).collect();
    if only == Only::Deletions {
        patch.extend(dropped.iter().map(|key| ((*key).clone(), Value::Null)));
    }
    if retain_keys && !modified.is_empty() && (!patch.is_empty() || !dropped.is_empty()) {
        let keys = modified.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str().into());
        patch.insert(RETAIN_KEYS.to_owned(), Value::Array(keys.collect()));
    }
    Ok(patch)
}

fn diff_lists(
    patch: &mut Map<String, Value>,
    name: &str,
    original: &[Value],
    modified: &[Value],
    item: Node,
    strategy: Patch,
    only: Only,
) -> Result<()> {
    if original.is_empty() {
        if only == Only::Changes && !modified.is_empty() {
            patch.insert(name.to_owned(), Value::Array(modified.to_vec()));
        }
        return Ok(());
    }
    if !original.iter().chain(modified).any(Value::is_object) {
        return diff_sets(patch, name, original, modified, only);
    }
    let key = strategy.key;
    if key.is_empty() {
        return fail(format!("cannot merge list {name} without merge key"));
    }
    let name_of = |value: &Value| match value.get(key) {
        Some(name) => Ok(name.clone()),
        None => {
            fail(format!("map: {} does not contain declared merge key: {key}", crate::patch::GoValue(value)))
        }
    };
    let mut items = Vec::new();
    for new in modified {
        let identity = name_of(new)?;
        match (original.iter().find(|old| same(old, new, key)), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let mut inner = diff_maps(old, new, item, only, strategy.retain_keys)?;
                if !inner.is_empty() {
                    inner.insert(key.to_owned(), identity);
                    items.push(Value::Object(inner));
                }
            }
            _ if only == Only::Changes => items.push(new.clone()),
            _ => {}
        }
    }
    if only == Only::Deletions {
        for old in original.iter().filter(|old| !modified.iter().any(|new| same(old, new, key))) {
            items.push(json!({ DIRECTIVE: "delete", key: name_of(old)? }));
        }
    }
    let ordered_otherwise = only == Only::Changes && !same_order(original, modified, key);
    if !items.is_empty() || ordered_otherwise {
        let order: Result<Vec<Value>> =
            modified.iter().map(|new| Ok(json!({ key: name_of(new)? }))).collect();
        patch.insert(format!("{SET_ELEMENT_ORDER}{name}"), Value::Array(order?));
    }
    if !items.is_empty() {
        patch.insert(name.to_owned(), Value::Array(items));
    }
    Ok(())
}

fn diff_sets(
    patch: &mut Map<String, Value>,
    name: &str,
    original: &[Value],
    modified: &[Value],
    only: Only,
) -> Result<()> {
    let missing = |from: &[Value], among: &[Value]| -> Vec<Value> {
        from.iter().filter(|value| !among.contains(value)).cloned().collect()
    };
    let (added, removed) = match only {
        Only::Changes => (missing(modified, original), Vec::new()),
        Only::Deletions => (Vec::new(), missing(original, modified)),
    };
    if !removed.is_empty() || (only == Only::Changes && original != modified) {
        patch.insert(format!("{SET_ELEMENT_ORDER}{name}"), Value::Array(modified.to_vec()));
    }
    if !added.is_empty() {
        patch.insert(name.to_owned(), Value::Array(added));
    }
    if !removed.is_empty() {
        patch.insert(format!("{DELETE_FROM_PRIMITIVE_LIST}{name}"), Value::Array(removed));
    }
    Ok(())
}

/// Whether both lists name the same items in the same order.
fn same_order(original: &[Value], modified: &[Value], key: &str) -> bool {
    original.len() == modified.len() && original.iter().zip(modified).all(|(old, new)| same(old, new, key))
}
