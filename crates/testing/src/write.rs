//! [`Write`], a write of the controller and its effect.

use std::fmt;

use klient_apimachinery::{Object as _, Unstructured};
use serde_json::Value;

use crate::target::Target;

/// A write of the controller. Its number is its place among all of them, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) step: usize,
    pub(crate) verb: &'static str,
    pub(crate) target: Target,
    /// The name of the object, as in an identity.
    pub(crate) name: Option<String>,
    /// True if it names the resource version that it changes: another version is then a conflict.
    pub(crate) has_version: bool,
    pub(crate) outcome: WriteOutcome,
}

impl Write {
    /// The request, with the stable name of its object.
    pub(crate) fn request(&self) -> String {
        let target = Target { name: None, ..self.target.clone() };
        format!("{} {}", self.verb, target.describe(self.name.as_deref()))
    }
}

/// The result of a write as far as it is known.
#[derive(Clone, Debug)]
pub(crate) enum WriteOutcome {
    /// There is no answer yet.
    Sent,
    /// It was not sent, or not executed.
    Withheld(&'static str),
    /// It was executed, with the status of the answer, and perhaps the controller got another answer.
    Executed { status: u16, effect: Effect, got: Option<&'static str> },
    /// The connection failed.
    Failed(String),
}

/// The change that a write has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    None,
    Created,
    Changed,
    Deleted,
    /// It has removed the last finalizer of a terminating object.
    Finalized,
}

impl Effect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Effect::None => "not changed",
            Effect::Created => "created",
            Effect::Changed => "changed",
            Effect::Deleted => "deleted",
            Effect::Finalized => "without its last finalizer",
        }
    }
}

/// An object that a write has changed.
pub(crate) struct Changed {
    /// The object in the answer, or as much of it as the request names.
    pub(crate) object: Unstructured,
    pub(crate) effect: Effect,
    /// True if the answer has the object.
    pub(crate) is_answered: bool,
}

/// The objects that a successful write has changed, by its answer; `before` is the server's version before.
pub(crate) fn changed(verb: &str, target: &Target, status: u16, answer: &[u8], before: u64) -> Vec<Changed> {
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(answer) else { return Vec::new() };
    let answer = Unstructured(answer);
    if answer.kind() == "Status" && answer.api_version() == "v1" {
        return changed_by_status(verb, target, &answer).into_iter().collect();
    }
    if let Some(items) = answer.0.get("items").and_then(Value::as_array) {
        let objects = items.iter().filter_map(|item| item.as_object().cloned()).map(Unstructured);
        // They are as they were before.
        let deleted = objects.filter(|object| verb == "deletecollection" && !is_terminating(object));
        return deleted
            .map(|object| Changed { object, effect: Effect::Deleted, is_answered: true })
            .collect();
    }
    changed_object(verb, status, answer, before).into_iter().collect()
}

fn is_terminating(object: &Unstructured) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// The object of a write that is answered with a status.
fn changed_by_status(verb: &str, target: &Target, answer: &Unstructured) -> Option<Changed> {
    let effect = match (verb, target.subresource.as_deref()) {
        ("delete", None) | ("create", Some("eviction")) => Effect::Deleted,
        ("create", Some("binding")) => Effect::Changed,
        _ => return None,
    };
    let mut object = Unstructured::new("", "", target.name.as_deref()?);
    if let Some(namespace) = &target.namespace {
        object["metadata"]["namespace"] = namespace.as_str().into();
    }
    if let Some(uid) = answer["details"]["uid"].as_str() {
        object["metadata"]["uid"] = uid.into();
    }
    Some(Changed { object, effect, is_answered: false })
}

fn changed_object(verb: &str, status: u16, object: Unstructured, before: u64) -> Option<Changed> {
    let version = object.resource_version().parse::<u64>().ok()?;
    let effect = match verb {
        // The answer has the version before: the object has none after.
        "patch" | "update" if is_terminating(&object) && object.finalizers().next().is_none() => {
            Effect::Finalized
        }
        _ if version <= before => return None,
        "delete" => Effect::Deleted,
        _ if status == 201 => Effect::Created,
        _ => Effect::Changed,
    };
    Some(Changed { object, effect, is_answered: true })
}

/// Returns true if the body of a write asks the server not to store anything.
pub(crate) fn is_dry_run(body: &Value) -> bool {
    let options = [&body["dryRun"], &body["deleteOptions"]["dryRun"]];
    options.into_iter().any(|values| values.as_array().is_some_and(|values| !values.is_empty()))
}

/// Returns true if the body of a write names the version that it changes.
pub(crate) fn has_version(verb: &str, body: &Value) -> bool {
    let names_one = |value: &Value| value.as_str().is_some_and(|version| !version.is_empty());
    match (verb, body) {
        ("create", _) => false,
        ("patch", Value::Array(operations)) => operations
            .iter()
            .any(|operation| operation["op"] == "test" && operation["path"] == "/metadata/resourceVersion"),
        ("update" | "patch", object) => names_one(&object["metadata"]["resourceVersion"]),
        (_, options) => names_one(&options["preconditions"]["resourceVersion"]),
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.verb, self.target.describe(self.name.as_deref()))?;
        match &self.outcome {
            WriteOutcome::Sent => f.write_str("sent, without an answer"),
            WriteOutcome::Withheld(reason) => f.write_str(reason),
            WriteOutcome::Failed(error) => f.write_str(error),
            WriteOutcome::Executed { status, effect, got } => {
                let effect = match effect {
                    Effect::None if *status < 300 => ", no change",
                    Effect::None => "",
                    Effect::Created => ", created",
                    Effect::Changed => ", changed",
                    Effect::Deleted => ", deleted",
                    Effect::Finalized => ", the last finalizer is gone",
                };
                write!(f, "{status}{effect}")?;
                got.map_or(Ok(()), |got| write!(f, "; {got}"))
            }
        }
    }
}
