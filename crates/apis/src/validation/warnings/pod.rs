//! Pods and their templates.

use std::collections::HashSet;

use klient_apimachinery::go::quoted;
use serde_json::{Value, json};

use super::address;
use super::amounts::fractions;
use super::containers::each_container;
use super::node::{deprecated_label, expressions};
use super::paths;
use super::ports;
use super::storage::{claim_spec, removed};
use crate::validation::at::{At, same};

/// Resources whose quantities must be whole.
const WHOLE: [&str; 2] = ["memory", "ephemeral-storage"];

const DEPRECATED_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    ("security.alpha.kubernetes.io/sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
];

const REMOVED_VOLUMES: [(&str, &str); 7] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
];

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// A pod, or the template of one.
#[derive(Clone, Copy)]
pub(super) struct Pod<'a, 'p, 'v> {
    pub(super) annotations: &'a At<'p, 'v>,
    pub(super) spec: &'a At<'p, 'v>,
    pub(super) is_template: bool,
}

/// Adds the warnings of upstream's `GetWarningsForPod` and `GetWarningsForPodTemplate`.
pub(super) fn pod(pod: Pod<'_, '_, '_>, warnings: &mut Vec<String>) {
    let Pod { annotations, spec, is_template } = pod;
    if !is_template {
        each_container(spec, &mut |container| app_armor(pod, container, warnings));
    }
    scheduling(spec, warnings);
    for (key, problem) in DEPRECATED_ANNOTATIONS {
        if annotations.entry(key).is_some() {
            warnings.push(format!("{}[{key}]: {problem}", annotations.path()));
        }
    }
    volumes(spec, warnings);
    hosts_and_secrets(spec, warnings);
    fractions(&spec.get("overhead"), &WHOLE, warnings);
    if !spec.get("securityContext.seccompProfile").is_set() {
        seccomp(annotations, SECCOMP_POD, warnings);
    }
    each_container(spec, &mut |container| {
        if !container.get("securityContext.seccompProfile").is_set() {
            let key = format!("{SECCOMP_CONTAINER}{}", container.get("name").text());
            seccomp(annotations, &key, warnings);
        }
        if is_template {
            app_armor(pod, container, warnings);
        }
        let resources = container.get("resources");
        for resource in WHOLE {
            for list in ["limits", "requests"] {
                fractions(&resources.get(list), &[resource], warnings);
            }
        }
        variables(&container.get("env"), warnings);
    });
    ports::ports(spec, warnings);
    if spec.get("terminationGracePeriodSeconds").number() < 0 {
        warnings.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            spec.get("terminationGracePeriodSeconds").path()
        ));
    }
    affinity(spec, warnings);
    spec.get("dnsConfig.nameservers").items().for_each(|server| address::ip(&server, warnings));
    spec.get("hostAliases").items().for_each(|alias| address::ip(&alias.get("ip"), warnings));
}

fn scheduling(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    for (key, entry) in spec.get("nodeSelector").entries() {
        warnings.extend(deprecated_label(key).map(|problem| format!("{}: {problem}", entry.path())));
    }
    let affinity = spec.get("affinity.nodeAffinity");
    let terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    terms.items().for_each(|term| expressions(&term, false, warnings));
    let preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution");
    preferred.items().for_each(|term| expressions(&term.get("preference"), true, warnings));
    for constraint in spec.get("topologySpreadConstraints").items() {
        let key = constraint.get("topologyKey");
        if let Some(problem) = deprecated_label(key.text()) {
            warnings.push(format!("{}: {} is {problem}", key.path(), key.text()));
        }
        selects_nothing(&constraint.get("labelSelector"), warnings);
    }
}

fn affinity(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let affinity = spec.get("affinity");
        let affinity = affinity.get(kind);
        for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution").items() {
            selects_nothing(&term.get("labelSelector"), warnings);
        }
        for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution").items() {
            selects_nothing(&term.get("podAffinityTerm.labelSelector"), warnings);
        }
    }
}

fn selects_nothing(selector: &At<'_, '_>, warnings: &mut Vec<String>) {
    if !selector.is_set() {
        warnings.push(format!("{}: a null labelSelector results in matching no pod", selector.path()));
    }
}

fn volumes(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    let volumes = spec.get("volumes");
    for volume in volumes.items() {
        let say = |kind: &str, problem: &str, warnings: &mut Vec<String>| {
            if volume.get(kind).is_set() {
                warnings.push(removed(&volume, kind, problem));
            }
        };
        for (kind, problem) in REMOVED_VOLUMES {
            say(kind, problem, warnings);
        }
        let template = volume.get("ephemeral.volumeClaimTemplate");
        if template.is_set() {
            claim_spec(&template.get("spec"), warnings);
        }
        for kind in ["cephfs", "rbd"] {
            say(kind, "deprecated in v1.28, non-functional in v1.31+", warnings);
        }
    }
    paths::overlaps(&volumes, warnings);
}

fn hosts_and_secrets(spec: &At<'_, '_>, warnings: &mut Vec<String>) {
    for (list, name) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut seen = HashSet::new();
        for item in spec.get(list).items() {
            let name_at = item.get(name);
            if !seen.insert(name_at.text()) {
                warnings.push(format!("{}: duplicate {name} {}", name_at.path(), quoted(name_at.text())));
            }
        }
    }
    for secret in spec.get("imagePullSecrets").items() {
        let name = secret.get("name");
        if name.is_empty() {
            warnings.push(format!("{}: invalid empty name \"\"", name.path()));
        }
    }
}

fn seccomp(annotations: &At<'_, '_>, key: &str, warnings: &mut Vec<String>) {
    if annotations.entry(key).is_some() {
        warnings.push(format!(
            "{}[{key}]: non-functional in v1.27+; use the \"seccompProfile\" field instead",
            annotations.path()
        ));
    }
}

/// Warns of a profile in an annotation that differs from the pod's own field.
fn app_armor(pod: Pod<'_, '_, '_>, container: &At<'_, '_>, warnings: &mut Vec<String>) {
    if container.get("securityContext.appArmorProfile").is_set() {
        return;
    }
    let key = format!("{APP_ARMOR}{}", container.get("name").text());
    let Some(annotation) = pod.annotations.entry(&key) else { return };
    let profile = match annotation {
        "unconfined" => json!({"type": "Unconfined"}),
        "runtime/default" => json!({"type": "RuntimeDefault"}),
        other => match other.strip_prefix("localhost/") {
            Some(name) if !name.is_empty() => json!({"type": "Localhost", "localhostProfile": name}),
            _ => Value::Null,
        },
    };
    let of_pod = pod.spec.get("securityContext.appArmorProfile");
    if !of_pod.is_set() || !same(of_pod.raw(), Some(&profile)) {
        warnings.push(format!(
            "{}[{key}]: deprecated since v1.30; use the \"appArmorProfile\" field instead",
            pod.annotations.path()
        ));
    }
}

/// Warns of variables that replace others of the same name and do not refer to them.
fn variables(variables: &At<'_, '_>, warnings: &mut Vec<String>) {
    let mut seen = HashSet::new();
    for variable in variables.items() {
        let (name, value) = (variable.get("name").text(), variable.get("value").text());
        if seen.insert(name) {
            continue;
        }
        let before = format!("$({name})");
        if variable.get("valueFrom").is_set() || value == before || !value.contains(&before) {
            warnings.push(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                variable.path(),
                quoted(name)
            ));
        }
    }
}
