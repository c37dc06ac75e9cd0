//! Cells of `Table` rows: the output of `kubectl get`.
//!
//! The columns of a resource are data ([`ResourceSchema::columns`]); their cells are code, one function for each kind
//! that has more columns than its name and age. All cells are included, also those of wide output; clients choose
//! which to print.

mod access;
mod admission;
mod age;
mod autoscaling;
mod config;
mod custom;
mod device;
mod event;
mod extension;
mod flow;
mod job;
mod network;
mod node;
mod pod;
mod row;
mod service;
mod storage;
#[cfg(test)]
mod tests;
mod text;
mod workload;

pub use age::age;
pub use custom::cell_of;

use klient_apimachinery::Time;
use klient_apimachinery::schema::{ColumnSchema, ResourceSchema};
use serde_json::Value;

use klient_apimachinery::values::Map;
use row::Row;

/// Returns the cells of a row, one for each column.
type Printer = fn(&Row<'_>) -> Vec<Value>;

/// The cells of an object's row, one for each of the resource's columns. Ages are relative to `now`.
pub fn cells(resource: &ResourceSchema, object: &Map, now: Time) -> Vec<Value> {
    let row = Row::new(object, now);
    match printer(resource.group, resource.plural) {
        // Versions that are not served by default have no columns, though other versions of the kind do.
        Some(print) if !resource.columns.is_empty() => print(&row),
        _ => resource.columns.iter().map(|column| plain_cell(&row, column)).collect(),
    }
}

/// The conditions of an object's row: `Completed`, for kinds that have such a state.
pub fn row_conditions(resource: &ResourceSchema, object: &Map) -> Vec<Value> {
    match (resource.group, resource.plural) {
        ("", "pods") => pod::conditions(object),
        _ => Vec::new(),
    }
}

/// A cell of a kind that has only a name and a creation time, as an age or as a date.
fn plain_cell(row: &Row<'_>, column: &ColumnSchema) -> Value {
    match (column.name, column.ty) {
        ("Name", _) => row.name(),
        ("Age", _) => row.age(),
        (_, "date") => row.created(),
        _ => Value::Null,
    }
}

fn printer(group: &str, plural: &str) -> Option<Printer> {
    match group {
        "" => core_printer(plural),
        "admissionregistration.k8s.io" => admission_printer(plural),
        "apps" => apps_printer(plural),
        "networking.k8s.io" => network_printer(plural),
        "storage.k8s.io" => storage_printer(plural),
        _ => other_printer(group, plural),
    }
}

fn core_printer(plural: &str) -> Option<Printer> {
    Some(match plural {
        "componentstatuses" => config::component_status,
        "configmaps" => config::config_map,
        "endpoints" => service::endpoints,
        "events" => event::core_event,
        "namespaces" => config::namespace,
        "nodes" => node::node,
        "persistentvolumeclaims" => storage::claim,
        "persistentvolumes" => storage::volume,
        "pods" => pod::pod,
        "podtemplates" => workload::pod_template,
        "replicationcontrollers" => workload::replication_controller,
        "resourcequotas" => config::resource_quota,
        "secrets" => config::secret,
        "services" => service::service,
        _ => return None,
    })
}

fn admission_printer(plural: &str) -> Option<Printer> {
    Some(match plural {
        "mutatingadmissionpolicies" => admission::mutating_policy,
        "validatingadmissionpolicies" => admission::validating_policy,
        "mutatingadmissionpolicybindings" | "validatingadmissionpolicybindings" => admission::policy_binding,
        "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => admission::webhooks,
        _ => return None,
    })
}

fn apps_printer(plural: &str) -> Option<Printer> {
    Some(match plural {
        "controllerrevisions" => workload::controller_revision,
        "daemonsets" => workload::daemon_set,
        "deployments" => workload::deployment,
        "replicasets" => workload::replica_set,
        "statefulsets" => workload::stateful_set,
        _ => return None,
    })
}

fn network_printer(plural: &str) -> Option<Printer> {
    Some(match plural {
        "ingressclasses" => network::ingress_class,
        "ingresses" => network::ingress,
        "ipaddresses" => network::ip_address,
        "networkpolicies" => network::network_policy,
        "servicecidrs" => network::service_cidr,
        _ => return None,
    })
}

fn storage_printer(plural: &str) -> Option<Printer> {
    Some(match plural {
        "csidrivers" => storage::csi_driver,
        "csinodes" => storage::csi_node,
        "storageclasses" => storage::storage_class,
        "volumeattachments" => storage::attachment,
        "volumeattributesclasses" => storage::attributes_class,
        _ => return None,
    })
}

fn other_printer(group: &str, plural: &str) -> Option<Printer> {
    Some(match (group, plural) {
        ("apiextensions.k8s.io", "customresourcedefinitions") => extension::custom_resource_definition,
        ("apiregistration.k8s.io", "apiservices") => extension::api_service,
        ("autoscaling", "horizontalpodautoscalers") => autoscaling::autoscaler,
        ("batch", "cronjobs") => job::cron_job,
        ("batch", "jobs") => job::job,
        ("certificates.k8s.io", "certificatesigningrequests") => access::signing_request,
        ("certificates.k8s.io", "clustertrustbundles") => access::trust_bundle,
        ("certificates.k8s.io", "podcertificaterequests") => access::pod_certificate_request,
        ("coordination.k8s.io", "leases") => config::lease,
        ("discovery.k8s.io", "endpointslices") => service::endpoint_slice,
        ("events.k8s.io", "events") => event::event,
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => flow::flow_schema,
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => flow::priority_level,
        ("node.k8s.io", "runtimeclasses") => config::runtime_class,
        ("policy", "poddisruptionbudgets") => workload::disruption_budget,
        ("rbac.authorization.k8s.io", "clusterrolebindings" | "rolebindings") => access::role_binding,
        ("resource.k8s.io", "devicetaintrules") => device::taint_rule,
        ("resource.k8s.io", "resourceclaims") => device::claim,
        ("resource.k8s.io", "resourceslices") => device::slice,
        ("scheduling.k8s.io", "priorityclasses") => config::priority_class,
        ("storagemigration.k8s.io", "storageversionmigrations") => extension::version_migration,
        _ => return None,
    })
}
