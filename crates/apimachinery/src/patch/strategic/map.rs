//! Merges a patch into an object.

use serde_json::Value;

use super::node::Node;
use super::order::{self, Elements};
use super::{
    DELETE_FROM_PRIMITIVE_LIST, DIRECTIVE, Object, RETAIN_KEYS, Result, SET_ELEMENT_ORDER, fail, list,
};
use crate::go::{GoText, GoValue, type_name};
use crate::patch::merge::drop_nulls;

/// The purpose of a merge.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Purpose {
    /// A patch is applied to an object: directives are executed, and nulls remove.
    Apply,
    /// A patch is merged into another one: directives and nulls are kept for the application of the result.
    Combine,
}

pub(super) fn merge(object: &mut Object, mut patch: Object, node: Node, purpose: Purpose) -> Result<()> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(Value::String(directive)) if directive == "replace" => {
            patch.remove(DIRECTIVE);
            *object = patch;
            return Ok(());
        }
        Some(Value::String(directive)) if directive == "delete" => {
            object.clear();
            return Ok(());
        }
        Some(_) => return unknown_directive(patch),
    }
    retain_keys(object, &mut patch, purpose)?;
    order_lists(object, &mut patch, node, purpose)?;
    for (key, value) in patch {
        if !key.starts_with(DELETE_FROM_PRIMITIVE_LIST) {
            merge_field(object, &key, value, false, node, purpose)?;
        } else if purpose == Purpose::Combine {
            object.insert(key, value);
        } else {
            let list = list_of(&key, DELETE_FROM_PRIMITIVE_LIST, "invalid patch format of primitive list")?;
            merge_field(object, list, value, true, node, purpose)?;
        }
    }
    Ok(())
}

/// Merges one field. With `deleting`, the value lists the items to remove from a list.
fn merge_field(
    object: &mut Object,
    name: &str,
    value: Value,
    deleting: bool,
    node: Node,
    purpose: Purpose,
) -> Result<()> {
    if value.is_null() {
        object.remove(name);
        if purpose == Purpose::Apply {
            return Ok(());
        }
    }
    match (object.get_mut(name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let (child, strategy) = node.object(name)?;
            if strategy.replace_struct {
                *old = new;
                return Ok(());
            }
            merge(old, new, child, purpose)
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            let (item, strategy) = node.list(name)?;
            if strategy.merge || deleting {
                let merged = list::merge(std::mem::take(old), new, item, strategy.key, deleting, purpose)?;
                *old = merged.items;
            } else {
                *old = new;
            }
            Ok(())
        }
        (old, new) => {
            if deleting && old.is_none_or(|old| type_name(old) != type_name(&new)) {
                return Ok(());
            }
            match unmerged(new, purpose) {
                Some(new) => drop(object.insert(name.to_owned(), new)),
                None => drop(object.remove(name)),
            }
            Ok(())
        }
    }
}

/// The part of a value that is used if there is none to merge it with; `None` for a directive.
fn unmerged(mut value: Value, purpose: Purpose) -> Option<Value> {
    if purpose == Purpose::Apply {
        drop_nulls(&mut value);
    }
    without_directives(value)
}

fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(entries) if entries.contains_key(DIRECTIVE) => None,
        Value::Object(entries) => {
            let kept = entries.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(items.into_iter().filter_map(without_directives).collect()),
        other => Some(other),
    }
}

pub(super) fn unknown_directive<T>(patch: Object) -> Result<T> {
    let directive = GoText(&patch[DIRECTIVE]).to_string();
    fail(format!("unknown patch type: {directive} in map: {}", GoValue(&Value::Object(patch))))
}

/// The name of the list to which a parallel directive applies.
fn list_of<'k>(key: &'k str, directive: &str, problem: &str) -> Result<&'k str> {
    match key.split_once('/') {
        // Without the name of a list, it is a field like any other.
        Some((prefix, "")) if prefix == directive => Ok(key),
        Some((prefix, list)) if prefix == directive => Ok(list),
        _ => fail(problem),
    }
}

/// Executes `$retainKeys`: removes fields that it does not list.
fn retain_keys(object: &mut Object, patch: &mut Object, purpose: Purpose) -> Result<()> {
    const MALFORMED: &str = "invalid patch format of retainKeys";
    let Some(keys) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if purpose == Purpose::Combine {
        let old = object.entry(RETAIN_KEYS).or_insert_with(|| keys.clone());
        if *old == keys {
            return Ok(());
        }
        return fail(format!(
            "{} and {} are not deep equal: this may happen when calculating the 3-way diff patch",
            GoValue(old),
            GoValue(&keys)
        ));
    }
    let Value::Array(keys) = &keys else { return fail(MALFORMED) };
    let kept: std::collections::HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
    let is_listed = |(name, value): (&String, &Value)| {
        let parallel = name.starts_with(DELETE_FROM_PRIMITIVE_LIST) || name.starts_with(SET_ELEMENT_ORDER);
        value.is_null() || parallel || kept.contains(name.as_str())
    };
    if !patch.iter().all(is_listed) {
        return fail(MALFORMED);
    }
    object.retain(|name, _| kept.contains(name.as_str()));
    Ok(())
}

/// Executes `$setElementOrder/LIST` together with the lists that they order, and removes both from the patch.
fn order_lists(object: &mut Object, patch: &mut Object, node: Node, purpose: Purpose) -> Result<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(SET_ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let order = patch.remove(&directive).unwrap_or_default();
        order_list(object, patch, &directive, order, node, purpose)?;
    }
    Ok(())
}

fn order_list(
    object: &mut Object,
    patch: &mut Object,
    directive: &str,
    order: Value,
    node: Node,
    purpose: Purpose,
) -> Result<()> {
    const MALFORMED: &str = "invalid patch format of setElementOrder list";
    if purpose == Purpose::Combine && *object.entry(directive).or_insert_with(|| order.clone()) != order {
        return fail(MALFORMED);
    }
    let Value::Array(order) = order else { return wrong_type("[]interface {}", &order) };
    let name = match directive.split_once('/') {
        Some((SET_ELEMENT_ORDER, name)) => name,
        _ => return fail(MALFORMED),
    };
    let live = items(object.get(name))?.map(<[Value]>::to_vec);
    let patched = items(patch.get(name))?.map(<[Value]>::to_vec);
    let (item, strategy) = node.list(name)?;
    order::check(patched.as_deref().unwrap_or_default(), &order, strategy.key)?;
    let elements = || Elements::of(&[live.as_deref(), patched.as_deref()].map(Option::unwrap_or_default));
    let mut old_order = live.clone().unwrap_or_default();
    let merged = match (&live, &patched) {
        (None, None) => return Ok(()),
        (Some(live), None) => live.clone(),
        (None, Some(patched)) => patched.iter().cloned().filter_map(without_directives).collect(),
        (Some(live), Some(patched)) if strategy.merge => {
            let merged = list::merge(live.clone(), patched.clone(), item, strategy.key, false, purpose)?;
            old_order = merged.order;
            merged.items
        }
        (Some(_), Some(patched)) => patched.clone(),
    };
    let (known, others) = order::split(merged, &order, strategy.key)?;
    let kind = elements()?;
    let ordered = order::arrange(known, others, &order, &old_order, strategy.key, kind)?;
    object.insert(name.to_owned(), Value::Array(ordered));
    patch.remove(name);
    Ok(())
}

fn items(value: Option<&Value>) -> Result<Option<&[Value]>> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => wrong_type("[]interface {}", other),
    }
}

pub(super) fn wrong_type<T>(expected: &str, found: &Value) -> Result<T> {
    fail(format!("expected a {expected}, but received a {}", type_name(found)))
}
