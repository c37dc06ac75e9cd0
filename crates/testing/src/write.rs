//! [`Write`], a write of the controller and its effect.

use std::fmt;

use klient_apimachinery::{Object as _, Unstructured};
use serde_json::Value;

use crate::identity::{Identity, stable_name};
use crate::target::Target;

/// A write of the controller. Its number is its place among all of them, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) step: usize,
    pub(crate) verb: &'static str,
    pub(crate) target: Target,
    /// The name of the object, as in an identity.
    pub(crate) name: Option<String>,
    pub(crate) outcome: WriteOutcome,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Created,
    Changed,
    Deleted,
    /// It has removed the last finalizer of a terminating object.
    Finalized,
}

/// An object that a write has changed.
pub(crate) struct Changed {
    pub(crate) identity: Identity,
    pub(crate) uid: String,
    pub(crate) effect: Effect,
}

/// The objects that a successful write has changed, by its answer; `before` is the server's version before.
pub(crate) fn changed(verb: &str, target: &Target, status: u16, answer: &[u8], before: u64) -> Vec<Changed> {
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(answer) else { return Vec::new() };
    let answer = Unstructured(answer);
    if answer.kind() == "Status" {
        let details = &answer["details"];
        let name = target.name.as_deref().unwrap_or_default();
        let uid = details["uid"].as_str().unwrap_or_default().to_owned();
        return vec![Changed { identity: target.identity(name), uid, effect: Effect::Deleted }];
    }
    if let Some(items) = answer.0.get("items").and_then(Value::as_array) {
        let objects = items.iter().filter_map(|item| item.as_object().cloned()).map(Unstructured);
        return objects.filter_map(|object| changed_object(verb, target, status, &object, before)).collect();
    }
    changed_object(verb, target, status, &answer, before).into_iter().collect()
}

fn changed_object(
    verb: &str,
    target: &Target,
    status: u16,
    object: &Unstructured,
    before: u64,
) -> Option<Changed> {
    let version = object.resource_version().parse::<u64>().ok()?;
    let is_terminating = !object["metadata"]["deletionTimestamp"].is_null();
    let effect = match verb {
        // The answer has the version before: the object has none after.
        "patch" | "update" if is_terminating && object.finalizers().next().is_none() => Effect::Finalized,
        _ if version <= before => return None,
        "delete" | "deletecollection" => Effect::Deleted,
        _ if status == 201 => Effect::Created,
        _ => Effect::Changed,
    };
    let mut identity = target.identity(&stable_name(object));
    identity.namespace = object.namespace().map(str::to_owned);
    Some(Changed { identity, uid: object.uid().to_owned(), effect })
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
