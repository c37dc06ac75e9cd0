//! The object a row is made of.

use klient_apimachinery::Time;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

use super::age;

/// An object, and the time its ages count to.
pub(super) struct Row<'a> {
    object: &'a Map,
    now: Time,
}

impl<'a> Row<'a> {
    pub(super) fn new(object: &'a Map, now: Time) -> Self {
        Row { object, now }
    }

    /// The cell of its name.
    pub(super) fn name(&self) -> Value {
        self.text(&["metadata", "name"]).into()
    }

    /// The cell of its age.
    pub(super) fn age(&self) -> Value {
        self.age_of(self.text(&["metadata", "creationTimestamp"])).into()
    }

    /// The cell of the time it was made.
    pub(super) fn created(&self) -> Value {
        let time: Time = self.text(&["metadata", "creationTimestamp"]).parse().unwrap_or(Time::ZERO);
        time.to_string().into()
    }

    /// How long ago a timestamp was.
    pub(super) fn age_of(&self, timestamp: &str) -> String {
        age::age(timestamp, self.now)
    }

    /// How long ago a time was.
    pub(super) fn since(&self, time: Time) -> String {
        age::since(time, self.now)
    }

    /// Whether it is being deleted.
    pub(super) fn deleted(&self) -> bool {
        !self.text(&["metadata", "deletionTimestamp"]).is_empty()
    }

    /// The value at a path, `null` where there is none.
    pub(super) fn at(&self, path: &[&str]) -> &'a Value {
        static NULL: Value = Value::Null;
        values::at(self.object, path).unwrap_or(&NULL)
    }

    /// The text at a path, empty where there is none.
    pub(super) fn text(&self, path: &[&str]) -> &'a str {
        values::text_at(self.object, path)
    }

    /// The text at a path, or a word for its absence.
    pub(super) fn text_or(&self, path: &[&str], absent: &'static str) -> &'a str {
        self.at(path).as_str().unwrap_or(absent)
    }

    /// The whole number at a path, 0 where there is none.
    pub(super) fn number(&self, path: &[&str]) -> i64 {
        self.at(path).as_i64().unwrap_or_default()
    }

    /// The boolean at a path, false where there is none.
    pub(super) fn flag(&self, path: &[&str]) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    /// The list at a path, empty where there is none.
    pub(super) fn list(&self, path: &[&str]) -> &'a [Value] {
        values::list_at(self.object, path)
    }

    /// How many items or entries the list or map at a path has.
    pub(super) fn size(&self, path: &[&str]) -> usize {
        match self.at(path) {
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        }
    }

    /// The first of the conditions in its status that has a type.
    pub(super) fn condition(&self, ty: &str) -> Option<&'a Value> {
        self.list(&["status", "conditions"]).iter().find(|condition| condition["type"] == ty)
    }

    /// Whether that condition is true.
    pub(super) fn is_true(&self, ty: &str) -> bool {
        self.condition(ty).is_some_and(|condition| condition["status"] == "True")
    }

    /// Whether any condition of a type is true, should it stand there more than once.
    pub(super) fn any_true(&self, ty: &str) -> bool {
        let conditions = self.list(&["status", "conditions"]);
        conditions.iter().any(|condition| condition["type"] == ty && condition["status"] == "True")
    }
}
