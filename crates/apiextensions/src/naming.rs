//! Acceptance of a definition's names, and its conditions.

use std::collections::HashSet;

use klient_apimachinery::Time;
use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::approval;
use super::condition::{Condition, find};

/// Sets the status of a definition: its accepted names, which must be unique in the group, its stored versions, and
/// the conditions `NamesAccepted`, `Established`, and in groups of Kubernetes' community
/// `KubernetesAPIApprovalPolicyConformant`. A new definition is not established whose conversion webhook has an invalid
/// `caBundle` (`has_invalid_bundle`).
pub fn establish(
    object: &mut Map,
    others: &mut dyn Iterator<Item = &Map>,
    has_invalid_bundle: bool,
    now: Time,
) {
    approval::set_condition(object, now);
    record_storage_version(object);
    let taken = NamesInUse::of(object, others);
    let (accepted, conflict) = taken.accept(object);
    map_at(object, "status").insert("acceptedNames".to_owned(), accepted.into());
    match conflict {
        None => {
            let accepted = Condition::new("NamesAccepted", true, "NoConflicts", "no conflicts found");
            accepted.set(object, now);
            let established = if has_invalid_bundle {
                let problem = "The conversion webhook CABundle is invalid";
                Condition::new("Established", false, "InvalidCABundle", problem)
            } else {
                let reason = "the initial names have been accepted";
                Condition::new("Established", true, "InitialNamesAccepted", reason)
            };
            if !is_established(object) {
                established.set(object, now);
            }
        }
        Some((reason, message)) => {
            Condition::new("NamesAccepted", false, reason, &message).set(object, now);
            let refused = Condition::new("Established", false, "NotAccepted", "not all names are accepted");
            if find(object, "Established").is_none() {
                refused.set(object, now);
            }
        }
    }
}

/// The progress of the deletion of a definition's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The objects will be deleted.
    Pending,
    /// The objects are being deleted.
    InProgress,
    /// The objects are deleted.
    Completed,
}

/// Sets the condition `Terminating` of a definition.
pub fn terminating(object: &mut Map, termination: Termination, now: Time) {
    let (status, reason, message) = match termination {
        Termination::Pending => (
            true,
            "InstanceDeletionPending",
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        ),
        Termination::InProgress => {
            (true, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        }
        Termination::Completed => (false, "InstanceDeletionCompleted", "removed all instances"),
    };
    Condition::new("Terminating", status, reason, message).set(object, now);
}

/// Returns true if the condition `Established` of a definition is true.
pub fn is_established(object: &Map) -> bool {
    find(object, "Established").is_some_and(|condition| text_at(condition, &["status"]) == "True")
}

/// Returns true if the condition `NamesAccepted` of a definition is true.
pub fn has_its_names(object: &Map) -> bool {
    find(object, "NamesAccepted").is_some_and(|condition| text_at(condition, &["status"]) == "True")
}

/// Adds the storage version to the stored versions.
pub(super) fn record_storage_version(object: &mut Map) {
    let versions = list_at(object, &["spec", "versions"]).iter();
    let storage = versions.clone().find(|version| version.get("storage") == Some(&Value::Bool(true)));
    let Some(name) = storage.and_then(|version| version.get("name")).cloned() else { return };
    let stored = map_at(object, "status").entry("storedVersions").or_insert(Value::Null);
    match stored {
        Value::Array(stored) if stored.contains(&name) => {}
        Value::Array(stored) => stored.push(name),
        stored => *stored = json!([name]),
    }
}

/// The accepted names in a group.
struct NamesInUse {
    resources: HashSet<String>,
    kinds: HashSet<String>,
}

impl NamesInUse {
    fn of(object: &Map, others: &mut dyn Iterator<Item = &Map>) -> Self {
        let mut taken = NamesInUse { resources: HashSet::new(), kinds: HashSet::new() };
        let group = text_at(object, &["spec", "group"]);
        taken.add(object);
        others.filter(|other| text_at(other, &["spec", "group"]) == group).for_each(|other| taken.add(other));
        taken
    }

    fn add(&mut self, object: &Map) {
        let Some(names) = object.get("status").and_then(|status| status.get("acceptedNames")?.as_object())
        else {
            return;
        };
        let text = |name: &str| text_at(names, &[name]).to_owned();
        let short = list_at(names, &["shortNames"]).iter().filter_map(Value::as_str).map(str::to_owned);
        self.resources.extend([text("plural"), text("singular")].into_iter().chain(short));
        self.kinds.extend([text("kind"), text("listKind")]);
    }

    /// The accepted names of a definition, and the last conflict if it does not get all the names it requests.
    fn accept(&self, object: &Map) -> (Map, Option<(&'static str, String)>) {
        let part =
            |path: [&str; 2]| object.get(path[0]).and_then(|part| part.get(path[1])?.as_object()).cloned();
        let wanted = part(["spec", "names"]).unwrap_or_default();
        let mut names = part(["status", "acceptedNames"]).unwrap_or_default();
        let had = names.clone();
        let mut conflict = None;
        for (name, reason) in NAMES {
            let problem = match *name {
                "shortNames" => self.short_names_problem(&wanted, &had),
                _ => self.name_problem(name, &wanted, &had),
            };
            match problem {
                None => copy(name, &wanted, &mut names),
                Some(message) => conflict = Some((*reason, message)),
            }
        }
        copy("categories", &wanted, &mut names);
        (names, conflict)
    }

    fn name_problem(&self, name: &str, wanted: &Map, had: &Map) -> Option<String> {
        let (wanted, had) = (text_at(wanted, &[name]), text_at(had, &[name]));
        let taken = if matches!(name, "kind" | "listKind") { &self.kinds } else { &self.resources };
        (wanted != had && taken.contains(wanted)).then(|| in_use(wanted))
    }

    fn short_names_problem(&self, wanted: &Map, had: &Map) -> Option<String> {
        let names = |names| list_at(names, &["shortNames"]).iter().filter_map(Value::as_str);
        let mut said: HashSet<&str> = names(had).collect();
        let new = names(wanted).filter(|name| said.insert(name));
        let problems: Vec<String> = new.filter(|name| self.resources.contains(*name)).map(in_use).collect();
        match &problems[..] {
            [] => None,
            [problem] => Some(problem.clone()),
            problems => Some(format!("[{}]", problems.join(", "))),
        }
    }
}

/// Names in the order of comparison, and the reason of a conflict.
const NAMES: &[(&str, &str)] = &[
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("shortNames", "ShortNamesConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
];

fn in_use(name: &str) -> String {
    format!("{name} is already in use", name = quoted(name))
}

fn copy(name: &str, from: &Map, to: &mut Map) {
    match from.get(name) {
        Some(value) => {
            to.insert(name.to_owned(), value.clone());
        }
        None => {
            to.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(plural: &str, kind: &str, short: &[&str]) -> Map {
        let list_kind = format!("{kind}List");
        let names = json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": list_kind, "shortNames": short});
        let object = json!({"spec": {
            "group": "a.example", "names": names, "versions": [{"name": "v1", "storage": false}, {"name": "v2", "storage": true}],
        }});
        object.as_object().unwrap().clone()
    }

    fn conditions(object: &Map) -> Vec<String> {
        let text = |condition: &Value, name: &str| condition[name].as_str().unwrap_or("?").to_owned();
        list_at(object, &["status", "conditions"])
            .iter()
            .map(|condition| {
                ["type", "status", "reason", "message", "lastTransitionTime"]
                    .map(|name| text(condition, name))
                    .join(" | ")
            })
            .collect()
    }

    #[test]
    fn a_definition_without_rivals_is_established() {
        let mut object = definition("gadgets", "Gadget", &["gd"]);
        object.insert("status".to_owned(), json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]}));
        establish(&mut object, &mut [].into_iter(), false, Time::from_unix(0));
        let established = [
            "NamesAccepted | True | NoConflicts | no conflicts found | 1970-01-01T00:00:00Z",
            "Established | True | InitialNamesAccepted | the initial names have been accepted | 1970-01-01T00:00:00Z",
        ];
        assert_eq!(conditions(&object), established);
        assert_eq!(object["status"]["acceptedNames"], object["spec"]["names"]);
        assert_eq!(object["status"]["storedVersions"], json!(["v1", "v2"]));
        establish(&mut object, &mut [].into_iter(), false, Time::from_unix(60));
        assert_eq!(conditions(&object), established);
    }

    #[test]
    fn names_of_others_in_the_group_are_not_given_twice() {
        let mut first = definition("gadgets", "Gadget", &["g", "gd"]);
        establish(&mut first, &mut [].into_iter(), false, Time::from_unix(0));
        for (plural, kind, short, conflict) in [
            ("gadgets", "Other", &[][..], r#"PluralConflict | "gadgets" is already in use"#),
            ("others", "Gadget", &[], r#"ListKindConflict | "GadgetList" is already in use"#),
            ("others", "Other", &["g"], r#"ShortNamesConflict | "g" is already in use"#),
            (
                "others",
                "Other",
                &["g", "o", "gadget"],
                r#"ShortNamesConflict | ["g" is already in use, "gadget" is already in use]"#,
            ),
        ] {
            let mut second = definition(plural, kind, short);
            establish(&mut second, &mut [&first].into_iter(), false, Time::from_unix(0));
            assert_eq!(
                conditions(&second),
                [
                    format!("NamesAccepted | False | {conflict} | 1970-01-01T00:00:00Z"),
                    "Established | False | NotAccepted | not all names are accepted | 1970-01-01T00:00:00Z"
                        .to_owned(),
                ]
            );
            let mut elsewhere = second.clone();
            map_at(&mut elsewhere, "spec").insert("group".to_owned(), "b.example".into());
            establish(&mut elsewhere, &mut [&first].into_iter(), false, Time::from_unix(60));
            assert_eq!(
                conditions(&elsewhere),
                [
                    "NamesAccepted | True | NoConflicts | no conflicts found | 1970-01-01T00:01:00Z",
                    "Established | True | InitialNamesAccepted | the initial names have been accepted | 1970-01-01T00:01:00Z",
                ]
            );
        }
    }

    #[test]
    fn an_established_definition_stays_so_when_a_new_name_is_taken() {
        let mut first = definition("gadgets", "Gadget", &["g"]);
        establish(&mut first, &mut [].into_iter(), false, Time::from_unix(0));
        let mut second = definition("others", "Other", &[]);
        establish(&mut second, &mut [&first].into_iter(), false, Time::from_unix(0));
        map_at(map_at(&mut second, "spec"), "names").insert("shortNames".to_owned(), json!(["g"]));
        establish(&mut second, &mut [&first].into_iter(), false, Time::from_unix(60));
        assert_eq!(
            conditions(&second),
            [
                r#"NamesAccepted | False | ShortNamesConflict | "g" is already in use | 1970-01-01T00:01:00Z"#,
                "Established | True | InitialNamesAccepted | the initial names have been accepted | 1970-01-01T00:00:00Z",
            ]
        );
        assert!(is_established(&second));
        terminating(&mut second, Termination::InProgress, Time::from_unix(90));
        assert_eq!(
            conditions(&second)[2],
            "Terminating | True | InstanceDeletionInProgress | CustomResource deletion is in progress | 1970-01-01T00:01:30Z",
        );
    }
}
