//! Detection of conflicts between two patches of the same object.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::node::Node;
use super::order::{Elements, identity};
use super::{DIRECTIVE, Object, RETAIN_KEYS, Result, fail};
use crate::go::GoValue;
use crate::schema::Patch;

/// Returns true if both change a field, to different values.
pub(super) fn between(ours: &Object, theirs: &Object, node: Node) -> Result<bool> {
    if ours.get(DIRECTIVE) != theirs.get(DIRECTIVE) {
        return Ok(true);
    }
    for (key, ours) in ours.iter().filter(|(key, _)| *key != DIRECTIVE && *key != RETAIN_KEYS) {
        let Some(theirs) = theirs.get(key) else { continue };
        let (child, strategy) = match ours {
            Value::Array(_) => node.list(key)?,
            Value::Object(_) => node.object(key)?,
            _ => (node, Patch::REPLACE),
        };
        if of_values(ours, theirs, child, strategy)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_values(ours: &Value, theirs: &Value, node: Node, strategy: Patch) -> Result<bool> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) if strategy.replace_struct => {
            Ok(ours.get(DIRECTIVE) != theirs.get(DIRECTIVE))
        }
        (Value::Object(ours), Value::Object(theirs)) => between(ours, theirs, node),
        (Value::Array(ours), Value::Array(theirs)) => of_lists(ours, theirs, node, strategy),
        (ours, theirs) => Ok(ours != theirs),
    }
}

fn of_lists(ours: &[Value], theirs: &[Value], item: Node, strategy: Patch) -> Result<bool> {
    let kind = Elements::of(&[ours, theirs])?;
    match kind {
        Elements::Plain if strategy.merge => Ok(false),
        Elements::Objects if strategy.merge => {
            let theirs = by_key(theirs, strategy.key)?;
            for (name, ours) in by_key(ours, strategy.key)? {
                if let Some(theirs) = theirs.get(&name)
                    && of_values(ours, theirs, item, Patch::REPLACE)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ if ours.len() != theirs.len() => Ok(true),
        // Kubernetes sees no conflict in a different order of scalars, although these lists are replaced.
        Elements::Plain => Ok(set(ours) != set(theirs)),
        Elements::Objects => {
            for (ours, theirs) in ours.iter().zip(theirs) {
                if of_values(ours, theirs, item, Patch::REPLACE)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

fn set(list: &[Value]) -> HashSet<String> {
    list.iter().map(identity).collect()
}

fn by_key<'v>(list: &'v [Value], key: &str) -> Result<HashMap<String, &'v Value>> {
    let mut items = HashMap::with_capacity(list.len());
    for item in list {
        match item.get(key) {
            Some(name) => drop(items.insert(identity(name), item)),
            None => {
                return fail(format!(
                    "cannot find merge key `{key}` in merging list element:{}",
                    GoValue(item)
                ));
            }
        }
    }
    Ok(items)
}
