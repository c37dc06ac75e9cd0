//! Equality of values. Lists that are sets or maps are equal if they have the same items in any order.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::{Key, List, Map, Value};
use crate::failure::{Failure, Result};
use crate::schema::{Keys, SchemaKind};
use crate::steps::Steps;

/// The length of the identities of items that an addition compares.
const KEYS_MAX: u64 = 10_000_000;

impl<'a> Value<'a> {
    /// Returns true if two values are equal; values of different types are not.
    pub(crate) fn equals(&self, other: &Value<'a>, steps: &mut Steps) -> Result<bool> {
        steps.take(1)?;
        match (self, other) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
            (Value::String(one), Value::String(other)) => Ok(**one == **other),
            (Value::Bytes(one), Value::Bytes(other)) => Ok(one == other),
            (Value::Duration(one), Value::Duration(other)) => Ok(one == other),
            (Value::Timestamp(one), Value::Timestamp(other)) => Ok(one == other),
            (Value::Type(one), Value::Type(other)) => Ok(one == other),
            (Value::List(one), Value::List(other)) => one.equals(other, steps),
            (Value::Map(one), Value::Map(other)) => one.equals(other, steps),
            (Value::Optional(Some(one)), Value::Optional(Some(other))) => one.equals(other, steps),
            (Value::Optional(one), Value::Optional(other)) => Ok(one.is_none() && other.is_none()),
            (Value::Preserved(one), Value::Preserved(other)) => Ok(one == other),
            (Value::Quantity(one), Value::Quantity(other)) => Ok(one == other),
            (Value::Url(one), Value::Url(other)) => Ok(one.text() == other.text()),
            (Value::Ip(one), Value::Ip(other)) => Ok(one == other),
            (Value::Cidr(one), Value::Cidr(other)) => Ok(one == other),
            (Value::Semver(one), Value::Semver(other)) => Ok(one.compare(other) == Ordering::Equal),
            (Value::Object(one), Value::Object(other)) => one.equals(other, steps),
            (Value::Format(one), Value::Format(other)) => Ok(one.name == other.name),
            // Kubernetes' lists and maps are equal only to other ones.
            (Value::List(List::Json { .. }) | Value::Map(Map::Json { .. }), Value::Null) => Ok(false),
            (Value::List(List::Json { .. }) | Value::Map(Map::Json { .. }), _) => Err(Failure::overload()),
            (
                Value::Quantity(_) | Value::Url(_) | Value::Ip(_) | Value::Cidr(_) | Value::Semver(_),
                other,
            ) if !matches!(other, Value::Null) => Err(Failure::overload()),
            _ => Ok(self.compare_numbers(other) == Some(Some(Ordering::Equal))),
        }
    }
}

impl<'a> List<'a> {
    fn equals(&self, other: &List<'a>, steps: &mut Steps) -> Result<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        match self {
            List::Json { keys: Keys::Set, .. } => self.equals_as_sets(other, steps),
            List::Json { items, schema, keys: Keys::Fields(names) } => {
                let mut by_key: HashMap<String, &'a Json> = HashMap::with_capacity(items.len());
                for item in *items {
                    by_key.insert(key_of(item, names), item);
                }
                let mut seen = HashSet::new();
                for item in other.iter() {
                    let item = item?;
                    let key = key_of_value(&item, names, steps)?;
                    let Some(own) = by_key.get(&key) else { return Ok(false) };
                    if !Value::from_json(own, schema)?.equals(&item, steps)? {
                        return Ok(false);
                    }
                    seen.insert(key);
                }
                Ok(seen.len() == by_key.len())
            }
            _ => {
                for (one, other) in self.iter().zip(other.iter()) {
                    if !one?.equals(&other?, steps)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn equals_as_sets(&self, other: &List<'a>, steps: &mut Steps) -> Result<bool> {
        let mut own = HashSet::new();
        for item in self.iter() {
            own.insert(set_key(&item?, steps)?);
        }
        let mut seen = HashSet::new();
        for item in other.iter() {
            let key = set_key(&item?, steps)?;
            if !own.contains(&key) {
                return Ok(false);
            }
            seen.insert(key);
        }
        Ok(seen.len() == own.len())
    }

    /// The items of both lists; of those with the same identity, the second takes the place of the first.
    pub(crate) fn add(&self, other: &List<'a>) -> Result<List<'a>> {
        let steps = &mut Steps::timeless(KEYS_MAX);
        match self {
            List::Json { keys: Keys::Set, .. } => {
                let mut items = self.to_vec()?;
                let mut known = HashSet::new();
                for item in &items {
                    known.insert(set_key(item, steps)?);
                }
                for item in other.iter() {
                    let item = item?;
                    if known.insert(set_key(&item, steps)?) {
                        items.push(item);
                    }
                }
                Ok(List::new(items))
            }
            List::Json { keys: Keys::Fields(names), .. } => {
                let mut items = self.to_vec()?;
                let mut places = HashMap::new();
                for (index, item) in items.iter().enumerate() {
                    places.insert(key_of_value(item, names, steps)?, index);
                }
                for item in other.iter() {
                    let item = item?;
                    let key = key_of_value(&item, names, steps)?;
                    match places.get(&key) {
                        Some(index) => items[*index] = item,
                        None => {
                            places.insert(key, items.len());
                            items.push(item);
                        }
                    }
                }
                Ok(List::new(items))
            }
            _ => Ok(self.join(other)),
        }
    }

    /// Returns true if an item equals a value; errors of comparisons count only if no item does.
    pub(crate) fn contains(&self, value: &Value<'a>) -> Result<bool> {
        let steps = &mut Steps::counted();
        let mut failure = None;
        for item in self.iter() {
            match item.and_then(|item| item.equals(value, steps)) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(Failure::Budget) => return Err(Failure::Budget),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(false), Err)
    }
}

/// The identity of an item of a set.
fn set_key(item: &Value<'_>, steps: &mut Steps) -> Result<String> {
    let mut out = String::new();
    write_identity(item, &mut out, steps)?;
    Ok(out)
}

fn write_identity(value: &Value<'_>, out: &mut String, steps: &mut Steps) -> Result<()> {
    use std::fmt::Write as _;
    let length = match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    steps.take(1 + length as u64)?;
    let written = match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Uint(value) => write!(out, "{value}"),
        Value::Double(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
            write!(out, "{}", *value as i64)
        }
        Value::Double(value) => write!(out, "{value:e}"),
        Value::String(text) => write!(out, "{:?}", &**text),
        Value::Bytes(bytes) => write!(out, "b{bytes:?}"),
        Value::Duration(nanos) => write!(out, "d{nanos}"),
        Value::Timestamp(time) => write!(out, "t{}.{}", time.seconds, time.nanos),
        Value::List(list) => {
            out.push('[');
            for item in list.iter() {
                write_identity(&item?, out, steps)?;
                out.push(',');
            }
            out.push(']');
            Ok(())
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for key in map.keys() {
                let mut entry = String::new();
                write_identity(&key, &mut entry, steps)?;
                entry.push(':');
                write_identity(&map.find(&key)?.ok_or_else(Failure::overload)?, &mut entry, steps)?;
                entries.push(entry);
            }
            entries.sort_unstable();
            write!(out, "{{{}}}", entries.join(","))
        }
        Value::Preserved(value) => write!(out, "{value}"),
        _ => return Err(Failure::overload()),
    };
    written.map_err(|_| Failure::overload())
}

/// The values of an item's keys, as one string.
fn key_of(item: &Json, names: &[String]) -> String {
    let values: Vec<String> =
        names.iter().map(|name| item.get(name).map(Json::to_string).unwrap_or_default()).collect();
    values.join(",")
}

fn key_of_value(item: &Value<'_>, names: &[String], steps: &mut Steps) -> Result<String> {
    match item {
        Value::Map(Map::Json { fields, .. }) => {
            let values: Vec<String> =
                names.iter().map(|name| fields.get(name).map(Json::to_string).unwrap_or_default()).collect();
            Ok(values.join(","))
        }
        Value::Map(map) => {
            let mut values = Vec::with_capacity(names.len());
            for name in names {
                values.push(match map.find_str(name)? {
                    Some(value) => set_key(&value, steps)?,
                    None => String::new(),
                });
            }
            Ok(values.join(","))
        }
        _ => {
            Err(Failure::error("unexpected data format for element of array with x-kubernetes-list-type=map"))
        }
    }
}

impl<'a> Map<'a> {
    fn equals(&self, other: &Map<'a>, steps: &mut Steps) -> Result<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        if let Map::Json { fields, schema } = self {
            return json_equals(self, fields, schema, other, steps);
        }
        for key in self.keys() {
            let own = self.find(&key)?.ok_or_else(Failure::overload)?;
            let same = match (Key::of(&key), other) {
                (Some(_), Map::Entries(_)) | (Some(Key::String(_)), Map::Json { .. }) => {
                    match other.find(&key)? {
                        Some(value) => own.equals(&value, steps)?,
                        None => false,
                    }
                }
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn json_equals<'a>(
    own: &Map<'a>,
    fields: &'a serde_json::Map<String, Json>,
    schema: &'a crate::schema::Schema,
    other: &Map<'a>,
    steps: &mut Steps,
) -> Result<bool> {
    for (name, value) in fields {
        let declared = match &schema.kind {
            SchemaKind::Object(properties) => properties.contains_key(name),
            SchemaKind::Map(_) | SchemaKind::Dynamic => true,
            _ => false,
        };
        if declared {
            match (own.find_str(name)?, other.find_str(name)?) {
                (None, None) => {}
                (Some(one), Some(other)) if one.equals(&other, steps)? => {}
                _ => return Ok(false),
            }
            continue;
        }
        let Map::Json { fields: others, .. } = other else { return Err(Failure::overload()) };
        if others.get(name).is_some_and(|other| other != value) {
            return Ok(false);
        }
    }
    Ok(true)
}
