//! Functions of lists.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::ITEMS_MAX;
use crate::failure::{Failure, Result};
use crate::steps::Steps;
use crate::value::{Key, List, Value};

pub(super) fn is_sorted<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut before: Option<Value<'a>> = None;
    for item in arguments[0].as_list()?.iter() {
        let item = item?;
        if let Some(before) = &before
            && before.compare(&item)?.is_gt()
        {
            return Ok(Value::Bool(false));
        }
        before = Some(item);
    }
    Ok(Value::Bool(true))
}

/// The sum of numbers or durations; `zero` is that of an empty list.
fn sum<'a>(list: &List<'a>, zero: Value<'a>) -> Result<Value<'a>> {
    let mut sum = zero;
    for item in list.iter() {
        sum = super::arithmetic::add(&[sum, item?])?;
    }
    Ok(sum)
}

pub(super) fn sum_int<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sum(arguments[0].as_list()?, Value::Int(0))
}

pub(super) fn sum_uint<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sum(arguments[0].as_list()?, Value::Uint(0))
}

pub(super) fn sum_double<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sum(arguments[0].as_list()?, Value::Double(0.0))
}

pub(super) fn sum_duration<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sum(arguments[0].as_list()?, Value::Duration(0))
}

/// The sum of a list whose type is known at run time only.
pub(super) fn sum_any<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let list = arguments[0].as_list()?;
    let zero = match list.iter().next().transpose()? {
        Some(Value::Uint(_)) => Value::Uint(0),
        Some(Value::Double(_)) => Value::Double(0.0),
        Some(Value::Duration(_)) => Value::Duration(0),
        _ => Value::Int(0),
    };
    sum(list, zero)
}

fn extreme<'a>(arguments: &[Value<'a>], name: &str, wanted: Ordering) -> Result<Value<'a>> {
    let mut best: Option<Value<'a>> = None;
    for item in arguments[0].as_list()?.iter() {
        let item = item?;
        let better = match &best {
            Some(best) => item.compare(best)? == wanted,
            None => true,
        };
        if better {
            best = Some(item);
        }
    }
    best.ok_or_else(|| Failure::Error(format!("{name} called on empty list")))
}

pub(super) fn max<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    extreme(arguments, "max", Ordering::Greater)
}

pub(super) fn min<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    extreme(arguments, "min", Ordering::Less)
}

/// Returns true if a list has an item, or a value equals the item.
pub(super) fn includes<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let found = match &arguments[0] {
        Value::List(list) => list.contains(&arguments[1]).unwrap_or_default(),
        value => value.equals(&arguments[1], &mut Steps::counted()).unwrap_or_default(),
    };
    Ok(Value::Bool(found))
}

pub(super) fn slice<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (list, start, end) = (arguments[0].as_list()?, arguments[1].as_int()?, arguments[2].as_int()?);
    let refuse = |why: String| Err(Failure::Error(format!("cannot slice({start}, {end}), {why}")));
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return refuse("negative indexes not supported".to_owned());
    };
    if from > to {
        return refuse("start index must be less than or equal to end index".to_owned());
    }
    if list.len() < to {
        return refuse(format!("list is length {}", list.len()));
    }
    let items: Result<Vec<Value<'a>>> = list.iter().skip(from).take(to - from).collect();
    Ok(Value::list(items?))
}

pub(super) fn flatten<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let depth = arguments.get(1).map_or(Ok(1), Value::as_int)?;
    if depth < 0 {
        return Err(Failure::error("level must be non-negative"));
    }
    let mut items = Vec::new();
    flatten_into(arguments[0].as_list()?, depth, &mut items)?;
    Ok(Value::list(items))
}

fn flatten_into<'a>(list: &List<'a>, depth: i64, items: &mut Vec<Value<'a>>) -> Result<()> {
    for item in list.iter() {
        match item? {
            Value::List(inner) if depth > 0 => flatten_into(&inner, depth - 1, items)?,
            item => items.push(item),
        }
        if items.len() > ITEMS_MAX {
            return Err(Failure::Budget);
        }
    }
    Ok(())
}

pub(super) fn sort<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sorted(arguments[0].as_list()?, arguments[0].as_list()?)
}

pub(super) fn sort_by_keys<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    sorted(arguments[0].as_list()?, arguments[1].as_list()?)
}

fn sorted<'a>(list: &List<'a>, keys: &List<'a>) -> Result<Value<'a>> {
    if list.len() != keys.len() {
        return Err(Failure::Error(format!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got {} and {} elements respectively",
            list.len(),
            keys.len(),
        )));
    }
    let keys = keys.to_vec()?;
    let Some(first) = keys.first() else { return Ok(Value::List(list.clone())) };
    first.compare(first).map_err(|_| Failure::error("list elements must be comparable"))?;
    if keys.iter().any(|key| key.type_name() != first.type_name()) {
        return Err(Failure::error("list elements must have the same type"));
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|one, other| keys[*one].compare(&keys[*other]).unwrap_or(Ordering::Equal));
    let items = list.to_vec()?;
    Ok(Value::list(order.into_iter().map(|index| items[index].clone()).collect()))
}

pub(super) fn range<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let end = arguments[0].as_int()?;
    if end < 0 {
        return Err(Failure::Error(format!("lists.range: size must be non-negative, got {end}")));
    }
    if usize::try_from(end).is_ok_and(|end| end > ITEMS_MAX) {
        return Err(Failure::Budget);
    }
    Ok(Value::list((0..end).map(Value::Int).collect()))
}

pub(super) fn reverse<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut items = arguments[0].as_list()?.to_vec()?;
    items.reverse();
    Ok(Value::list(items))
}

pub(super) fn distinct<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut known = HashSet::new();
    let mut unique: Vec<Value<'a>> = Vec::new();
    for item in arguments[0].as_list()?.iter() {
        let item = item?;
        let is_new = match Key::of(&item) {
            Some(key) => known.insert(key),
            None => !unique.iter().any(|other| item.equals(other, &mut Steps::counted()).unwrap_or_default()),
        };
        if is_new {
            unique.push(item);
        }
    }
    Ok(Value::list(unique))
}

pub(super) fn first<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let list = arguments[0].as_list()?;
    if list.len() == 0 { Ok(Value::Optional(None)) } else { list.get(0).map(Value::some) }
}

pub(super) fn last<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let list = arguments[0].as_list()?;
    match list.len().checked_sub(1) {
        Some(last) => list.get(last).map(Value::some),
        None => Ok(Value::Optional(None)),
    }
}

fn contains_all<'a>(list: &List<'a>, part: &List<'a>) -> Result<bool> {
    for item in part.iter() {
        if !list.contains(&item?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn set_contains<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    contains_all(arguments[0].as_list()?, arguments[1].as_list()?).map(Value::Bool)
}

pub(super) fn set_equivalent<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let (one, other) = (arguments[0].as_list()?, arguments[1].as_list()?);
    Ok(Value::Bool(contains_all(one, other)? && contains_all(other, one)?))
}

pub(super) fn set_intersects<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let other = arguments[1].as_list()?;
    for item in arguments[0].as_list()?.iter() {
        if other.contains(&item?).unwrap_or_default() {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn unwrap_optionals<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let mut values = Vec::new();
    for item in arguments[0].as_list()?.iter() {
        match item? {
            Value::Optional(value) => values.extend(value.map(|value| (*value).clone())),
            other => {
                let shown = super::string_format::show(&other);
                return Err(Failure::Error(format!("value {shown} is not optional")));
            }
        }
    }
    Ok(Value::list(values))
}
