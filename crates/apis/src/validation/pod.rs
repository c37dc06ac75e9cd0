//! Pods and templates of Pods.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;

use super::at::At;
use super::container::{Pod, containers, image_is_trimmed};
use super::form::{dns_label, dns_subdomain, ip, qualified_name, search_domain};
use super::metadata::{annotations, labels};
use super::pod_annotations::pod_annotations;
use super::resources::pod_requirements;
use super::scheduling::{affinity, tolerations, topology_spread};
use super::volume::volumes;
use super::{resources, security};

/// Checks the spec of a new Pod.
pub(super) fn create(object: &Map, problems: &mut ErrorList) {
    pod_spec(object, problems);
    let spec = At::new(object, "spec");
    let ephemeral = spec.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        problems.add(ephemeral.forbidden("cannot be set on create"));
    }
    if !spec.get("nodeName").is_empty() && !spec.get("schedulingGates").is_empty() {
        let problem = "cannot be set until all schedulingGates have been cleared";
        problems.add(spec.get("nodeName").forbidden(problem));
    }
}

/// Checks the spec of a Pod, with the rules that do not apply to templates.
pub(super) fn pod_spec(object: &Map, problems: &mut ErrorList) {
    let at = At::new(object, "spec");
    pod_annotations(&At::new(object, "metadata.annotations"), &at, problems);
    spec(&at, At::new(object, "metadata.name").text(), true, problems);
    if at.get("serviceAccountName").is_empty() {
        for volume in at.get("volumes").items() {
            for source in volume.get("projected.sources").items() {
                let token = source.get("serviceAccountToken");
                if token.is_set() {
                    problems.add(token.forbidden("must not be specified when serviceAccountName is not set"));
                }
            }
        }
    }
    at.get("terminationGracePeriodSeconds").must_not_be_negative(problems);
    for list in ["containers", "initContainers"] {
        at.get(list).items().for_each(|container| image_is_trimmed(&container, problems));
    }
}

/// Checks a `PodTemplateSpec`.
pub(super) fn template(template: &At<'_, '_>, problems: &mut ErrorList) {
    // Upstream leaves out `metadata` here.
    let metadata = template.holding(template.get("metadata").raw());
    labels(&metadata.get("labels"), problems);
    annotations(&metadata.get("annotations"), problems);
    let at = template.get("spec");
    pod_annotations(&metadata.get("annotations"), &at, problems);
    spec(&at, "", false, problems);
    let ephemeral = at.get("ephemeralContainers");
    if !ephemeral.is_empty() {
        problems.add(ephemeral.forbidden("ephemeral containers not allowed in pod template"));
    }
}

/// Checks a `PodSpec`. A template has no name.
fn spec(spec: &At<'_, '_>, name: &str, is_pod: bool, problems: &mut ErrorList) {
    let grace = spec.get("terminationGracePeriodSeconds");
    if !grace.is_set() {
        problems.add(grace.required(""));
    }
    let volumes = volumes(&spec.get("volumes"), name, problems);
    let claims = resource_claims(&spec.get("resourceClaims"), problems);
    let pod = Pod { spec, volumes, claims };
    containers(&pod, problems);
    if spec.get("resources").is_set() {
        pod_requirements(&spec.get("resources"), problems);
    }
    host_network(spec, is_pod, problems);
    spec.get("restartPolicy").must_have_one_of(&["Always", "OnFailure", "Never"], problems);
    let dns_policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    spec.get("dnsPolicy").must_have_one_of(&dns_policies, problems);
    labels(&spec.get("nodeSelector"), problems);
    security::of_pod(spec, problems);
    let shared = spec.get("shareProcessNamespace");
    if shared.flag() && spec.get("hostPID").flag() {
        problems.add(shared.invalid("ShareProcessNamespace and HostPID cannot both be enabled"));
    }
    affinity(&spec.get("affinity"), problems);
    dns_config(spec, problems);
    for gate in spec.get("readinessGates").items() {
        gate.get("conditionType").must_be(qualified_name, problems);
    }
    scheduling_gates(&spec.get("schedulingGates"), problems);
    topology_spread(&spec.get("topologySpreadConstraints"), problems);
    host_users(spec, problems);
    hostname_override(spec, problems);
    names(spec, problems);
    tolerations(&spec.get("tolerations"), problems);
    host_aliases(&spec.get("hostAliases"), problems);
    policies(spec, problems);
    file_volumes(spec, problems);
}

fn resource_claims<'v>(claims: &At<'_, 'v>, problems: &mut ErrorList) -> HashSet<&'v str> {
    let mut names = HashSet::new();
    for claim in claims.items() {
        let name = claim.get("name");
        if !name.is_empty() && names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        } else {
            name.must_have(dns_label, problems);
            names.insert(name.text());
        }
        let kinds = [claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")];
        match kinds.iter().filter(|kind| kind.is_set()).count() {
            0 => problems
                .add(claim.invalid("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")),
            1 => {}
            _ => {
                let problem =
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                problems.add(claim.invalid(problem));
            }
        }
        for kind in kinds.iter().filter(|kind| kind.is_set()) {
            kind.must_be(dns_subdomain, problems);
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn host_network(spec: &At<'_, '_>, is_pod: bool, problems: &mut ErrorList) {
    if !spec.get("hostNetwork").flag() {
        return;
    }
    for container in spec.get("containers").items() {
        for port in container.get("ports").items() {
            let host_port = port.get("hostPort");
            let differs = host_port.number() != port.get("containerPort").number();
            if (is_pod || host_port.number() != 0) && differs {
                let problem = "must match `containerPort` when `hostNetwork` is true";
                problems.add(host_port.invalid_as(host_port.number(), problem));
            }
        }
    }
}

fn dns_config(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let config = spec.get("dnsConfig");
    let servers = config.get("nameservers");
    if spec.get("dnsPolicy").text() == "None" {
        if !config.is_set() {
            return problems.add(config.required("must provide `dnsConfig` when `dnsPolicy` is None"));
        }
        if servers.is_empty() {
            let problem = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return problems.add(servers.required(problem));
        }
    }
    if servers.list().len() > 3 {
        problems.add(servers.invalid("must not have more than 3 nameservers"));
    }
    servers.items().for_each(|server| server.must_be(ip, problems));
    let searches = config.get("searches");
    if searches.list().len() > 32 {
        problems.add(searches.invalid("must not have more than 32 search paths"));
    }
    if searches.texts().map(|search| search.len() + 1).sum::<usize>() > 2049 {
        problems.add(
            searches.invalid("must not have more than 2048 characters (including spaces) in the search list"),
        );
    }
    for search in searches.items().filter(|search| search.text() != ".") {
        let domain = search.text().strip_suffix('.').unwrap_or(search.text());
        problems
            .0
            .extend(search_domain(domain).into_iter().map(|problem| search.invalid_as(domain, problem)));
    }
    for option in config.get("options").items() {
        if option.get("name").is_empty() {
            problems.add(option.required("must not be empty"));
        }
    }
}

fn scheduling_gates(gates: &At<'_, '_>, problems: &mut ErrorList) {
    let mut seen = HashSet::new();
    for gate in gates.items() {
        let name = gate.get("name").text();
        problems.0.extend(qualified_name(name).into_iter().map(|problem| gate.invalid_as(name, problem)));
        if seen.contains(&name) {
            problems.add(gate.duplicate(name));
        }
        seen.insert(name);
    }
}

fn host_users(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let users = spec.get("hostUsers");
    if !users.is_set() || users.flag() {
        return;
    }
    for (name, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.get(name).flag() {
            problems.add(spec.get(shown).forbidden("when `hostUsers` is false"));
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get(list).items() {
            let devices = container.get("volumeDevices");
            if !devices.is_empty() {
                problems.add(devices.forbidden("when `hostUsers` is false"));
            }
        }
    }
}

fn hostname_override(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let name = spec.get("hostnameOverride");
    if !name.is_set() {
        return;
    }
    for other in ["setHostnameAsFQDN", "hostNetwork"] {
        if spec.get(other).flag() {
            problems.add(name.forbidden(format!("may not be specified when {other} is true")));
        }
    }
    if name.text().len() > 64 {
        problems.add(name.too_long(64));
    }
    name.must_be(dns_subdomain, problems);
}

fn names(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let present = |name: &str, rule: fn(&str) -> Vec<String>, problems: &mut ErrorList| {
        if !spec.get(name).is_empty() {
            spec.get(name).must_be(rule, problems);
        }
    };
    present("serviceAccountName", dns_subdomain, problems);
    present("nodeName", dns_subdomain, problems);
    let deadline = spec.get("activeDeadlineSeconds");
    if deadline.is_set() {
        deadline.must_be_between(1, i64::from(i32::MAX), problems);
    }
    present("hostname", dns_label, problems);
    present("subdomain", dns_label, problems);
}

fn host_aliases(aliases: &At<'_, '_>, problems: &mut ErrorList) {
    for alias in aliases.items() {
        alias.get("ip").must_be(ip, problems);
        alias.get("hostnames").items().for_each(|name| name.must_be(dns_subdomain, problems));
    }
}

fn policies(spec: &At<'_, '_>, problems: &mut ErrorList) {
    if !spec.get("priorityClassName").is_empty() {
        spec.get("priorityClassName").must_be(dns_subdomain, problems);
    }
    if spec.get("runtimeClassName").is_set() {
        spec.get("runtimeClassName").must_be(dns_subdomain, problems);
    }
    if spec.get("preemptionPolicy").is_set() {
        spec.get("preemptionPolicy").must_have_one_of(&["PreemptLowerPriority", "Never"], problems);
    }
    for (resource, overhead) in spec.get("overhead").entries() {
        problems.0.extend(
            resources::container_name(resource)
                .into_iter()
                .map(|problem| overhead.invalid_as(resource, problem)),
        );
        resources::quantity(resource, &overhead, problems);
    }
    let os = spec.get("os");
    if os.is_set() {
        match os.get("name").text() {
            "" => problems.add(os.get("name").required("")),
            "linux" | "windows" => {}
            name => problems.add(FieldError::not_supported(os.path(), name, &["linux", "windows"])),
        }
    }
}

/// Variables read from files need a volume in which a container can write them.
fn file_volumes(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let volumes = spec.get("volumes");
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get(list).items() {
            for variable in container.get("env").items() {
                let name = variable.get("valueFrom.fileKeyRef.volumeName");
                if !variable.get("valueFrom.fileKeyRef").is_set() {
                    continue;
                }
                match volumes.items().find(|volume| volume.get("name").text() == name.text()) {
                    None => problems.add(name.not_found()),
                    Some(volume) if !volume.get("emptyDir").is_set() => {
                        problems.add(name.invalid("referenced volume must be of type emptyDir"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
