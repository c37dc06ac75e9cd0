//! The rules objects must follow, in Kubernetes' own words.
//!
//! Metadata is validated first, then the kind's own rules in upstream's order. Upstream declares some rules with the
//! types (declarative validation); their errors come last.

mod access;
mod admission_policy;
mod at;
mod autoscaling;
mod certificate;
mod cluster;
mod config;
mod container;
mod cron;
mod endpoints;
mod env;
mod event;
mod form;
mod job;
mod kind;
mod match_conditions;
mod metadata;
mod mount;
mod network;
mod pod;
mod pod_annotations;
mod pod_ephemeral_containers;
mod pod_resize;
mod pod_security;
mod pod_update;
mod policy;
mod probe;
mod resources;
mod scheduling;
mod security;
mod selector;
mod service;
mod status;
mod storage;
#[cfg(test)]
mod tests;
mod volume;
mod volume_source;
pub mod warnings;
mod webhook;
mod workload;

use klient_apimachinery::schema::ResourceSchema;
use serde_json::Value;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

pub use certificate::{SigningRequest, SigningRequestPart};
use kind::{has_known_finalizers, has_late_metadata, is_review, is_validated_whole, name_rule};
pub use metadata::{ANNOTATIONS_MAX, manager_name};

/// The errors of a new object of a built-in kind, after defaulting.
pub fn create(resource: &ResourceSchema, object: &Map) -> Vec<FieldError> {
    let nothing = Map::new();
    let meta = metadata_of(object).unwrap_or(&nothing);
    let mut problems = ErrorList::default();
    if is_review(resource) {
        return Vec::new();
    }
    if has_late_metadata(resource) {
        rules(resource, object, true, &mut problems);
        if problems.0.is_empty() {
            metadata(meta, resource.namespaced, form::path_segment, &mut problems);
        }
        return problems.0;
    }
    metadata(meta, resource.namespaced, name_rule(resource), &mut problems);
    if has_known_finalizers(resource) {
        metadata::known_finalizers(meta, &mut problems);
    }
    rules(resource, object, true, &mut problems);
    problems.0
}

/// The errors of a new state of an object of a built-in kind, after defaulting.
pub fn update(resource: &ResourceSchema, object: &Map, old: &Map) -> Vec<FieldError> {
    let nothing = Map::new();
    let (meta, old_meta) = (metadata_of(object).unwrap_or(&nothing), metadata_of(old).unwrap_or(&nothing));
    let mut problems = ErrorList::default();
    metadata_update(meta, old_meta, &mut problems);
    if is_validated_whole(resource) {
        metadata::generate_name(meta, name_rule(resource), &mut problems);
    }
    if has_known_finalizers(resource) {
        metadata::known_finalizers(meta, &mut problems);
    }
    match (resource.group, resource.kind) {
        ("", "Pod") => pod_update::update(object, old, &mut problems),
        ("admissionregistration.k8s.io", _) => {
            admission_rules(resource, object, Some(old), &mut problems);
        }
        ("", "Service" | "Secret" | "ConfigMap") | ("apps", "DaemonSet") | (_, "IngressClass") => {
            changes(resource, object, old, &mut problems);
            rules(resource, object, false, &mut problems);
        }
        ("autoscaling", "HorizontalPodAutoscaler") => {
            autoscaling::autoscaler(object, Some(old), resource.version, &mut problems);
        }
        ("scheduling.k8s.io", "PriorityClass") => policy::priority_class_update(object, old, &mut problems),
        _ => {
            rules(resource, object, false, &mut problems);
            changes(resource, object, old, &mut problems);
        }
    }
    problems.0
}

/// Checks the metadata of a new object whose name follows a rule.
pub fn metadata(meta: &Map, namespaced: bool, name_rule: fn(&str) -> Vec<String>, problems: &mut ErrorList) {
    metadata::metadata(meta, namespaced, name_rule, problems);
}

/// The errors of the status of an object of a built-in kind that follows on an old one.
pub fn status(resource: &ResourceSchema, object: &Map, old: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    status::status(resource, object, old, &mut problems);
    problems.0
}

/// Errors of a Namespace whose finalizers were written.
pub fn finalize(object: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    cluster::namespace_finalize(object, &mut problems);
    problems.0
}

/// The errors of a Pod after an update of its `ephemeralcontainers` subresource.
pub fn ephemeral_containers(object: &Map, old: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    pod_ephemeral_containers::ephemeral_containers(object, old, &mut problems);
    problems.0
}

/// The errors of a Pod after an update of its `resize` subresource.
pub fn resize(object: &Map, old: &Map) -> Vec<FieldError> {
    let mut problems = ErrorList::default();
    pod_resize::resize(object, old, &mut problems);
    problems.0
}

/// Checks the metadata of a new state of an object.
pub fn metadata_update(meta: &Map, old: &Map, problems: &mut ErrorList) {
    metadata::metadata_update(meta, old, problems);
}

fn metadata_of(object: &Map) -> Option<&Map> {
    object.get("metadata").and_then(Value::as_object)
}

/// Checks all but the metadata of an object; a kind that is rarely used has no rules here.
fn rules(resource: &ResourceSchema, object: &Map, is_new: bool, problems: &mut ErrorList) {
    match resource.group {
        "" => core_rules(resource, object, is_new, problems),
        "apps" | "batch" => workload_rules(resource, object, is_new, problems),
        _ => other_rules(resource, object, is_new, problems),
    }
}

fn core_rules(resource: &ResourceSchema, object: &Map, is_new: bool, problems: &mut ErrorList) {
    match resource.kind {
        "ConfigMap" => config::config_map(object, problems),
        "Endpoints" => endpoints::endpoints(object, problems),
        "Event" => event::event(object, true, problems),
        "LimitRange" => cluster::limit_range(object, problems),
        "Namespace" => {
            cluster::namespace(object, problems);
            if is_new {
                problems.0.extend(pod_security::label_errors(object));
            }
        }
        "Node" if is_new => cluster::node(object, problems),
        "PersistentVolume" => storage::volume(object, problems),
        "PersistentVolumeClaim" => storage::claim(object, problems),
        "Pod" if is_new => pod::create(object, problems),
        "PodTemplate" => pod::template(&at::At::new(object, "template"), problems),
        "ReplicationController" => workload::replication_controller(object, problems),
        "ResourceQuota" => cluster::quota(object, problems),
        "Secret" => config::secret(object, problems),
        "Service" => service::service(object, problems),
        _ => {}
    }
}

fn workload_rules(resource: &ResourceSchema, object: &Map, is_new: bool, problems: &mut ErrorList) {
    match resource.kind {
        "ControllerRevision" => workload::controller_revision(object, problems),
        "CronJob" => job::cron_job(object, is_new, problems),
        "DaemonSet" => workload::daemon_set(object, problems),
        "Deployment" => workload::deployment(object, problems),
        "Job" => job::job(object, is_new, problems),
        "ReplicaSet" => workload::replica_set(object, problems),
        "StatefulSet" => workload::stateful_set(object, problems),
        _ => {}
    }
}

fn other_rules(resource: &ResourceSchema, object: &Map, is_new: bool, problems: &mut ErrorList) {
    match (resource.group, resource.kind) {
        ("admissionregistration.k8s.io", _) => admission_rules(resource, object, None, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => {
            autoscaling::autoscaler(object, None, resource.version, problems);
        }
        ("coordination.k8s.io", "Lease") => policy::lease(object, problems),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::endpoint_slice(object, problems),
        ("events.k8s.io", "Event") => event::event(object, false, problems),
        ("networking.k8s.io", "Ingress") => {
            network::ingress(object, problems);
            if is_new {
                network::ingress_class_annotation(object, problems);
            }
        }
        ("networking.k8s.io", "IngressClass") => network::ingress_class(object, problems),
        ("networking.k8s.io", "NetworkPolicy") => network::network_policy(object, problems),
        ("node.k8s.io", "RuntimeClass") => policy::runtime_class(object, problems),
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object, problems),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            access::role(object, resource.namespaced, problems);
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            access::binding(object, resource.namespaced, problems);
        }
        ("scheduling.k8s.io", "PriorityClass") => policy::priority_class(object, problems),
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver(object, problems),
        ("storage.k8s.io", "CSIStorageCapacity") => storage::csi_capacity(object, problems),
        ("storage.k8s.io", "StorageClass") => storage::storage_class(object, problems),
        ("storage.k8s.io", "VolumeAttachment") => storage::attachment(object, problems),
        ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes_class(object, problems),
        _ => {}
    }
}

/// Checks an object that configures admission, with the old one in an update.
fn admission_rules(resource: &ResourceSchema, object: &Map, old: Option<&Map>, problems: &mut ErrorList) {
    match resource.kind {
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            webhook::configuration(object, old, problems);
        }
        "ValidatingAdmissionPolicy" => admission_policy::validating(object, old, problems),
        "MutatingAdmissionPolicy" => admission_policy::mutating(object, old, problems),
        "ValidatingAdmissionPolicyBinding" => admission_policy::validating_binding(object, problems),
        "MutatingAdmissionPolicyBinding" => admission_policy::mutating_binding(object, problems),
        _ => {}
    }
}

/// Checks the fields that are immutable or may change only in certain ways.
fn changes(resource: &ResourceSchema, object: &Map, old: &Map, problems: &mut ErrorList) {
    let same = |paths: &[&str], problems: &mut ErrorList| {
        for path in paths {
            at::At::new(object, path).must_equal(&at::At::new(old, path), problems);
        }
    };
    match (resource.group, resource.kind) {
        ("", "ConfigMap") => config::sealed(object, old, &["data", "binaryData"], problems),
        ("", "Secret") => {
            same(&["type"], problems);
            config::sealed(object, old, &["data"], problems);
        }
        ("", "Service") => service::update(object, old, problems),
        ("", "Namespace") => {
            let (new, old) = (pod_security::label_errors(object), pod_security::label_errors(old));
            if new != old {
                problems.0.extend(new);
            }
        }
        ("", "Node") => cluster::node_update(object, old, problems),
        ("", "PersistentVolume") => storage::volume_update(object, old, problems),
        ("", "PersistentVolumeClaim") => storage::claim_update(object, old, problems),
        ("", "ResourceQuota") => cluster::quota_update(object, old, problems),
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet") => same(&["spec.selector"], problems),
        ("apps", "StatefulSet") => workload::stateful_set_update(object, old, problems),
        ("apps", "ControllerRevision") => same(&["data"], problems),
        ("batch", "Job") => job::job_update(object, old, problems),
        ("discovery.k8s.io", "EndpointSlice") => same(&["addressType"], problems),
        ("events.k8s.io", "Event") => event::update(object, old, problems),
        ("networking.k8s.io", "IngressClass") => same(&["spec.controller"], problems),
        ("node.k8s.io", "RuntimeClass") => same(&["handler"], problems),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => same(&["roleRef"], problems),
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver_update(object, old, problems),
        ("storage.k8s.io", "StorageClass") => storage::storage_class_update(object, old, problems),
        ("storage.k8s.io", "VolumeAttachment") => same(&["spec"], problems),
        _ => {}
    }
}
