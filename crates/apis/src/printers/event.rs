//! Rows of events, of the core group and of `events.k8s.io`, which renames some fields.

use serde_json::Value;

use super::age;
use super::row::Row;
use super::text::{or, text};

/// The names of an event's fields.
struct Fields {
    object: &'static str,
    source: &'static str,
    message: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    controller: &'static str,
}

const CORE: Fields = Fields {
    object: "involvedObject",
    source: "source",
    message: "message",
    first: "firstTimestamp",
    last: "lastTimestamp",
    count: "count",
    controller: "reportingComponent",
};

const EVENTS: Fields = Fields {
    object: "regarding",
    source: "deprecatedSource",
    message: "note",
    first: "deprecatedFirstTimestamp",
    last: "deprecatedLastTimestamp",
    count: "deprecatedCount",
    controller: "reportingController",
};

pub(super) fn core_event(row: &Row<'_>) -> Vec<Value> {
    cells(row, &CORE)
}

pub(super) fn event(row: &Row<'_>) -> Vec<Value> {
    cells(row, &EVENTS)
}

fn cells(row: &Row<'_>, fields: &Fields) -> Vec<Value> {
    let object = row.at(&[fields.object]);
    let first = or_time(row.text(&[fields.first]), row.text(&["eventTime"]));
    let (last, count) = match row.at(&["series"]) {
        Value::Null => (or_time(row.text(&[fields.last]), first), row.number(&[fields.count]).max(1)),
        series => (text(series, "lastObservedTime"), series["count"].as_i64().unwrap_or_default()),
    };
    vec![
        row.age_of(last).into(),
        row.text(&["type"]).into(),
        row.text(&["reason"]).into(),
        target(object).into(),
        text(object, "fieldPath").into(),
        source(row, fields).into(),
        row.text(&[fields.message]).trim().into(),
        row.age_of(first).into(),
        count.into(),
        row.name(),
    ]
}

fn or_time<'a>(timestamp: &'a str, other: &'a str) -> &'a str {
    if age::moment(timestamp).is_some() { timestamp } else { other }
}

fn target(object: &Value) -> String {
    let kind = text(object, "kind").to_lowercase();
    match text(object, "name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

/// The component, and its host if known.
fn source(row: &Row<'_>, fields: &Fields) -> String {
    let source = row.at(&[fields.source]);
    let component = or(text(source, "component"), row.text(&[fields.controller]));
    match or(text(source, "host"), row.text(&["reportingInstance"])) {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    #[test]
    fn events_of_the_core_group_show_when_they_were_seen() {
        check(
            "v1/events",
            json!({
                "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{c}"},
                "type": "Warning", "reason": "BackOff", "message": " back-off\n", "count": 5,
                "firstTimestamp": "2026-01-10T11:00:00Z", "lastTimestamp": "2026-01-10T11:58:00Z",
                "source": {"component": "kubelet", "host": "n1"},
            }),
            json!([
                "2m",
                "Warning",
                "BackOff",
                "pod/web",
                "spec.containers{c}",
                "kubelet, n1",
                "back-off",
                "60m",
                5,
                "a"
            ]),
        );
    }

    #[test]
    fn events_of_both_groups_look_alike() {
        let time = "2026-01-10T11:57:00.000000Z";
        let expected = json!(["3m", "Normal", "Ran", "job/j", "", "cron, n1", "done", "3m", 1, "a"]);
        check(
            "v1/events",
            json!({
                "involvedObject": {"kind": "Job", "name": "j"},
                "type": "Normal", "reason": "Ran", "message": "done", "eventTime": time,
                "reportingComponent": "cron", "reportingInstance": "n1",
            }),
            expected.clone(),
        );
        check(
            "events.k8s.io/v1/events",
            json!({
                "regarding": {"kind": "Job", "name": "j"},
                "type": "Normal", "reason": "Ran", "note": "done", "eventTime": time,
                "reportingController": "cron", "reportingInstance": "n1",
            }),
            expected,
        );
    }

    #[track_caller]
    fn check_times(fields: Value, last: &str, first: &str, count: i64) {
        let kind = json!({"kind": "Node"});
        let mut object = json!({"regarding": kind});
        for (name, value) in fields.as_object().expect("an object") {
            object[name] = value.clone();
        }
        check(
            "events.k8s.io/v1/events",
            object,
            json!([last, "", "", "node", "", "", "", first, count, "a"]),
        );
    }

    #[test]
    fn the_times_of_a_series_go_before_those_of_the_event() {
        check_times(json!({}), "<unknown>", "<unknown>", 1);
        check_times(json!({"eventTime": "2026-01-10T11:57:00.500000Z"}), "3m", "3m", 1);
        check_times(
            json!({"deprecatedFirstTimestamp": "2026-01-10T11:50:00Z", "deprecatedCount": 3}),
            "10m",
            "10m",
            3,
        );
        check_times(
            json!({
                "eventTime": "2026-01-10T11:50:00.000000Z",
                "series": {"count": 7, "lastObservedTime": "2026-01-10T11:59:00.000000Z"},
                "deprecatedLastTimestamp": "2026-01-10T11:00:00Z",
                "deprecatedCount": 3,
            }),
            "60s",
            "10m",
            7,
        );
    }
}
