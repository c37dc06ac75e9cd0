//! [`Strategy`], the rules of a kind: the fields that the server sets, keeps and refuses.
//!
//! As upstream's rest strategies. A kind with rules of its own has a file of its own; no other code compares the name
//! of a kind.

mod certificate_signing_request;
mod custom_resource;
mod custom_resource_definition;
mod deployment;
mod endpoint_slice;
mod event;
mod job;
mod namespace;
mod node;
mod pod;
mod replication_controller;
mod service;

use klient_apimachinery::schema::ResourceSchema;
use serde_json::Value;

pub(super) use custom_resource::CustomResource;
pub(crate) use klient_apiextensions::definition::Validated;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, at, list_at, map_at};
use klient_apis::defaults;
use klient_apis::validation::{self, warnings};

use super::addresses::{Addresses, ReservedAddresses};
use crate::auth::User;

/// Paths of fields.
pub(crate) type Paths = &'static [&'static [&'static str]];

/// The subresources whose writes leave the desired state as it is.
const OBSERVED: [&str; 3] = ["status", "approval", "finalize"];

/// The rules of a kind, in the version in which its objects are stored.
pub(crate) trait Strategy: Send + Sync {
    /// The built-in kind; `None` for custom resources.
    fn schema(&self) -> Option<&'static ResourceSchema>;

    /// Sets the fields that an object leaves open, in the client's name.
    fn default(&self, object: &mut Map) {
        if let Some(schema) = self.schema() {
            defaults::apply(schema, object);
        }
    }

    /// Completes a new object that has its name and UID.
    fn prepare_for_create(&self, object: &mut Map) {
        if let Some(schema) = self.schema() {
            defaults::prepare_create(schema, object);
        }
    }

    /// Records the user that creates an object.
    fn record_requester(&self, _object: &mut Map, _user: &User) {}

    /// Completes an object of which a subresource was written.
    fn prepare_subresource(&self, _object: &mut Map, _old: &Map, _subresource: &str) {}

    /// Completes the new state of an object.
    fn prepare_for_update(&self, object: &mut Map, old: &Map) {
        if let Some(schema) = self.schema() {
            defaults::prepare_update(schema, object, old);
        }
    }

    /// Errors of a new object.
    fn validate(&self, object: &Map) -> Vec<FieldError> {
        self.schema().map(|schema| validation::create(schema, object)).unwrap_or_default()
    }

    /// Errors of the new state of an object, and warnings of those that it is not refused for.
    fn validate_update(&self, object: &Map, old: &Map) -> Validated {
        self.schema().map(|schema| validation::update(schema, object, old)).unwrap_or_default().into()
    }

    /// Errors of an object of which a subresource was written.
    fn validate_subresource(&self, object: &Map, old: &Map, _subresource: &str) -> Vec<FieldError> {
        let mut errors = metadata_errors(object, old);
        errors.extend(self.schema().into_iter().flat_map(|schema| validation::status(schema, object, old)));
        errors
    }

    /// Warnings for the client that writes a new object, or a new state of the old one.
    fn warnings(&self, object: &Map, old: Option<&Map>) -> Vec<String> {
        self.schema().map(|schema| warnings::object(schema, object, old)).unwrap_or_default()
    }

    /// Warnings for the client that writes the status of an object.
    fn status_warnings(&self, object: &Map) -> Vec<String> {
        self.schema().map(|schema| warnings::status(schema, object)).unwrap_or_default()
    }

    /// The fields that a client cannot set when it creates or updates an object.
    fn fields_reset(&self, has_status: bool) -> Paths {
        if has_status { &[&["status"]] } else { &[] }
    }

    /// The fields that a client cannot set when it updates the status.
    fn fields_reset_by_status(&self) -> Paths {
        match self.schema() {
            Some(schema) if STATUS_SETS_METADATA.contains(&schema.kind) => &[&["spec"]],
            _ => &[&["metadata"], &["spec"]],
        }
    }

    /// Keeps the status that a new object was sent with.
    fn keeps_status(&self) -> bool {
        false
    }

    /// Compares the desired state of a new and an old object; `metadata.generation` grows if they differ.
    fn changes_spec(&self, object: &Map, old: &Map, _has_status: bool) -> bool {
        object.get("spec") != old.get("spec")
    }

    /// Allocates exclusive values such as addresses and ports for an object, and writes them into it.
    ///
    /// # Errors
    ///
    /// If a requested value is taken.
    fn reserve<'a>(
        &self,
        addresses: &'a Addresses,
        _object: &mut Map,
        _old: Option<&Map>,
        _dry_run: bool,
    ) -> Result<ReservedAddresses<'a>, Vec<FieldError>> {
        Ok(addresses.nothing())
    }

    /// Marks the exclusive values of an initial object as taken.
    fn occupy(&self, _addresses: &Addresses, _object: &Map) {}

    /// Releases the exclusive values of an old state that the new state does not have; all of them if it is deleted.
    fn release(&self, _addresses: &Addresses, _old: &Map, _new: Option<&Map>) {}

    /// Seconds that an object is given to end; `requested` by the client or not.
    fn grace_period(&self, _object: &Map, _requested: Option<i64>) -> i64 {
        0
    }

    /// Deletion marks objects even if nothing holds them.
    fn is_graceful(&self) -> bool {
        false
    }

    /// Returns true if the first deletion only marks objects, even without finalizers.
    fn is_marked_first(&self) -> bool {
        false
    }

    /// Returns true if dependents are orphaned by default.
    fn orphans_by_default(&self) -> bool {
        false
    }

    /// Objects can wait for their dependents.
    fn has_dependents(&self) -> bool {
        true
    }

    /// A warning for a client that deletes an object without a `propagationPolicy`.
    fn delete_warning(&self) -> Option<&'static str> {
        None
    }

    /// Completes an object that a delete marks.
    fn prepare_for_delete(&self, _object: &mut Map) {}

    /// Marks an object for deletion in a way of its own; `false` if there is none.
    fn mark_for_deletion(&self, _object: &mut Map) -> bool {
        false
    }

    /// Marked objects have `metadata.deletionGracePeriodSeconds`.
    fn has_grace_period(&self) -> bool {
        true
    }

    /// Something beside its finalizers and its grace period holds a marked object.
    fn is_held(&self, _object: &Map) -> bool {
        false
    }
}

/// Kinds whose status can be written together with their metadata.
const STATUS_SETS_METADATA: [&str; 15] = [
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "StatefulSet",
];

/// The strategy of a built-in kind.
pub(super) fn built_in(schema: &'static ResourceSchema) -> Box<dyn Strategy> {
    match (schema.group, schema.kind) {
        ("", "Event") | ("events.k8s.io", "Event") => Box::new(event::Event(schema)),
        ("", "Namespace") => Box::new(namespace::Namespace(schema)),
        ("", "Node") => Box::new(node::Node(schema)),
        ("", "Pod") => Box::new(pod::Pod(schema)),
        ("", "ReplicationController") => Box::new(replication_controller::ReplicationController(schema)),
        ("", "Service") => Box::new(service::Service(schema)),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            Box::new(custom_resource_definition::CustomResourceDefinition(schema))
        }
        ("apps", "Deployment") => Box::new(deployment::Deployment(schema)),
        ("batch", "Job") => Box::new(job::Job(schema)),
        ("certificates.k8s.io", "CertificateSigningRequest") => {
            Box::new(certificate_signing_request::CertificateSigningRequest(schema))
        }
        ("discovery.k8s.io", "EndpointSlice") => Box::new(endpoint_slice::EndpointSlice(schema)),
        _ => Box::new(Ordinary(schema)),
    }
}

/// A kind that differs in nothing from others.
struct Ordinary(&'static ResourceSchema);

impl Strategy for Ordinary {
    fn schema(&self) -> Option<&'static ResourceSchema> {
        Some(self.0)
    }
}

/// Returns true for the object itself and for subresources that change its desired state.
pub(crate) fn writes_spec(subresource: Option<&str>) -> bool {
    subresource.is_none_or(|subresource| !OBSERVED.contains(&subresource))
}

/// Increments `metadata.generation`.
pub(crate) fn increment_generation(object: &mut Map, old: &Map) {
    let generation = at(old, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0);
    map_at(object, "metadata").insert("generation".to_owned(), (generation + 1).into());
}

/// Tells a marked object that stays for now from one that can be removed.
pub(crate) fn is_held(strategy: &dyn Strategy, object: &Map) -> bool {
    let grace = at(object, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0);
    grace > 0 || !list_at(object, &["metadata", "finalizers"]).is_empty() || strategy.is_held(object)
}

/// Errors of the new metadata of an object.
pub(crate) fn metadata_errors(object: &Map, old: &Map) -> Vec<FieldError> {
    let nothing = Map::new();
    let [metadata, old] = [object, old].map(|object| object.get("metadata").and_then(Value::as_object));
    let mut problems = ErrorList::default();
    validation::metadata_update(metadata.unwrap_or(&nothing), old.unwrap_or(&nothing), &mut problems);
    problems.0
}

/// Compares two objects but for their metadata, and for their status if that is written apart.
fn differ_beside_metadata(object: &Map, old: &Map, has_status: bool) -> bool {
    let others = |object: &Map| -> Map {
        let beside = |name: &str| name != "metadata" && (name != "status" || !has_status);
        object
            .iter()
            .filter(|(name, _)| beside(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    others(object) != others(old)
}
