//! The order of merged lists: the patch's items in the patch's order, the object's own items kept near their
//! neighbours.

use serde_json::Value;

use super::{Result, fail, is_directive};
use crate::patch::GoValue;

/// Checks that the items of a patch stand in the order its `$setElementOrder` gives.
pub(super) fn check(patch: &[Value], order: &[Value], key: &str) -> Result<()> {
    let mut at = 0;
    for item in patch.iter().filter(|item| !is_directive(item, "delete")) {
        match order[at..].iter().position(|other| same(item, other, key)) {
            Some(found) => at += found + 1,
            None => {
                return fail(format!(
                    "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                    GoValue(&Value::Array(patch.to_vec())),
                    GoValue(&Value::Array(order.to_vec()))
                ));
            }
        }
    }
    Ok(())
}

/// Arranges a merged list: items named in `order` follow it; the others keep their order in `live`, each before
/// the first ordered item that stands behind it there.
pub(super) fn arrange(merged: Vec<Value>, order: &[Value], live: &[Value], key: &str) -> Vec<Value> {
    let (mut ordered, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(order, item, key).is_some());
    ordered.sort_by_key(|item| place(order, item, key));
    others.sort_by_key(|item| place(live, item, key));
    let mut out = Vec::with_capacity(ordered.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in ordered {
        let behind = place(live, &item, key);
        while let Some(other) = others.peek() {
            match (place(live, other, key), behind) {
                (Some(other), Some(item)) if other < item => out.extend(others.next()),
                _ => break,
            }
        }
        out.push(item);
    }
    out.extend(others);
    out
}

fn place(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| same(item, other, key))
}

pub(super) fn same(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() { a == b } else { matches!((a.get(key), b.get(key)), (Some(a), Some(b)) if a == b) }
}
