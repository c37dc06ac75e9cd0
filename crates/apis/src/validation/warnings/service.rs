//! Services, Endpoints, EndpointSlices and NetworkPolicies.

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::at;

use super::{Written, address, label};
use crate::validation::at::At;

pub(super) fn service(written: Written<'_>, warnings: &mut Vec<String>) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    if at(written.object, &["metadata", "annotations", HINTS]).is_some() {
        warnings.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let spec = written.at("spec");
    let (ty, cluster_ip) = (spec.get("type").text(), spec.get("clusterIP").text());
    let is_headless = ty == "ClusterIP" && cluster_ip == "None";
    let is_external_name = ty == "ExternalName";
    let external = spec.get("externalIPs");
    if cluster_ip != "None" {
        spec.get("clusterIPs").items().for_each(|ip| address::ip(&ip, warnings));
    }
    let mut say = |says: bool, text: &str| {
        if says {
            warnings.push(text.to_owned());
        }
    };
    if is_headless {
        say(!spec.get("loadBalancerIP").is_empty(), "spec.loadBalancerIP is ignored for headless services");
        say(!external.is_empty(), "spec.externalIPs is ignored for headless services");
        let has_affinity = spec.get("sessionAffinity").text() != "None";
        say(has_affinity, "spec.SessionAffinity is ignored for headless services");
    }
    external.items().for_each(|ip| address::ip(&ip, warnings));
    if !external.is_empty() && !is_headless && !is_external_name {
        warnings.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned(),
        );
    }
    address::ip(&spec.get("loadBalancerIP"), warnings);
    spec.get("loadBalancerSourceRanges").items().for_each(|range| address::cidr(&range, warnings));
    if is_external_name && !external.is_empty() {
        warnings.push(r#"spec.externalIPs is ignored when spec.type is "ExternalName""#.to_owned());
    }
    if !is_external_name && !spec.get("externalName").is_empty() {
        warnings.push(r#"spec.externalName is ignored when spec.type is not "ExternalName""#.to_owned());
    }
    if spec.get("trafficDistribution").text() == "PreferClose" {
        let text = r#"spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone""#;
        warnings.push(text.to_owned());
    }
}

pub(super) fn endpoints(written: Written<'_>, warnings: &mut Vec<String>) {
    if label(written.object, "endpoints.kubernetes.io/managed-by") == "endpoint-controller" {
        return;
    }
    for subset in written.at("subsets").items() {
        for list in ["addresses", "notReadyAddresses"] {
            subset.get(list).items().for_each(|item| address::ip(&item.get("ip"), warnings));
        }
    }
}

pub(super) fn endpoint_slice(written: Written<'_>, warnings: &mut Vec<String>) {
    if written.is_new() && written.at("addressType").text() == "FQDN" {
        warnings.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    let controller = label(written.object, "endpointslice.kubernetes.io/managed-by");
    if matches!(&*controller, "endpointslice-controller.k8s.io" | "endpointslicemirroring-controller.k8s.io")
    {
        return;
    }
    for endpoint in written.at("endpoints").items() {
        endpoint.get("addresses").items().for_each(|item| address::ip(&item, warnings));
    }
}

pub(super) fn ingress(written: Written<'_>, warnings: &mut Vec<String>) {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let is_annotated = at(written.object, &["metadata", "annotations", CLASS]).is_some();
    if written.is_new() && is_annotated && !written.at("spec.ingressClassName").is_set() {
        warnings.push(format!(
            "annotation {} is deprecated, please use 'spec.ingressClassName' instead",
            quoted(CLASS)
        ));
    }
}

pub(super) fn network_policy(written: Written<'_>, warnings: &mut Vec<String>) {
    for (rules, peers) in [("spec.ingress", "from"), ("spec.egress", "to")] {
        for rule in written.at(rules).items() {
            rule.get(peers).items().for_each(|peer| ip_block(&peer.get("ipBlock"), warnings));
        }
    }
}

fn ip_block(block: &At<'_, '_>, warnings: &mut Vec<String>) {
    address::cidr(&block.get("cidr"), warnings);
    block.get("except").items().for_each(|range| address::cidr(&range, warnings));
}
