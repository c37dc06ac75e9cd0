//! Volumes, claims and storage classes.

use klient_apimachinery::values::at;

use super::Written;
use super::amounts::fractions;
use super::node::{deprecated_label, expressions, selector};
use crate::validation::at::{At, same};

const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// Removed kinds of volumes and the warnings about them.
pub(super) const REMOVED: [(&str, &str); 6] = [
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

pub(super) fn volume(written: Written<'_>, warnings: &mut Vec<String>) {
    for (key, problem) in [
        (CLASS_ANNOTATION, r#"deprecated since v1.8; use "storageClassName" attribute instead"#),
        (
            "volume.beta.kubernetes.io/mount-options",
            r#"deprecated since v1.31; use "mountOptions" attribute instead"#,
        ),
    ] {
        if at(written.object, &["metadata", "annotations", key]).is_some() {
            warnings.push(format!("metadata.annotations[{key}]: {problem}"));
        }
    }
    if written.at("spec.persistentVolumeReclaimPolicy").text() == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    let terms = written.at("spec.nodeAffinity.required.nodeSelectorTerms");
    terms.items().for_each(|term| expressions(&term, false, warnings));
    let spec = written.at("spec");
    for (kind, problem) in REMOVED {
        if spec.get(kind).is_set() {
            warnings.push(removed(&spec, kind, problem));
        }
    }
}

/// The warning about a deprecated or removed kind of volume. Upstream formats one of them by its struct's name.
pub(super) fn removed(volume: &At<'_, '_>, kind: &str, problem: &str) -> String {
    let name = if kind == "storageos" { "storageOS" } else { kind };
    format!("{}.{name}: {problem}", volume.path())
}

pub(super) fn claim(written: Written<'_>, warnings: &mut Vec<String>) {
    if at(written.object, &["metadata", "annotations", CLASS_ANNOTATION]).is_some() {
        warnings.push(format!(
            "metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use \"storageClassName\" attribute \
             instead"
        ));
    }
    claim_spec(&written.at("spec"), warnings);
}

/// Warns of claims for parts of a byte.
pub(super) fn claim_spec(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    for list in ["requests", "limits"] {
        fractions(&spec.get("resources").get(list), &["storage"], warnings);
    }
}

pub(super) fn storage_class(written: Written<'_>, warnings: &mut Vec<String>) {
    for topology in written.at("allowedTopologies").items() {
        for expression in topology.get("matchLabelExpressions").items() {
            let key = expression.get("key");
            let problem = deprecated_label(key.text());
            warnings.extend(problem.map(|problem| format!("{}: {problem}", key.path())));
        }
    }
}

pub(super) fn csi_capacity(written: Written<'_>, warnings: &mut Vec<String>) {
    selector(&written.at("nodeTopology"), warnings);
}

pub(super) fn csi_driver(written: Written<'_>, warnings: &mut Vec<String>) {
    let requests = written.at("spec.tokenRequests");
    let is_changed =
        written.old.is_none_or(|old| !same(requests.raw(), At::new(old, "spec.tokenRequests").raw()));
    if is_changed && !requests.is_empty() && !written.at("spec.serviceAccountTokenInSecrets").is_set() {
        warnings.push(
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent \
             possible logging of tokens in volume attributes"
                .to_owned(),
        );
    }
}
