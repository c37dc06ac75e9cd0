//! Events, of the core group and of their own.

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::qualified_name;

/// The names of an Event's fields in core/v1 or events.k8s.io/v1.
struct Fields {
    about: &'static str,
    controller: &'static str,
    instance: &'static str,
    note: &'static str,
}

const CORE: Fields = Fields {
    about: "involvedObject",
    controller: "reportingComponent",
    instance: "reportingInstance",
    note: "message",
};
const EVENTS: Fields = Fields {
    about: "regarding",
    controller: "reportingController",
    instance: "reportingInstance",
    note: "note",
};

pub(super) fn event(object: &Map, is_core: bool, problems: &mut ErrorList) {
    let fields = if is_core { CORE } else { EVENTS };
    let namespace = At::new(object, "metadata.namespace").text();
    let about = At::new(object, fields.about);
    let about_namespace = about.get("namespace").text();
    let is_new_style = At::new(object, "eventTime").is_set();
    let is_fine = match (about_namespace, is_new_style) {
        ("", true) => matches!(namespace, "default" | "kube-system"),
        ("", false) => matches!(namespace, "" | "default"),
        (_, true) => true,
        (other, false) => other == namespace,
    };
    if !is_fine {
        let at = At::named("involvedObject.namespace", None);
        problems.add(at.invalid_as(about_namespace, "does not match event.namespace"));
    }
    if is_new_style {
        new_style(object, &fields, problems);
    }
    if !is_core {
        strict(object, is_new_style, problems);
    }
}

fn new_style(object: &Map, fields: &Fields, problems: &mut ErrorList) {
    let controller = At::new(object, fields.controller);
    controller.must_be_set("", problems);
    controller.must_be(qualified_name, problems);
    for path in [fields.instance, "action", "reason"] {
        let at = At::new(object, path);
        at.must_be_set("", problems);
        too_long(&at, 128, problems);
    }
    let note = At::named("message", object.get(fields.note));
    too_long(&note, 1024, problems);
}

fn too_long(at: &At<'_, '_>, max: usize, problems: &mut ErrorList) {
    if at.text().len() > max {
        problems.add(at.invalid_as("", format!("can have at most {max} characters")));
    }
}

/// Checks the rules of events.k8s.io/v1 that core/v1 does not have.
fn strict(object: &Map, is_new_style: bool, problems: &mut ErrorList) {
    let series = At::new(object, "series");
    if series.is_set() {
        if series.get("count").number() < 2 {
            problems.add(series.get("count").invalid_as("", "should be at least 2"));
        }
        if !series.get("lastObservedTime").is_set() {
            problems.add(series.get("lastObservedTime").required(""));
        }
    }
    if !is_new_style {
        problems.add(At::new(object, "eventTime").required(""));
    }
    let kind = At::new(object, "type");
    if !matches!(kind.text(), "Normal" | "Warning") {
        problems.add(kind.invalid_as("", format!("has invalid value: {}", kind.text())));
    }
    for (path, shown) in [
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        ("deprecatedSource", "source"),
    ] {
        let at = At::new(object, path);
        if !at.is_empty() && at.int() != Some(0) {
            problems.add(At::named(shown, None).invalid_as("", "needs to be unset"));
        }
    }
}

/// An Event of the Events' own group is not rewritten, but for how often it happened.
pub(super) fn update(object: &Map, old: &Map, problems: &mut ErrorList) {
    for (path, shown) in [
        ("regarding", "involvedObject"),
        ("reason", "reason"),
        ("note", "message"),
        ("deprecatedSource", "source"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingController", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ] {
        At::named(shown, At::new(object, path).raw()).must_equal(&At::new(old, path), problems);
    }
}
