//! What must hold of every step, whatever it is.

use std::collections::BTreeSet;

use klient_structured_merge::{FieldSet, Path, PathElement};
use serde_json::{Value, json};

use crate::answer::{Entry, Stored};
use crate::choose::STRANGER;
use crate::diff::diff;
use crate::disturb::overlay;
use crate::played::Played;
use crate::step::Verb;

impl Played {
    /// What does not hold although it must, on any server:
    ///
    /// - the server answers; it fails (5xx) only where upstream does: at applies and strategic merge patches that make no sense;
    /// - a write that is refused, or is a dry run, changes nothing;
    /// - managed fields are in order, each manager's once, and in the form upstream writes them;
    /// - managers own only fields that exist, or that have nothing in them, which is not kept;
    /// - applying the same twice changes nothing, the version included, unless it holds something empty: where all
    ///   of a map is dropped, upstream leaves null, and what is applied again is put there; nor once the scale was
    ///   written, for which upstream gives the manager of the replicas a second entry; nor if a second has ended, and
    ///   the new time of an entry puts it behind others, which upstream stores although it stores no time alone;
    /// - what a manager alone owned and no longer applies is removed.
    ///
    /// Webhooks change objects after the managed fields are known, and conversions may fail anywhere.
    pub fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let may_fail = self.is_hooked
            || matches!(
                self.step.verb,
                Verb::Apply { .. } | Verb::StrategicPatch(_) | Verb::MergePatch(_) | Verb::JsonPatch(_)
            );
        if self.is_broken() {
            wrong.push("the server broke the connection".to_owned());
        }
        let message = self.answer.body["message"].as_str().unwrap_or_default();
        let may_fail = may_fail || message.starts_with("duplicate nodePort");
        if self.answer.code >= 500 && !(may_fail && self.answer.code == 500) {
            wrong.push(format!("answered {}: {}", self.answer.code, self.answer.body));
        }
        let text = |stored: &Option<Stored>| stored.as_ref().map(|stored| stored.text.clone());
        if (!self.answer.is_success() || self.step.dry_run) && text(&self.before) != text(&self.after) {
            wrong.push("the object changed although the write was refused, or a dry run".to_owned());
        }
        if let Some(after) = &self.after {
            match after.managed_fields() {
                Ok(entries) => {
                    wrong.extend(disorder(&entries));
                    let ids: BTreeSet<_> = entries.iter().map(Entry::id).collect();
                    if ids.len() < entries.len() && !self.was_scaled {
                        wrong.push("a manager has two entries in managedFields".to_owned());
                    }
                    wrong.extend(entries.iter().flat_map(ill_formed));
                    let missing = entries.iter().filter(|_| !self.is_hooked);
                    wrong.extend(missing.flat_map(|entry| self.missing(entry, &after.object)));
                }
                Err(error) => wrong.push(format!("managedFields that cannot be read: {error}")),
            }
        }
        if let (Some((answer, after)), true) = (&self.again, self.is_repeatable()) {
            if !answer.is_success() {
                wrong.push(format!("applied again, it is refused: {}", answer.body));
            } else if text(after) != text(&self.after) && !is_reordered(self.after.as_ref(), after.as_ref()) {
                let shown =
                    |stored: &Option<Stored>| stored.as_ref().map_or(Value::Null, |one| one.object.clone());
                let lines = diff("", &shown(&self.after), &shown(after)).join("\n");
                wrong.push(format!("applied again, it changes something:\n{lines}"));
            }
        }
        if !self.is_hooked {
            wrong.extend(self.remains());
        }
        wrong
    }

    /// Whether what was applied can be applied again to no effect.
    fn is_repeatable(&self) -> bool {
        let Verb::Apply { config, .. } = &self.step.verb else { return false };
        let has_version = config.pointer("/metadata/resourceVersion").is_some();
        !has_version && !holds_empty(config) && !self.was_scaled && !self.is_hooked
    }

    /// What an entry owns and the object does not have.
    fn missing(&self, entry: &Entry<'_>, object: &Value) -> Vec<String> {
        let Ok(fields) = entry.fields() else { return Vec::new() };
        if entry.manager == STRANGER {
            return Vec::new();
        }
        let leaves = fields.leaves();
        let was_emptied = |path: &Path, seen: &Value| {
            find(seen, path).is_some_and(|value| value.is_object() || value.is_array())
        };
        // Nothing is left of what is empty, nor of what the server drops.
        let may_miss = |path: &Path| {
            has_field(path, self.kind.dropped)
                || has_null_key(path)
                || self.seen.iter().any(|seen| find(seen, path).is_some_and(is_empty))
                || (leaves.has(path) && self.seen.iter().any(|seen| was_emptied(path, seen)))
        };
        let missing = fields.iter().filter(|path| find(object, path).is_none() && !may_miss(path));
        missing.map(|path| format!("{:?}: owns {path}, which does not exist", entry.id())).collect()
    }

    /// Fields that only the one who applied owned, who no longer does, and that are still there.
    fn remains(&self) -> Vec<String> {
        let (Some(applier), Some(before), Some(after)) = (self.applier(), &self.before, &self.after) else {
            return Vec::new();
        };
        if !self.answer.is_success() || self.step.dry_run {
            return Vec::new();
        }
        let id = ("Apply", applier, "", self.step.subresource.unwrap_or_default());
        let (Ok(entries_before), Ok(entries_after)) = (before.managed_fields(), after.managed_fields())
        else {
            return Vec::new();
        };
        let set = |entries: &[Entry<'_>], mine: bool| {
            let chosen = entries.iter().filter(|entry| (entry.id() == id) == mine);
            chosen.filter_map(|entry| entry.fields().ok()).fold(FieldSet::EMPTY, |all, one| all.union(&one))
        };
        let alone = set(&entries_before, true).leaves();
        let released = alone.recursive_difference(&set(&entries_before, false));
        let released =
            released.difference(&set(&entries_after, true)).difference(&set(&entries_after, false));
        let others = set(&entries_before, false);
        let after_it = set(&entries_after, true);
        // An empty list or null is owned as such, and is there still where others have put something into it.
        let is_of_others = |path: &Path| others.iter().any(|other| other.starts_with(path));
        let remains = released.iter().filter(|path| {
            !has_field(path, self.kind.defaults)
                && !is_of_others(path)
                && !after_it.iter().any(|other| is_same_but_null(path, &other))
                && find(&before.object, path).is_some_and(|value| !value.is_object())
                && find(&before.object, path) == find(&after.object, path)
        });
        remains
            .map(|path| format!("{path} is still there, although {applier} alone owned and dropped it"))
            .collect()
    }
}

/// Returns true if two states differ in the order of their managers, and besides in nothing but the times of those and
/// the version.
fn is_reordered(one: Option<&Stored>, other: Option<&Stored>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let entries = |stored: &Stored| {
        let mut entries = stored.object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        entries.iter_mut().for_each(|entry| drop(entry.as_object_mut().map(|fields| fields.remove("time"))));
        entries
    };
    let sorted = |mut entries: Vec<Value>| {
        entries.sort_by_key(Value::to_string);
        entries
    };
    let rest = |stored: &Stored| {
        let mut object = stored.object.clone();
        overlay(&mut object, &json!({"metadata": {"managedFields": null, "resourceVersion": null}}));
        object
    };
    let (ours, theirs) = (entries(one), entries(other));
    ours != theirs && sorted(ours) == sorted(theirs) && rest(one) == rest(other)
}

/// Whether one of these fields is on the way.
fn has_field(path: &Path, names: &[&str]) -> bool {
    path.iter().any(|element| match element {
        PathElement::Field(name) => names.contains(&name.as_str()),
        _ => false,
    })
}

/// Whether an item is told by null, in whose place a default is kept.
fn has_null_key(path: &Path) -> bool {
    path.iter().any(|element| match element {
        PathElement::Key(key) => key.fields().any(|(_, value)| value.is_null()),
        _ => false,
    })
}

/// Returns true if two paths name the same item, where nulls in the keys of the second stand for defaults.
fn is_same_but_null(path: &Path, other: &Path) -> bool {
    let is_same = |(one, other): (&PathElement, &PathElement)| match (one, other) {
        (PathElement::Key(key), PathElement::Key(other)) => {
            key.fields().zip(other.fields()).all(|((name, value), (other, written))| {
                name == other && (value == written || written.is_null())
            })
        }
        _ => one == other,
    };
    path.iter().count() == other.iter().count() && path.iter().zip(other.iter()).all(is_same)
}

/// Whether Go leaves a value out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Whether there is something empty in a value.
fn holds_empty(value: &Value) -> bool {
    is_empty(value)
        || match value {
            Value::Array(items) => items.iter().any(holds_empty),
            Value::Object(fields) => fields.values().any(holds_empty),
            _ => false,
        }
}

/// What is wrong with the order of entries.
fn disorder(entries: &[Entry<'_>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let key = |entry: &Entry<'_>| {
        let (operation, manager, ..) = entry.id();
        (
            operation.to_owned(),
            entry.time.clone(),
            manager.to_owned(),
            entry.api_version.clone(),
            entry.subresource.clone(),
        )
    };
    if !entries.is_sorted_by_key(key) {
        let order: Vec<_> = entries.iter().map(key).collect();
        wrong.push(format!("managedFields are not in order: {order:?}"));
    }
    let updaters = entries.iter().filter(|entry| entry.operation == "Update" && entry.subresource.is_empty());
    if updaters.filter(|entry| entry.manager != "ancient-changes").count() > 10 {
        wrong.push("more than ten managers that update are told apart".to_owned());
    }
    wrong
}

/// What is wrong with an entry by itself.
fn ill_formed(entry: &Entry<'_>) -> Vec<String> {
    let who = format!("{:?}", entry.id());
    if entry.fields_type != "FieldsV1" {
        return vec![format!("{who}: fieldsType is {:?}", entry.fields_type)];
    }
    let fields = match entry.fields() {
        Ok(fields) => fields,
        Err(error) => return vec![format!("{who}: fieldsV1 cannot be read: {error}")],
    };
    let mut wrong = Vec::new();
    if fields.is_empty() {
        wrong.push(format!("{who}: owns nothing"));
    }
    if fields.to_json() != entry.fields_text() {
        wrong.push(format!("{who}: fieldsV1 in another form: {}", entry.fields_text()));
    }
    wrong
}

/// What stands at a path.
fn find<'a>(object: &'a Value, path: &[PathElement]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, element| match element {
        PathElement::Field(name) => value.get(name.as_str()),
        PathElement::Index(at) => value.get(usize::try_from(*at).ok()?),
        PathElement::Value(one) => value.as_array()?.iter().find(|item| *item == &**one),
        PathElement::Key(key) => {
            // In what is applied, keys that have defaults may be absent.
            let has = |item: &Value| {
                key.fields().all(|(name, value)| item.get(name).is_none_or(|one| one == value))
            };
            value.as_array()?.iter().find(|item| has(item))
        }
    })
}

#[test]
fn an_entry_may_move_behind_others_when_its_time_is_new_and_nothing_else_may() {
    let entry = |manager: &str, time: &str| {
        json!({
            "manager": manager, "operation": "Apply", "apiVersion": "v1", "time": time,
            "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {"f:phase": {}}},
        })
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let stored = |version: &str, phase: &str, entries: [Value; 2]| {
        let metadata = json!({"resourceVersion": version, "managedFields": entries});
        Stored::new(json!({"metadata": metadata, "status": {"phase": phase}}).to_string())
            .expect("it is JSON")
    };
    let before = stored("5", "Running", [entry("a", early), entry("b", early)]);
    let is_reordered = |after: Stored| is_reordered(Some(&before), Some(&after));
    assert!(is_reordered(stored("6", "Running", [entry("b", early), entry("a", late)])));
    // A new time alone is not stored, nor may a field or a manager change.
    assert!(!is_reordered(stored("6", "Running", [entry("a", early), entry("b", late)])));
    assert!(!is_reordered(stored("6", "Pending", [entry("b", early), entry("a", late)])));
    assert!(!is_reordered(stored("6", "Running", [entry("b", early), entry("c", late)])));
}
