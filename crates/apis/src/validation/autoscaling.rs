//! HorizontalPodAutoscalers.

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{dns_label, path_segment};
use super::resources::{amount, container_name, non_negative};

/// Checks an autoscaler in a version, with the old one in an update.
pub(super) fn autoscaler(object: &Map, old: Option<&Map>, version: &str, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let (min, max) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    if min.int().is_some_and(|min| max.number() < min) {
        problems.add(max.invalid_as(max.number(), "must be greater than or equal to `minReplicas`"));
    }
    let target = spec.get("scaleTargetRef");
    reference(&target, problems);
    let is_same = old.is_some_and(|old| {
        let old = At::new(old, "spec.scaleTargetRef");
        ["apiVersion", "kind"].iter().all(|name| old.get(name).text() == target.get(name).text())
    });
    if !is_same {
        // Of the core group, only these can be scaled.
        version_of(&target, target.get("kind").text() == "ReplicationController", problems);
    }
    if version == "v1" {
        let target = spec.get("targetCPUUtilizationPercentage");
        if target.int().is_some_and(|percent| percent < 1) {
            let metric = At::named("spec.metrics[0].resource.target.averageUtilization", target.raw());
            problems.add(metric.invalid("must be greater than 0"));
        }
    } else {
        metrics(&spec, problems);
    }
    for direction in ["behavior.scaleUp", "behavior.scaleDown"] {
        scaling_rules(&spec.get(direction), problems);
    }
    min.must_not_be_negative(problems);
    match max.number() {
        0 => problems.add(max.required("")),
        number if number < 0 => problems.add(max.invalid("must be greater than or equal to 1")),
        _ => {}
    }
}

/// Checks the kind and name of a scale target or of a measured object.
fn reference(reference: &At<'_, '_>, problems: &mut ErrorList) {
    reference.get("kind").must_have(path_segment, problems);
    reference.get("name").must_have(path_segment, problems);
}

/// Checks the version of a reference, which may be of the core group or not.
fn version_of(reference: &At<'_, '_>, allows_core: bool, problems: &mut ErrorList) {
    let version = reference.get("apiVersion");
    if version.text().split('/').count() > 2 {
        problems.add(version.invalid(format!("unexpected GroupVersion string: {}", version.text())));
    } else if !allows_core && !version.text().contains('/') {
        problems.add(version.invalid_text("apiVersion must specify API group"));
    }
}

const SOURCES: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

fn metrics(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let metrics = spec.get("metrics");
    metrics.items().for_each(|at| metric(&at, problems));
    let counts_others = |at: &At<'_, '_>| matches!(at.get("type").text(), "Object" | "External");
    if spec.get("minReplicas").int() == Some(0) && !metrics.items().any(|at| counts_others(&at)) {
        let problem =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        problems.add(metrics.forbidden(problem));
    }
}

fn metric(metric: &At<'_, '_>, problems: &mut ErrorList) {
    let kind = metric.get("type");
    if kind.is_empty() {
        problems.add(kind.required("must specify a metric source type"));
    }
    kind.must_be_one_of(&SOURCES.map(|(kind, _)| kind), problems);
    let expected = SOURCES.iter().find(|(known, _)| *known == kind.text()).map(|(_, name)| *name);
    let order = ["object", "external", "pods", "resource", "containerResource"];
    let present: Vec<&str> = order.into_iter().filter(|name| metric.get(name).is_set()).collect();
    if let Some(first) = present.first() {
        source(first, &metric.get(first), problems);
    }
    if let Some(expected) = expected.filter(|expected| !present.contains(expected)) {
        let problem = "must populate information for the given metric source";
        problems.add(metric.get(expected).required(problem));
    }
    if present.len() > 1 {
        for other in present.iter().filter(|name| Some(**name) != expected) {
            problems.add(metric.get(other).forbidden("must populate the given metric source only"));
        }
    }
}

fn source(kind: &str, source: &At<'_, '_>, problems: &mut ErrorList) {
    match kind {
        "object" => {
            let described = source.get("describedObject");
            reference(&described, problems);
            version_of(&described, true, problems);
            identifier(source, problems);
        }
        "external" | "pods" => identifier(source, problems),
        "resource" => source.get("name").must_be_set("must specify a resource name", problems),
        _ => {
            let name = source.get("name");
            name.must_be_set("must specify a resource name", problems);
            if !name.is_empty() {
                name.must_be(container_name, problems);
            }
            let container = source.get("container");
            container.must_be_set("must specify a container", problems);
            if !container.is_empty() {
                container.must_be(dns_label, problems);
            }
        }
    }
    target(kind, &source.get("target"), problems);
}

fn identifier(source: &At<'_, '_>, problems: &mut ErrorList) {
    let name = source.get("metric.name");
    name.must_be_set("must specify a metric name", problems);
    name.must_be(path_segment, problems);
}

fn target(kind: &str, target: &At<'_, '_>, problems: &mut ErrorList) {
    let types = target.get("type");
    types.must_be_set("must specify a metric target type", problems);
    if !matches!(types.text(), "Utilization" | "Value" | "AverageValue") {
        problems.add(types.invalid_text("must be either Utilization, Value, or AverageValue"));
    }
    let (value, average, utilization) =
        (target.get("value"), target.get("averageValue"), target.get("averageUtilization"));
    for at in [&value, &average] {
        if at.is_set() && amount(at) <= 0 {
            problems.add(at.invalid("must be positive"));
        }
    }
    if utilization.int().is_some_and(|percent| percent < 1) {
        problems.add(utilization.invalid("must be greater than 0"));
    }
    match kind {
        "object" if !value.is_set() && !average.is_set() => {
            problems.add(average.required("must set either a target value or averageValue"));
        }
        "external" if !value.is_set() && !average.is_set() => {
            problems.add(average.required("must set either a target value for metric or a per-pod target"));
        }
        "external" if value.is_set() && average.is_set() => {
            let problem = "may not set both a target value for metric and a per-pod target";
            problems.add(value.forbidden(problem));
        }
        "pods" if !average.is_set() => {
            problems.add(average.required("must specify a positive target averageValue"));
        }
        "resource" | "containerResource" => match (utilization.is_set(), average.is_set()) {
            (false, false) => {
                let problem = "must set either a target raw value or a target utilization";
                problems.add(utilization.required(problem));
            }
            (true, true) => {
                let problem = "may not set both a target raw value and a target utilization";
                problems.add(average.forbidden(problem));
            }
            _ => {}
        },
        _ => {}
    }
}

fn scaling_rules(rules: &At<'_, '_>, problems: &mut ErrorList) {
    if !rules.is_set() {
        return;
    }
    let (window, select, policies) =
        (rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy"), rules.get("policies"));
    if window.number() < 0 {
        problems.add(window.invalid("must be greater than or equal to zero"));
    }
    at_most(&window, 3600, problems);
    if select.is_set() {
        select.must_be_one_of(&["Disabled", "Max", "Min"], problems);
    }
    policies.must_be_set("must specify at least one Policy", problems);
    for policy in policies.items() {
        policy.get("type").must_be_one_of(&["Percent", "Pods"], problems);
        for name in ["value", "periodSeconds"] {
            let number = policy.get(name);
            if number.number() <= 0 {
                problems.add(number.invalid_as(number.number(), "must be greater than zero"));
            }
        }
        at_most(&policy.get("periodSeconds"), 1800, problems);
    }
    non_negative(&rules.get("tolerance"), problems);
}

fn at_most(number: &At<'_, '_>, max: i64, problems: &mut ErrorList) {
    if number.number() > max {
        problems.add(number.invalid(format!("must be less than or equal to {max}")));
    }
}
