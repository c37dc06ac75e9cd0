//! The name of the machine, for the reporting instance of events and the identities of replicas.

use std::fs;

/// The host name: of a pod its own name, otherwise that of the machine; `unknown` if the system does not tell.
pub(crate) fn host_name() -> String {
    // Kubernetes and shells set the variable; Linux has the file.
    let variable = std::env::var("HOSTNAME").ok();
    let file = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = variable.filter(|name| !name.trim().is_empty()).or_else(file);
    name.map(|name| name.trim().to_lowercase())
        .filter(|name| !name.is_empty())
        .unwrap_or("unknown".to_owned())
}
