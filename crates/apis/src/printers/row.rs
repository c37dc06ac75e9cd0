//! The object of a row.

use klient_apimachinery::Time;
use klient_apimachinery::values::{self, Map};
use serde_json::Value;

use super::age;

/// An object, and the time to which ages are relative.
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

    /// The cell of its creation time.
    pub(super) fn created(&self) -> Value {
        let time: Time = self.text(&["metadata", "creationTimestamp"]).parse().unwrap_or(Time::ZERO);
        time.to_string().into()
    }

    /// The time elapsed since a timestamp.
    pub(super) fn age_of(&self, timestamp: &str) -> String {
        age::age(timestamp, self.now)
    }

    /// The time elapsed since a time.
    pub(super) fn since(&self, time: Time) -> String {
        age::since(time, self.now)
    }

    /// Returns true if the object is being deleted.
    pub(super) fn deleted(&self) -> bool {
        !self.text(&["metadata", "deletionTimestamp"]).is_empty()
    }

    /// The value at a path, `null` if there is none.
    pub(super) fn at(&self, path: &[&str]) -> &'a Value {
        static NULL: Value = Value::Null;
        values::at(self.object, path).unwrap_or(&NULL)
    }

    /// The string at a path, empty if there is none.
    pub(super) fn text(&self, path: &[&str]) -> &'a str {
        values::text_at(self.object, path)
    }

    /// The string at a path, or a placeholder if it is empty.
    pub(super) fn text_or(&self, path: &[&str], absent: &'static str) -> &'a str {
        self.at(path).as_str().unwrap_or(absent)
    }

    /// The integer at a path, 0 if there is none.
    pub(super) fn number(&self, path: &[&str]) -> i64 {
        self.at(path).as_i64().unwrap_or_default()
    }

    /// The boolean at a path, false if there is none.
    pub(super) fn flag(&self, path: &[&str]) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    /// The list at a path, empty if there is none.
    pub(super) fn list(&self, path: &[&str]) -> &'a [Value] {
        values::list_at(self.object, path)
    }

    /// The number of items or entries of the list or map at a path.
    pub(super) fn size(&self, path: &[&str]) -> usize {
        match self.at(path) {
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        }
    }

    /// The first condition of a type in its status.
    pub(super) fn condition(&self, ty: &str) -> Option<&'a Value> {
        self.list(&["status", "conditions"]).iter().find(|condition| condition["type"] == ty)
    }

    /// Returns true if the first condition of a type is true.
    pub(super) fn is_true(&self, ty: &str) -> bool {
        self.condition(ty).is_some_and(|condition| condition["status"] == "True")
    }

    /// Returns true if any condition of a type is true; there may be several.
    pub(super) fn any_true(&self, ty: &str) -> bool {
        let conditions = self.list(&["status", "conditions"]);
        conditions.iter().any(|condition| condition["type"] == ty && condition["status"] == "True")
    }
}
