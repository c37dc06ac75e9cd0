//! Fields supported by field selectors, besides name and namespace.

use klient_apimachinery::go::quoted;
use klient_apimachinery::{ResourceInfo, Str};
use serde_json::Value;

use klient_apimachinery::values::{Map, at};

/// Paths by group and kind; some have another name in selectors. Other kinds are selected by name and namespace only.
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
    ("resource.k8s.io", "ResourceSlice", &["spec.nodeName", "spec.driver", "spec.pool.name"]),
];

/// Fields with a default in selectors: a missing value counts as this one.
const ZERO: &[(&str, &str)] = &[
    ("spec.hostNetwork", "false"),
    ("spec.unschedulable", "false"),
    ("status.replicas", "0"),
    ("status.successful", "0"),
];

/// Names of fields, each with the one under which it is stored.
type Names = &'static [(&'static str, &'static str)];

/// Aliases of fields, by group and kind: Events are stored as those of the core group, and Pods were selected by
/// `spec.host` before `spec.nodeName`.
const RENAMED: &[(&str, &str, Names)] = &[
    ("", "Pod", &[("spec.host", "spec.nodeName")]),
    (
        "events.k8s.io",
        "Event",
        &[
            ("regarding.kind", "involvedObject.kind"),
            ("regarding.namespace", "involvedObject.namespace"),
            ("regarding.name", "involvedObject.name"),
            ("regarding.uid", "involvedObject.uid"),
            ("regarding.apiVersion", "involvedObject.apiVersion"),
            ("regarding.resourceVersion", "involvedObject.resourceVersion"),
            ("regarding.fieldPath", "involvedObject.fieldPath"),
            ("reportingController", "reportingComponent"),
        ],
    ),
];

/// The stored name of a field, given its name in a kind.
pub(super) fn stored_name<'a>(group: &str, kind: &str, field: &'a str) -> &'a str {
    let renamed =
        RENAMED.iter().find(|(g, k, _)| *g == group && *k == kind).map_or(&[][..], |(_, _, names)| names);
    renamed.iter().find(|(name, _)| *name == field).map_or(field, |(_, stored)| stored)
}

/// The stored names of a kind's selectable fields.
pub(super) fn selectable(group: &str, kind: &str) -> &'static [&'static str] {
    SELECTABLE.iter().find(|(g, k, _)| *g == group && *k == kind).map_or(&[], |(_, _, fields)| fields)
}

/// Checks that objects of a built-in kind can be selected by a field.
///
/// # Errors
///
/// 400, worded as upstream's, which differs by group.
pub(super) fn check(resource: &ResourceInfo, field: &str) -> Result<(), String> {
    let (group, kind) = (&*resource.group, &*resource.kind);
    let own = selectable(group, kind);
    let is_renamed = stored_name(group, kind, field) != field;
    // Cluster-scoped kinds with selectable fields are not selected by namespace.
    let by_namespace = own.is_empty() || resource.namespaced && group != "certificates.k8s.io";
    if field == "metadata.name" || field == "metadata.namespace" && by_namespace {
        return Ok(());
    }
    if is_renamed || own.contains(&field) {
        return Ok(());
    }
    Err(match (group, kind) {
        _ if own.is_empty() => {
            let field = quoted(field);
            format!(r#"{field} is not a known field selector: only "metadata.name", "metadata.namespace""#)
        }
        ("batch", "Job") => format!("field label {} not supported for Job", quoted(field)),
        ("resource.k8s.io", _) => {
            format!("field label not supported for {group}/{}, Kind={kind}: {field}", resource.version)
        }
        _ => format!("field label not supported: {field}"),
    })
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
