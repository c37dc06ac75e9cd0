//! The rules of metadata that differ between kinds.

use klient_apimachinery::schema::ResourceSchema;

use super::form;

/// Returns true for reviews, whose objects are answered and not stored.
pub(super) fn is_review(resource: &ResourceSchema) -> bool {
    matches!(resource.group, "authentication.k8s.io" | "authorization.k8s.io")
}

/// Returns true for kinds whose own validation skips metadata: the common rules apply only if there are no other errors.
pub(super) fn has_late_metadata(resource: &ResourceSchema) -> bool {
    matches!((resource.group, resource.kind), ("", "Event") | ("policy", "PodDisruptionBudget"))
}

/// Returns true for kinds whose finalizers must be standard ones or qualified by a domain.
pub(super) fn has_known_finalizers(resource: &ResourceSchema) -> bool {
    !has_late_metadata(resource)
        && !matches!(
            resource.group,
            "admissionregistration.k8s.io"
                | "apiextensions.k8s.io"
                | "apiregistration.k8s.io"
                | "coordination.k8s.io"
        )
}

/// Returns true for kinds whose updates are validated by the rules of new metadata as well as by those of changes.
pub(super) fn is_validated_whole(resource: &ResourceSchema) -> bool {
    match resource.group {
        "" => matches!(
            resource.kind,
            "ConfigMap"
                | "Endpoints"
                | "LimitRange"
                | "Node"
                | "PersistentVolume"
                | "PersistentVolumeClaim"
                | "Pod"
                | "Secret"
                | "Service"
                | "ServiceAccount"
        ),
        "apps" => matches!(resource.kind, "ControllerRevision" | "StatefulSet"),
        "certificates.k8s.io" => resource.kind != "PodCertificateRequest",
        "networking.k8s.io" => matches!(resource.kind, "Ingress" | "IngressClass"),
        "resource.k8s.io" => matches!(resource.kind, "DeviceClass" | "ResourceClaim"),
        "storage.k8s.io" => matches!(resource.kind, "CSINode" | "VolumeAttachment" | "VolumeAttributesClass"),
        "admissionregistration.k8s.io"
        | "apiregistration.k8s.io"
        | "discovery.k8s.io"
        | "flowcontrol.apiserver.k8s.io"
        | "rbac.authorization.k8s.io" => true,
        _ => false,
    }
}

/// The rule that the names of a kind's objects follow.
pub(super) fn name_rule(resource: &ResourceSchema) -> fn(&str) -> Vec<String> {
    match (resource.group, resource.kind) {
        ("", "Namespace" | "Service") => form::dns_label,
        ("networking.k8s.io", "IPAddress") => form::ip,
        ("coordination.k8s.io", "LeaseCandidate") => form::config_map_key,
        ("rbac.authorization.k8s.io" | "certificates.k8s.io" | "apiregistration.k8s.io", _) => {
            form::path_segment
        }
        _ => form::dns_subdomain,
    }
}
