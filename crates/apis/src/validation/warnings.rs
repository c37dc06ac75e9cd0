//! Warnings about valid objects: deprecated, ineffective or dangerous fields, in the words of upstream's
//! `WarningsOnCreate` and `WarningsOnUpdate`.

mod address;
mod amounts;
mod config;
mod containers;
mod definition;
mod node;
mod paths;
mod pod;
mod ports;
mod service;
mod storage;
#[cfg(test)]
mod tests;
mod webhook;
mod workload;

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::{Map, at, text_at};

use super::at::At;

pub use definition::{custom, definition};

/// The maximum number of warnings about conflicting ports of a pod or files of a volume. The headers of a response hold
/// far fewer.
const MOST_CONFLICTS: usize = 1000;

/// A write of which a client may be warned.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    object: &'a Map,
    /// The object before, if it is not new.
    old: Option<&'a Map>,
}

impl<'a> Written<'a> {
    fn at<'p>(self, path: &'p str) -> At<'p, 'a> {
        At::new(self.object, path)
    }

    fn is_new(self) -> bool {
        self.old.is_none()
    }

    /// Returns true if the object is new or its desired state changed.
    fn moves_generation(self) -> bool {
        let generation = |object: &Map| at(object, &["metadata", "generation"]).cloned();
        self.old.is_none_or(|old| generation(old) != generation(self.object))
    }
}

/// The warnings about an object of a built-in kind that is new or updated.
pub fn object(resource: &ResourceSchema, object: &Map, old: Option<&Map>) -> Vec<String> {
    let written = Written { object, old };
    let mut warnings = Vec::new();
    match (resource.group, resource.kind) {
        ("", "Endpoints") => service::endpoints(written, &mut warnings),
        ("", "Node") => node::node(written, &mut warnings),
        ("", "PersistentVolume") => storage::volume(written, &mut warnings),
        ("", "PersistentVolumeClaim") => storage::claim(written, &mut warnings),
        ("", "Pod") if written.is_new() => workload::pod(written, &mut warnings),
        ("", "PodTemplate") => workload::template(written, "template", &mut warnings),
        ("", "ReplicationController") => workload::replication_controller(written, &mut warnings),
        ("", "Secret") => config::secret(written, &mut warnings),
        ("", "Service") => service::service(written, &mut warnings),
        ("", "ServiceAccount") => config::service_account(written, &mut warnings),
        ("apps", "DaemonSet") => workload::daemon_set(written, &mut warnings),
        ("apps", "Deployment" | "ReplicaSet") => {
            workload::named(written, &mut warnings);
            workload::template(written, "spec.template", &mut warnings);
        }
        ("apps", "StatefulSet") => workload::stateful_set(written, &mut warnings),
        ("batch", "CronJob") => workload::cron_job(written, &mut warnings),
        ("batch", "Job") => {
            workload::named(written, &mut warnings);
            workload::job(written, "spec", &mut warnings);
        }
        ("admissionregistration.k8s.io", kind) => webhook::registration(kind, written, &mut warnings),
        ("discovery.k8s.io", "EndpointSlice") => service::endpoint_slice(written, &mut warnings),
        ("networking.k8s.io", "Ingress") => service::ingress(written, &mut warnings),
        ("networking.k8s.io", "NetworkPolicy") => service::network_policy(written, &mut warnings),
        ("node.k8s.io", "RuntimeClass") => node::runtime_class(written, &mut warnings),
        ("resource.k8s.io", "ResourceSlice") => node::resource_slice(written, &mut warnings),
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver(written, &mut warnings),
        ("storage.k8s.io", "CSIStorageCapacity") => storage::csi_capacity(written, &mut warnings),
        ("storage.k8s.io", "StorageClass") => storage::storage_class(written, &mut warnings),
        _ => {}
    }
    warnings
}

/// The warnings about an object of a built-in kind whose status is updated.
pub fn status(resource: &ResourceSchema, object: &Map) -> Vec<String> {
    let mut warnings = Vec::new();
    match (resource.group, resource.kind) {
        ("", "Pod") => {
            for list in ["podIPs", "hostIPs"] {
                let path = format!("status.{list}");
                let addresses = At::new(object, &path);
                addresses.items().for_each(|item| address::ip(&item.get("ip"), &mut warnings));
            }
        }
        ("", "Service") | ("networking.k8s.io", "Ingress") => {
            for ingress in At::new(object, "status.loadBalancer.ingress").items() {
                // Upstream names the item, not its field.
                let address = ingress.get("ip").raw();
                address::ip(&ingress.holding(address), &mut warnings);
            }
        }
        _ => {}
    }
    warnings
}

fn label(object: &Map, key: &str) -> String {
    text_at(object, &["metadata", "labels", key]).to_owned()
}
