//! Strategic merge patch: a merge patch that knows which lists are merged, and by what key.
//!
//! [`apply`] is what the server does with a patch, [`three_way`] is how a client makes one for apply. The
//! directives are `$patch`, `$retainKeys`, `$setElementOrder/LIST` and `$deleteFromPrimitiveList/LIST`.

use std::fmt;

use serde_json::{Map, Value};

use super::GoValue;
use crate::schema::{Patch, Schema, Type};

mod diff;
mod order;

pub use diff::three_way;

#[cfg(test)]
mod tests;

/// Why a strategic merge patch does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategicPatchError(String);

impl fmt::Display for StrategicPatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StrategicPatchError {}

type Result<T> = std::result::Result<T, StrategicPatchError>;

fn fail<T>(problem: String) -> Result<T> {
    Err(StrategicPatchError(problem))
}

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList/";

/// Applies `patch` to an object of the struct `schema`.
///
/// # Errors
///
/// If a directive is malformed, or an item of a merged list does not have the list's key.
pub fn apply(
    object: &mut Map<String, Value>,
    patch: Map<String, Value>,
    schema: &'static Schema,
) -> Result<()> {
    merge_map(object, patch, Node(Some(Type::Message(schema))), Purpose::Apply)
}

/// What patches are merged for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// A patch is applied to an object: directives are carried out and nulls remove.
    Apply,
    /// A patch is laid over another one: directives and nulls are kept for whoever applies the result.
    Combine,
}

/// What is known of a place in an object.
#[derive(Clone, Copy)]
struct Node(Option<Type>);

impl Node {
    /// What is known of a field, and how it is merged.
    fn field(self, name: &str) -> (Node, Patch) {
        match self.0 {
            Some(Type::Message(schema)) => match schema.field(name) {
                Some(field) => (Node(Some(field.ty)), field.patch),
                None => (Node(None), Patch::REPLACE),
            },
            Some(Type::Map(value)) => (Node(Some(*value)), Patch::REPLACE),
            _ => (Node(None), Patch::REPLACE),
        }
    }

    /// What is known of the items of a list.
    fn item(self) -> Node {
        match self.0 {
            Some(Type::List(item)) => Node(Some(*item)),
            _ => Node(None),
        }
    }

    /// Whether the struct at this place is put in place of the old one (`patchStrategy: replace`).
    fn is_replaced(self, patch: Patch) -> bool {
        matches!(self.0, Some(Type::Message(_))) && patch.replace_struct
    }
}

fn merge_map(
    object: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
    node: Node,
    purpose: Purpose,
) -> Result<()> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        match directive.as_str() {
            Some("replace") => *object = patch,
            Some("delete") => object.clear(),
            Some("merge") => return merge_map(object, patch, node, purpose),
            _ => {
                let directive_text = GoValue(&directive).to_string();
                patch.insert(DIRECTIVE.to_owned(), directive);
                return fail(format!(
                    "unknown patch type: {directive_text} in map: {}",
                    GoValue(&Value::Object(patch))
                ));
            }
        }
        return Ok(());
    }
    retain_keys(object, &mut patch, purpose)?;
    set_element_order(object, &mut patch, node, purpose)?;
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM_PRIMITIVE_LIST) {
            delete_primitives(object, &key, list, value, purpose)?;
            continue;
        }
        if value.is_null() {
            object.remove(&key);
            if purpose == Purpose::Combine {
                object.insert(key, value);
            }
            continue;
        }
        let (child, strategy) = node.field(&key);
        match (object.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if !child.is_replaced(strategy) => {
                merge_map(old, new, child, purpose)?;
            }
            (Some(Value::Array(old)), Value::Array(new)) if strategy.merge => {
                merge_list(old, new, child.item(), strategy.key, purpose)?;
            }
            (_, new) => {
                object.insert(key, if purpose == Purpose::Apply { without_directives(new) } else { new });
            }
        }
    }
    Ok(())
}

/// A value that is new to the object: its nulls and directives have nothing to work on.
fn without_directives(value: Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(
            entries
                .into_iter()
                .filter(|(key, value)| {
                    !value.is_null()
                        && key != DIRECTIVE
                        && key != RETAIN_KEYS
                        && !key.starts_with(SET_ELEMENT_ORDER)
                        && !key.starts_with(DELETE_FROM_PRIMITIVE_LIST)
                })
                .map(|(key, value)| (key, without_directives(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(
            items.into_iter().filter(|item| !is_directive(item, "delete")).map(without_directives).collect(),
        ),
        other => other,
    }
}

fn is_directive(item: &Value, directive: &str) -> bool {
    item.get(DIRECTIVE).and_then(Value::as_str) == Some(directive)
}

/// Carries out `$retainKeys`: what it does not list is dropped from the object.
fn retain_keys(
    object: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    purpose: Purpose,
) -> Result<()> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if purpose == Purpose::Combine {
        object.insert(RETAIN_KEYS.to_owned(), keys);
        return Ok(());
    }
    let Value::Array(keys) = &keys else {
        return fail(format!("expected a list under $retainKeys, found {}", GoValue(&keys)));
    };
    let kept = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    if let Some((name, _)) =
        patch.iter().find(|(name, value)| !value.is_null() && !kept(name) && !name.starts_with('$'))
    {
        return fail(format!(
            "the keys in $retainKeys list are not a superset of the keys in the patch: {name} is missing"
        ));
    }
    object.retain(|name, _| kept(name));
    Ok(())
}

/// Carries out `$setElementOrder/LIST` together with the list it orders.
fn set_element_order(
    object: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    node: Node,
    purpose: Purpose,
) -> Result<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(SET_ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let order = patch.remove(&directive).unwrap_or_default();
        if purpose == Purpose::Combine {
            object.insert(directive, order);
            continue;
        }
        let Value::Array(order) = order else {
            return fail(format!("expected a list under {directive}, found {}", GoValue(&order)));
        };
        let name = &directive[SET_ELEMENT_ORDER.len()..];
        let (child, strategy) = node.field(name);
        let patched = match patch.remove(name) {
            None => None,
            Some(Value::Array(items)) => Some(items),
            Some(other) => {
                // A null or another kind of value: the order says nothing about it.
                patch.insert(name.to_owned(), other);
                continue;
            }
        };
        order::check(patched.as_deref().unwrap_or_default(), &order, strategy.key)?;
        let live = match object.get(name) {
            Some(Value::Array(items)) => Some(items.clone()),
            _ => None,
        };
        let merged = match (live.clone(), patched) {
            (None, None) => continue,
            (Some(live), None) => live,
            (None, Some(items)) => match without_directives(Value::Array(items)) {
                Value::Array(items) => items,
                _ => continue,
            },
            (Some(mut live), Some(items)) if strategy.merge => {
                merge_list(&mut live, items, child.item(), strategy.key, purpose)?;
                live
            }
            (Some(_), Some(items)) => items,
        };
        let ordered = order::arrange(merged, &order, &live.unwrap_or_default(), strategy.key);
        object.insert(name.to_owned(), Value::Array(ordered));
    }
    Ok(())
}

/// Carries out `$deleteFromPrimitiveList/LIST`.
fn delete_primitives(
    object: &mut Map<String, Value>,
    directive: &str,
    list: &str,
    value: Value,
    purpose: Purpose,
) -> Result<()> {
    if purpose == Purpose::Combine {
        object.insert(directive.to_owned(), value);
        return Ok(());
    }
    let Value::Array(gone) = value else {
        return fail(format!("expected a list under {directive}, found {}", GoValue(&value)));
    };
    if let Some(Value::Array(items)) = object.get_mut(list) {
        items.retain(|item| !gone.contains(item));
    }
    Ok(())
}

/// Merges a list by key, or as a set of plain values where `key` is empty.
fn merge_list(
    list: &mut Vec<Value>,
    patch: Vec<Value>,
    item: Node,
    key: &str,
    purpose: Purpose,
) -> Result<()> {
    let of_maps = patch.iter().chain(list.iter()).any(Value::is_object);
    if !of_maps {
        let live = list.clone();
        for value in &patch {
            if !list.contains(value) {
                list.push(value.clone());
            }
        }
        *list = order::arrange(std::mem::take(list), &patch, &live, "");
        return Ok(());
    }
    if key.is_empty() {
        return fail("cannot merge lists without merge key".to_owned());
    }
    let mut patch = patch;
    if purpose == Purpose::Apply {
        if patch.iter().any(|item| is_directive(item, "replace")) {
            patch.retain(|item| !is_directive(item, "replace"));
            *list = patch;
            return Ok(());
        }
        for gone in patch.extract_if(.., |item| is_directive(item, "delete")) {
            let Some(value) = gone.get(key) else {
                return fail(format!("delete patch type with no merge key defined: {}", GoValue(&gone)));
            };
            list.retain(|item| item.get(key) != Some(value));
        }
    }
    let live = list.clone();
    let order = patch.clone();
    for value in patch {
        if purpose == Purpose::Apply && value.get(DIRECTIVE).is_some_and(|directive| directive != "merge") {
            return fail(format!("unrecognized directive {}", GoValue(&value[DIRECTIVE])));
        }
        let Value::Object(new) = value else {
            return fail(format!("expected an object in the list, found {}", GoValue(&value)));
        };
        let Some(name) = new.get(key) else {
            return fail(format!(
                "map: {} does not contain declared merge key: {key}",
                GoValue(&Value::Object(new))
            ));
        };
        match list.iter_mut().find(|item| item.get(key) == Some(name)) {
            Some(Value::Object(old)) => merge_map(old, new, item, purpose)?,
            _ if purpose == Purpose::Apply => list.push(without_directives(Value::Object(new))),
            _ => list.push(Value::Object(new)),
        }
    }
    *list = order::arrange(std::mem::take(list), &order, &live, key);
    Ok(())
}
