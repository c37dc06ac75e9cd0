//! Endpoints and EndpointSlices, and the ports they share with Services.

use std::collections::HashSet;
use std::net::IpAddr;

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::Map;

use super::at::At;
use super::form::{dns_label, dns_subdomain, ip, label_value, port_number, qualified_name};
use super::metadata::labels;

/// Checks the name of one of several ports.
pub(super) fn port_of_many(name: &At<'_, '_>, is_required: bool, problems: &mut ErrorList) {
    if !name.is_empty() {
        name.must_be(dns_label, problems);
    } else if is_required {
        problems.add(name.required(""));
    }
}

pub(super) fn number_and_protocol(port: &At<'_, '_>, problems: &mut ErrorList) {
    let number = port.get("port");
    for problem in port_number(number.number()) {
        problems.add(number.invalid_as(number.number(), problem));
    }
    port.get("protocol").must_have_one_of(&["SCTP", "TCP", "UDP"], problems);
}

pub(super) fn app_protocol(port: &At<'_, '_>, problems: &mut ErrorList) {
    if port.get("appProtocol").is_set() {
        port.get("appProtocol").must_be(qualified_name, problems);
    }
}

/// Checks that an address is one traffic can be sent to.
pub(super) fn endpoint_ip(address: &At<'_, '_>, problems: &mut ErrorList) {
    let Ok(ip) = address.text().parse::<IpAddr>() else {
        return problems.add(address.invalid_text("must be a valid IP address"));
    };
    if ip.is_unspecified() {
        problems.add(address.invalid(format!("may not be unspecified ({ip})")));
    }
    if ip.is_loopback() {
        problems.add(address.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)"));
    }
    let (is_link_local, is_multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => (ip.is_unicast_link_local(), ip.segments()[0] & 0xff0f == 0xff02),
    };
    if is_link_local {
        problems.add(address.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    }
    if is_multicast {
        problems
            .add(address.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }
}

pub(super) fn endpoints(object: &Map, problems: &mut ErrorList) {
    for subset in At::new(object, "subsets").items() {
        if subset.get("addresses").is_empty() && subset.get("notReadyAddresses").is_empty() {
            problems.add(subset.required("must specify `addresses` or `notReadyAddresses`"));
        }
        for list in ["addresses", "notReadyAddresses"] {
            subset.get(list).items().for_each(|address| endpoint_address(&address, problems));
        }
        let ports = subset.get("ports");
        for port in ports.items() {
            port_of_many(&port.get("name"), ports.list().len() > 1, problems);
            number_and_protocol(&port, problems);
            app_protocol(&port, problems);
        }
    }
}

fn endpoint_address(address: &At<'_, '_>, problems: &mut ErrorList) {
    address.get("ip").must_be(ip, problems);
    if !address.get("hostname").is_empty() {
        address.get("hostname").must_be(dns_label, problems);
    }
    if address.get("nodeName").is_set() {
        address.get("nodeName").must_be(dns_subdomain, problems);
    }
    endpoint_ip(&address.get("ip"), problems);
}

pub(super) fn endpoint_slice(object: &Map, problems: &mut ErrorList) {
    let kind = At::new(object, "addressType");
    let endpoints = At::new(object, "endpoints");
    slice_ports(&At::new(object, "ports"), problems);
    endpoints.must_have_at_most(1000, problems);
    for endpoint in endpoints.items() {
        slice_endpoint(&endpoint, kind.text(), problems);
    }
    kind.must_have_one_of(&["FQDN", "IPv4", "IPv6"], problems);
    for endpoint in endpoints.items() {
        let addresses = endpoint.get("addresses");
        addresses.must_be_set("", problems);
        addresses.must_have_at_most(100, problems);
    }
}

fn slice_endpoint(endpoint: &At<'_, '_>, kind: &str, problems: &mut ErrorList) {
    let addresses = endpoint.get("addresses");
    for address in addresses.items() {
        match kind {
            "IPv4" | "IPv6" => {
                address.must_be(ip, problems);
                if !ip(address.text()).is_empty() {
                    continue;
                }
                if address.text().contains(':') != (kind == "IPv6") {
                    problems.add(addresses.invalid_as(address.text(), format!("must be an {kind} address")));
                }
                endpoint_ip(&address, problems);
            }
            "FQDN" => fully_qualified(&address, problems),
            _ => {}
        }
    }
    if endpoint.get("nodeName").is_set() {
        endpoint.get("nodeName").must_be(dns_subdomain, problems);
    }
    labels(&endpoint.get("deprecatedTopology"), problems);
    if endpoint.get("hostname").is_set() {
        endpoint.get("hostname").must_be(dns_label, problems);
    }
    slice_hints(&endpoint.get("hints"), problems);
}

fn slice_hints(hints: &At<'_, '_>, problems: &mut ErrorList) {
    type Rule = fn(&str) -> Vec<String>;
    for (list, rule) in [("forZones", label_value as Rule), ("forNodes", dns_subdomain as Rule)] {
        let list = hints.get(list);
        list.must_have_at_most(8, problems);
        let mut names = HashSet::new();
        for hint in list.items() {
            let name = hint.get("name");
            if names.contains(&name.text()) {
                problems.add(name.duplicate(name.text()));
            }
            names.insert(name.text());
            name.must_be(rule, problems);
        }
    }
}

fn fully_qualified(name: &At<'_, '_>, problems: &mut ErrorList) {
    let domain = name.text().strip_suffix('.').unwrap_or(name.text());
    let found = dns_subdomain(domain);
    if name.is_empty() {
        problems.add(name.required(""));
    } else if !found.is_empty() {
        problems.add(name.invalid_as(domain, found.join(",")));
    } else if !domain.contains('.') {
        problems
            .add(name.invalid_as(domain, "should be a domain with at least two segments separated by dots"));
    }
}

fn slice_ports(ports: &At<'_, '_>, problems: &mut ErrorList) {
    let mut names = HashSet::new();
    for port in ports.items() {
        let (name, protocol) = (port.get("name"), port.get("protocol"));
        if !name.is_empty() {
            name.must_be(dns_label, problems);
        }
        if names.contains(&name.text()) {
            problems.add(name.duplicate(name.text()));
        }
        names.insert(name.text());
        if protocol.is_set() {
            protocol.must_be_one_of(&["SCTP", "TCP", "UDP"], problems);
        } else {
            problems.add(protocol.required(""));
        }
        app_protocol(&port, problems);
    }
}
