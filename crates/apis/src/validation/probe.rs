//! Probes and lifecycle hooks of containers.

use klient_apimachinery::validation::field::ErrorList;

use super::at::At;
use super::form::{header_name, port_name, port_number};

/// Checks the probes and hooks of a container in a Pod that has this long to stop.
pub(super) fn probes(container: &At<'_, '_>, grace: Option<i64>, os: &str, problems: &mut ErrorList) {
    lifecycle(&container.get("lifecycle"), grace, os, problems);
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let at = container.get(name);
        if !at.is_set() {
            continue;
        }
        probe(&at, grace, problems);
        if name == "readinessProbe" {
            let period = at.get("terminationGracePeriodSeconds");
            if period.is_set() {
                problems.add(period.invalid("must not be set for readinessProbes"));
            }
        } else if at.get("successThreshold").number() != 1 {
            problems.add(at.get("successThreshold").invalid("must be 1"));
        }
    }
}

fn probe(probe: &At<'_, '_>, grace: Option<i64>, problems: &mut ErrorList) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace, problems);
    for name in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        probe.get(name).must_not_be_negative(problems);
    }
    let period = probe.get("terminationGracePeriodSeconds");
    if period.int().is_some_and(|seconds| seconds <= 0) {
        problems.add(period.invalid("must be greater than 0"));
    }
}

fn lifecycle(lifecycle: &At<'_, '_>, grace: Option<i64>, os: &str, problems: &mut ErrorList) {
    for name in ["postStart", "preStop"] {
        let hook = lifecycle.get(name);
        if hook.is_set() {
            handler(&hook, &["exec", "httpGet", "tcpSocket", "sleep"], grace, problems);
        }
    }
    let signal = lifecycle.get("stopSignal");
    if signal.is_set() {
        match os {
            "" => problems.add(signal.forbidden("may not be set for containers with empty `spec.os.name`")),
            "windows" => signal.must_be_one_of(&["SIGKILL", "SIGTERM"], problems),
            _ => {}
        }
    }
}

fn handler(handler: &At<'_, '_>, kinds: &[&str], grace: Option<i64>, problems: &mut ErrorList) {
    let mut is_found = false;
    for kind in kinds {
        let action = handler.get(kind);
        if !action.is_set() {
            continue;
        }
        if is_found {
            problems.add(action.forbidden("may not specify more than 1 handler type"));
        } else {
            check_action(kind, &action, grace, problems);
        }
        is_found = true;
    }
    if !is_found {
        problems.add(handler.required("must specify a handler type"));
    }
}

fn check_action(kind: &str, action: &At<'_, '_>, grace: Option<i64>, problems: &mut ErrorList) {
    match kind {
        "exec" => action.get("command").must_be_set("", problems),
        "httpGet" => http_get(action, problems),
        "sleep" => {
            let seconds = action.get("seconds").number();
            if let Some(grace) = grace.filter(|grace| !(0..=*grace).contains(&seconds)) {
                let problem =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                problems.add(action.invalid_as(seconds, problem));
            }
        }
        _ => port(&action.get("port"), problems),
    }
}

fn http_get(action: &At<'_, '_>, problems: &mut ErrorList) {
    action.get("path").must_be_set("", problems);
    port(&action.get("port"), problems);
    action.get("scheme").must_be_one_of(&["HTTP", "HTTPS"], problems);
    let headers = action.get("httpHeaders");
    for header in headers.items() {
        let name = header.get("name").text();
        for problem in header_name(name) {
            problems.add(headers.invalid_as(name, problem));
        }
    }
}

/// Checks a port that is given by number or by name.
pub(super) fn port(port: &At<'_, '_>, problems: &mut ErrorList) {
    if port.raw().is_some_and(serde_json::Value::is_string) {
        port.must_be(port_name, problems);
    } else {
        for problem in port_number(port.number()) {
            problems.add(port.invalid_as(port.number(), problem));
        }
    }
}
