//! Services.

use klient_apimachinery::go::quoted;
use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::At;
use super::endpoints::{app_protocol, endpoint_ip, number_and_protocol, port_of_many};
use super::form::{cidr, dns_subdomain, ip, port_number, qualified_name};
use super::metadata::labels;
use super::probe::port;

pub(super) fn service(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let kind = spec.get("type");
    let ports = spec.get("ports");
    if ports.is_empty() && !is_headless(&spec) && kind.text() != "ExternalName" {
        problems.add(ports.required(""));
    }
    by_type(&spec, problems);
    service_ports(&ports, problems);
    labels(&spec.get("selector"), problems);
    session_affinity(&spec, problems);
    if kind.text() != "ExternalName" {
        cluster_ips(&spec, problems);
    }
    for address in spec.get("externalIPs").items() {
        let known = problems.0.len();
        address.must_be(ip, problems);
        if problems.0.len() == known {
            endpoint_ip(&address, problems);
        }
    }
    kind.must_have_one_of(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], problems);
    node_ports(&spec, problems);
    load_balancer(object, &spec, problems);
    traffic(&spec, problems);
}

fn service_ports(ports: &At<'_, '_>, problems: &mut ErrorList) {
    let mut names = HashSet::new();
    for at in ports.items() {
        let name = at.get("name");
        port_of_many(&name, ports.list().len() > 1, problems);
        if !name.is_empty() && names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        names.insert(name.text());
        number_and_protocol(&at, problems);
        port(&at.get("targetPort"), problems);
        app_protocol(&at, problems);
    }
}

fn is_headless(spec: &At<'_, '_>) -> bool {
    matches!(spec.get("clusterIPs").list(), [Value::String(ip)] if ip == "None")
}

fn by_type(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let ips = spec.get("clusterIPs");
    match spec.get("type").text() {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(spec) => {
            let first = FieldError::invalid(
                format!("{}[0]", ips.path()),
                "None",
                format!("may not be set to 'None' for {kind} services"),
            );
            problems.add(first);
        }
        "ExternalName" => {
            for name in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let at = spec.get(name);
                if at.is_set() && !at.is_empty() {
                    problems.add(at.forbidden("may not be set for ExternalName services"));
                }
            }
            let name = spec.get("externalName");
            match name.text().strip_suffix('.').unwrap_or(name.text()) {
                "" => problems.add(name.required("")),
                cname => problems.invalid(&name.path(), cname, dns_subdomain(cname)),
            }
        }
        _ => {}
    }
}

/// The maximum timeout of client IP session affinity, in seconds.
const ONE_DAY: i64 = 86_400;

fn session_affinity(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (affinity, config) = (spec.get("sessionAffinity"), spec.get("sessionAffinityConfig"));
    affinity.must_have_one_of(&["ClientIP", "None"], problems);
    match affinity.text() {
        "ClientIP" => {
            let timeout = config.get("clientIP.timeoutSeconds");
            if !timeout.is_set() {
                problems.add(timeout.required("when session affinity type is ClientIP"));
            } else if !(1..=ONE_DAY).contains(&timeout.number()) {
                problems.add(timeout.invalid(format!("must be greater than 0 and less than {ONE_DAY}")));
            }
        }
        "None" if config.is_set() => {
            problems.add(config.forbidden("must not be set when session affinity is None"));
        }
        _ => {}
    }
}

/// Checks `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` against each other.
fn cluster_ips(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let (single, ips) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let (families, policy) = (spec.get("ipFamilies"), spec.get("ipFamilyPolicy"));
    match ips.texts().next() {
        None if !single.is_empty() => problems.add(ips.required("")),
        Some(_) if single.is_empty() => {
            problems.add(ips.invalid("must be empty when `clusterIP` is not specified"));
        }
        Some(first) if first != single.text() => {
            problems.add(ips.invalid("first value must match `clusterIP`"));
        }
        _ => {}
    }
    let mut seen = Vec::new();
    for family in families.items() {
        family.must_be_one_of(&["IPv4", "IPv6"], problems);
        if seen.contains(&family.text()) {
            problems.add(family.duplicate(family.text()));
        }
        seen.push(family.text());
    }
    if policy.is_set() {
        policy.must_be_one_of(&["PreferDualStack", "RequireDualStack", "SingleStack"], problems);
    }
    let known = problems.0.len();
    for (index, address) in ips.items().enumerate() {
        if index == 0 && address.text() == "None" {
            if ips.list().len() > 1 {
                problems.add(ips.invalid("'None' must be the first and only value"));
            }
            continue;
        }
        address.must_be(ip, problems);
    }
    let are_fine = problems.0.len() == known;
    if ips.list().len() > 2 {
        problems.add(ips.invalid("may only hold up to 2 values"));
    }
    if are_fine {
        families_fit(&ips, &families, problems);
    }
    single_stack(spec, problems);
}

fn families_fit(ips: &At<'_, '_>, families: &At<'_, '_>, problems: &mut ErrorList) {
    let is_v6 = |address: &str| address.contains(':');
    if let [a, b] = ips.texts().collect::<Vec<_>>()[..]
        && is_v6(a) == is_v6(b)
    {
        problems.add(ips.invalid("may specify no more than one IP for each IP family"));
    }
    for (index, (address, family)) in ips.items().zip(families.items()).enumerate() {
        if address.text() != "None" && (family.text() == "IPv6") != is_v6(address.text()) {
            let family = family.text();
            let problem = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            problems.add(address.invalid(problem));
        }
    }
}

/// The cluster has addresses of one family, IPv4.
fn single_stack(spec: &At<'_, '_>, problems: &mut ErrorList) {
    if spec.get("clusterIP").text() == "None" && spec.get("selector").is_empty() {
        return;
    }
    let policy = spec.get("ipFamilyPolicy");
    if policy.text() == "RequireDualStack" {
        problems.add(policy.invalid("this cluster is not configured for dual-stack services"));
    }
    for family in spec.get("ipFamilies").items().filter(|family| family.text() == "IPv6") {
        problems.add(family.invalid("not configured on this cluster"));
    }
}

fn node_ports(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let ports = spec.get("ports");
    let kind = spec.get("type").text();
    for node_port in ports.items() {
        let at = node_port.get("nodePort");
        if at.number() == 0 {
            continue;
        }
        if kind == "ClusterIP" {
            problems.add(at.forbidden("may not be used when `type` is 'ClusterIP'"));
        } else if !(30_000..=32_767).contains(&at.number()) {
            let problem = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            problems.add(at.invalid(problem));
        }
    }
    let key = |at: &At<'_, '_>, name: &str| (at.get("protocol").text().to_owned(), at.get(name).number());
    let (mut node_ports, mut numbers) = (HashSet::new(), HashSet::new());
    for at in ports.items().filter(|at| at.get("nodePort").number() != 0) {
        if node_ports.contains(&key(&at, "nodePort")) {
            problems.add(at.get("nodePort").duplicate(at.get("nodePort").number()));
        }
        node_ports.insert(key(&at, "nodePort"));
    }
    for at in ports.items() {
        let (protocol, number) = key(&at, "port");
        if numbers.contains(&(protocol.clone(), number)) {
            // Go writes the struct in its own order.
            let shown = format!(
                r#"{{"Name":"","Protocol":{},"AppProtocol":null,"Port":{number},"TargetPort":0,"NodePort":0}}"#,
                quoted(&protocol)
            );
            problems.add(FieldError::duplicate_shown(at.path(), shown));
        }
        numbers.insert((protocol, number));
    }
}

const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";

fn load_balancer(object: &Map, spec: &At<'_, '_>, problems: &mut ErrorList) {
    const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let is_balanced = spec.get("type").text() == "LoadBalancer";
    let ranges = spec.get("loadBalancerSourceRanges");
    // Upstream writes it so.
    let shown = spec.get("LoadBalancerSourceRanges").holding(ranges.raw());
    let annotations = At::new(object, "metadata.annotations");
    let path = format!("metadata.annotations[{RANGES}]");
    if !ranges.is_empty() {
        if !is_balanced {
            problems.add(shown.forbidden(ONLY_BALANCED));
        }
        shown.items().for_each(|range| range.must_be(|range| cidr(range.trim()), problems));
    } else if let Some(list) = annotations.entry(RANGES) {
        if !is_balanced {
            problems.add(FieldError::forbidden(&*path, ONLY_BALANCED));
        }
        for range in list.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            problems.invalid(&path, range, cidr(range));
        }
    }
    let (allocates, class) = (spec.get("allocateLoadBalancerNodePorts"), spec.get("loadBalancerClass"));
    if allocates.is_set() && !is_balanced {
        problems.add(allocates.forbidden(ONLY_BALANCED));
    }
    if class.is_set() {
        if is_balanced {
            class.must_be(qualified_name, problems);
        } else {
            problems.add(class.forbidden(ONLY_BALANCED));
        }
    }
}

fn traffic(spec: &At<'_, '_>, problems: &mut ErrorList) {
    let kind = spec.get("type").text();
    let (external, health) = (spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort"));
    let is_external = match kind {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !spec.get("externalIPs").is_empty(),
        _ => false,
    };
    if is_external {
        external.must_have_one_of(&["Cluster", "Local"], problems);
    } else if !external.is_empty() {
        problems.add(external.invalid("may only be set for externally-accessible services"));
    }
    if health.number() != 0 {
        if kind == "LoadBalancer" && external.text() == "Local" {
            problems
                .0
                .extend(port_number(health.number()).into_iter().map(|problem| health.invalid(problem)));
        } else {
            let problem =
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            problems.add(health.invalid(problem));
        }
    }
    let internal = spec.get("internalTrafficPolicy");
    if internal.is_set() {
        internal.must_be_one_of(&["Cluster", "Local"], problems);
    }
    let distribution = spec.get("trafficDistribution");
    if distribution.is_set() {
        distribution.must_be_one_of(&["PreferClose", "PreferSameZone", "PreferSameNode"], problems);
    }
}

/// Checks the fields of a Service that are immutable or may change only in certain ways.
pub(super) fn update(object: &Map, old: &Map, problems: &mut ErrorList) {
    let (spec, before) = (At::new(object, "spec"), At::new(old, "spec"));
    let is_external = |spec: &At<'_, '_>| spec.get("type").text() == "ExternalName";
    if !is_external(&spec) && !is_external(&before) {
        if !(is_headless(&spec) && is_headless(&before)) {
            same_addresses(&spec, &before, problems);
        }
        if !is_headless(&spec) && !is_headless(&before) {
            same_families(&spec, &before, problems);
        }
    }
    let both_are =
        |name: &str, value: &str| [&spec, &before].iter().all(|spec| spec.get(name).text() == value);
    let class = spec.get("loadBalancerClass");
    if both_are("type", "LoadBalancer") && class.raw() != before.get("loadBalancerClass").raw() {
        problems.add(class.invalid("may not change once set"));
    }
    let health = spec.get("healthCheckNodePort");
    if both_are("type", "LoadBalancer")
        && both_are("externalTrafficPolicy", "Local")
        && health.number() != before.get("healthCheckNodePort").number()
    {
        problems.add(health.forbidden("field is immutable"));
    }
}

/// The first address stays; a second may come and go.
fn same_addresses(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let (ips, old) = (spec.get("clusterIPs"), before.get("clusterIPs"));
    let mut refuse = |index: usize, problem: &str| {
        let shown = ips.raw().cloned().unwrap_or_default();
        problems.add(FieldError::invalid(format!("{}[{index}]", ips.path()), shown, problem));
    };
    if ips.is_empty() && !old.is_empty() {
        refuse(0, "primary clusterIP can not be unset");
    }
    let is_resized = ips.list().len() != old.list().len();
    for (index, (new, old)) in ips.list().iter().zip(old.list()).enumerate() {
        if new != old && (index == 0 || !is_resized) {
            refuse(index, "may not change once set");
        }
    }
    if ips.list().len() == 1 && old.list().len() > 1 {
        needs_single_stack(spec, "clusterIP", problems);
    }
}

fn same_families(spec: &At<'_, '_>, before: &At<'_, '_>, problems: &mut ErrorList) {
    let (families, old) = (spec.get("ipFamilies"), before.get("ipFamilies"));
    let is_resized = families.list().len() != old.list().len();
    for (index, (new, old)) in families.list().iter().zip(old.list()).enumerate() {
        if new != old && (index == 0 || !is_resized) {
            let shown = families.raw().cloned().unwrap_or_default();
            problems.add(FieldError::invalid(
                format!("{}[0]", families.path()),
                shown,
                "may not change once set",
            ));
        }
    }
    if families.list().len() == 1 && old.list().len() > 1 {
        needs_single_stack(spec, "ipFamily", problems);
    }
}

fn needs_single_stack(spec: &At<'_, '_>, what: &str, problems: &mut ErrorList) {
    let policy = spec.get("ipFamilyPolicy");
    if policy.text() != "SingleStack" {
        problems
            .add(policy.invalid(format!("must be set to 'SingleStack' when releasing the secondary {what}")));
    }
}
