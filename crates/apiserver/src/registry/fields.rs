//! The fields that field selectors know, beyond name and namespace.

use klient_apimachinery::Str;
use serde_json::Value;

use crate::values::{Map, at};

/// Paths by group and kind; some have another name to select by.
const SELECTABLE: &[(&str, &str, &[&str])] = &[
    (
        "",
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("", "Node", &["spec.unschedulable"]),
    ("", "ReplicationController", &["status.replicas"]),
    ("apps", "ReplicaSet", &["status.replicas"]),
    (
        "",
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io",
        "Event",
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
    ),
    ("", "Namespace", &["status.phase"]),
    ("", "Secret", &["type"]),
    ("", "Service", &["spec.clusterIP", "spec.type"]),
    ("batch", "Job", &["status.successful"]),
    ("certificates.k8s.io", "CertificateSigningRequest", &["spec.signerName"]),
    ("certificates.k8s.io", "ClusterTrustBundle", &["spec.signerName"]),
    ("certificates.k8s.io", "PodCertificateRequest", &["spec.signerName", "spec.podName", "spec.nodeName"]),
    ("resource.k8s.io", "ResourceSlice", &["spec.nodeName", "spec.driver"]),
];

/// Fields that hold nothing when they hold this, and so are selected by it.
const ZERO: &[(&str, &str)] = &[
    ("spec.hostNetwork", "false"),
    ("spec.unschedulable", "false"),
    ("status.replicas", "0"),
    ("status.successful", "0"),
];

/// The names by which objects of a kind can be selected.
pub(super) fn selectable(group: &str, kind: &str) -> &'static [&'static str] {
    SELECTABLE.iter().find(|(g, k, _)| *g == group && *k == kind).map_or(&[], |(_, _, fields)| fields)
}

/// The values of selectable fields.
pub(super) fn values<'a>(object: &Map, fields: impl IntoIterator<Item = &'a str>) -> Box<[(Str, Str)]> {
    fields.into_iter().map(|field| (field.into(), value(object, field))).collect()
}

fn value(object: &Map, field: &str) -> Str {
    let text = match field {
        "status.successful" => plain(at(object, &["status", "succeeded"])),
        "status.podIPs" => plain(at(object, &["status", "podIPs"]).and_then(|ips| ips.get(0)?.get("ip"))),
        "source" => {
            plain(at(object, &["source", "component"]).or_else(|| at(object, &["reportingComponent"])))
        }
        _ => plain(at(object, &field.split('.').collect::<Vec<_>>())),
    };
    if text.is_empty() {
        return ZERO
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, zero)| Str::from(*zero))
            .unwrap_or_default();
    }
    text
}

fn plain(value: Option<&Value>) -> Str {
    match value {
        Some(Value::String(text)) => text.as_str().into(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string().into(),
        _ => Str::EMPTY,
    }
}
