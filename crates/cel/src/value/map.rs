//! [`Map`], a map or object of CEL.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Value, json};
use crate::failure::{Failure, Result};
use crate::name::{escape, unescape};
use crate::schema::{Schema, SchemaKind};

/// A map or object: JSON that is read field by field, or values.
#[derive(Clone, Debug)]
pub(crate) enum Map<'a> {
    Json { fields: &'a serde_json::Map<String, Json>, schema: &'a Schema },
    Entries(Arc<MapBuilder<'a>>),
}

/// A key of a map. Numbers of different types are the same key if they are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Bool(bool),
    Int(i64),
    Uint(u64),
    String(Arc<str>),
}

impl Key {
    /// The key that a value is, if it can be one.
    pub(crate) fn of(value: &Value<'_>) -> Option<Key> {
        match value {
            Value::Bool(value) => Some(Key::Bool(*value)),
            Value::Int(value) => Some(Key::Int(*value)),
            Value::Uint(value) => Some(i64::try_from(*value).map_or(Key::Uint(*value), Key::Int)),
            Value::Double(value) if value.fract() == 0.0 => match super::double_to_int(*value) {
                Ok(int) => Some(Key::Int(int)),
                Err(_) => super::double_to_uint(*value).ok().map(Key::Uint),
            },
            Value::String(text) => Some(Key::String(Arc::from(&**text))),
            _ => None,
        }
    }
}

/// The entries of a map, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapBuilder<'a> {
    entries: Vec<(Value<'a>, Value<'a>)>,
    by_key: HashMap<Key, usize>,
}

impl<'a> MapBuilder<'a> {
    /// Adds an entry, in the place of one with the key.
    pub(crate) fn set(&mut self, key: Value<'a>, value: Value<'a>) -> Result<()> {
        let own = Key::of(&key).and_then(|key| self.by_key.get(&key));
        match own {
            Some(index) => self.entries[*index] = (key, value),
            None => {
                self.insert(key, value)?;
            }
        }
        Ok(())
    }

    /// Adds an entry; returns false if there is one with the key.
    pub(crate) fn insert(&mut self, key: Value<'a>, value: Value<'a>) -> Result<bool> {
        let own = Key::of(&key)
            .ok_or_else(|| Failure::Error(format!("unsupported key type: {}", key.type_name())))?;
        if self.by_key.contains_key(&own) {
            return Ok(false);
        }
        self.by_key.insert(own, self.entries.len());
        self.entries.push((key, value));
        Ok(true)
    }

    pub(crate) fn build(self) -> Map<'a> {
        Map::Entries(Arc::new(self))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Map::Json { fields, .. } => fields.len(),
            Map::Entries(entries) => entries.entries.len(),
        }
    }

    /// The entries as values, to add more.
    pub(crate) fn into_builder(self) -> Result<MapBuilder<'a>> {
        match self {
            Map::Entries(entries) => {
                Ok(Arc::try_unwrap(entries).unwrap_or_else(|entries| (*entries).clone()))
            }
            Map::Json { .. } => {
                let mut builder = MapBuilder::default();
                for key in self.keys() {
                    let value = self.find(&key)?.ok_or_else(Failure::overload)?;
                    builder.insert(key, value)?;
                }
                Ok(builder)
            }
        }
    }

    /// The value of a key.
    pub(crate) fn find(&self, key: &Value<'_>) -> Result<Option<Value<'a>>> {
        match self {
            Map::Json { .. } => match key {
                Value::String(key) => self.find_str(key),
                _ => Err(Failure::overload()),
            },
            Map::Entries(entries) => {
                let index = Key::of(key).and_then(|key| entries.by_key.get(&key));
                Ok(index.map(|index| entries.entries[*index].1.clone()))
            }
        }
    }

    /// The value of a field by its name in expressions, or of a key.
    pub(crate) fn find_str(&self, key: &str) -> Result<Option<Value<'a>>> {
        let Map::Json { fields, schema } = self else {
            return self.find(&Value::string(key));
        };
        let read = |value: Option<&'a Json>, schema: &'a Schema| {
            value.map(|value| json::read(value, schema)).transpose()
        };
        match &schema.kind {
            SchemaKind::Object(properties) => {
                let plain = !key.contains("__");
                let name = if plain { None } else { Some(unescape(key)) };
                let name = match &name {
                    None => key,
                    Some(Some(name)) => name.as_str(),
                    Some(None) => return Ok(None),
                };
                // A null of a nullable field is an absent field.
                let value = fields.get(name).filter(|value| !value.is_null());
                match (value, properties.get(name)) {
                    (Some(value), Some(field)) => json::read(value, &field.schema).map(Some),
                    _ => Ok(None),
                }
            }
            SchemaKind::Map(schema) => read(fields.get(key), schema),
            SchemaKind::Dynamic => Ok(fields.get(key).map(json::dynamic)),
            _ => Ok(None),
        }
    }

    /// Returns true if there is a value for a key, without reading it.
    pub(crate) fn contains(&self, key: &Value<'_>) -> Result<bool> {
        self.find(key).map(|found| found.is_some())
    }

    /// The keys of the entries that expressions can read.
    pub(crate) fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Map::Entries(entries) => entries.entries.iter().map(|(key, _)| key.clone()).collect(),
            Map::Json { fields, schema } => match &schema.kind {
                SchemaKind::Map(_) | SchemaKind::Dynamic => {
                    fields.keys().map(|key| Value::string(key.as_str())).collect()
                }
                SchemaKind::Object(properties) => {
                    let known = fields.keys().filter(|name| properties.contains_key(*name));
                    let escaped = |name: &'a String| match escape(name) {
                        Some(escaped) if escaped != *name => Value::string(escaped),
                        _ => Value::string(name.as_str()),
                    };
                    known.map(escaped).collect()
                }
                _ => Vec::new(),
            },
        }
    }
}
