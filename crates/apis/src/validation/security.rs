//! Security contexts of Pods and containers.

use klient_apimachinery::validation::field::ErrorList;

use super::at::At;
use super::form::descending_path;

/// Checks the ID of a user or group.
pub(super) fn user(id: &At<'_, '_>, problems: &mut ErrorList) {
    id.must_be_between(0, i64::from(i32::MAX), problems);
}

/// Checks the security context of a Pod's spec.
pub(super) fn of_pod(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let context = spec.get("securityContext");
    if !context.is_set() {
        return;
    }
    for name in ["fsGroup", "runAsUser", "runAsGroup"] {
        user(&context.get(name), problems);
    }
    for group in context.get("supplementalGroups").items() {
        user(&group, problems);
    }
    sysctls(spec, &context.get("sysctls"), problems);
    let one_of = |name: &str, allowed: &[&str], problems: &mut ErrorList| {
        if context.get(name).is_set() {
            context.get(name).must_be_one_of(allowed, problems);
        }
    };
    one_of("fsGroupChangePolicy", &["Always", "OnRootMismatch"], problems);
    seccomp(&context.get("seccompProfile"), problems);
    app_armor(&context.get("appArmorProfile"), problems);
    one_of("supplementalGroupsPolicy", &["Merge", "Strict"], problems);
    one_of("seLinuxChangePolicy", &["MountOption", "Recursive"], problems);
}

fn sysctls(spec: &At<'_, '_>, sysctls: &At<'_, '_>, problems: &mut ErrorList) {
    let mut seen = Vec::new();
    for sysctl in sysctls.items() {
        let name = sysctl.get("name");
        if name.is_empty() {
            problems.add(name.required(""));
        } else if !is_sysctl(name.text()) {
            problems.add(name.invalid(
                r"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
            ));
        } else if seen.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        let dotted = name.text().replace('/', ".");
        if spec.get("hostNetwork").flag() && dotted.starts_with("net.") {
            problems.add(name.invalid("may not be specified when 'hostNetwork' is true"));
        }
        let is_ipc = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."]
            .iter()
            .any(|head| dotted.starts_with(head));
        if spec.get("hostIPC").flag() && is_ipc {
            problems.add(name.invalid("may not be specified when 'hostIPC' is true"));
        }
        seen.push(name.text());
    }
}

fn is_sysctl(name: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_segment = |segment: &str| {
        let bytes = segment.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if alphanumeric(first) && alphanumeric(last))
            && bytes.iter().all(|&c| alphanumeric(c) || b"-_".contains(&c))
    };
    name.len() <= 253 && name.split(['.', '/']).all(is_segment)
}

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

fn seccomp(profile: &At<'_, '_>, problems: &mut ErrorList) {
    if !profile.is_set() {
        return;
    }
    let (kind, path) = (profile.get("type"), profile.get("localhostProfile"));
    if kind.is_empty() {
        problems.add(kind.required("type is required when seccompProfile is set"));
    } else {
        kind.must_be_one_of(&PROFILES, problems);
    }
    match (kind.text() == "Localhost", path.is_set()) {
        (true, false) => problems.add(path.required("must be set when seccomp type is Localhost")),
        (true, true) => path.must_be(descending_path, problems),
        (false, true) => {
            let profile = profile.raw().cloned().unwrap_or_default();
            problems.add(path.invalid_as(profile, "can only be set when seccomp type is Localhost"));
        }
        (false, false) => {}
    }
}

fn app_armor(profile: &At<'_, '_>, problems: &mut ErrorList) {
    if !profile.is_set() {
        return;
    }
    let (kind, path) = (profile.get("type"), profile.get("localhostProfile"));
    match kind.text() {
        "Localhost" if path.text().trim().is_empty() => {
            problems.add(path.required("must be set when AppArmor type is Localhost"));
        }
        "Localhost" if path.text().trim() != path.text() => {
            problems.add(path.invalid("must not be padded with whitespace"));
        }
        "RuntimeDefault" | "Unconfined" if path.is_set() => {
            problems.add(path.invalid("can only be set when AppArmor type is Localhost"));
        }
        "" => problems.add(kind.required("type is required when appArmorProfile is set")),
        _ => kind.must_be_one_of(&PROFILES, problems),
    }
}

/// Checks the security context of a container; `host_users` if the Pod has no users of its own.
pub(super) fn of_container(context: &At<'_, '_>, host_users: bool, problems: &mut ErrorList) {
    if !context.is_set() {
        return;
    }
    user(&context.get("runAsUser"), problems);
    user(&context.get("runAsGroup"), problems);
    let proc_mount = context.get("procMount");
    if proc_mount.is_set() {
        proc_mount.must_be_one_of(&["Default", "Unmasked"], problems);
        if host_users && proc_mount.text() == "Unmasked" {
            problems.add(proc_mount.invalid("`hostUsers` must be false to use `Unmasked`"));
        }
    }
    seccomp(&context.get("seccompProfile"), problems);
    let escalation = context.get("allowPrivilegeEscalation");
    if escalation.is_set() && !escalation.flag() {
        let forbids = "cannot set `allowPrivilegeEscalation` to false and";
        if context.get("privileged").flag() {
            problems.add(context.invalid(format!("{forbids} `privileged` to true")));
        }
        if context.get("capabilities.add").texts().any(|capability| capability == "CAP_SYS_ADMIN") {
            problems.add(context.invalid(format!("{forbids} `capabilities.Add` CAP_SYS_ADMIN")));
        }
    }
    app_armor(&context.get("appArmorProfile"), problems);
}
