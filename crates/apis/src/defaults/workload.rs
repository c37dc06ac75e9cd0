//! Defaults of workloads: `apps`, `batch` and `autoscaling`.

use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{Map, at, map_at, text_at};
use serde_json::{Value, json};

use super::{fill, is_empty, object_mut};

pub(super) fn set(schema: &Schema, object: &mut Map) {
    match (schema.package, schema.name) {
        ("apps/v1", "Deployment") => deployment(map_at(object, "spec")),
        ("apps/v1", "DaemonSet") => daemon_set(object),
        ("apps/v1", "StatefulSet") => stateful_set(map_at(object, "spec")),
        ("apps/v1", "ReplicaSet") => fill(map_at(object, "spec"), "replicas", 1),
        ("batch/v1", "Job") => job(object),
        ("batch/v1", "CronJob") => cron_job(map_at(object, "spec")),
        ("batch/v1", "PodFailurePolicyOnPodConditionsPattern") => super::fill_zero(object, "status", "True"),
        ("autoscaling/v1", "HorizontalPodAutoscaler") => autoscaler_v1(object),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => autoscaler(map_at(object, "spec")),
        _ => {}
    }
}

/// Copies the template's labels to the selector and labels of a controller without them.
pub(super) fn replication_controller(object: &mut Map) {
    let Some(labels) = template_labels(object) else { return };
    let spec = map_at(object, "spec");
    if is_empty(spec, "selector") {
        spec.insert("selector".to_owned(), labels.clone());
    }
    own_labels(object, labels);
}

fn template_labels(object: &Map) -> Option<Value> {
    at(object, &["spec", "template", "metadata", "labels"]).cloned()
}

/// Sets the labels of an object that has none.
pub(super) fn own_labels(object: &mut Map, labels: Value) {
    let metadata = map_at(object, "metadata");
    if is_empty(metadata, "labels") {
        metadata.insert("labels".to_owned(), labels);
    }
}

fn deployment(spec: &mut Map) {
    fill(spec, "replicas", 1);
    let strategy = map_at(spec, "strategy");
    fill(strategy, "type", "RollingUpdate");
    if text_at(strategy, &["type"]) == "RollingUpdate" {
        let rolling = map_at(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", "25%");
        fill(rolling, "maxSurge", "25%");
    }
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
}

/// The annotation that counts the template changes of a DaemonSet; formerly a field.
pub(super) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn daemon_set(object: &mut Map) {
    fill(map_at(map_at(object, "metadata"), "annotations"), TEMPLATE_GENERATION, "0");
    let spec = map_at(object, "spec");
    let strategy = map_at(spec, "updateStrategy");
    fill(strategy, "type", "RollingUpdate");
    if text_at(strategy, &["type"]) == "RollingUpdate" {
        let rolling = map_at(strategy, "rollingUpdate");
        fill(rolling, "maxUnavailable", 1);
        fill(rolling, "maxSurge", 0);
    }
    fill(spec, "revisionHistoryLimit", 10);
}

fn stateful_set(spec: &mut Map) {
    fill(spec, "podManagementPolicy", "OrderedReady");
    let strategy = map_at(spec, "updateStrategy");
    if !strategy.contains_key("type") {
        fill(strategy, "type", "RollingUpdate");
        fill(strategy, "rollingUpdate", json!({}));
    }
    if text_at(strategy, &["type"]) == "RollingUpdate"
        && let Some(rolling) = object_mut(strategy, "rollingUpdate")
    {
        fill(rolling, "partition", 0);
        fill(rolling, "maxUnavailable", 1);
    }
    let retention = map_at(spec, "persistentVolumeClaimRetentionPolicy");
    fill(retention, "whenDeleted", "Retain");
    fill(retention, "whenScaled", "Retain");
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
}

fn job(object: &mut Map) {
    let spec = map_at(object, "spec");
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        fill(spec, "completions", 1);
    }
    fill(spec, "parallelism", 1);
    let retries = if spec.contains_key("backoffLimitPerIndex") { i32::MAX } else { 6 };
    fill(spec, "backoffLimit", retries);
    fill(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    let replacement = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    fill(spec, "podReplacementPolicy", replacement);
    fill(spec, "manualSelector", false);
    if let Some(labels) = template_labels(object) {
        own_labels(object, labels);
    }
}

fn cron_job(spec: &mut Map) {
    fill(spec, "concurrencyPolicy", "Allow");
    fill(spec, "suspend", false);
    fill(spec, "successfulJobsHistoryLimit", 3);
    fill(spec, "failedJobsHistoryLimit", 1);
}

const CPU_UTILIZATION: i32 = 80;

fn autoscaler_v1(object: &mut Map) {
    let has_metrics =
        at(object, &["metadata", "annotations", "autoscaling.alpha.kubernetes.io/metrics"]).is_some();
    let spec = map_at(object, "spec");
    fill(spec, "minReplicas", 1);
    if !has_metrics {
        fill(spec, "targetCPUUtilizationPercentage", CPU_UTILIZATION);
    }
}

fn autoscaler(spec: &mut Map) {
    fill(spec, "minReplicas", 1);
    if is_empty(spec, "metrics") {
        let target = json!({"type": "Utilization", "averageUtilization": CPU_UTILIZATION});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".to_owned(), json!([metric]));
    }
    if let Some(behavior) = object_mut(spec, "behavior") {
        let up = map_at(behavior, "scaleUp");
        fill(up, "stabilizationWindowSeconds", 0);
        fill(up, "selectPolicy", "Max");
        let by_pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
        let by_percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        fill(up, "policies", json!([by_pods, by_percent]));
        let down = map_at(behavior, "scaleDown");
        fill(down, "selectPolicy", "Max");
        fill(down, "policies", json!([by_percent]));
    }
}
