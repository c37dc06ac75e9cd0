//! [`Steps`], the work that functions may do on values that an expression makes.

use serde_json::Value as Json;

use crate::cost::CHARACTER;
use crate::effort;
use crate::failure::{Failure, Result};
use crate::value::{List, Map, Value};

/// The steps after which the effort of the thread is taken.
const STRIDE: u64 = 1 << 16;

/// The steps that are left. A value refers to others, maybe many times to one: what has a small cost may take a function
/// that visits all parts of it forever.
#[derive(Debug)]
pub(crate) struct Steps {
    left: u64,
    /// The steps at which the effort of the thread is next taken; 0 if it is not.
    check: u64,
}

impl Steps {
    /// The steps of an evaluation, by the limit of its cost: ten for each unit, as an item or a character costs a tenth.
    pub(crate) fn new(limit: u64) -> Self {
        let left = limit.saturating_mul(10).saturating_add(100_000);
        Steps { left, check: left.saturating_sub(STRIDE) }
    }

    /// A number of steps, of any effort.
    pub(crate) fn timeless(left: u64) -> Self {
        Steps { left, check: 0 }
    }

    /// The steps of a call for whose arguments an evaluation has taken them.
    pub(crate) fn counted() -> Self {
        Steps::timeless(u64::MAX)
    }

    /// Takes steps.
    ///
    /// # Errors
    ///
    /// [`Failure::Budget`] if too few are left, or the effort of the thread is interrupted.
    pub(crate) fn take(&mut self, count: u64) -> Result<()> {
        self.left = self.left.checked_sub(count).ok_or(Failure::Budget)?;
        if self.left < self.check {
            self.check = self.left.saturating_sub(STRIDE);
            // A part is visited in less time than a step of an effort takes.
            effort::take(STRIDE / 2)?;
        }
        Ok(())
    }

    /// Takes the steps of a visit of all parts of an argument, this many times; a character takes a tenth, once. An
    /// argument that is JSON takes none: its parts are in no other value.
    pub(crate) fn take_parts(&mut self, argument: &Value<'_>, times: u64) -> Result<()> {
        match argument {
            Value::List(List::Json { .. }) | Value::Map(Map::Json { .. }) | Value::Preserved(_) => Ok(()),
            made => self.take_made(made, times),
        }
    }

    fn take_made(&mut self, value: &Value<'_>, times: u64) -> Result<()> {
        let size = match value {
            Value::String(_) | Value::Bytes(_) => (value.size() as f64 * CHARACTER) as u64,
            _ => 0,
        };
        self.take(times.saturating_add(size))?;
        match value {
            Value::List(List::Json { items, .. }) => {
                items.iter().try_for_each(|item| self.take_json(item, times))
            }
            Value::Map(Map::Json { fields, .. }) => {
                fields.values().try_for_each(|value| self.take_json(value, times))
            }
            Value::Preserved(value) => self.take_json(value, times),
            Value::List(list) => list.iter().try_for_each(|item| self.take_made(&item?, times)),
            Value::Map(map) => map.keys().iter().try_for_each(|key| {
                self.take_made(key, times)?;
                map.find(key)?.map_or(Ok(()), |value| self.take_made(&value, times))
            }),
            Value::Optional(Some(value)) => self.take_made(value, times),
            Value::Object(object) => {
                object.fields.iter().try_for_each(|(_, value)| self.take_made(value, times))
            }
            _ => Ok(()),
        }
    }

    fn take_json(&mut self, value: &Json, times: u64) -> Result<()> {
        let size = value.as_str().map_or(0, |text| (text.len() as f64 * CHARACTER) as u64);
        self.take(times.saturating_add(size))?;
        match value {
            Json::Array(items) => items.iter().try_for_each(|item| self.take_json(item, times)),
            Json::Object(fields) => fields.values().try_for_each(|value| self.take_json(value, times)),
            _ => Ok(()),
        }
    }
}
