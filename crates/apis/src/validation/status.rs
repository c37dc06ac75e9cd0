//! The status of objects, as writes of their `status` subresource leave it.
//!
//! Rules that compare with the old status run only where upstream's do, so that a status that was stored before does
//! not hold up writes of other fields.

mod conditions;
mod job;
mod load_balancer;
mod pod;
mod replicas;

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::qualified_name;
use super::resources::{amount, is_native, quantity};
use super::{admission_policy, cluster};

/// Checks the status of an object of a built-in kind, and that it may follow on the old one.
pub(super) fn status(resource: &ResourceSchema, object: &Map, old: &Map, problems: &mut ErrorList) {
    let (status, before) = (At::new(object, "status"), At::new(old, "status"));
    match (resource.group, resource.kind) {
        ("", "Namespace") => cluster::namespace_status(object, problems),
        ("", "Node") => cluster::node_update(object, old, problems),
        ("", "PersistentVolumeClaim") => claim(object, problems),
        ("", "Pod") => pod::status(object, old, problems),
        ("", "ReplicationController") => replicas::REPLICATION_CONTROLLER.check(&status, &before, problems),
        ("", "ResourceQuota") => cluster::quota_status(object, problems),
        ("", "Service") => load_balancer::of_service(object, old, problems),
        ("apps", "DaemonSet") => replicas::DAEMON_SET.check(&status, &before, problems),
        ("apps", "Deployment") => replicas::DEPLOYMENT.check(&status, &before, problems),
        ("apps", "ReplicaSet") => replicas::REPLICA_SET.check(&status, &before, problems),
        ("apps", "StatefulSet") => replicas::STATEFUL_SET.check(&status, &before, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(&status, problems),
        ("batch", "Job") => job::status(object, old, problems),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => {
            admission_policy::type_checking(&status.get("typeChecking"), problems);
            conditions::check(&status.get("conditions"), problems);
        }
        ("flowcontrol.apiserver.k8s.io", "FlowSchema" | "PriorityLevelConfiguration") => {
            conditions::check_types(&status.get("conditions"), problems);
        }
        ("networking.k8s.io", "Ingress") => load_balancer::of_ingress(object, old, problems),
        ("policy", "PodDisruptionBudget") => {
            conditions::check(&status.get("conditions"), problems);
            for field in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
                status.get(field).must_not_be_negative(problems);
            }
        }
        _ => {}
    }
}

fn autoscaler(status: &At<'_, '_>, problems: &mut ErrorList) {
    for condition in status.get("conditions").items() {
        condition.get("observedGeneration").must_not_be_negative(problems);
    }
    status.get("currentReplicas").must_not_be_negative(problems);
    status.get("desiredReplicas").must_not_be_negative(problems);
}

/// The states of a resize of a claim, in the order of upstream's set.
const RESIZES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];

fn claim(object: &Map, problems: &mut ErrorList) {
    let status = At::new(object, "status");
    for (resource, value) in status.get("capacity").entries() {
        let path = format!("status.capacity[{resource}]");
        basic_quantity(&At::named(&path, value.raw()), problems);
    }
    let resizes = status.get("allocatedResourceStatuses");
    for (resource, resize) in resizes.entries() {
        claim_resource(resource, &resizes.path(), problems);
        if !RESIZES.contains(&resize.text()) {
            problems.add(FieldError::not_supported(resizes.path(), resource, &RESIZES));
        }
    }
    let allocated = status.get("allocatedResources");
    for (resource, value) in allocated.entries() {
        let known = problems.0.len();
        claim_resource(resource, &allocated.path(), problems);
        if problems.0.len() == known {
            basic_quantity(&value, problems);
        }
        if problems.0.len() == known {
            quantity("storage", &value, problems);
        }
    }
}

/// Checks the name of a resource that a claim may have: `storage`, or one of another domain.
fn claim_resource(resource: &str, path: &str, problems: &mut ErrorList) {
    let found = qualified_name(resource);
    if found.is_empty() && is_native(resource) && resource != "storage" {
        problems.add(FieldError::not_supported(path, resource, &["storage"]));
    }
    problems.invalid(path, resource, found);
}

fn basic_quantity(value: &At<'_, '_>, problems: &mut ErrorList) {
    const UNIT: i128 = 1_000_000_000;
    // Upstream shows the amount rounded up, away from zero.
    let amount = amount(value);
    let whole = amount.div_euclid(UNIT);
    if whole < 0 {
        problems.add(
            value.invalid_as(i64::try_from(whole).unwrap_or(i64::MIN), "must be a valid resource quantity"),
        );
    }
}
