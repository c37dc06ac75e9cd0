//! [`Profile`], the privileges of a debug container.

use klient_apimachinery::values::{Map, map_at};
use serde_json::{Value, json};

use super::DebugArgs;
use super::containers::{LISTS, find_mut};
use crate::error::CliError;

/// The name of the profile that kubectl will remove.
pub(super) const LEGACY: &str = "legacy";

/// The value of `--profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// Access to processes, and to the namespaces and the files of a node.
    General,
    /// The privileges that the pod security standard of the same name allows.
    Baseline,
    /// The privileges that the pod security standard of the same name allows.
    Restricted,
    /// Administration of networks.
    Netadmin,
    /// All privileges.
    Sysadmin,
    /// The access of kubectl 1.23.
    Legacy,
}

/// The pod that a profile is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A pod that gets an ephemeral container.
    Ephemeral,
    /// A copy of a pod.
    Copy,
    /// A pod on a node.
    Node,
}

impl Profile {
    /// # Errors
    ///
    /// If there is no profile of the name.
    pub(super) fn parse(name: &str) -> Result<Self, CliError> {
        Ok(match name {
            "general" => Profile::General,
            "baseline" => Profile::Baseline,
            "restricted" => Profile::Restricted,
            "netadmin" => Profile::Netadmin,
            "sysadmin" => Profile::Sysadmin,
            LEGACY => Profile::Legacy,
            _ => return Err(CliError::Message(format!("unknown profile: {name}"))),
        })
    }

    /// Gives a container of a pod its privileges, and takes away from a copy what is not kept.
    pub(super) fn apply(self, pod: &mut Map, container: &str, style: Style, args: &DebugArgs) {
        match (style, self) {
            (Style::Ephemeral, _) | (Style::Node, Profile::Baseline | Profile::Restricted) => {}
            (Style::Copy, Profile::Legacy) => drop(map_at(pod, "metadata").remove("labels")),
            (Style::Copy, _) => {
                keep(pod, args);
                map_at(pod, "spec").entry("shareProcessNamespace").or_insert(Value::Bool(true));
            }
            (Style::Node, _) => {
                if self != Profile::Netadmin {
                    mount_root(pod, container);
                }
                for namespace in ["hostNetwork", "hostPID", "hostIPC"] {
                    map_at(pod, "spec").insert(namespace.to_owned(), true.into());
                }
            }
        }
        if let Some(container) = find_mut(pod, &LISTS, container) {
            self.set_security_context(container, style);
        }
    }

    fn set_security_context(self, container: &mut Map, style: Style) {
        match self {
            Profile::Legacy => {}
            Profile::Baseline => drop(container.remove("securityContext")),
            Profile::General if style == Style::Node => drop(container.remove("securityContext")),
            Profile::General => add_capabilities(container, &["SYS_PTRACE"]),
            Profile::Netadmin => add_capabilities(container, &["NET_ADMIN", "NET_RAW"]),
            Profile::Sysadmin => {
                map_at(container, "securityContext").insert("privileged".to_owned(), true.into());
            }
            Profile::Restricted => {
                let context = json!({
                    "runAsNonRoot": true,
                    "capabilities": {"drop": ["ALL"]},
                    "allowPrivilegeEscalation": false,
                    "seccompProfile": {"type": "RuntimeDefault"},
                });
                container.insert("securityContext".to_owned(), context);
            }
        }
    }
}

fn add_capabilities(container: &mut Map, names: &[&str]) {
    let capabilities = map_at(map_at(container, "securityContext"), "capabilities");
    let added = capabilities.entry("add").or_insert_with(|| json!([]));
    if let Some(added) = added.as_array_mut() {
        added.extend(names.iter().map(|name| Value::from(*name)));
    }
}

/// Mounts the files of the node at `/host`.
fn mount_root(pod: &mut Map, container: &str) {
    let volume = json!({"name": "host-root", "hostPath": {"path": "/"}});
    push(map_at(pod, "spec"), "volumes", volume);
    if let Some(container) = find_mut(pod, &["containers"], container) {
        push(container, "volumeMounts", json!({"name": "host-root", "mountPath": "/host"}));
    }
}

/// Removes what the flags do not keep of a copied pod.
fn keep(pod: &mut Map, args: &DebugArgs) {
    let metadata = map_at(pod, "metadata");
    for (field, is_kept) in [("labels", args.keep_labels), ("annotations", args.keep_annotations)] {
        if !is_kept {
            metadata.remove(field);
        }
    }
    let spec = map_at(pod, "spec");
    if !args.keep_init_containers {
        spec.remove("initContainers");
    }
    let containers = spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten();
    for container in containers.filter_map(Value::as_object_mut) {
        for (probe, is_kept) in [
            ("livenessProbe", args.keep_liveness),
            ("readinessProbe", args.keep_readiness),
            ("startupProbe", args.keep_startup),
        ] {
            if !is_kept {
                container.remove(probe);
            }
        }
    }
}

/// Adds an item to a list, which may not be there yet.
pub(super) fn push(object: &mut Map, list: &str, item: Value) {
    match object.entry(list).or_insert_with(|| json!([])) {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}
