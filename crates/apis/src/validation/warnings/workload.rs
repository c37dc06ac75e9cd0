//! Pods and workload controllers.

use klient_apimachinery::values::at;

use super::Written;
use super::pod::{self, Pod};
use super::storage::claim_spec;
use crate::validation::at::At;
use crate::validation::form::dns_label;

pub(super) fn pod(written: Written<'_>, warnings: &mut Vec<String>) {
    name(written, "the Pod's hostname", warnings);
    let (annotations, spec) = (written.at("metadata.annotations"), written.at("spec"));
    pod::pod(Pod { annotations: &annotations, spec: &spec, is_template: false }, warnings);
}

/// Warns of a new object whose name the names of its pods begin with, and that is no label.
pub(super) fn named(written: Written<'_>, warnings: &mut Vec<String>) {
    if written.is_new() {
        name(written, "Pod names and hostnames", warnings);
    }
}

fn name(written: Written<'_>, used: &str, warnings: &mut Vec<String>) {
    let problems = dns_label(written.at("metadata.name").text());
    if !problems.is_empty() {
        warnings.push(format!(
            "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            problems.join(" ")
        ));
    }
}

/// Adds the warnings about a Pod template, if the object is new or its desired state changed.
pub(super) fn template(written: Written<'_>, path: &str, warnings: &mut Vec<String>) {
    if written.moves_generation() {
        template_at(&written.at(path), warnings);
    }
}

fn template_at(template: &At<'_, '_>, warnings: &mut Vec<String>) {
    let (annotations, spec) = (template.get("metadata.annotations"), template.get("spec"));
    pod::pod(Pod { annotations: &annotations, spec: &spec, is_template: true }, warnings);
}

/// Upstream looks at the old template when there is one.
pub(super) fn replication_controller(written: Written<'_>, warnings: &mut Vec<String>) {
    named(written, warnings);
    if written.moves_generation() {
        template_at(&At::new(written.old.unwrap_or(written.object), "spec.template"), warnings);
    }
}

pub(super) fn daemon_set(written: Written<'_>, warnings: &mut Vec<String>) {
    let path = ["spec", "template"];
    if written.old.is_none_or(|old| at(old, &path) != at(written.object, &path)) {
        template_at(&written.at("spec.template"), warnings);
    }
}

pub(super) fn stateful_set(written: Written<'_>, warnings: &mut Vec<String>) {
    template(written, "spec.template", warnings);
    for claim in written.at("spec.volumeClaimTemplates").items() {
        let spec = claim.get("spec");
        if written.is_new() {
            // Upstream names the claim, not its spec.
            claim_spec(&claim.holding(spec.raw()), warnings);
        } else {
            claim_spec(&claim.get("Spec").holding(spec.raw()), warnings);
        }
    }
    if written.at("spec.revisionHistoryLimit").number() < 0 {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is \
             recommended"
                .to_owned(),
        );
    }
}

/// Adds the warnings about a Job's spec and its Pod template.
pub(super) fn job(written: Written<'_>, path: &str, warnings: &mut Vec<String>) {
    const MANY_COMPLETIONS: i64 = 100_000;
    const MANY_AT_ONCE: i64 = 10_000;
    if !written.moves_generation() {
        return;
    }
    let spec = written.at(path);
    if spec.get("completionMode").text() == "Indexed"
        && spec.get("completions").number() > MANY_COMPLETIONS
        && spec.get("parallelism").number() > MANY_AT_ONCE
    {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    template_at(&spec.get("template"), warnings);
}

pub(super) fn cron_job(written: Written<'_>, warnings: &mut Vec<String>) {
    named(written, warnings);
    job(written, "spec.jobTemplate.spec", warnings);
    if !written.is_new() && written.at("spec.schedule").text().contains("TZ") {
        warnings.push(
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                .to_owned(),
        );
    }
}
