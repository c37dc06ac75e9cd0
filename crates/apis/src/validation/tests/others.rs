//! All other kinds.

use serde_json::{Value, json};

use super::{LABEL, SUBDOMAIN, check, check_update, with};

#[test]
fn config_maps_and_secrets_have_keys_and_may_be_sealed() {
    check(
        "",
        "configmaps",
        &json!({"data": {"a": "1", "..b": ""}, "binaryData": {"a": ""}}),
        &[
            r#"data[..b]: Invalid value: "..b": must not start with '..'"#,
            r#"data[a]: Invalid value: "a": duplicate of key present in binaryData"#,
        ],
    );
    check(
        "",
        "configmaps",
        &json!({"data": {"a": "x".repeat(1024 * 1024 + 1)}}),
        &["[]: Too long: may not be more than 1048576 bytes"],
    );
    check_update(
        "",
        "configmaps",
        &json!({"immutable": true, "data": {"a": "1"}}),
        &json!({"data": {"a": "2"}}),
        &[
            "immutable: Forbidden: field is immutable when `immutable` is set",
            "data: Forbidden: field is immutable when `immutable` is set",
        ],
    );
    check(
        "",
        "secrets",
        &json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}),
        &["data[tls.key]: Required value"],
    );
    check(
        "",
        "secrets",
        &json!({"type": "kubernetes.io/dockerconfigjson"}),
        &["data[.dockerconfigjson]: Required value"],
    );
    check(
        "",
        "secrets",
        &json!({"type": "kubernetes.io/service-account-token"}),
        &["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    );
    check_update(
        "",
        "secrets",
        &json!({"type": "a/b"}),
        &json!({}),
        &[r#"type: Invalid value: "Opaque": field is immutable"#],
    );
}

#[test]
fn roles_have_verbs_and_bindings_have_roles() {
    let role = |rule: Value| json!({"metadata": {"name": "system:a"}, "rules": [rule]});
    let group = "rbac.authorization.k8s.io";
    check(group, "roles", &role(json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]})), &[]);
    check(
        group,
        "roles",
        &role(json!({"verbs": []})),
        &[
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource",
            "rules[0].verbs: Required value",
        ],
    );
    check(
        group,
        "roles",
        &role(json!({"verbs": ["get"], "nonResourceURLs": ["/a"]})),
        &[
            r#"rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs"#,
        ],
    );
    check(
        group,
        "clusterroles",
        &json!({"metadata": {"name": "a/b"}}),
        &[r#"metadata.name: Invalid value: "a/b": may not contain '/'"#],
    );
    let binding =
        json!({"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]});
    check(group, "rolebindings", &binding, &[]);
    check(
        group,
        "clusterrolebindings",
        &json!({"roleRef": {"kind": "Role"}, "subjects": [{"kind": "ServiceAccount", "name": "s"}, {"kind": "Robot"}]}),
        &[
            r#"roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole""#,
            "subjects[0].namespace: Required value",
            r#"subjects[1].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group""#,
            "subjects[1].name: Required value",
            "roleRef.name: Required value",
        ],
    );
    check_update(
        group,
        "rolebindings",
        &binding,
        &with(binding.clone(), "/roleRef/name", json!("other")),
        &[
            r#"roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"other"}: field is immutable"#,
        ],
    );
}

fn claim() -> Value {
    json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
}

#[test]
fn claims_and_volumes_say_how_much_of_what() {
    check("", "persistentvolumeclaims", &claim(), &[]);
    check(
        "",
        "persistentvolumeclaims",
        &json!({"spec": {"accessModes": ["Any"], "volumeMode": "Raw"}}),
        &[
            r#"spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod""#,
            "spec.resources[storage]: Required value",
            r#"spec.volumeMode: Unsupported value: "Raw": supported values: "Block", "Filesystem""#,
        ],
    );
    check_update(
        "",
        "persistentvolumeclaims",
        &claim(),
        &with(claim(), "/spec/accessModes", json!(["ReadOnlyMany"])),
        &[
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ],
    );
    check_update(
        "",
        "persistentvolumeclaims",
        &claim(),
        &with(claim(), "/spec/volumeName", json!("pv")),
        &[],
    );
    let volume = json!({"spec": {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "hostPath": {"path": "/a"},
    }});
    check("", "persistentvolumes", &volume, &[]);
    check(
        "",
        "persistentvolumes",
        &json!({}),
        &[
            "spec.accessModes: Required value",
            "spec.capacity: Required value",
            r#"spec.capacity: Unsupported value: null: supported values: "storage""#,
            "spec: Required value: must specify a volume type",
        ],
    );
    check_update(
        "",
        "persistentvolumes",
        &volume,
        &with(volume.clone(), "/spec/hostPath/path", json!("/b")),
        &["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"],
    );
}

#[test]
fn classes_are_fixed() {
    let class = json!({"provisioner": "a.b/c"});
    check("storage.k8s.io", "storageclasses", &class, &[]);
    check("storage.k8s.io", "storageclasses", &json!({}), &["provisioner: Required value"]);
    check_update(
        "storage.k8s.io",
        "storageclasses",
        &class,
        &json!({"provisioner": "other", "reclaimPolicy": "Retain"}),
        &[
            r#"provisioner: Invalid value: "other": field is immutable"#,
            r#"reclaimPolicy: Invalid value: "Retain": field is immutable"#,
        ],
    );
    let priority = |name: &str, value: i64| json!({"metadata": {"name": name}, "value": value});
    check("scheduling.k8s.io", "priorityclasses", &priority("a", 5), &[]);
    check(
        "scheduling.k8s.io",
        "priorityclasses",
        &priority("a", 2_000_000_000),
        &["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    );
    check(
        "scheduling.k8s.io",
        "priorityclasses",
        &priority("system-a", 5),
        &[
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-a is not a known system priority class",
        ],
    );
    check_update(
        "scheduling.k8s.io",
        "priorityclasses",
        &priority("a", 5),
        &priority("a", 6),
        &["value: Forbidden: may not be changed in an update."],
    );
}

#[test]
fn autoscalers_have_bounds_and_measures() {
    let scaler = |spec: Value| json!({ "spec": spec });
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    check(
        "autoscaling",
        "horizontalpodautoscalers",
        &scaler(json!({"scaleTargetRef": target, "maxReplicas": 3})),
        &[],
    );
    check(
        "autoscaling",
        "horizontalpodautoscalers",
        &scaler(json!({
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment"},
            "metrics": [{"type": "Resource"}, {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "Value", "value": "0"}}}],
        })),
        &[
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
            "spec.scaleTargetRef.name: Required value",
            "spec.metrics[0].resource: Required value: must populate information for the given metric source",
            r#"spec.metrics[1].pods.target.value: Invalid value: "0": must be positive"#,
            "spec.metrics[1].pods.target.averageValue: Required value: must specify a positive target averageValue",
            "spec.maxReplicas: Required value",
        ],
    );
}

#[test]
fn targets_of_autoscalers_are_outside_of_the_core_group_unless_they_were_not() {
    let scaler = |version: &str, kind: &str, name: &str| {
        let target = json!({"apiVersion": version, "kind": kind, "name": name});
        json!({"spec": {"scaleTargetRef": target, "maxReplicas": 3}})
    };
    let problem = |version: &str| {
        format!(
            r#"spec.scaleTargetRef.apiVersion: Invalid value: "{version}": apiVersion must specify API group"#
        )
    };
    let resource = "horizontalpodautoscalers";
    for version in ["", "v1"] {
        check("autoscaling", resource, &scaler(version, "ReplicationController", "a"), &[]);
        let unscalable = scaler(version, "Deployment", "a");
        check("autoscaling", resource, &unscalable, &[&problem(version)]);
        check_update("autoscaling", resource, &unscalable, &scaler(version, "Deployment", "b"), &[]);
        let other = scaler(version, "ReplicaSet", "a");
        check_update("autoscaling", resource, &unscalable, &other, &[&problem(version)]);
    }
}

#[test]
fn limits_and_quotas_make_sense() {
    check(
        "",
        "limitranges",
        &json!({"spec": {"limits": [
            {"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}},
            {"type": "Pod", "default": {"cpu": "1"}},
            {"type": "Other"},
        ]}}),
        &[
            r#"spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1"#,
            r#"spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1"#,
            r#"spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1"#,
            "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
            r#"spec.limits[2].type: Invalid value: "Other": must be a standard limit type or fully qualified"#,
        ],
    );
    check("", "resourcequotas", &json!({"spec": {"hard": {"pods": "5", "count/jobs.batch": "1"}}}), &[]);
    check(
        "",
        "resourcequotas",
        &json!({"spec": {"hard": {"pods": "500m", "nosuch": "1", "services": "1"}, "scopes": ["BestEffort"]}}),
        &[
            r#"spec.hard[nosuch]: Invalid value: "nosuch": must be a standard resource type or fully qualified"#,
            r#"spec.hard[nosuch]: Invalid value: "nosuch": must be a standard resource for quota"#,
            r#"spec.hard[pods]: Invalid value: "500m": must be an integer"#,
            r#"spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource"#,
        ],
    );
}

#[test]
fn whole_amounts_beyond_64_bits_are_read_as_upstream_does() {
    for (amount, is_integer) in [
        ("9223372036854775807", true),
        ("9223372036854775808", true),
        ("1e19", true),
        ("8Ei", true),
        ("7Ei", false),
        ("99999999999999999999", false),
        ("1500m", false),
    ] {
        let problem = format!(r#"spec.hard[secrets]: Invalid value: "{amount}": must be an integer"#);
        let problems = [problem.as_str()];
        let expected = if is_integer { &[][..] } else { &problems };
        check("", "resourcequotas", &json!({"spec": {"hard": {"secrets": amount, "cpu": amount}}}), expected);
    }
}

#[test]
fn the_status_of_a_quota_has_the_rules_of_its_spec() {
    let quota = json!({"status": {"hard": {"secrets": "-1"}, "used": {"nosuch": "1", "pods": "1m"}}});
    let resource = super::resource("", "resourcequotas");
    assert_eq!(
        super::shown(&super::status(resource, quota.as_object().expect("an object"), &super::Map::new())),
        [
            r#"status.hard[secrets]: Invalid value: "-1": must be greater than or equal to 0"#,
            r#"status.used[nosuch]: Invalid value: "nosuch": must be a standard resource type or fully qualified"#,
            r#"status.used[nosuch]: Invalid value: "nosuch": must be a standard resource for quota"#,
            r#"status.used[pods]: Invalid value: "1m": must be an integer"#,
        ]
    );
}

#[test]
fn namespaces_ask_for_known_pod_security_standards() {
    let labelled = |labels: Value| json!({"metadata": {"labels": labels}});
    let valid = json!({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
        "pod-security.kubernetes.io/audit-version": "v1.30",
        "pod-security.kubernetes.io/other": "x",
    });
    check("", "namespaces", &labelled(valid.clone()), &[]);
    let invalid = json!({
        "pod-security.kubernetes.io/enforce": "",
        "pod-security.kubernetes.io/enforce-version": "v1.01",
        "pod-security.kubernetes.io/warn": "foo",
    });
    let problems = [
        r#"metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "": must be one of privileged, baseline, restricted"#,
        r#"metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "v1.01": must be "latest" or "v1.x""#,
        r#"metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "foo": must be one of privileged, baseline, restricted"#,
    ];
    check("", "namespaces", &labelled(invalid.clone()), &problems);
    check_update("", "namespaces", &labelled(valid), &labelled(invalid.clone()), &problems);
    check_update("", "namespaces", &labelled(invalid.clone()), &labelled(invalid), &[]);
}

#[test]
fn small_kinds_have_small_rules() {
    check(
        "policy",
        "poddisruptionbudgets",
        &json!({"spec": {"minAvailable": "101%", "maxUnavailable": -1}}),
        &[
            r#"spec: Invalid value: {"maxUnavailable":-1,"minAvailable":"101%"}: minAvailable and maxUnavailable cannot be both set"#,
            r#"spec.minAvailable: Invalid value: "101%": must not be greater than 100%"#,
            "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0",
        ],
    );
    check(
        "coordination.k8s.io",
        "leases",
        &json!({"spec": {"leaseDurationSeconds": 0}}),
        &["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    );
    check(
        "node.k8s.io",
        "runtimeclasses",
        &json!({"handler": "A"}),
        &[&format!(r#"handler: Invalid value: "A": {LABEL}"#)],
    );
    check(
        "",
        "namespaces",
        &json!({"spec": {"finalizers": ["mine"]}}),
        &[
            r#"spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified"#,
        ],
    );
    check(
        "",
        "events",
        &json!({"involvedObject": {"namespace": "other"}}),
        &[r#"involvedObject.namespace: Invalid value: "other": does not match event.namespace"#],
    );
    check(
        "",
        "events",
        &json!({"metadata": {"name": "A.b:c"}, "involvedObject": {"namespace": "shop"}}),
        &[],
    );
    check(
        "",
        "nodes",
        &json!({"metadata": {"name": "N"}, "spec": {"taints": [{"key": "k", "effect": "No"}], "podCIDR": "10.0.0.0"}}),
        &[
            &format!(r#"metadata.name: Invalid value: "N": {SUBDOMAIN}"#),
            r#"metadata.taints[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
            r#"spec.podCIDRs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"#,
        ],
    );
}

#[test]
fn webhooks_say_whom_to_call_when() {
    let hook = json!({
        "name": "a.b.c",
        "clientConfig": {"url": "https://x/y"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}],
    });
    let configuration = |hook: Value| json!({"webhooks": [hook]});
    let group = "admissionregistration.k8s.io";
    check(group, "validatingwebhookconfigurations", &configuration(hook.clone()), &[]);
    let mut wrong = with(hook, "/name", json!("a.b"));
    wrong = with(wrong, "/clientConfig", json!({"url": "http://u@/?q"}));
    wrong = with(wrong, "/sideEffects", json!("Some"));
    wrong = with(wrong, "/timeoutSeconds", json!(31));
    wrong = with(wrong, "/rules/0/operations", json!(["*", "GET"]));
    check(
        group,
        "mutatingwebhookconfigurations",
        &configuration(wrong),
        &[
            r#"webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots"#,
            r#"webhooks[0].rules[0].operations: Invalid value: ["*","GET"]: if '*' is present, must not specify other operations"#,
            r#"webhooks[0].rules[0].operations[1]: Unsupported value: "GET": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE""#,
            r#"webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun""#,
            "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
            r#"webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]"#,
            r#"webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]"#,
            r#"webhooks[0].clientConfig.url: Invalid value: "u": user information is not permitted in the URL"#,
            r#"webhooks[0].clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL"#,
        ],
    );
}
