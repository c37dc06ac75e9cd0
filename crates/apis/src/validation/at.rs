//! [`At`], a value of an object with its path.

use std::fmt::Write as _;

use serde_json::Value;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

/// An optional field. Its path is formatted only for errors.
#[derive(Clone, Copy)]
pub(super) struct At<'p, 'v> {
    step: Step<'p, 'v>,
    value: Option<&'v Value>,
}

#[derive(Clone, Copy)]
enum Step<'p, 'v> {
    Top(&'p str),
    Child(&'p At<'p, 'v>, &'p str),
    Index(&'p At<'p, 'v>, usize),
    Key(&'p At<'p, 'v>, &'v str),
}

impl<'p, 'v> At<'p, 'v> {
    /// The field of an object at a dotted path.
    pub(super) fn new(object: &'v Map, path: &'p str) -> Self {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        At { step: Step::Top(path), value: descend(object.get(first), rest) }
    }

    /// A field with a known value.
    pub(super) fn named(path: &'p str, value: Option<&'v Value>) -> Self {
        At { step: Step::Top(path), value }
    }

    /// The field at a dotted path below this one.
    pub(super) fn get<'a>(&'a self, path: &'a str) -> At<'a, 'v> {
        At { step: Step::Child(self, path), value: descend(self.value, path) }
    }

    /// The same path with another value, for errors that name the path above the wrong value.
    pub(super) fn holding<'w>(&self, value: Option<&'w Value>) -> At<'p, 'w>
    where
        'v: 'w,
    {
        At { step: self.step, value }
    }

    /// The items of a list.
    pub(super) fn items<'a>(&'a self) -> impl Iterator<Item = At<'a, 'v>> + use<'a, 'p, 'v> {
        let item = |(index, value)| At { step: Step::Index(self, index), value: Some(value) };
        self.list().iter().enumerate().map(item)
    }

    /// The entries of a map.
    pub(super) fn entries<'a>(&'a self) -> impl Iterator<Item = (&'v str, At<'a, 'v>)> + use<'a, 'p, 'v> {
        let entry = |(key, value): (&'v String, &'v Value)| {
            (key.as_str(), At { step: Step::Key(self, key), value: Some(value) })
        };
        self.map().into_iter().flatten().map(entry)
    }

    pub(super) fn raw(&self) -> Option<&'v Value> {
        self.value.filter(|value| !value.is_null())
    }

    pub(super) fn is_set(&self) -> bool {
        self.raw().is_some()
    }

    /// Returns true if the string, list or map is missing or empty.
    pub(super) fn is_empty(&self) -> bool {
        match self.raw() {
            None => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(entries)) => entries.is_empty(),
            Some(_) => false,
        }
    }

    pub(super) fn text(&self) -> &'v str {
        self.value.and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn int(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    /// The number, 0 if there is none.
    pub(super) fn number(&self) -> i64 {
        self.int().unwrap_or_default()
    }

    pub(super) fn flag(&self) -> bool {
        self.value.and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn list(&self) -> &'v [Value] {
        self.value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The strings in a list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        self.list().iter().filter_map(Value::as_str)
    }

    pub(super) fn map(&self) -> Option<&'v Map> {
        self.value.and_then(Value::as_object)
    }

    /// The value of a key in a map of strings.
    pub(super) fn entry(&self, key: &str) -> Option<&'v str> {
        self.map()?.get(key)?.as_str()
    }

    /// The path as in Kubernetes' errors, such as `spec.containers[0].name`.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        self.write_path(&mut path);
        path
    }

    fn write_path(&self, path: &mut String) {
        // Writing to a String does not fail.
        let _ = match self.step {
            Step::Top(name) => path.write_str(name),
            Step::Child(up, name) => {
                up.write_path(path);
                write!(path, ".{name}")
            }
            Step::Index(up, index) => {
                up.write_path(path);
                write!(path, "[{index}]")
            }
            Step::Key(up, key) => {
                up.write_path(path);
                write!(path, "[{key}]")
            }
        };
    }

    pub(super) fn required(&self, detail: &str) -> FieldError {
        FieldError::required(self.path(), detail)
    }

    /// The value for messages, `null` if there is none.
    pub(super) fn invalid(&self, detail: impl Into<String>) -> FieldError {
        self.invalid_as(self.raw().cloned().unwrap_or_default(), detail)
    }

    /// The string for messages, `""` if there is none.
    pub(super) fn invalid_text(&self, detail: impl Into<String>) -> FieldError {
        self.invalid_as(self.text(), detail)
    }

    pub(super) fn invalid_as(&self, shown: impl Into<Value>, detail: impl Into<String>) -> FieldError {
        FieldError::invalid(self.path(), shown, detail)
    }

    pub(super) fn forbidden(&self, detail: impl Into<String>) -> FieldError {
        FieldError::forbidden(self.path(), detail)
    }

    pub(super) fn duplicate(&self, shown: impl Into<Value>) -> FieldError {
        FieldError::duplicate(self.path(), shown)
    }

    pub(super) fn not_supported(&self, allowed: &[&str]) -> FieldError {
        FieldError::not_supported(self.path(), self.text(), allowed)
    }

    pub(super) fn not_found(&self) -> FieldError {
        FieldError::not_found(self.path(), self.text())
    }

    pub(super) fn too_long(&self, max: usize) -> FieldError {
        FieldError::too_long(self.path(), max)
    }

    /// Adds the errors of a rule for the string.
    pub(super) fn must_be(&self, rule: impl Fn(&str) -> Vec<String>, problems: &mut ErrorList) {
        let found = rule(self.text());
        if !found.is_empty() {
            problems.invalid(&self.path(), self.text(), found);
        }
    }

    /// Requires a string, and that it follows a rule.
    pub(super) fn must_have(&self, rule: impl Fn(&str) -> Vec<String>, problems: &mut ErrorList) {
        if self.is_empty() {
            problems.add(self.required(""));
        } else {
            self.must_be(rule, problems);
        }
    }

    /// Requires a string, list or map that is not empty.
    pub(super) fn must_be_set(&self, detail: &str, problems: &mut ErrorList) {
        if self.is_empty() {
            problems.add(self.required(detail));
        }
    }

    /// Allows only these strings; a missing one only if the empty string is among them.
    pub(super) fn must_be_one_of(&self, allowed: &[&str], problems: &mut ErrorList) {
        if !allowed.contains(&self.text()) {
            problems.add(self.not_supported(allowed));
        }
    }

    /// Requires one of these strings.
    pub(super) fn must_have_one_of(&self, allowed: &[&str], problems: &mut ErrorList) {
        match self.text() {
            "" => problems.add(self.required("")),
            _ => self.must_be_one_of(allowed, problems),
        }
    }

    /// Limits the number of items of a list.
    pub(super) fn must_have_at_most(&self, max: usize, problems: &mut ErrorList) {
        let len = self.list().len();
        if len > max {
            problems.add(FieldError::too_many(self.path(), format!("{len}: must have at most {max} items")));
        }
    }

    pub(super) fn must_not_be_negative(&self, problems: &mut ErrorList) {
        if self.number() < 0 {
            problems.add(self.invalid(NEGATIVE));
        }
    }

    pub(super) fn must_be_between(&self, low: i64, high: i64, problems: &mut ErrorList) {
        if !(low..=high).contains(&self.number()) {
            problems.add(self.invalid_as(self.number(), between(low, high)));
        }
    }

    /// Rejects a change.
    pub(super) fn must_equal(&self, old: &At<'_, '_>, problems: &mut ErrorList) {
        if !same(self.raw(), old.raw()) {
            problems.add(self.invalid(IMMUTABLE));
        }
    }
}

pub(super) const IMMUTABLE: &str = "field is immutable";
pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";

pub(super) fn between(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// Returns true if values are equal; an empty list or map equals a missing one.
pub(super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a.filter(|value| !is_nothing(value)), b.filter(|value| !is_nothing(value))) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.iter().all(|(key, value)| same(Some(value), b.get(key)))
                && b.iter().all(|(key, value)| a.contains_key(key) || is_nothing(value))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(Some(a), Some(b)))
        }
        (a, b) => a == b,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn descend<'v>(value: Option<&'v Value>, path: &str) -> Option<&'v Value> {
    if path.is_empty() {
        return value;
    }
    path.split('.').try_fold(value?, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_put_into_words() {
        let object = json!({"spec": {"list": [{"name": "a"}], "map": {"x/y": "b"}}});
        let spec = At::new(object.as_object().expect("an object"), "spec");
        let list = spec.get("list");
        let item = list.items().next().expect("an item");
        assert_eq!(item.get("name").path(), "spec.list[0].name");
        assert_eq!(item.get("name").text(), "a");
        let map = spec.get("map");
        let (key, entry) = map.entries().next().expect("an entry");
        assert_eq!((key, entry.path().as_str(), entry.text()), ("x/y", "spec.map[x/y]", "b"));
        assert!(!spec.get("not.there").is_set());
    }

    #[test]
    fn nothing_and_empty_are_the_same() {
        for (a, b, expected) in [
            (json!(null), json!([]), true),
            (json!({"a": []}), json!({}), true),
            (json!({"a": 1}), json!({"a": 1, "b": null}), true),
            (json!({}), json!(null), false),
            (json!([1]), json!([1, 2]), false),
        ] {
            assert_eq!(same(Some(&a), Some(&b)), expected, "{a} {b}");
        }
    }
}
