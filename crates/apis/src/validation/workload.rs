//! Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers.

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::{At, NEGATIVE};
use super::form::percent;
use super::pod::template;
use super::selector::{contains, is_everything, label_selector, selects};

const MISMATCH: &str = "`selector` does not match template `labels`";

pub(super) fn deployment(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    spec.get("replicas").must_not_be_negative(problems);
    selector_and_template(&spec, "ReplicaSet", problems);
    deployment_strategy(&spec.get("strategy"), problems);
    spec.get("minReadySeconds").must_not_be_negative(problems);
    spec.get("revisionHistoryLimit").must_not_be_negative(problems);
    let deadline = spec.get("progressDeadlineSeconds");
    deadline.must_not_be_negative(problems);
    if deadline.int().is_some_and(|seconds| seconds <= spec.get("minReadySeconds").number()) {
        problems.add(deadline.invalid("must be greater than minReadySeconds"));
    }
}

fn deployment_strategy(strategy: &At<'_, '_>, problems: &mut ErrorList) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "Recreate" => {
            if rolling.is_set() {
                problems.add(rolling.forbidden("may not be specified when strategy `type` is 'Recreate'"));
            }
        }
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            int_or_percent(&unavailable, problems);
            int_or_percent(&surge, problems);
            if share(&unavailable) == 0 && share(&surge) == 0 {
                problems.add(unavailable.invalid("may not be 0 when `maxSurge` is 0"));
            }
            at_most_all(&unavailable, problems);
        }
        _ => problems.add(unsupported(strategy, &["Recreate", "RollingUpdate"])),
    }
}

fn unsupported(strategy: &At<'_, '_>, allowed: &[&str]) -> FieldError {
    FieldError::not_supported(strategy.path(), strategy.raw().cloned().unwrap_or_default(), allowed)
}

pub(super) fn replica_set(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    spec.get("replicas").must_not_be_negative(problems);
    spec.get("minReadySeconds").must_not_be_negative(problems);
    selector_and_template(&spec, "ReplicaSet", problems);
}

/// Checks the selector of a workload's Pods, which must select something. Returns `false` if it cannot be read.
fn pod_selector(selector: &At<'_, '_>, workload: &str, problems: &mut ErrorList) -> bool {
    let known = problems.0.len();
    label_selector(selector, problems);
    let is_readable = problems.0.len() == known;
    if !selector.is_set() {
        problems.add(selector.required(""));
    } else if is_everything(selector) {
        problems.add(selector.invalid(format!("empty selector is invalid for {workload}")));
    }
    is_readable
}

/// Checks the selector of a Deployment or ReplicaSet, and if that can be read, the template.
fn selector_and_template(spec: &At<'_, '_>, controller: &str, problems: &mut ErrorList) {
    let selector = spec.get("selector");
    let is_readable = pod_selector(&selector, "deployment", problems);
    if !is_readable {
        return problems.add(selector.invalid("invalid label selector"));
    }
    let at = spec.get("template");
    let labels = at.get("metadata.labels");
    if !selects(&selector, &labels) {
        problems.add(labels.invalid(MISMATCH));
    }
    template(&at, problems);
    runs_always(&at, controller, problems);
}

/// Pods that are replaced are started again for ever.
pub(super) fn runs_always(template: &At<'_, '_>, controller: &str, problems: &mut ErrorList) {
    let policy = template.get("spec.restartPolicy");
    policy.must_be_one_of(&["Always"], problems);
    let deadline = template.get("spec.activeDeadlineSeconds");
    if deadline.is_set() {
        let problem = format!("activeDeadlineSeconds in {controller} is not Supported");
        problems.add(deadline.forbidden(problem));
    }
}

pub(super) fn replication_controller(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let (selector, at) = (spec.get("selector"), spec.get("template"));
    selector.must_be_set("", problems);
    if at.is_set() {
        let labels = at.get("metadata.labels");
        if !contains(&labels, &selector) {
            problems.add(labels.invalid(MISMATCH));
        }
        template(&at, problems);
        runs_always(&at, "ReplicationController", problems);
    } else {
        problems.add(at.required(""));
    }
    spec.get("replicas").must_not_be_negative(problems);
    spec.get("minReadySeconds").must_not_be_negative(problems);
}

pub(super) fn daemon_set(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let (selector, at) = (spec.get("selector"), spec.get("template"));
    let known = problems.0.len();
    label_selector(&selector, problems);
    let labels = at.get("metadata.labels");
    if problems.0.len() == known && !selects(&selector, &labels) {
        problems.add(labels.invalid(MISMATCH));
    }
    if selector.is_set() && is_everything(&selector) {
        problems.add(selector.invalid("empty selector is invalid for daemonset"));
    }
    template(&at, problems);
    runs_always(&at, "DaemonSet", problems);
    spec.get("minReadySeconds").must_not_be_negative(problems);
    daemon_set_strategy(&spec.get("updateStrategy"), problems);
    spec.get("revisionHistoryLimit").must_not_be_negative(problems);
}

fn daemon_set_strategy(strategy: &At<'_, '_>, problems: &mut ErrorList) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "OnDelete" => {}
        "RollingUpdate" if !rolling.is_set() => problems.add(rolling.required("")),
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            int_or_percent(&unavailable, problems);
            int_or_percent(&surge, problems);
            at_most_all(&unavailable, problems);
            at_most_all(&surge, problems);
            match (share(&unavailable) != 0, share(&surge) != 0) {
                (true, true) => problems.add(surge.invalid("may not be set when maxUnavailable is non-zero")),
                (false, false) => problems.add(unavailable.required("cannot be 0 when maxSurge is 0")),
                _ => {}
            }
        }
        _ => problems.add(unsupported(strategy, &["RollingUpdate", "OnDelete"])),
    }
}

pub(super) fn stateful_set(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let management = spec.get("podManagementPolicy");
    match management.text() {
        "" => problems.add(management.required("")),
        "OrderedReady" | "Parallel" => {}
        _ => problems.add(management.invalid("must be 'OrderedReady' or 'Parallel'")),
    }
    stateful_set_strategy(&spec.get("updateStrategy"), problems);
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    if retention.is_set() {
        for name in ["whenDeleted", "whenScaled"] {
            retention.get(name).must_be_one_of(&["Retain", "Delete"], problems);
        }
    }
    for claim in spec.get("volumeClaimTemplates").items() {
        super::storage::claim_spec(&claim.get("spec"), problems);
    }
    for name in ["replicas", "minReadySeconds", "ordinals.start"] {
        spec.get(name).must_not_be_negative(problems);
    }
    if !spec.get("serviceName").is_empty() {
        spec.get("serviceName").must_be(super::form::dns_label, problems);
    }
    stateful_set_template(&spec, problems);
}

fn stateful_set_strategy(strategy: &At<'_, '_>, problems: &mut ErrorList) {
    let rolling = strategy.get("rollingUpdate");
    match strategy.get("type").text() {
        "" => problems.add(strategy.required("")),
        "OnDelete" if rolling.is_set() => {
            problems.add(rolling.invalid("only allowed for updateStrategy 'RollingUpdate'"));
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            rolling.get("partition").must_not_be_negative(problems);
            let unavailable = rolling.get("maxUnavailable");
            if unavailable.is_set() {
                int_or_percent(&unavailable, problems);
                if share(&unavailable) == 0 {
                    problems.add(unavailable.invalid("cannot be 0"));
                }
                at_most_all(&unavailable, problems);
            }
        }
        _ => problems.add(strategy.invalid("must be 'RollingUpdate' or 'OnDelete'")),
    }
}

fn stateful_set_template(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (selector, at) = (spec.get("selector"), spec.get("template"));
    let is_readable = pod_selector(&selector, "statefulset", problems);
    if is_readable {
        let labels = at.get("metadata.labels");
        if !selects(&selector, &labels) {
            problems.add(labels.invalid(MISMATCH));
        }
        let with_claims = with_claims(spec);
        template(&at.holding(with_claims.as_ref().or(at.raw())), problems);
    } else {
        problems.add(selector.invalid(""));
    }
    runs_always(&at, "StatefulSet", problems);
}

/// The template as its Pods will be: with a volume for each claim, and names that are given to each.
fn with_claims(spec: &At<'_, '_>) -> Option<Value> {
    let mut template = spec.get("template").raw()?.clone();
    let claims = spec.get("volumeClaimTemplates");
    let names: Vec<&str> = claims.items().map(|claim| claim.get("metadata.name").text()).collect();
    let pod = template.get_mut("spec")?.as_object_mut()?;
    pod.remove("subdomain");
    pod.remove("hostname");
    if !names.is_empty() {
        let volume =
            |name: &&str| serde_json::json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
        let mut volumes: Vec<Value> = names.iter().map(volume).collect();
        if let Some(Value::Array(own)) = pod.remove("volumes") {
            let is_own =
                |volume: &Value| !names.iter().any(|name| volume.get("name") == Some(&Value::from(*name)));
            volumes.extend(own.into_iter().filter(is_own));
        }
        pod.insert("volumes".to_owned(), Value::Array(volumes));
    }
    Some(template)
}

/// Checks the immutable fields of a StatefulSet.
pub(super) fn stateful_set_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    for path in ["spec.selector", "spec.volumeClaimTemplates", "spec.serviceName", "spec.podManagementPolicy"]
    {
        At::new(object, path).must_equal(&At::new(old, path), problems);
    }
}

pub(super) fn controller_revision(object: &Map, problems: &mut ErrorList) {
    At::new(object, "revision").must_not_be_negative(problems);
    let data = At::new(object, "data");
    if !data.is_set() {
        problems.add(data.required("data is mandatory"));
    }
}

/// Checks a number that may be given as a percentage.
pub(super) fn int_or_percent(value: &At<'_, '_>, problems: &mut ErrorList) {
    if value.raw().is_some_and(Value::is_string) {
        value.must_be(percent, problems);
    } else if value.number() < 0 {
        problems.add(value.invalid(NEGATIVE));
    }
}

/// The number or percentage; texts that are neither count as nothing.
fn share(value: &At<'_, '_>) -> i64 {
    match value.int() {
        Some(number) => number,
        None => value.text().trim_end_matches('%').parse().unwrap_or_default(),
    }
}

pub(super) fn at_most_all(value: &At<'_, '_>, problems: &mut ErrorList) {
    let is_percent = percent(value.text()).is_empty();
    if is_percent && value.text().trim_end_matches('%').parse::<i64>().is_ok_and(|percent| percent > 100) {
        problems.add(value.invalid("must not be greater than 100%"));
    }
}
