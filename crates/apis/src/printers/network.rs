//! Rows of ingresses, network policies and IP addresses.

use serde_json::Value;

use super::row::Row;
use super::service::load_balancer;
use super::text::{NONE, joined, qualified, selector, text};

pub(super) fn ingress(row: &Row<'_>) -> Vec<Value> {
    let ports = if row.list(&["spec", "tls"]).is_empty() { "80" } else { "80, 443" };
    vec![
        row.name(),
        row.text_or(&["spec", "ingressClassName"], NONE).into(),
        hosts(row.list(&["spec", "rules"])).into(),
        load_balancer(row).into(),
        ports.into(),
        row.age(),
    ]
}

/// The first three hosts, and the number of rules beyond three, with or without a host.
fn hosts(rules: &[Value]) -> String {
    let mut named = rules.iter().enumerate().filter(|(_, rule)| !text(rule, "host").is_empty());
    let shown: Vec<(usize, &Value)> = named.by_ref().take(3).collect();
    let hosts: Vec<&str> = shown.iter().map(|(_, rule)| text(rule, "host")).collect();
    match shown.as_slice() {
        [] => "*".to_owned(),
        [.., (last, _)] if shown.len() == 3 && last + 1 < rules.len() => {
            format!("{} + {} more...", hosts.join(","), rules.len() - 3)
        }
        _ => hosts.join(","),
    }
}

pub(super) fn ingress_class(row: &Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text(&["spec", "controller"]).into(),
        parameters(row.at(&["spec", "parameters"])).into(),
        row.age(),
    ]
}

fn parameters(reference: &Value) -> String {
    if reference.is_null() {
        return NONE.to_owned();
    }
    let (kind, name) = (text(reference, "kind"), text(reference, "name"));
    match reference["apiGroup"].as_str() {
        Some(group) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

pub(super) fn network_policy(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), selector(row.at(&["spec", "podSelector"])).into(), row.age()]
}

pub(super) fn service_cidr(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), joined(row.list(&["spec", "cidrs"])).into(), row.age()]
}

pub(super) fn ip_address(row: &Row<'_>) -> Vec<Value> {
    vec![row.name(), parent(row.at(&["spec", "parentRef"])).into()]
}

fn parent(reference: &Value) -> String {
    if reference.is_null() {
        return NONE.to_owned();
    }
    let mut parts = vec![qualified(text(reference, "resource"), text(reference, "group")).to_lowercase()];
    let namespace = text(reference, "namespace");
    if !namespace.is_empty() {
        parts.push(namespace.to_owned());
    }
    parts.push(text(reference, "name").to_owned());
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::printers::tests::check;

    #[test]
    fn ingresses_show_three_hosts_and_count_the_other_rules() {
        for (hosts, expected) in [
            (vec![], "*"),
            (vec![""], "*"),
            (vec!["a", "", "b"], "a,b"),
            (vec!["a", "b", "c"], "a,b,c"),
            (vec!["a", "b", "c", ""], "a,b,c + 1 more..."),
            (vec!["", "a", "b", "c", "d"], "a,b,c + 2 more..."),
        ] {
            let rules: Vec<Value> = hosts.into_iter().map(|host| json!({"host": host})).collect();
            check(
                "networking.k8s.io/v1/ingresses",
                json!({"spec": {"rules": rules}}),
                json!(["a", "<none>", expected, "", "80", "22s"]),
            );
        }
    }

    #[test]
    fn ingresses_show_class_addresses_and_ports() {
        check(
            "networking.k8s.io/v1/ingresses",
            json!({
                "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["a"]}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.200"}, {"ip": "203.0.113.199"}]}},
            }),
            json!(["a", "nginx", "*", "203.0.113.199,203.0.113.200", "80, 443", "22s"]),
        );
    }

    #[test]
    fn ingress_classes_show_their_parameters() {
        for (parameters, expected) in [
            (json!(null), "<none>"),
            (json!({"kind": "Config", "name": "p"}), "Config/p"),
            (json!({"apiGroup": "x.io", "kind": "Config", "name": "p"}), "Config.x.io/p"),
        ] {
            check(
                "networking.k8s.io/v1/ingressclasses",
                json!({"spec": {"controller": "x.io/c", "parameters": parameters}}),
                json!(["a", "x.io/c", expected, "22s"]),
            );
        }
    }

    #[test]
    fn addresses_show_what_they_belong_to() {
        for (parent, expected) in [
            (json!(null), "<none>"),
            (json!({"resource": "services", "namespace": "ns", "name": "web"}), "services/ns/web"),
            (json!({"group": "X.io", "resource": "gates", "name": "g"}), "gates.x.io/g"),
        ] {
            check(
                "networking.k8s.io/v1/ipaddresses",
                json!({"spec": {"parentRef": parent}}),
                json!(["a", expected]),
            );
        }
        check(
            "networking.k8s.io/v1/servicecidrs",
            json!({"spec": {"cidrs": ["10.0.0.0/16", "fd00::/108"]}}),
            json!(["a", "10.0.0.0/16,fd00::/108", "22s"]),
        );
        check(
            "networking.k8s.io/v1/networkpolicies",
            json!({"spec": {"podSelector": {"matchLabels": {"app": "web"}}}}),
            json!(["a", "app=web", "22s"]),
        );
    }
}
