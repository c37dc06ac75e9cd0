//! [`Played`], what came of a step.

use std::fmt;

use serde_json::Value;

use crate::answer::{Answer, Stored, masked};
use crate::diff::diff;
use crate::kind::Kind;
use crate::request::Request;
use crate::step::{Step, Verb, Writer};

/// What came of a step.
#[derive(Clone)]
pub struct Played {
    /// What an update sends back with a change, as it was read.
    pub(crate) read: Option<Answer>,
    /// What was sent.
    pub request: Request,
    /// What was answered.
    pub answer: Answer,
    /// The object before.
    pub(crate) before: Option<Stored>,
    /// The object after.
    pub(crate) after: Option<Stored>,
    /// What was answered to the same request once more, and the object after that; for applies that were done.
    pub(crate) again: Option<(Answer, Option<Stored>)>,
    /// What was applied until then, this step's included, and what the object was like.
    pub(crate) seen: Vec<Value>,
    /// Whether the scale was written, then or before.
    pub(crate) was_scaled: bool,
    /// True if webhooks were called for it.
    pub(crate) is_hooked: bool,
    pub(crate) step: Step,
    pub(crate) kind: &'static Kind,
}

impl Played {
    /// What is not the same on another server, line by line: `-` is this one's, `+` the other's.
    ///
    /// What no two servers have in common is not looked at: uids, times, versions, addresses and ports that were
    /// given; but whether the version changed is.
    pub fn differences(&self, other: &Played) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(ours), Some(theirs)) = (&self.read, &other.read) {
            lines = answers("read", ours, theirs);
        }
        if lines.is_empty() {
            lines = answers("answer", &self.answer, &other.answer);
        }
        if lines.is_empty() {
            lines = diff("stored", &shown(&self.after), &shown(&other.after));
        }
        if let (true, Some((ours, our_object)), Some((theirs, their_object))) =
            (lines.is_empty(), &self.again, &other.again)
        {
            lines = answers("answer once more", ours, theirs);
            lines.extend(diff("stored once more", &shown(our_object), &shown(their_object)));
        }
        if lines.is_empty() {
            // kube-apiserver stores lists in a custom resource's metadata that are empty, and the next write drops them.
            let is_tidied = !self.kind.is_builtin && !self.has_changed();
            if !is_tidied {
                lines = diff("changed", &self.has_changed().into(), &other.has_changed().into());
            }
        }
        lines
    }

    /// Whether it is a server-side apply.
    pub fn is_apply(&self) -> bool {
        matches!(self.step.verb, Verb::Apply { .. })
    }

    /// Whether the write was done.
    pub fn is_success(&self) -> bool {
        self.answer.is_success()
    }

    /// Whether the server broke the connection, as kube-apiserver does where a handler panics.
    pub(crate) fn is_broken(&self) -> bool {
        self.answer == Answer::none()
    }

    /// Whether this is kube-apiserver at fault, so that there is no right answer to be had from it: a handler panics,
    /// or it cannot do what it is there for.
    pub fn is_upstream_fault(&self) -> bool {
        /// The scale of a custom resource cannot be applied at all: its managed fields are converted as if the Scale
        /// were one of the resource's versions.
        const SCALE: &str = "request to convert CR to an invalid group/version: autoscaling/v1";
        let message = self.answer.body["message"].as_str();
        let again = self.again.as_ref().and_then(|(answer, _)| answer.body["message"].as_str());
        // A Service that is not there is created by an apply of its status, or refused for what a status has not.
        let is_made_by_status =
            self.kind.kind == "Service" && self.step.subresource == Some("status") && self.before.is_none();
        let is_port_given_twice = message.is_some_and(|message| message.starts_with("duplicate nodePort: "));
        is_made_by_status
            || is_port_given_twice
            || self.is_not_converted()
            || self.sends_spec_to_status()
            || self.is_broken()
            || [message, again].iter().flatten().any(|message| message.ends_with(SCALE))
    }

    /// Whether a set of an object in several versions has an item twice: kube-apiserver cannot convert it for those
    /// who own fields in another version, and records nothing.
    fn is_not_converted(&self) -> bool {
        let finalizers = self.after.as_ref().and_then(|stored| stored.object.pointer("/metadata/finalizers"));
        let finalizers = finalizers.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let is_twice = |(at, item): (usize, &Value)| finalizers[..at].contains(item);
        self.kind.api_versions.len() > 1 && finalizers.iter().enumerate().any(is_twice)
    }

    /// Returns true if a status is written together with another spec in several versions: that may have an item twice, which
    /// is not stored, but then kube-apiserver cannot convert the object, as above.
    fn sends_spec_to_status(&self) -> bool {
        let sent = match &self.step.verb {
            Verb::Update(change) => change.overlay.get("spec"),
            Verb::MergePatch(patch) => patch.get("spec"),
            _ => None,
        };
        self.kind.api_versions.len() > 1 && self.step.subresource == Some("status") && sent.is_some()
    }

    /// In few words, the kind of write that was made.
    pub fn title(&self) -> String {
        let verb = match self.step.verb {
            Verb::Create(_) => "create",
            Verb::Update(_) => "update",
            Verb::JsonPatch(_) => "JSON patch",
            Verb::MergePatch(_) => "merge patch",
            Verb::StrategicPatch(_) => "strategic patch",
            Verb::Apply { .. } => "apply",
        };
        let subresource = self.step.subresource.map(|name| format!("/{name}")).unwrap_or_default();
        format!("{verb} of {}{subresource}", self.kind.kind)
    }

    /// The manager that applied.
    pub(crate) fn applier(&self) -> Option<&str> {
        match (&self.step.verb, &self.step.writer) {
            (Verb::Apply { .. }, Writer::FieldManager(name)) => Some(name),
            _ => None,
        }
    }

    fn has_changed(&self) -> bool {
        let version = |stored: &Option<Stored>| stored.as_ref().map(|one| one.resource_version().to_owned());
        version(&self.before) != version(&self.after)
    }
}

/// The request, and what came of it.
impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    => {}", self.request, self.answer.code)?;
        match self.answer.body["message"].as_str() {
            Some(message) if !self.is_success() => write!(f, " {message}"),
            _ => Ok(()),
        }
    }
}

/// What two answers differ in: only the codes, and what is said to them, if those are not the same.
fn answers(place: &str, ours: &Answer, theirs: &Answer) -> Vec<String> {
    if ours.code == theirs.code {
        return diff(place, &ours.masked(), &theirs.masked());
    }
    vec![format!("{place}\n    - {}\n    + {}", ours.shown(), theirs.shown())]
}

fn shown(stored: &Option<Stored>) -> Value {
    stored.as_ref().map_or(Value::Null, |stored| masked(&stored.object))
}
