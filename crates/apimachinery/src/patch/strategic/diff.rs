//! Makes strategic merge patches.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::node::Node;
use super::order::{self, Elements, identity, keyed, same};
use super::{DELETE_FROM_PRIMITIVE_LIST, DIRECTIVE, Object, RETAIN_KEYS, Result, SET_ELEMENT_ORDER, fail};
use crate::go::GoValue;
use crate::schema::Patch;

/// Options of a difference.
#[derive(Clone, Copy)]
pub(super) struct Diff {
    pub(super) wanted: Wanted,
    /// True to add the order of merged lists.
    pub(super) element_order: bool,
}

/// The part of a difference that is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    Changes,
    Deletions,
    All,
}

impl Diff {
    fn changes(self) -> bool {
        self.wanted != Wanted::Deletions
    }

    fn deletions(self) -> bool {
        self.wanted != Wanted::Changes
    }

    /// The patch from `original` to `modified`. With `retain_keys`, it also names the fields to retain, so that fields
    /// of other union members are removed.
    pub(super) fn maps(
        self,
        original: &Object,
        modified: &Object,
        node: Node,
        retain_keys: bool,
    ) -> Result<Object> {
        let mut patch = Object::new();
        for (key, new) in modified {
            let Some(old) = original.get(key) else {
                if self.changes() {
                    patch.insert(key.clone(), new.clone());
                }
                continue;
            };
            if key == DIRECTIVE {
                if !old.is_string() || !new.is_string() {
                    return fail(format!("invalid value for special key: {DIRECTIVE}"));
                }
                if old != new {
                    patch.insert(key.clone(), new.clone());
                }
                continue;
            }
            match (old, new) {
                (Value::Object(old), Value::Object(new)) => self.object(&mut patch, key, old, new, node)?,
                (Value::Array(old), Value::Array(new)) => self.list(&mut patch, key, old, new, node)?,
                _ if self.changes() && old != new => drop(patch.insert(key.clone(), new.clone())),
                _ => {}
            }
        }
        let dropped = || original.iter().filter(|(key, _)| !modified.contains_key(*key));
        if self.deletions() {
            patch.extend(dropped().map(|(key, _)| (key.clone(), Value::Null)));
        }
        if retain_keys {
            let keys = modified.iter().filter(|(_, value)| !value.is_null());
            let keys: Vec<Value> = keys.map(|(key, _)| key.as_str().into()).collect();
            let is_changed = !patch.is_empty() || dropped().any(|(_, value)| !value.is_null());
            if !keys.is_empty() && is_changed {
                patch.insert(RETAIN_KEYS.to_owned(), Value::Array(keys));
            }
        }
        Ok(patch)
    }

    fn object(self, patch: &mut Object, key: &str, old: &Object, new: &Object, node: Node) -> Result<()> {
        let (child, strategy) = match node.object(key) {
            Err(_) if old == new => return Ok(()),
            known => known?,
        };
        if strategy.replace_struct {
            if self.changes() {
                patch.insert(key.to_owned(), Value::Object(new.clone()));
            }
            return Ok(());
        }
        let inner = self.maps(old, new, child, strategy.retain_keys)?;
        if !inner.is_empty() {
            patch.insert(key.to_owned(), Value::Object(inner));
        }
        Ok(())
    }

    fn list(self, patch: &mut Object, key: &str, old: &[Value], new: &[Value], node: Node) -> Result<()> {
        let (item, strategy) = match node.list(key) {
            Err(_) if old == new => return Ok(()),
            known => known?,
        };
        let mut put = |directive: &str, list: Vec<Value>| {
            if !list.is_empty() {
                patch.insert(format!("{directive}{key}"), Value::Array(list));
            }
        };
        if !strategy.merge {
            if self.changes() && old != new {
                patch.insert(key.to_owned(), Value::Array(new.to_vec()));
            }
            return Ok(());
        }
        if old.is_empty() {
            if self.changes() {
                put("", new.to_vec());
            }
            return Ok(());
        }
        let change = match Elements::of(&[old, new])? {
            Elements::Objects => self.items(old, new, item, strategy)?,
            Elements::Plain => self.plain(old, new),
        };
        put("", change.items);
        put(&format!("{DELETE_FROM_PRIMITIVE_LIST}/"), change.deleted);
        if self.element_order {
            put(&format!("{SET_ELEMENT_ORDER}/"), change.order);
        }
        Ok(())
    }

    fn items(self, old: &[Value], new: &[Value], item: Node, strategy: Patch) -> Result<ListChange> {
        let key = strategy.key;
        let mut items = Vec::new();
        let mut deletions = Vec::new();
        let [olds, news] =
            [old, new].map(|list| sorted_by(list, |value| value.get(key).unwrap_or(&Value::Null)));
        let (mut olds, mut news) = (olds.into_iter().peekable(), news.into_iter().peekable());
        while olds.peek().is_some() || news.peek().is_some() {
            let old = olds.peek().map(|(text, old)| Ok((text, old, keyed(old, key)?))).transpose()?;
            let new = news.peek().map(|(text, new)| Ok((text, new, keyed(new, key)?))).transpose()?;
            match (old, new) {
                (Some((old_text, old, _)), Some((new_text, new, name))) if old_text == new_text => {
                    if let (Value::Object(old), Value::Object(new)) = (old, new) {
                        let mut inner = self.maps(old, new, item, strategy.retain_keys)?;
                        if !inner.is_empty() {
                            inner.insert(key.to_owned(), name.clone());
                            items.push(Value::Object(inner));
                        }
                    }
                    olds.next();
                    news.next();
                }
                (old, Some((new_text, new, _))) if old.is_none_or(|(old_text, ..)| old_text > new_text) => {
                    if self.changes() {
                        items.push((**new).clone());
                    }
                    news.next();
                }
                (Some((_, _, name)), _) => {
                    if self.deletions() {
                        deletions.push(json!({ DIRECTIVE: "delete", key: name }));
                    }
                    olds.next();
                }
                (None, _) => unreachable!("there is an old or a new item"),
            }
        }
        let mut items = order::sort(items, new, key, Elements::Objects)?;
        let is_same_order = is_same_order(old, new, key)?;
        items.extend(deletions);
        let order = if !items.is_empty() || self.changes() && !is_same_order {
            new.iter().map(|new| json!({ key: new[key] })).collect()
        } else {
            Vec::new()
        };
        Ok(ListChange { items, deleted: Vec::new(), order })
    }

    fn plain(self, old: &[Value], new: &[Value]) -> ListChange {
        let olds = sorted_by(old, |value| value);
        // The order is compared with the sorted old values, as Kubernetes does.
        let is_changed = !olds.iter().map(|(_, old)| *old).eq(new);
        let mut items = Vec::new();
        let mut deleted = Vec::new();
        let mut olds = olds.into_iter().peekable();
        for (text, new) in sorted_by(new, |value| value) {
            while let Some((_, old)) = olds.next_if(|(old, _)| *old < text) {
                deleted.push(old.clone());
            }
            if olds.next_if(|(old, _)| *old == text).is_none() {
                items.push(new.clone());
            }
        }
        deleted.extend(olds.map(|(_, old)| old.clone()));
        let mut seen = HashSet::new();
        deleted.retain(|value| self.deletions() && seen.insert(identity(value)));
        items.retain(|_| self.changes());
        let items = order::sort(items, new, "", Elements::Plain).unwrap_or_default();
        let is_ordered = !deleted.is_empty() || self.changes() && is_changed;
        ListChange { items, deleted, order: if is_ordered { new.to_vec() } else { Vec::new() } }
    }
}

/// The changes of a merged list.
struct ListChange {
    items: Vec<Value>,
    deleted: Vec<Value>,
    order: Vec<Value>,
}

/// A list sorted by Go's format of its keys; items with the same format are reversed, as by Go's sort.
fn sorted_by<'v>(list: &'v [Value], by: impl Fn(&'v Value) -> &'v Value) -> Vec<(String, &'v Value)> {
    let mut sorted: Vec<_> = list.iter().rev().map(|value| (GoValue(by(value)).to_string(), value)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted
}

/// Returns true if both lists have the same items in the same order.
fn is_same_order(old: &[Value], new: &[Value], key: &str) -> Result<bool> {
    if old.len() != new.len() {
        return Ok(false);
    }
    for (old, new) in old.iter().zip(new) {
        if !same(old, new, key)? {
            return Ok(false);
        }
    }
    Ok(true)
}
