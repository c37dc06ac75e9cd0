//! [`CorrelatedObject`], the old value that corresponds to a new one.

use std::collections::HashMap;

use serde_json::Value;

use super::data::Data;
use super::structural::{ListType, Structural};

#[cfg(test)]
thread_local! {
    /// The comparisons of values with old ones on this thread.
    pub(super) static COMPARISONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The old value that corresponds to a new one.
#[derive(Clone, Copy)]
pub(super) struct CorrelatedObject<'a> {
    pub(super) value: Data<'a>,
    /// The schema of the value, without `allOf` and the like.
    pub(super) schema: &'a Structural,
}

impl<'a> CorrelatedObject<'a> {
    /// The old value of a field, if the schema declares it.
    pub(super) fn field(self, name: &str) -> Option<CorrelatedObject<'a>> {
        let Data::Object(object) = self.value else { return None };
        Some(CorrelatedObject { value: object.get(name)?.into(), schema: self.schema.field(name)? })
    }

    /// The old items, if the list is a map with keys.
    pub(super) fn items(self) -> Option<Items<'a>> {
        let (Data::List(items), ListType::Map(keys)) = (self.value, &self.schema.list) else { return None };
        let mut by_key = HashMap::new();
        for item in items {
            if let Some(key) = key_of(item, keys) {
                by_key.entry(key).or_insert(item);
            }
        }
        Some(Items { by_key, keys, schema: self.schema.items.as_deref()? })
    }

    /// Returns true if the value is unchanged. Fields that the schema does not declare never are.
    pub(super) fn is(self, value: Data<'_>) -> bool {
        #[cfg(test)]
        COMPARISONS.set(COMPARISONS.get() + 1);
        match (value, self.value) {
            (Data::List(new), Data::List(old)) if matches!(self.schema.list, ListType::Map(_)) => {
                let before = self.items();
                let same = |item: &Value| {
                    let earlier = before.as_ref().and_then(|before| before.get(item));
                    earlier.is_some_and(|earlier| earlier.is(item.into()))
                };
                new.len() == old.len() && new.iter().all(same)
            }
            (Data::Object(new), Data::Object(old)) => {
                let same = |(name, value): (&String, &Value)| {
                    self.field(name).is_some_and(|earlier| earlier.is(value.into()))
                };
                new.len() == old.len() && new.iter().all(same)
            }
            (new, old) => new.equals(old),
        }
    }
}

/// The items of a list, by their keys.
pub(super) struct Items<'a> {
    by_key: HashMap<String, &'a Value>,
    keys: &'a [String],
    schema: &'a Structural,
}

impl<'a> Items<'a> {
    /// The old item with the same keys, as JSON.
    pub(super) fn find(&self, item: &Value) -> Option<&'a Value> {
        self.by_key.get(&key_of(item, self.keys)?).copied()
    }

    /// The old item with the same keys.
    pub(super) fn get(&self, item: &Value) -> Option<CorrelatedObject<'a>> {
        let before = self.by_key.get(&key_of(item, self.keys)?)?;
        Some(CorrelatedObject { value: (*before).into(), schema: self.schema })
    }
}

/// The keys of an item as one string, if it has all of them and they are scalars.
fn key_of(item: &Value, keys: &[String]) -> Option<String> {
    let scalar = |value: &&Value| value.is_string() || value.is_number() || value.is_boolean();
    let values: Option<Vec<String>> =
        keys.iter().map(|key| item.get(key).filter(scalar).map(Value::to_string)).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(","))
}
