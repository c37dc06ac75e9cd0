//! [`Condition`], a condition in the status of a definition.

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

/// The condition of a type of a definition.
pub(super) fn find<'a>(object: &'a Map, ty: &str) -> Option<&'a Map> {
    let conditions = list_at(object, &["status", "conditions"]).iter().filter_map(Value::as_object);
    conditions.into_iter().find(|condition| text_at(condition, &["type"]) == ty)
}

/// A condition of a definition.
pub(super) struct Condition<'a> {
    ty: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl<'a> Condition<'a> {
    pub(super) fn new(ty: &'a str, status: bool, reason: &'a str, message: &'a str) -> Self {
        Condition { ty, status: if status { "True" } else { "False" }, reason, message }
    }

    /// Sets the condition in a definition's status. The transition time stays if the condition's status does not
    /// change.
    pub(super) fn set(&self, object: &mut Map, now: Time) {
        let conditions = map_at(object, "status").entry("conditions").or_insert(Value::Null);
        if !conditions.is_array() {
            *conditions = json!([]);
        }
        let Value::Array(conditions) = conditions else { return };
        let is_same = |condition: &&mut Value| condition.get("type").is_some_and(|ty| ty == self.ty);
        let existing = conditions.iter_mut().find(is_same).and_then(Value::as_object_mut);
        let Some(condition) = existing else {
            conditions.push(json!({
                "type": self.ty, "status": self.status, "lastTransitionTime": now.to_string(),
                "reason": self.reason, "message": self.message,
            }));
            return;
        };
        let timed = condition.get("lastTransitionTime").is_some_and(Value::is_string);
        if !timed || text_at(condition, &["status"]) != self.status {
            condition.insert("lastTransitionTime".to_owned(), now.to_string().into());
        }
        for (name, value) in [("status", self.status), ("reason", self.reason), ("message", self.message)] {
            condition.insert(name.to_owned(), value.into());
        }
    }
}
