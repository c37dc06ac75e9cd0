//! Rows of services and endpoints.

use std::collections::BTreeSet;

use serde_json::Value;

use super::age::UNKNOWN;
use super::row::Row;
use super::text::{NONE, UNSET, first_few, joined, labels, or, text};

/// The limit of endpoints or ports printed; the rest is counted.
const SHOWN: usize = 3;

pub(super) fn service(row: &Row<'_>) -> Vec<Value> {
    let first_ip = row.list(&["spec", "clusterIPs"]).first().and_then(Value::as_str);
    let ports: Vec<String> = row.list(&["spec", "ports"]).iter().map(service_port).collect();
    vec![
        row.name(),
        row.text(&["spec", "type"]).into(),
        or(first_ip.unwrap_or(row.text(&["spec", "clusterIP"])), NONE).into(),
        external_ip(row).into(),
        or(&ports.join(","), NONE).into(),
        row.age(),
        labels(row.at(&["spec", "selector"])).into(),
    ]
}

fn external_ip(row: &Row<'_>) -> String {
    let external = joined(row.list(&["spec", "externalIPs"]));
    match row.text(&["spec", "type"]) {
        "ClusterIP" | "NodePort" => or(&external, NONE).to_owned(),
        "LoadBalancer" => {
            let balancer = load_balancer(row);
            let separator = if balancer.is_empty() || external.is_empty() { "" } else { "," };
            or(&format!("{balancer}{separator}{external}"), "<pending>").to_owned()
        }
        "ExternalName" => row.text(&["spec", "externalName"]).to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

/// The addresses of the load balancer of a service or an ingress.
pub(super) fn load_balancer(row: &Row<'_>) -> String {
    let points = row.list(&["status", "loadBalancer", "ingress"]).iter();
    let addresses: BTreeSet<&str> = points
        .map(|point| or(text(point, "ip"), text(point, "hostname")))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.into_iter().collect::<Vec<_>>().join(",")
}

fn service_port(port: &Value) -> String {
    let number = port["port"].as_i64().unwrap_or_default();
    let protocol = text(port, "protocol");
    match port["nodePort"].as_i64() {
        Some(node_port @ 1..) => format!("{number}:{node_port}/{protocol}"),
        _ => format!("{number}/{protocol}"),
    }
}

pub(super) fn endpoints(row: &Row<'_>) -> Vec<Value> {
    let subsets = row.list(&["subsets"]);
    let endpoints: Vec<String> = subsets.iter().flat_map(subset).collect();
    let text = if subsets.is_empty() { NONE.to_owned() } else { first_few(&endpoints, SHOWN, ",") };
    vec![row.name(), text.into(), row.age()]
}

/// Every address with every port, or alone if there are no ports.
fn subset(subset: &Value) -> Vec<String> {
    let list = |name: &str| subset[name].as_array().map_or(&[][..], Vec::as_slice);
    let ips = || list("addresses").iter().map(|address| text(address, "ip"));
    match list("ports") {
        [] => ips().map(str::to_owned).collect(),
        ports => ports.iter().flat_map(|port| ips().map(|ip| host_port(ip, &port["port"]))).collect(),
    }
}

fn host_port(ip: &str, port: &Value) -> String {
    let port = port.as_i64().unwrap_or_default();
    if ip.contains([':', '%']) { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

pub(super) fn endpoint_slice(row: &Row<'_>) -> Vec<Value> {
    let ports: Vec<String> = row.list(&["ports"]).iter().map(slice_port).collect();
    let endpoints = row.list(&["endpoints"]).iter();
    let addresses = endpoints.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
    let addresses: Vec<String> = addresses.filter_map(Value::as_str).map(str::to_owned).collect();
    vec![
        row.name(),
        row.text(&["addressType"]).into(),
        or(&first_few(&ports, SHOWN, ","), UNSET).into(),
        or(&first_few(&addresses, SHOWN, ","), UNSET).into(),
        row.age(),
    ]
}

fn slice_port(port: &Value) -> String {
    match port["port"].as_i64() {
        Some(number) => number.to_string(),
        None => port["name"].as_str().unwrap_or("*").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    #[track_caller]
    fn check_service(spec: Value, status: Value, expected: [&str; 5]) {
        let [ty, cluster_ip, external_ip, ports, selector] = expected;
        check(
            "v1/services",
            json!({"spec": spec, "status": {"loadBalancer": {"ingress": status}}}),
            json!(["a", ty, cluster_ip, external_ip, ports, "22s", selector]),
        );
    }

    #[test]
    fn services_show_addresses_and_ports() {
        check_service(
            json!({"type": "ClusterIP", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"],
                "ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "web"}}),
            json!([]),
            ["ClusterIP", "10.0.0.1", "<none>", "80/TCP", "app=web"],
        );
        check_service(
            json!({"type": "NodePort", "clusterIP": "10.0.0.1", "externalIPs": ["1.1.1.1", "2.2.2.2"],
            "ports": [
                {"port": 80, "protocol": "TCP", "nodePort": 30080},
                {"port": 53, "protocol": "UDP"},
            ]}),
            json!([]),
            ["NodePort", "10.0.0.1", "1.1.1.1,2.2.2.2", "80:30080/TCP,53/UDP", "<none>"],
        );
        check_service(
            json!({"type": "ClusterIP", "clusterIPs": ["None"]}),
            json!([]),
            ["ClusterIP", "None", "<none>", "<none>", "<none>"],
        );
        check_service(
            json!({"type": "ExternalName", "externalName": "example.com"}),
            json!([]),
            ["ExternalName", "<none>", "example.com", "<none>", "<none>"],
        );
        check_service(json!({}), json!([]), ["", "<none>", "<unknown>", "<none>", "<none>"]);
    }

    #[test]
    fn load_balancers_show_what_they_were_given() {
        for (external, ingress, expected) in [
            (json!([]), json!([]), "<pending>"),
            (
                json!([]),
                json!([{"ip": "2.2.2.2"}, {"hostname": "a.example.com"}, {"ip": "2.2.2.2"}]),
                "2.2.2.2,a.example.com",
            ),
            (json!(["9.9.9.9"]), json!([]), "9.9.9.9"),
            (json!(["1.1.1.1"]), json!([{"ip": "2.2.2.2"}]), "2.2.2.2,1.1.1.1"),
        ] {
            check_service(
                json!({"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"], "externalIPs": external}),
                ingress,
                ["LoadBalancer", "10.0.0.1", expected, "<none>", "<none>"],
            );
        }
    }

    #[test]
    fn endpoints_join_every_address_with_every_port() {
        let addresses = |ips: &[&str]| ips.iter().map(|ip| json!({"ip": ip})).collect::<Vec<_>>();
        for (subsets, expected) in [
            (json!([]), "<none>"),
            (json!([{"notReadyAddresses": addresses(&["1.1.1.1"]), "ports": [{"port": 80}]}]), ""),
            (json!([{"addresses": addresses(&["1.1.1.1", "2.2.2.2"])}]), "1.1.1.1,2.2.2.2"),
            (json!([{"addresses": addresses(&["fd00::1"]), "ports": [{"port": 80}]}]), "[fd00::1]:80"),
            (
                json!([
                    {"addresses": addresses(&["1.1.1.1", "2.2.2.2"]), "ports": [{"port": 80}, {"port": 81}]},
                    {"addresses": addresses(&["3.3.3.3"])},
                ]),
                "1.1.1.1:80,2.2.2.2:80,1.1.1.1:81 + 2 more...",
            ),
        ] {
            check("v1/endpoints", json!({"subsets": subsets}), json!(["a", expected, "22s"]));
        }
    }

    #[test]
    fn endpoint_slices_show_the_first_of_their_ports_and_addresses() {
        let slice = "discovery.k8s.io/v1/endpointslices";
        check(
            slice,
            json!({
                "addressType": "IPv4",
                "ports": [{"port": 80}, {"name": "http"}, {"name": "", "port": 81}, {}],
                "endpoints": [{"addresses": ["1.1.1.1", "2.2.2.2"]}, {"addresses": ["3.3.3.3"]}],
            }),
            json!(["a", "IPv4", "80,http,81 + 1 more...", "1.1.1.1,2.2.2.2,3.3.3.3", "22s"]),
        );
        check(slice, json!({"ports": [{}]}), json!(["a", "", "*", "<unset>", "22s"]));
        check(slice, json!({}), json!(["a", "", "<unset>", "<unset>", "22s"]));
    }
}
