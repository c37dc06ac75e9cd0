//! [`RecordedEvent`], an event with its object, reporter and time, and its form in the two APIs.

use std::fmt;

use klient_api::core::v1::{EventSource, ObjectReference};
use klient_api::{core, events};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{MicroTime, Str, Time};

use super::event::Event;
use super::reporter::Reporter;

/// The greatest length of a note in events.k8s.io/v1, in bytes.
const NOTE: usize = 1024;

/// The greatest length of a reason, an action and an instance in events.k8s.io/v1, in bytes.
const WORD: usize = 128;

/// The end of a note that was cut.
const CUT: &str = "...";

/// An event as sinks and watchers receive it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// The event as it was recorded.
    pub event: Event,
    /// The object that it is about.
    pub regarding: ObjectReference,
    /// The component that recorded it.
    pub reporter: Reporter,
    /// The time at which it was recorded.
    pub time: MicroTime,
    /// The name of its object: that of the regarding object, and the time in nanoseconds as a hexadecimal number. If
    /// that is no valid name, it is random.
    pub name: Str,
    /// The namespace of its object: that of the regarding object, or `default` if that is cluster-scoped.
    pub namespace: Str,
}

impl RecordedEvent {
    /// The event as a new object of core/v1, which has occurred once.
    pub fn to_core_v1(&self) -> core::v1::Event {
        let Reporter { controller, instance, host } = &self.reporter;
        let source = EventSource { component: set(controller), host: set(host), ..Default::default() };
        let time = Time::from(self.time);
        core::v1::Event {
            metadata: self.metadata(),
            involved_object: self.regarding.clone(),
            reason: set(&self.event.reason),
            message: set(&self.event.note),
            source: Some(Box::new(source)),
            first_timestamp: Some(time),
            last_timestamp: Some(time),
            count: Some(1),
            type_: Some(self.event.type_.as_str().into()),
            action: set(&self.event.action),
            related: self.event.related.clone().map(Box::new),
            reporting_component: set(controller),
            reporting_instance: set(instance),
            ..Default::default()
        }
    }

    /// The event as a new object of events.k8s.io/v1, its strings cut at the API's limits.
    pub fn to_events_v1(&self) -> events::v1::Event {
        let event = &self.event;
        let action = if event.action.is_empty() { &event.reason } else { &event.action };
        events::v1::Event {
            metadata: self.metadata(),
            event_time: Some(self.time),
            reporting_controller: set(&self.reporter.controller),
            reporting_instance: set(cut(&self.reporter.instance, WORD)),
            action: set(cut(action, WORD)),
            reason: set(cut(&event.reason, WORD)),
            regarding: Some(Box::new(self.regarding.clone())),
            related: event.related.clone().map(Box::new),
            note: set(&note(&event.note)),
            type_: Some(event.type_.as_str().into()),
            ..Default::default()
        }
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            annotations: self.event.annotations.clone(),
            ..Default::default()
        }
    }
}

/// Formats as client-go's `FakeRecorder`: `Warning FailedMount the volume is in use`.
impl fmt::Display for RecordedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.event.type_, self.event.reason, self.event.note)
    }
}

fn set(text: &str) -> Option<Str> {
    Some(text).filter(|text| !text.is_empty()).map(Str::from)
}

/// The beginning of a string, of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.expect("0 is a boundary")]
}

/// A note as events.k8s.io/v1 takes it.
fn note(text: &str) -> Str {
    if text.len() <= NOTE {
        return text.into();
    }
    format!("{}{CUT}", cut(text, NOTE - CUT.len())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_cut_between_characters() {
        for (text, max, expected) in
            [("", 3, ""), ("abc", 3, "abc"), ("abcd", 3, "abc"), ("abé", 3, "ab"), ("é", 1, "")]
        {
            assert_eq!(cut(text, max), expected, "{text}");
        }
        assert_eq!(note(&"a".repeat(1024)).len(), 1024);
        let long = note(&"é".repeat(1000));
        assert!(long.len() <= 1024 && long.ends_with("é..."), "{long}");
    }
}
