//! [`SeriesKey`], by which events are isomorphic.

use klient_api::core::v1::ObjectReference;
use klient_apimachinery::Str;

use crate::events::event::EventType;
use crate::events::recorded_event::RecordedEvent;
use crate::events::reporter::Reporter;

/// All of an event but its time, its note and its annotations.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct SeriesKey {
    type_: EventType,
    reason: Str,
    action: Str,
    reporter: Reporter,
    regarding: Target,
    related: Option<Target>,
}

/// An object without its version: that changes with every write, and would end each series.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Target([Option<Str>; 6]);

impl SeriesKey {
    pub(super) fn of(recorded: &RecordedEvent) -> Self {
        let event = &recorded.event;
        SeriesKey {
            type_: event.type_,
            reason: event.reason.clone(),
            action: event.action.clone(),
            reporter: recorded.reporter.clone(),
            regarding: Target::of(&recorded.regarding),
            related: event.related.as_ref().map(Target::of),
        }
    }
}

impl Target {
    fn of(object: &ObjectReference) -> Self {
        let ObjectReference { api_version, kind, namespace, name, uid, field_path, .. } = object.clone();
        Target([api_version, kind, namespace, name, uid, field_path])
    }
}
