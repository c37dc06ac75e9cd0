//! [`Event`], an event as a program describes it.

use std::fmt;

use klient_api::core::v1::ObjectReference;
use klient_apimachinery::{Map, Str};

/// An event about an object, for [`EventRecorder::record`](super::EventRecorder::record).
///
/// ```
/// use klient_controller::events::{Event, EventType};
///
/// let event = Event {
///     type_: EventType::Warning,
///     reason: "FailedMount".into(),
///     action: "Mount".into(),
///     note: "the volume is in use by another node".into(),
///     ..Default::default()
/// };
/// # assert_eq!(event.type_.to_string(), "Warning");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// The type: [`Normal`](EventType::Normal) by default.
    pub type_: EventType,
    /// The cause in one CamelCase word, such as `FailedMount`, for programs. events.k8s.io/v1 requires it, and takes 128
    /// bytes: a longer one is cut.
    pub reason: Str,
    /// The action that was taken or failed, in one CamelCase word, such as `Mount`. events.k8s.io/v1 requires it, and
    /// takes 128 bytes: a longer one is cut, and in place of an empty one it gets the reason.
    pub action: Str,
    /// A description for people. events.k8s.io/v1 takes 1024 bytes: a longer one is cut, and ends with `...`. core/v1
    /// takes all of it.
    pub note: Str,
    /// A second object that the event is about, such as the pod that a ReplicaSet deletes.
    pub related: Option<ObjectReference>,
    /// Annotations of the event's object (client-go's `AnnotatedEventf`).
    pub annotations: Map<Str>,
}

/// The type of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EventType {
    /// Something that is expected to happen.
    #[default]
    Normal,
    /// Something that may need attention.
    Warning,
}

impl EventType {
    /// `Normal` or `Warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
