//! Services, endpoints, ingresses, network policies.

use serde_json::{Value, json};

use super::{LABEL, check, check_update, with};

fn service() -> Value {
    json!({"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
}

#[track_caller]
fn refused(pointer: &str, value: Value, expected: &[&str]) {
    check("", "services", &with(service(), pointer, value), expected);
}

#[test]
fn what_a_real_server_says_of_services_is_said_here() {
    check("", "services", &service(), &[]);
    check("", "services", &json!({}), &["spec.ports: Required value"]);
    let allocated = with(service(), "/spec/clusterIP", json!("10.0.0.9"));
    let asked =
        with(with(service(), "/spec/clusterIP", json!("10.0.0.77")), "/spec/clusterIPs", json!(["10.0.0.9"]));
    check_update(
        "",
        "services",
        &allocated,
        &asked,
        &[r#"spec.clusterIPs[0]: Invalid value: ["10.0.0.77"]: may not change once set"#],
    );
    check_update("", "services", &allocated, &service(), &[]);
}

#[test]
fn ports_of_services_are_named_and_in_range() {
    refused(
        "/spec/ports",
        json!([{"port": 80}, {"name": "B_", "port": 0, "protocol": "X"}, {"name": "c", "port": 80, "targetPort": "a--b"}]),
        &[
            "spec.ports[0].name: Required value",
            &format!(r#"spec.ports[1].name: Invalid value: "B_": {LABEL}"#),
            "spec.ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            r#"spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP""#,
            "spec.ports[1].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
            r#"spec.ports[2].targetPort: Invalid value: "a--b": must not contain consecutive hyphens"#,
            r#"spec.ports[2]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#,
        ],
    );
    refused(
        "/spec/ports/0/nodePort",
        json!(30080),
        &["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    );
    check(
        "",
        "services",
        &json!({"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}}),
        &[
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
        ],
    );
}

#[test]
fn types_of_services_need_and_forbid() {
    refused(
        "/spec/type",
        json!("Other"),
        &[
            r#"spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#,
        ],
    );
    check(
        "",
        "services",
        &json!({"spec": {"type": "ExternalName", "clusterIP": "10.0.0.1"}}),
        &[
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
            "spec.externalName: Required value",
        ],
    );
    refused(
        "/spec/clusterIP",
        json!("1.2.3"),
        &[
            r#"spec.clusterIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
        ],
    );
    refused(
        "/spec/externalTrafficPolicy",
        json!("Local"),
        &[
            r#"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#,
        ],
    );
    refused(
        "/spec/sessionAffinity",
        json!("Client"),
        &[r#"spec.sessionAffinity: Unsupported value: "Client": supported values: "ClientIP", "None""#],
    );
    refused(
        "/spec/ipFamilyPolicy",
        json!("RequireDualStack"),
        &[
            r#"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#,
        ],
    );
    refused(
        "/spec/externalIPs",
        json!(["127.0.0.1"]),
        &[
            r#"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
        ],
    );
    check("", "services", &json!({"spec": {"clusterIP": "None"}}), &[]);
}

#[test]
fn endpoints_are_addresses() {
    check(
        "",
        "endpoints",
        &json!({"subsets": [{}, {"addresses": [{"ip": "169.254.0.1"}], "ports": [{"port": 0}]}]}),
        &[
            "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
            r#"subsets[1].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)"#,
            "subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    );
    check(
        "discovery.k8s.io",
        "endpointslices",
        &json!({"addressType": "IPv4", "endpoints": [{"addresses": ["2001:db8::1"]}, {"addresses": []}]}),
        &[
            r#"endpoints[0].addresses: Invalid value: "2001:db8::1": must be an IPv4 address"#,
            "endpoints[1].addresses: Required value",
        ],
    );
}

#[test]
fn ingresses_lead_somewhere() {
    check(
        "networking.k8s.io",
        "ingresses",
        &json!({"spec": {}}),
        &["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"],
    );
    check(
        "networking.k8s.io",
        "ingresses",
        &json!({"spec": {"rules": [{"host": "1.2.3.4", "http": {"paths": [
            {"path": "/", "backend": {}},
            {"path": "a//b", "pathType": "Prefix", "backend": {"service": {"name": "s"}}},
            {"pathType": "Other", "backend": {}},
        ]}}]}}),
        &[
            r#"spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address"#,
            "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
            r#"spec.rules[0].http.paths[1].path: Invalid value: "a//b": must be an absolute path"#,
            r#"spec.rules[0].http.paths[1].path: Invalid value: "a//b": must not contain '//'"#,
            "spec.rules[0].http.paths[1].backend: Required value: port name or number is required",
            r#"spec.rules[0].http.paths[2].pathType: Unsupported value: "Other": supported values: "Exact", "ImplementationSpecific", "Prefix""#,
            r#"spec.rules[0].http.paths[2].backend: Invalid value: "": resource or service backend is required"#,
        ],
    );
}

#[test]
fn network_policies_name_peers() {
    check(
        "networking.k8s.io",
        "networkpolicies",
        &json!({"spec": {
            "ingress": [{
                "from": [{}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "11.0.0.0/16"]}}, {"ipBlock": {"cidr": ""}}],
                "ports": [{"port": 80, "endPort": 79, "protocol": "X"}],
            }],
            "policyTypes": ["Other"],
        }}),
        &[
            r#"spec.ingress[0].ports[0].protocol: Unsupported value: "X": supported values: "TCP", "UDP", "SCTP""#,
            "spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`",
            "spec.ingress[0].from[0]: Required value: must specify a peer",
            r#"spec.ingress[0].from[1].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`"#,
            r#"spec.policyTypes[0]: Unsupported value: "Other": supported values: "Ingress", "Egress""#,
            "spec.ingress[0].from[2].ipBlock.cidr: Required value",
        ],
    );
}
