//! The addresses at which load balancers serve a Service or an Ingress.

use klient_apimachinery::validation::field::ErrorList;
use klient_apimachinery::values::{Map, text_at};

use crate::validation::at::At;
use crate::validation::form::{dns_subdomain, ip, is_ip};

const INGRESS: &str = "status.loadBalancer.ingress";

pub(super) fn of_service(object: &Map, old: &Map, problems: &mut ErrorList) {
    let ingress = At::new(object, INGRESS);
    if !ingress.is_empty() && text_at(object, &["spec", "type"]) != "LoadBalancer" {
        return problems.add(ingress.forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
    }
    for point in ingress.items() {
        address(&point, old, problems);
        let (ip, mode) = (point.get("ip"), point.get("ipMode"));
        match (ip.is_empty(), mode.is_set()) {
            (false, false) => problems.add(mode.required("must be specified when `ip` is set")),
            (true, true) => problems.add(mode.forbidden("may not be specified when `ip` is not set")),
            (false, true) => mode.must_be_one_of(&["Proxy", "VIP"], problems),
            (true, false) => {}
        }
        hostname(&point, problems);
    }
}

pub(super) fn of_ingress(object: &Map, old: &Map, problems: &mut ErrorList) {
    for point in At::new(object, INGRESS).items() {
        address(&point, old, problems);
        hostname(&point, problems);
    }
}

/// Checks the address of a point; one that the old object has may be invalid.
fn address(point: &At<'_, '_>, old: &Map, problems: &mut ErrorList) {
    let address = point.get("ip");
    let is_known = |address: &str| At::new(old, INGRESS).items().any(|old| old.get("ip").text() == address);
    if !address.is_empty() && !is_known(address.text()) {
        address.must_be(ip, problems);
    }
}

fn hostname(point: &At<'_, '_>, problems: &mut ErrorList) {
    let name = point.get("hostname");
    if !name.is_empty() {
        name.must_be(dns_subdomain, problems);
        if is_ip(name.text()) {
            problems.add(name.invalid("must be a DNS name, not an IP address"));
        }
    }
}
