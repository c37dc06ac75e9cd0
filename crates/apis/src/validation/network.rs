//! Ingresses and NetworkPolicies.

use std::net::IpAddr;

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::at::At;
use super::form::{cidr, dns_label, dns_subdomain, path_segment, port_name, port_number, wildcard_subdomain};
use super::selector::label_selector;

pub(super) fn network_policy(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    label_selector(&spec.get("podSelector"), problems);
    // Missing ranges are found later than all else.
    let mut late = ErrorList::default();
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(rules).items() {
            rule.get("ports").items().for_each(|port| policy_port(&port, problems));
            rule.get(peers).items().for_each(|peer| policy_peer(&peer, problems, &mut late));
        }
    }
    let types = spec.get("policyTypes");
    if types.list().len() > 2 {
        problems.add(types.invalid("may not specify more than two policyTypes"));
    } else {
        types.items().for_each(|kind| kind.must_be_one_of(&["Ingress", "Egress"], problems));
    }
    problems.0.append(&mut late.0);
}

fn policy_port(port: &At<'_, '_>, problems: &mut ErrorList) {
    let (number, end, protocol) = (port.get("port"), port.get("endPort"), port.get("protocol"));
    if protocol.is_set() {
        protocol.must_be_one_of(&["TCP", "UDP", "SCTP"], problems);
    }
    match number.raw() {
        None => {
            if end.is_set() {
                problems.add(end.invalid("may not be specified when `port` is not specified"));
            }
        }
        Some(Value::String(_)) => {
            if end.is_set() {
                problems.add(end.invalid("may not be specified when `port` is non-numeric"));
            }
            number.must_be(port_name, problems);
        }
        Some(_) => {
            problems
                .0
                .extend(port_number(number.number()).into_iter().map(|problem| number.invalid(problem)));
            if let Some(last) = end.int() {
                if last < number.number() {
                    problems.add(end.invalid("must be greater than or equal to `port`"));
                }
                problems.0.extend(port_number(last).into_iter().map(|problem| end.invalid(problem)));
            }
        }
    }
}

fn policy_peer(peer: &At<'_, '_>, problems: &mut ErrorList, late: &mut ErrorList) {
    let selectors = [peer.get("podSelector"), peer.get("namespaceSelector")];
    let block = peer.get("ipBlock");
    let has_selector = selectors.iter().any(At::is_set);
    for selector in selectors {
        label_selector(&selector, problems);
    }
    if block.is_set() {
        ip_block(&block, problems, late);
        if has_selector {
            problems.add(peer.forbidden("may not specify both ipBlock and another peer"));
        }
    } else if !has_selector {
        problems.add(peer.required("must specify a peer"));
    }
}

fn ip_block(block: &At<'_, '_>, problems: &mut ErrorList, late: &mut ErrorList) {
    let range = block.get("cidr");
    if range.is_empty() {
        return late.add(range.required(""));
    }
    range.must_be(cidr, problems);
    let Some(whole) = parse_range(range.text()) else { return };
    for except in block.get("except").items() {
        except.must_be(cidr, problems);
        if parse_range(except.text()).is_some_and(|part| !is_strict_subset(part, whole)) {
            problems.add(except.invalid("must be a strict subset of `cidr`"));
        }
    }
}

fn parse_range(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    Some((address.parse().ok()?, bits.parse().ok()?))
}

fn is_strict_subset(part: (IpAddr, u32), whole: (IpAddr, u32)) -> bool {
    let prefix = |address: IpAddr, bits: u32| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()).checked_shr(32_u32.saturating_sub(bits)),
        IpAddr::V6(address) => Some(address.to_bits().checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0)),
    };
    part.0.is_ipv4() == whole.0.is_ipv4()
        && part.1 > whole.1
        && prefix(part.0, whole.1) == prefix(whole.0, whole.1)
}

pub(super) fn ingress(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let (backend, rules) = (spec.get("defaultBackend"), spec.get("rules"));
    if backend.is_set() {
        ingress_backend(&backend, problems);
    } else if rules.is_empty() {
        problems.add(spec.invalid_as(Value::Null, "either `defaultBackend` or `rules` must be specified"));
    }
    for rule in rules.items() {
        ingress_host(&rule.get("host"), problems);
        let http = rule.get("http");
        if http.is_set() {
            http.get("paths").must_be_set("", problems);
        }
        http.get("paths").items().for_each(|path| ingress_path(&path, problems));
    }
    for tls in spec.get("tls").items() {
        tls.get("hosts").items().for_each(|host| host.must_be(host_name, problems));
        if !tls.get("secretName").is_empty() {
            tls.get("secretName").must_be(dns_subdomain, problems);
        }
    }
    if spec.get("ingressClassName").is_set() {
        spec.get("ingressClassName").must_be(dns_subdomain, problems);
    }
}

/// Checks that the deprecated ingress-class annotation does not contradict `ingressClassName`.
pub(super) fn ingress_class_annotation(object: &Map, problems: &mut ErrorList) {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let annotation = At::new(object, "metadata.annotations").entry(CLASS);
    let class = At::new(object, "spec.ingressClassName");
    if let Some(annotation) = annotation.filter(|annotation| class.is_set() && *annotation != class.text()) {
        let at = At::named("annotations.kubernetes.io/ingress.class", None);
        problems.add(at.invalid_as(annotation, "must match `ingressClassName` when both are specified"));
    }
}

fn host_name(host: &str) -> Vec<String> {
    if host.contains('*') { wildcard_subdomain(host) } else { dns_subdomain(host) }
}

fn ingress_host(host: &At<'_, '_>, problems: &mut ErrorList) {
    if host.is_empty() {
        return;
    }
    if host.text().parse::<IpAddr>().is_ok() {
        problems.add(host.invalid("must be a DNS name, not an IP address"));
    }
    host.must_be(host_name, problems);
}

fn ingress_path(at: &At<'_, '_>, problems: &mut ErrorList) {
    let (kind, path) = (at.get("pathType"), at.get("path"));
    if !kind.is_set() {
        return problems.add(kind.required("pathType must be specified"));
    }
    match kind.text() {
        "Exact" | "Prefix" => {
            if !path.text().starts_with('/') {
                problems.add(path.invalid_text("must be an absolute path"));
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if path.text().contains(part) {
                    problems.add(path.invalid(format!("must not contain '{part}'")));
                }
            }
            for end in ["/..", "/."] {
                if path.text().ends_with(end) {
                    problems.add(path.invalid(format!("cannot end with '{end}'")));
                }
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !path.text().starts_with('/') {
                problems.add(path.invalid("must be an absolute path"));
            }
        }
        _ => problems.add(kind.not_supported(&["Exact", "ImplementationSpecific", "Prefix"])),
    }
    ingress_backend(&at.get("backend"), problems);
}

fn ingress_backend(backend: &At<'_, '_>, problems: &mut ErrorList) {
    let (resource, service) = (backend.get("resource"), backend.get("service"));
    match (resource.is_set(), service.is_set()) {
        (true, true) => {
            return problems.add(backend.invalid_as("", "cannot set both resource and service backends"));
        }
        (true, false) => return typed_reference(&resource, problems),
        (false, false) => {
            return problems.add(backend.invalid_as("", "resource or service backend is required"));
        }
        (false, true) => service.get("name").must_have(dns_label, problems),
    }
    let (name, number) = (service.get("port.name"), service.get("port.number"));
    match (name.is_empty(), number.number()) {
        (true, 0) => problems.add(backend.required("port name or number is required")),
        (true, port) => {
            problems.0.extend(port_number(port).into_iter().map(|problem| number.invalid(problem)));
        }
        (false, 0) => name.must_be(port_name, problems),
        (false, _) => problems.add(backend.invalid_as("", "cannot set both port name & port number")),
    }
}

fn typed_reference(reference: &At<'_, '_>, problems: &mut ErrorList) {
    if reference.get("apiGroup").is_set() {
        reference.get("apiGroup").must_be(dns_subdomain, problems);
    }
    reference.get("kind").must_have(path_segment, problems);
    reference.get("name").must_have(path_segment, problems);
}

pub(super) fn ingress_class(object: &Map, problems: &mut ErrorList) {
    let spec = At::new(object, "spec");
    let controller = spec.get("controller");
    if controller.text().len() > 250 {
        problems.add(controller.too_long(250));
    }
    match controller.text().split_once('/') {
        _ if controller.is_empty() => problems.add(controller.required("")),
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            problems.invalid(&controller.path(), host, dns_subdomain(host));
        }
        _ => problems.add(controller.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")")),
    }
    let parameters = spec.get("parameters");
    if parameters.is_set() {
        typed_reference(&parameters, problems);
        class_scope(&parameters, problems);
    }
}

fn class_scope(parameters: &At<'_, '_>, problems: &mut ErrorList) {
    let (scope, namespace) = (parameters.get("scope"), parameters.get("namespace"));
    match (scope.text(), namespace.is_set()) {
        ("Namespace", true) => namespace.must_be(dns_label, problems),
        ("Namespace", false) => problems.add(namespace.required("`parameters.scope` is set to 'Namespace'")),
        ("Cluster", true) => problems.add(namespace.forbidden("`parameters.scope` is set to 'Cluster'")),
        _ => scope.must_be_one_of(&["Cluster", "Namespace"], problems),
    }
}
