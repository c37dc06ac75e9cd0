//! Preparation of Services for validation: related fields are synced, and allocated values are kept.
//!
//! Cluster IPs and node ports are allocated later, by the server.

use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::network::is_externally_accessible;
use super::{fill, is_empty, objects_mut, put};

pub(super) fn prepare_create(spec: &mut Map) {
    let ip = text_at(spec, &["clusterIP"]).to_owned();
    if !ip.is_empty() && is_empty(spec, "clusterIPs") {
        spec.insert("clusterIPs".to_owned(), json!([ip]));
    }
    ip_families(spec, None);
}

pub(super) fn prepare_update(object: &mut Map, old: &Map) {
    let nothing = Map::new();
    let before = old.get("spec").and_then(Value::as_object).unwrap_or(&nothing);
    let spec = map_at(object, "spec");
    keep_allocated(spec, before);
    join_cluster_ips(spec, before);
    ip_families(spec, Some(before));
    drop_by_type(spec, before);
    if text_at(spec, &["type"]) != "LoadBalancer" {
        map_at(object, "status").insert("loadBalancer".to_owned(), json!({}));
    }
}

fn is_external_name(spec: &Map) -> bool {
    text_at(spec, &["type"]) == "ExternalName"
}

fn has_node_ports(spec: &Map) -> bool {
    matches!(text_at(spec, &["type"]), "NodePort" | "LoadBalancer")
}

fn has_health_check(spec: &Map) -> bool {
    text_at(spec, &["type"]) == "LoadBalancer" && text_at(spec, &["externalTrafficPolicy"]) == "Local"
}

fn node_ports(spec: &Map) -> Vec<&Value> {
    list_at(spec, &["ports"]).iter().filter_map(|port| port.get("nodePort")).collect()
}

/// Keeps allocated values that a client does not send.
fn keep_allocated(spec: &mut Map, before: &Map) {
    if !is_external_name(before) && !is_external_name(spec) {
        fill_from(spec, before, "clusterIP");
        fill_from(spec, before, "clusterIPs");
    }
    if has_health_check(before) && has_health_check(spec) {
        fill_from(spec, before, "healthCheckNodePort");
    }
    if has_node_ports(before) && has_node_ports(spec) {
        keep_node_ports(spec, before);
    }
}

fn keep_node_ports(spec: &mut Map, before: &Map) {
    let taken: Vec<Value> = node_ports(spec).into_iter().cloned().collect();
    let by_name = |name: &str| {
        let same = |port: &&Value| port.get("name").and_then(Value::as_str).unwrap_or_default() == name;
        list_at(before, &["ports"]).iter().rfind(same)?.get("nodePort")
    };
    for port in objects_mut(spec, "ports") {
        match by_name(text_at(port, &["name"])) {
            Some(number) if !taken.contains(number) => fill(port, "nodePort", number.clone()),
            _ => {}
        }
    }
}

/// Syncs `clusterIPs` when a client changed `clusterIP` alone.
fn join_cluster_ips(spec: &mut Map, before: &Map) {
    let (ip, old_ip) = (text_at(spec, &["clusterIP"]), text_at(before, &["clusterIP"]));
    let same_list = list_at(spec, &["clusterIPs"]) == list_at(before, &["clusterIPs"]);
    if ip == old_ip {
        if is_empty(spec, "clusterIPs") && !is_empty(before, "clusterIPs") {
            put(spec, "clusterIPs", before.get("clusterIPs").cloned());
        }
    } else if same_list {
        let list = if ip.is_empty() { None } else { Some(json!([ip])) };
        put(spec, "clusterIPs", list);
    }
}

/// Sets the IP families of a Service's addresses. The cluster has IPv4 only.
fn ip_families(spec: &mut Map, before: Option<&Map>) {
    if is_external_name(spec) {
        return;
    }
    let is_free = text_at(spec, &["clusterIP"]) == "None" && is_empty(spec, "selector");
    let policy = before.and_then(|before| before.get("ipFamilyPolicy")).and_then(Value::as_str);
    let policy = policy.unwrap_or(if is_free { "RequireDualStack" } else { "SingleStack" });
    fill(spec, "ipFamilyPolicy", policy);
    let is_single = text_at(spec, &["ipFamilyPolicy"]) == "SingleStack";
    if let (true, Some(before)) = (is_single, before) {
        for list in ["clusterIPs", "ipFamilies"] {
            if list_at(spec, &[list]) != list_at(before, &[list]) {
                continue;
            }
            if let Some(Value::Array(items)) = spec.get_mut(list) {
                items.truncate(1);
            }
        }
    }
    let mut families: Vec<Value> = list_at(spec, &["ipFamilies"]).to_vec();
    let ips = list_at(spec, &["clusterIPs"]).iter().filter_map(Value::as_str);
    families.extend(ips.filter(|ip| *ip != "None").skip(families.len()).map(|ip| family(ip).into()));
    if families.is_empty() {
        families.push("IPv4".into());
    }
    if is_free && !is_single && families.len() == 1 {
        families.push(if families[0] == "IPv4" { "IPv6" } else { "IPv4" }.into());
    }
    spec.insert("ipFamilies".to_owned(), families.into());
}

fn family(ip: &str) -> &'static str {
    if ip.contains(':') { "IPv6" } else { "IPv4" }
}

/// Removes fields that the new type does not have, unless the client changed them.
fn drop_by_type(spec: &mut Map, before: &Map) {
    if !is_external_name(before) && is_external_name(spec) {
        if ["clusterIP", "clusterIPs"].iter().all(|name| spec.get(*name) == before.get(*name)) {
            spec.remove("clusterIP");
            spec.remove("clusterIPs");
        }
        drop_unchanged(spec, before, "ipFamilies");
        drop_unchanged(spec, before, "ipFamilyPolicy");
    }
    if has_node_ports(before) && !has_node_ports(spec) {
        let old = node_ports(before);
        if node_ports(spec).iter().all(|port| old.contains(port)) {
            objects_mut(spec, "ports").for_each(|port| {
                port.remove("nodePort");
            });
        }
    }
    if has_health_check(before) && !has_health_check(spec) {
        drop_unchanged(spec, before, "healthCheckNodePort");
    }
    if text_at(before, &["type"]) == "LoadBalancer" && text_at(spec, &["type"]) != "LoadBalancer" {
        drop_unchanged(spec, before, "allocateLoadBalancerNodePorts");
        drop_unchanged(spec, before, "loadBalancerClass");
    }
    if is_externally_accessible(before) && !is_externally_accessible(spec) {
        drop_unchanged(spec, before, "externalTrafficPolicy");
    }
}

fn drop_unchanged(spec: &mut Map, before: &Map, name: &str) {
    if spec.get(name) == before.get(name) {
        spec.remove(name);
    }
}

fn fill_from(spec: &mut Map, before: &Map, name: &str) {
    if let Some(value) = before.get(name) {
        fill(spec, name, value.clone());
    }
}
