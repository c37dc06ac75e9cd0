//! Defaults of Services and related networking kinds.

use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{Map, at, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::{fill, is_empty, object_mut, objects_mut};

pub(super) fn set(schema: &Schema, object: &mut Map) {
    match (schema.package, schema.name) {
        ("networking/v1", "NetworkPolicy") => network_policy(map_at(object, "spec")),
        ("networking/v1", "NetworkPolicyPort") => fill(object, "protocol", "TCP"),
        ("networking/v1", "IngressClass") => {
            if let Some(parameters) = object_mut(map_at(object, "spec"), "parameters") {
                fill(parameters, "scope", "Cluster");
            }
        }
        ("discovery/v1", "EndpointPort") => {
            fill(object, "name", "");
            fill(object, "protocol", "TCP");
        }
        _ => {}
    }
}

const THREE_HOURS: i32 = 10_800;

pub(super) fn service(object: &mut Map) {
    let spec = map_at(object, "spec");
    fill(spec, "sessionAffinity", "None");
    session_affinity_config(spec);
    fill(spec, "type", "ClusterIP");
    objects_mut(spec, "ports").for_each(target_port);
    let kind = text_at(spec, &["type"]).to_owned();
    if is_externally_accessible(spec) {
        fill(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "NodePort" | "LoadBalancer" | "ClusterIP") {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        fill(spec, "allocateLoadBalancerNodePorts", true);
        ip_modes(object);
    }
}

fn session_affinity_config(spec: &mut Map) {
    match text_at(spec, &["sessionAffinity"]) {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" if at(spec, &["sessionAffinityConfig", "clientIP", "timeoutSeconds"]).is_none() => {
            let config = json!({"clientIP": {"timeoutSeconds": THREE_HOURS}});
            spec.insert("sessionAffinityConfig".to_owned(), config);
        }
        _ => {}
    }
}

fn target_port(port: &mut Map) {
    let is_set = match port.get("targetPort") {
        Some(Value::String(name)) => !name.is_empty(),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        _ => false,
    };
    if !is_set {
        let own = port.get("port").cloned().unwrap_or_else(|| 0.into());
        port.insert("targetPort".to_owned(), own);
    }
}

pub(super) fn is_externally_accessible(spec: &Map) -> bool {
    match text_at(spec, &["type"]) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !list_at(spec, &["externalIPs"]).is_empty(),
        _ => false,
    }
}

fn ip_modes(service: &mut Map) {
    let status = object_mut(service, "status");
    let Some(balancer) = status.and_then(|status| object_mut(status, "loadBalancer")) else { return };
    for ingress in objects_mut(balancer, "ingress") {
        if ingress.contains_key("ip") {
            fill(ingress, "ipMode", "VIP");
        }
    }
}

fn network_policy(spec: &mut Map) {
    if is_empty(spec, "policyTypes") {
        let types = if is_empty(spec, "egress") { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
        spec.insert("policyTypes".to_owned(), types);
    }
}
