//! The status of a Pod.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use crate::validation::at::At;
use crate::validation::form::{dns_subdomain, ip, is_ip, qualified_name};

pub(super) fn status(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (status, before) = (At::new(object, "status"), At::new(old, "status"));
    conditions(&status.get("conditions"), problems);
    nominated_node(object, old, problems);
    let generation = status.get("observedGeneration");
    if generation.number() < 0 {
        problems.add(generation.invalid(NOT_A_GENERATION));
    }
    if status.get("qosClass").text() != before.get("qosClass").text() {
        problems.add(status.get("qosClass").invalid_text("field is immutable"));
    }
    restarts(object, old, problems);
    resource_claims(object, problems);
    pod_ips(object, old, problems);
    host_ips(object, old, problems);
    for list in STATUSES {
        users(&status.get(list), At::new(object, "spec.os.name").text(), problems);
    }
}

const NOT_A_GENERATION: &str = "must be a non-negative integer";
const STATUSES: [&str; 3] = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

fn conditions(conditions: &At<'_, '_>, problems: &mut ErrorList) {
    for condition in conditions.items() {
        let (generation, name) = (condition.get("observedGeneration"), condition.get("type").text());
        if generation.number() < 0 {
            problems.add(generation.invalid(NOT_A_GENERATION));
        }
        if !["PodScheduled", "Ready", "Initialized"].contains(&name) {
            problems.invalid(&condition.get("Type").path(), name, qualified_name(name));
        }
    }
}

fn nominated_node(object: &Map, old: &Map, problems: &mut ErrorList) {
    let [node, before] = [object, old].map(|object| At::new(object, "status.nominatedNodeName"));
    if node.is_empty() || node.text() == before.text() {
        return;
    }
    node.must_be(dns_subdomain, problems);
    if !text_at(old, &["spec", "nodeName"]).is_empty() {
        problems.add(node.forbidden("may not be set on pods that are already bound to a node"));
    }
}

/// A container that has ended, and would not be started again, stays ended.
fn restarts(object: &Map, old: &Map, problems: &mut ErrorList) {
    let spec = At::new(old, "spec");
    let restarts_all = |container: &At<'_, '_>| {
        let rules = container.get("restartPolicyRules");
        rules.items().any(|rule| rule.get("action").text() == "RestartAllContainers")
    };
    let all_restart = ["initContainers", "containers"]
        .iter()
        .any(|list| spec.get(list).items().any(|at| restarts_all(&at)));
    // Ephemeral containers are not started again.
    for (list, containers) in STATUSES.into_iter().zip(["containers", "initContainers", ""]) {
        if all_restart && !containers.is_empty() {
            continue;
        }
        let path = format!("status.{list}");
        let (new, old) = (At::new(object, &path), At::new(old, &path));
        for ended in old.items().filter(|status| status.get("state.terminated").is_set()) {
            let name = ended.get("name").text();
            let runs = |status: &At<'_, '_>| {
                status.get("name").text() == name && !status.get("state.terminated").is_set()
            };
            let code = ended.get("state.terminated.exitCode").number();
            let container = spec.get(containers);
            let container = container.items().find(|at| at.get("name").text() == name);
            let may_run =
                container.is_some_and(|at| restarts_after(&at, spec.get("restartPolicy").text(), code));
            if !may_run && new.items().any(|status| runs(&status)) {
                let problem = "may not be transitioned to non-terminated state";
                problems.add(ended.get("state").forbidden(problem));
            }
        }
    }
}

/// Returns true if a container is started again after it ended with a code (`ContainerShouldRestart`).
fn restarts_after(container: &At<'_, '_>, policy_of_pod: &str, code: i64) -> bool {
    let own = container.get("restartPolicy");
    if own.is_set() {
        let rules = container.get("restartPolicyRules");
        let matching = rules.items().find(|rule| {
            let codes = rule.get("exitCodes");
            let is_listed = codes.get("values").list().iter().any(|value| value.as_i64() == Some(code));
            match codes.get("operator").text() {
                "In" => is_listed,
                "NotIn" => !is_listed,
                _ => false,
            }
        });
        if matching.is_some_and(|rule| rule.get("action").text() == "Restart") {
            return true;
        }
    }
    match (own.text(), policy_of_pod) {
        ("Always", _) => true,
        ("OnFailure", _) => code != 0,
        ("Never", _) => false,
        (_, "OnFailure") => code != 0,
        (_, policy) => policy != "Never",
    }
}

/// The claims that were made for those of the spec.
fn resource_claims(object: &Map, problems: &mut ErrorList) {
    let mut names = HashSet::new();
    for status in At::new(object, "status.resourceClaimStatuses").items() {
        let (name, claim) = (status.get("name"), status.get("resourceClaimName"));
        if !At::new(object, "spec.resourceClaims").items().any(|at| at.get("name").text() == name.text()) {
            problems.add(name.invalid_text("must match the name of an entry in `spec.resourceClaims`"));
        }
        if !names.insert(name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        if claim.is_set() {
            claim.must_be(dns_subdomain, problems);
        }
    }
}

fn pod_ips(object: &Map, old: &Map, problems: &mut ErrorList) {
    const LIST: &str = "podIPs";
    let ips = addresses(object, old, LIST, problems);
    let ip = text_at(object, &["status", "podIP"]);
    match ips.first() {
        None if ip.is_empty() => {}
        Some(first) if !ip.is_empty() && *first != ip => {
            problems.add(FieldError::invalid("status.podIPs[0].ip", *first, "must be equal to `podIP`"));
        }
        Some(_) if !ip.is_empty() => {}
        _ => {
            let problem = "podIP and podIPs must either both be set or both be unset";
            problems.add(FieldError::invalid("status.podIPs", shown_addresses(object, LIST), problem));
        }
    }
}

fn host_ips(object: &Map, old: &Map, problems: &mut ErrorList) {
    const LIST: &str = "hostIPs";
    let first = list_at(object, &["status", LIST]).first().map(|ip| ip["ip"].as_str().unwrap_or_default());
    if let Some(first) = first.filter(|first| *first != text_at(object, &["status", "hostIP"])) {
        problems.add(FieldError::invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`"));
    }
    addresses(object, old, LIST, problems);
}

/// Checks a list of IP addresses in the status of a pod, and returns them. Those that the old pod has may be invalid.
fn addresses<'a>(object: &'a Map, old: &Map, list: &str, problems: &mut ErrorList) -> Vec<&'a str> {
    let ips = list_at(object, &["status", list]).iter();
    let ips: Vec<&str> = ips.map(|ip| ip["ip"].as_str().unwrap_or_default()).collect();
    let is_known = |address: &str| {
        list_at(old, &["status", list]).iter().any(|ip| ip["ip"].as_str().unwrap_or_default() == address)
    };
    for (index, address) in ips.iter().enumerate().filter(|(_, address)| !is_known(address)) {
        problems.invalid(&format!("status.{list}[{index}]"), address, ip(address));
    }
    let unreadable = ips.iter().enumerate().find(|(_, address)| !is_ip(address));
    if let (Some((index, address)), 2..) = (unreadable, ips.len()) {
        let problem = format!("failed to check for dual stack with error:invalid IP[{index}]: {address}");
        problems.add(FieldError::internal(format!("status.{list}"), problem));
    }
    let of_a_family = |is_v6: bool| ips.iter().filter(|ip| ip.contains(':') == is_v6).count();
    let are_fine = unreadable.is_none() && of_a_family(false) < 2 && of_a_family(true) < 2;
    if ips.len() > 1 && !are_fine {
        let problem = "may specify no more than one IP for each IP family";
        problems.add(FieldError::invalid(format!("status.{list}"), shown_addresses(object, list), problem));
    }
    ips
}

/// A list of IP addresses as Go prints it.
fn shown_addresses(object: &Map, list: &str) -> Value {
    list_at(object, &["status", list])
        .iter()
        .map(|ip| serde_json::json!({"IP": ip["ip"].as_str().unwrap_or_default()}))
        .collect()
}

/// The user as whom a container runs, in a pod for this system.
fn users(statuses: &At<'_, '_>, system: &str, problems: &mut ErrorList) {
    for status in statuses.items() {
        let user = status.get("user.linux");
        match system {
            _ if !user.is_set() => {}
            "windows" => problems.add(user.forbidden("cannot be set for a windows pod")),
            "linux" | "" => {
                user.get("uid").must_be_between(0, u32::MAX.into(), problems);
                let groups = user.get("supplementalGroups");
                for id in [user.get("gid")].into_iter().chain(groups.items()) {
                    id.must_be_between(0, i32::MAX.into(), problems);
                }
            }
            _ => {}
        }
    }
}
