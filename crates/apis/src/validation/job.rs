//! Jobs and CronJobs.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::{At, same};
use super::cron;
use super::form::{dns_label, dns_subdomain, qualified_name};
use super::pod::template;
use super::selector::{label_selector, selects};

pub(super) fn job(object: &Map, is_new: bool, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    if is_new && !spec.get("manualSelector").flag() {
        generated_selector(object, problems);
    }
    job_spec(&spec, problems);
    let (selector, labels) = (spec.get("selector"), spec.get("template.metadata.labels"));
    if !selector.is_set() {
        problems.add(selector.required(""));
    }
    let known = problems.0.len();
    label_selector(&selector, problems);
    if problems.0.len() == known && !selects(&selector, &labels) {
        problems.add(labels.invalid("`selector` does not match template `labels`"));
    }
    pod_names(object, problems);
}

fn generated_selector(object: &Map, problems: &mut ErrorList) {
    let (name, uid) = (At::new(object, "metadata.name").text(), At::new(object, "metadata.uid").text());
    let (selector, labels) =
        (At::new(object, "spec.selector"), At::new(object, "spec.template.metadata.labels"));
    if !selector.is_set() {
        return;
    }
    if uid.is_empty() {
        problems.add(At::new(object, "metadata.uid").required(""));
    }
    for (label, expected) in [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ] {
        let path = format!("{}[{label}]", labels.path());
        let problem = format!("must be '{expected}'");
        match labels.entry(label) {
            None => problems.add(FieldError::required(path, &problem)),
            Some(value) if value != expected => {
                problems.add(FieldError::invalid(path, labels.raw().cloned().unwrap_or_default(), problem));
            }
            Some(_) => {}
        }
    }
    let expected = serde_json::json!({
        "controller-uid": uid,
        "job-name": name,
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
    });
    if !selects(&selector, &At::named("", Some(&expected))) {
        problems.add(selector.invalid("`selector` not auto-generated"));
    }
}

/// The last of an indexed Job's Pods must have a name that can be a host's.
fn pod_names(object: &Map, problems: &mut ErrorList) {
    let name = At::new(object, "metadata.name");
    let completions = At::new(object, "spec.completions").number();
    if At::new(object, "spec.completionMode").text() == "Indexed" && completions > 0 {
        let last = format!("{}-{}", name.text(), completions - 1);
        if !dns_label(&last).is_empty() {
            problems.add(name.invalid(format!("will not able to create pod with invalid DNS label: {last}")));
        }
    }
}

fn job_spec(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (limit_per_index, max_failed) = (spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes"));
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        spec.get(name).must_not_be_negative(problems);
    }
    if max_failed.is_set() && !limit_per_index.is_set() {
        problems.add(limit_per_index.required("when maxFailedIndexes is specified"));
    }
    managed_by(&spec.get("managedBy"), problems);
    let mode = spec.get("completionMode");
    if mode.is_set() {
        mode.must_be_one_of(&["NonIndexed", "Indexed"], problems);
    }
    if mode.text() == "Indexed" {
        indexed(spec, problems);
    } else {
        for at in [&limit_per_index, &max_failed] {
            if at.is_set() {
                problems.add(at.invalid("requires indexed completion mode"));
            }
        }
    }
    failure_policy(spec, problems);
    success_policy(spec, problems);
    replacement_policy(spec, problems);
    template(&spec.get("template"), problems);
    job_restart_policy(spec, problems);
}

fn managed_by(manager: &At<'_, '_>, problems: &mut ErrorList) {
    if !manager.is_set() {
        return;
    }
    match manager.text().split_once('/') {
        _ if manager.is_empty() => problems.add(manager.required("")),
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            problems
                .0
                .extend(dns_subdomain(host).into_iter().map(|problem| manager.invalid_as(host, problem)));
        }
        _ => problems.add(manager.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")")),
    }
    if manager.text().len() > 63 {
        problems.add(manager.too_long(63));
    }
}

fn indexed(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (completions, parallelism) = (spec.get("completions"), spec.get("parallelism"));
    let max_failed = spec.get("maxFailedIndexes");
    if !completions.is_set() {
        problems.add(completions.required("when completion mode is Indexed"));
    }
    let mut at_most = |at: &At<'_, '_>, max: i64, what: &str| {
        if at.number() > max {
            problems.add(at.invalid(format!("must be less than or equal to {what}")));
        }
    };
    at_most(&parallelism, 100_000, "100000 when completion mode is Indexed");
    if completions.is_set() {
        at_most(&max_failed, completions.number(), "completions");
    }
    at_most(&max_failed, 100_000, "100000");
    if completions.number() > 100_000 && spec.get("backoffLimitPerIndex").is_set() {
        let when = "10000 when completions are above 100000 and used with backoff limit per index";
        at_most(&parallelism, 10_000, when);
        at_most(&max_failed, 10_000, when);
        if !max_failed.is_set() {
            problems.add(max_failed.required("must be specified when completions is above 100000"));
        }
    }
}

fn replacement_policy(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let policy = spec.get("podReplacementPolicy");
    if policy.is_set() {
        let has_failure_policy = spec.get("podFailurePolicy").is_set();
        let allowed: &[&str] =
            if has_failure_policy { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        policy.must_be_one_of(allowed, problems);
    }
}

fn job_restart_policy(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let policy = spec.get("template.spec.restartPolicy");
    match policy.text() {
        "" | "Always" => problems.add(policy.required("valid values: \"OnFailure\", \"Never\"")),
        "OnFailure" if spec.get("podFailurePolicy").is_set() => {
            problems.add(policy.invalid("only \"Never\" is supported when podFailurePolicy is specified"));
        }
        _ => policy.must_be_one_of(&["OnFailure", "Never"], problems),
    }
}

fn failure_policy(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let rules = spec.get("podFailurePolicy.rules");
    rules.must_have_at_most(20, problems);
    for rule in rules.items() {
        let action = rule.get("action");
        match action.text() {
            "" => problems
                .add(action.required("valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]")),
            "FailIndex" if !spec.get("backoffLimitPerIndex").is_set() => {
                problems.add(action.invalid("requires the backoffLimitPerIndex to be set"));
            }
            _ => action.must_be_one_of(&["Count", "FailIndex", "FailJob", "Ignore"], problems),
        }
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        if codes.is_set() {
            exit_codes(&codes, spec, problems);
        }
        for condition in conditions.items() {
            condition.get("type").must_be(qualified_name, problems);
            let status = condition.get("status");
            match status.text() {
                "" => problems.add(status.required("valid values: [\"False\" \"True\" \"Unknown\"]")),
                _ => status.must_be_one_of(&["False", "True", "Unknown"], problems),
            }
        }
        let problem = match (codes.is_set(), conditions.is_empty()) {
            (true, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, true) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        problems.add(FieldError::invalid_shown(rule.path(), problem, ""));
    }
}

fn exit_codes(codes: &At<'_, '_>, spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (operator, values, name) = (codes.get("operator"), codes.get("values"), codes.get("containerName"));
    match operator.text() {
        "" => problems.add(operator.required("valid values: [\"In\" \"NotIn\"]")),
        _ => operator.must_be_one_of(&["In", "NotIn"], problems),
    }
    let has_container =
        |list: &str| spec.get(list).items().any(|container| container.get("name").text() == name.text());
    if name.is_set()
        && !["template.spec.containers", "template.spec.initContainers"]
            .iter()
            .any(|list| has_container(list))
    {
        problems.add(name.invalid("must be one of the container or initContainer names in the pod template"));
    }
    if values.is_empty() {
        problems.add(values.invalid("at least one value is required"));
    }
    values.must_have_at_most(255, problems);
    let mut seen = HashSet::new();
    for value in values.items() {
        if operator.text() == "In" && value.number() == 0 {
            problems.add(value.invalid("must not be 0 for the In operator"));
        }
        if !seen.insert(value.number()) {
            problems.add(value.duplicate(value.number()));
        }
    }
    if !values.list().is_sorted_by_key(|value| value.as_i64()) {
        problems.add(values.invalid("must be ordered"));
    }
}

fn success_policy(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let policy = spec.get("successPolicy");
    if !policy.is_set() {
        return;
    }
    if spec.get("completionMode").text() != "Indexed" {
        return problems.add(policy.invalid("requires indexed completion mode"));
    }
    let rules = policy.get("rules");
    rules.must_be_set("at least one rules must be specified when the successPolicy is specified", problems);
    rules.must_have_at_most(20, problems);
    let completions = spec.get("completions").number();
    for rule in rules.items() {
        let count = rule.get("succeededCount");
        if !count.is_set() && !rule.get("succeededIndexes").is_set() {
            problems
                .add(rule.required("at least one of succeededCount or succeededIndexes must be specified"));
        }
        count.must_not_be_negative(problems);
        if count.number() > completions {
            let problem =
                format!("must be less than or equal to {completions} (the number of specified completions)");
            problems.add(count.invalid(problem));
        }
    }
}

/// Checks the immutable fields of a Job, and those that may change only while it is suspended.
pub(super) fn job_update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let completions = spec.get("completions");
    if spec.get("completionMode").text() != "Indexed" {
        completions.must_equal(&before.get("completions"), problems);
    } else if completions.int() != before.get("completions").int()
        && completions.is_set()
        && completions.number() != spec.get("parallelism").number()
    {
        problems.add(completions.invalid("can only be modified in tandem with spec.parallelism"));
    }
    spec.get("selector").must_equal(&before.get("selector"), problems);
    let template = spec.get("template");
    let was_started = At::new(old, "status.startTime").is_set();
    let is_mutable = before.get("suspend").flag() && !was_started;
    let (mut new, mut old) = (template.raw().cloned(), before.get("template").raw().cloned());
    if is_mutable {
        new.iter_mut().chain(&mut old).for_each(remove_mutable);
    }
    if !same(new.as_ref(), old.as_ref()) {
        problems.add(template.invalid("field is immutable"));
    }
    for name in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        spec.get(name).must_equal(&before.get(name), problems);
    }
}

/// Removes the fields of a suspended Job's template that may change.
fn remove_mutable(template: &mut Value) {
    let remove = |value: Option<&mut Value>, names: &[&str]| {
        if let Some(object) = value.and_then(Value::as_object_mut) {
            object.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    remove(template.get_mut("metadata"), &["annotations", "labels"]);
    for list in ["containers", "initContainers"] {
        let containers = template.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            remove(Some(container), &["resources"]);
        }
    }
    remove(template.pointer_mut("/spec/affinity"), &["nodeAffinity"]);
    let is_gone = template.pointer("/spec/affinity").and_then(Value::as_object).is_some_and(Map::is_empty);
    remove(template.get_mut("spec"), &["nodeSelector", "tolerations", "schedulingGates"]);
    if is_gone {
        remove(template.get_mut("spec"), &["affinity"]);
    }
}

/// The maximum length of a CronJob's name: its Jobs' names append a timestamp of 11 characters.
const CRON_JOB_NAME_MAX: usize = 52;

pub(super) fn cron_job(object: &Map, is_new: bool, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let schedule = spec.get("schedule");
    if !schedule.is_empty() {
        if let Err(problem) = cron::parse(schedule.text()) {
            problems.add(schedule.invalid(problem));
        }
        if schedule.text().contains("TZ") {
            let problem = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            problems.add(schedule.invalid(problem));
        }
    }
    spec.get("startingDeadlineSeconds").must_not_be_negative(problems);
    time_zone(&spec.get("timeZone"), problems);
    spec.get("concurrencyPolicy").must_have_one_of(&["Allow", "Forbid", "Replace"], problems);
    let job = spec.get("jobTemplate.spec");
    job_spec(&job, problems);
    if job.get("selector").is_set() {
        problems.add(job.get("selector").invalid("`selector` will be auto-generated"));
    }
    let manual = job.get("manualSelector");
    if manual.flag() {
        problems.add(FieldError::not_supported(manual.path(), true, &["nil", "false"]));
    }
    spec.get("successfulJobsHistoryLimit").must_not_be_negative(problems);
    spec.get("failedJobsHistoryLimit").must_not_be_negative(problems);
    let name = At::new(object, "metadata.name");
    if is_new && name.text().len() > CRON_JOB_NAME_MAX {
        problems.add(name.invalid("must be no more than 52 characters"));
    }
    schedule.must_be_set("", problems);
}

fn time_zone(zone: &At<'_, '_>, problems: &mut ErrorList) {
    if !zone.is_set() {
        return;
    }
    if zone.is_empty() {
        return problems.add(zone.invalid("timeZone must be nil or non-empty string"));
    }
    let is_fine = |part: &str| {
        let inside = |c: u8| c.is_ascii_alphanumeric() || b"._+-".contains(&c);
        (1..=14).contains(&part.len())
            && !matches!(part, "." | "..")
            && !part.starts_with('-')
            && part.bytes().all(inside)
    };
    if !zone.text().split('/').all(is_fine) {
        problems.add(zone.invalid(format!("unknown time zone {}", zone.text())));
    } else if zone.text().eq_ignore_ascii_case("Local") {
        let problem = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        problems.add(zone.invalid(problem));
    }
}
