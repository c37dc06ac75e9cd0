//! Objects, and the same objects after defaulting.

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::decode;
use serde_json::json;

use super::*;

fn resource(group: &str, version: &str, plural: &str) -> &'static ResourceSchema {
    klient_schema::resource(group, version, plural).expect("a built-in resource")
}

fn read(resource: &ResourceSchema, value: Value) -> Map {
    let Value::Object(object) = value else { panic!("not an object") };
    let mut object = decode(object, resource.schema).expect("it decodes").object;
    apply(resource, &mut object);
    object
}

#[track_caller]
fn check(resource: &ResourceSchema, value: Value, expected: Value) {
    assert_eq!(Value::Object(read(resource, value)), expected);
}

#[track_caller]
fn check_create(resource: &ResourceSchema, value: Value, expected: Value) {
    let mut object = read(resource, value);
    prepare_create(resource, &mut object);
    assert_eq!(Value::Object(object), expected);
}

#[track_caller]
fn check_update(resource: &ResourceSchema, old: Value, value: Value, expected: Value) {
    let mut before = read(resource, old);
    prepare_create(resource, &mut before);
    let mut object = read(resource, value);
    prepare_update(resource, &mut object, &before);
    assert_eq!(Value::Object(object), expected);
}

/// A container after defaulting.
fn container(more: Value) -> Value {
    let mut container = json!({
        "name": "c",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always",
    });
    merge(&mut container, more);
    container
}

/// The spec of a template after defaulting.
fn template_spec(more: Value) -> Value {
    let mut spec = json!({
        "containers": [container(json!({"image": "x"}))],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    });
    merge(&mut spec, more);
    spec
}

fn pod_spec(more: Value) -> Value {
    let mut spec = template_spec(json!({"enableServiceLinks": true}));
    merge(&mut spec, more);
    spec
}

fn merge(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else { panic!("not objects") };
    into.extend(more);
}

const SPEC: &str = r#"{"containers": [{"name": "c", "image": "x"}]}"#;

fn spec() -> Value {
    serde_json::from_str(SPEC).unwrap()
}

#[test]
fn every_default_of_a_pod_is_set() {
    let pods = resource("", "v1", "pods");
    check(
        pods,
        json!({"metadata": {"name": "p"}, "spec": spec()}),
        json!({"metadata": {"name": "p"}, "spec": pod_spec(json!({})), "status": {}}),
    );
    let toleration = |key: &str| json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let admitted = pod_spec(json!({
        "tolerations": [toleration("not-ready"), toleration("unreachable")],
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
    }));
    check_create(
        pods,
        json!({"metadata": {"name": "p"}, "spec": spec()}),
        json!({"metadata": {"name": "p"}, "spec": admitted, "status": {"phase": "Pending", "qosClass": "BestEffort"}}),
    );
    check_update(
        pods,
        json!({"metadata": {"name": "p"}, "spec": spec()}),
        json!({"metadata": {"name": "p"}, "spec": spec()}),
        json!({"metadata": {"name": "p"}, "spec": admitted, "status": {}}),
    );
}

#[test]
fn defaults_of_containers_depend_on_what_is_set() {
    let pods = resource("", "v1", "pods");
    let given = json!({
        "hostNetwork": true,
        "terminationGracePeriodSeconds": -5,
        "serviceAccount": "robot",
        "containers": [{
            "name": "c",
            "image": "registry:5000/x@sha256:0",
            "ports": [{"containerPort": 80}],
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "livenessProbe": {"httpGet": {"port": 80}},
            "readinessProbe": {"grpc": {"port": 80}, "periodSeconds": 5},
            "lifecycle": {"preStop": {"httpGet": {"port": "web", "path": "/stop"}}},
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.1001"}},
        }],
    });
    let probe = |more: Value| {
        let mut probe =
            json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
        merge(&mut probe, more);
        probe
    };
    let expected = container(json!({
        "image": "registry:5000/x@sha256:0",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}],
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
        "livenessProbe": probe(json!({"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}})),
        "readinessProbe": probe(json!({"grpc": {"port": 80, "service": ""}, "periodSeconds": 5})),
        "lifecycle": {"preStop": {"httpGet": {"port": "web", "path": "/stop", "scheme": "HTTP"}}},
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "101m", "memory": "1Gi"}},
    }));
    let expected = pod_spec(json!({
        "hostNetwork": true,
        "terminationGracePeriodSeconds": 1,
        "serviceAccount": "robot",
        "serviceAccountName": "robot",
        "containers": [expected],
    }));
    check(pods, json!({"spec": given}), json!({"metadata": {}, "spec": expected, "status": {}}));
}

#[test]
fn images_that_may_change_are_pulled_always() {
    for (image, policy) in [
        ("x", "Always"),
        ("x:latest", "Always"),
        ("x:latest@sha256:0", "Always"),
        ("localhost:5000/a/x", "Always"),
        ("Example.com/x", "Always"),
        ("x:1", "IfNotPresent"),
        ("localhost:5000/x:1", "IfNotPresent"),
        ("x@sha256:0", "IfNotPresent"),
        ("Bad Image", "IfNotPresent"),
        ("", "IfNotPresent"),
    ] {
        assert_eq!(pod::pull_policy(image), policy, "{image}");
    }
}

#[test]
fn volumes_get_their_modes_and_types() {
    let given = json!([
        {"name": "nothing"},
        {"name": "host", "hostPath": {"path": "/x"}},
        {"name": "secret", "secret": {"secretName": "s"}},
        {"name": "map", "configMap": {"name": "m", "defaultMode": 0}},
        {"name": "down", "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"name": "many", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        {"name": "disk", "azureDisk": {"diskName": "d", "diskURI": "u"}},
        {"name": "rbd", "rbd": {"monitors": [], "image": "i"}},
        {"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        {"name": "image", "image": {"reference": "x:1"}},
    ]);
    let expected = json!([
        {"name": "nothing", "emptyDir": {}},
        {"name": "host", "hostPath": {"path": "/x", "type": ""}},
        {"name": "secret", "secret": {"secretName": "s", "defaultMode": 420}},
        {"name": "map", "configMap": {"name": "m", "defaultMode": 0}},
        {"name": "down", "downwardAPI": {
            "items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}],
            "defaultMode": 420,
        }},
        {"name": "many", "projected": {
            "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
            "defaultMode": 420,
        }},
        {"name": "disk", "azureDisk": {
            "diskName": "d", "diskURI": "u", "cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": false,
        }},
        {"name": "rbd", "rbd": {"monitors": [], "image": "i", "pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}},
        {"name": "claim", "ephemeral": {
            "volumeClaimTemplate": {"metadata": {}, "spec": {"resources": {}, "volumeMode": "Filesystem"}},
        }},
        {"name": "image", "image": {"reference": "x:1", "pullPolicy": "IfNotPresent"}},
    ]);
    let mut given_spec = spec();
    merge(&mut given_spec, json!({"volumes": given}));
    check(
        resource("", "v1", "podtemplates"),
        json!({"template": {"spec": given_spec}}),
        json!({"metadata": {}, "template": {"metadata": {}, "spec": template_spec(json!({"volumes": expected}))}}),
    );
}

#[test]
fn every_default_of_a_deployment_is_set() {
    check(
        resource("apps", "v1", "deployments"),
        json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": spec()}}}),
        json!({
            "metadata": {"name": "d"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {}, "spec": template_spec(json!({}))},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
            },
            "status": {},
        }),
    );
    let recreate = read(
        resource("apps", "v1", "deployments"),
        json!({"spec": {"replicas": 0, "strategy": {"type": "Recreate"}, "template": {}}}),
    );
    assert_eq!(recreate["spec"]["strategy"], json!({"type": "Recreate"}));
    assert_eq!(recreate["spec"]["replicas"], 0);
}

#[test]
fn other_workloads_get_theirs() {
    let defaults = |plural: &str, group: &str, given: Value| {
        let mut object = read(resource(group, "v1", plural), given);
        let mut spec = object.remove("spec").expect("a spec");
        spec.as_object_mut().expect("an object").remove("template");
        spec
    };
    assert_eq!(
        defaults("statefulsets", "apps", json!({"spec": {"template": {}}})),
        json!({
            "replicas": 1,
            "serviceName": "",
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
            "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        })
    );
    assert_eq!(
        defaults("daemonsets", "apps", json!({"spec": {"template": {}}})),
        json!({
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "revisionHistoryLimit": 10,
        })
    );
    assert_eq!(defaults("replicasets", "apps", json!({})), json!({"replicas": 1}));
    assert_eq!(
        defaults(
            "replicationcontrollers",
            "",
            json!({"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}})
        ),
        json!({"replicas": 1, "selector": {"a": "b"}})
    );
    assert_eq!(
        defaults("jobs", "batch", json!({"spec": {"parallelism": 2, "podFailurePolicy": {"rules": []}}})),
        json!({
            "parallelism": 2,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": false,
            "podReplacementPolicy": "Failed",
            "manualSelector": false,
            "podFailurePolicy": {"rules": []},
        })
    );
}

#[test]
fn a_job_gets_its_selector_from_its_uid() {
    let uids = json!({
        "job-name": "j",
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u",
        "batch.kubernetes.io/controller-uid": "u",
    });
    check_create(
        resource("batch", "v1", "jobs"),
        json!({"metadata": {"name": "j", "uid": "u"}, "spec": {"template": {"spec": spec()}}}),
        json!({
            "metadata": {"name": "j", "uid": "u", "labels": uids},
            "spec": {
                "completions": 1,
                "parallelism": 1,
                "backoffLimit": 6,
                "completionMode": "NonIndexed",
                "suspend": false,
                "podReplacementPolicy": "TerminatingOrFailed",
                "manualSelector": false,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
                "template": {"metadata": {"labels": uids}, "spec": template_spec(json!({}))},
            },
            "status": {},
        }),
    );
}

#[test]
fn every_default_of_a_service_is_set() {
    let services = resource("", "v1", "services");
    check(
        services,
        json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}),
        json!({
            "metadata": {"name": "s"},
            "spec": {
                "ports": [{"protocol": "TCP", "port": 80, "targetPort": 80}],
                "type": "ClusterIP",
                "sessionAffinity": "None",
                "internalTrafficPolicy": "Cluster",
            },
            "status": {"loadBalancer": {}},
        }),
    );
    let prepared = |spec: Value| {
        let mut object = read(services, json!({ "spec": spec }));
        prepare_create(services, &mut object);
        object["spec"].clone()
    };
    assert_eq!(
        prepared(
            json!({"type": "LoadBalancer", "sessionAffinity": "ClientIP", "ports": [{"port": 1, "targetPort": "x"}]})
        ),
        json!({
            "ports": [{"protocol": "TCP", "port": 1, "targetPort": "x"}],
            "type": "LoadBalancer",
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
            "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster",
            "allocateLoadBalancerNodePorts": true,
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
        })
    );
    assert_eq!(
        prepared(json!({"clusterIP": "None", "selector": {"a": "b"}})),
        json!({
            "type": "ClusterIP",
            "clusterIP": "None",
            "clusterIPs": ["None"],
            "selector": {"a": "b"},
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
        })
    );
    assert_eq!(prepared(json!({"clusterIP": "None"}))["ipFamilies"], json!(["IPv4", "IPv6"]));
    assert_eq!(
        prepared(json!({"type": "ExternalName", "externalName": "x"})),
        json!({"type": "ExternalName", "externalName": "x", "sessionAffinity": "None"})
    );
}

#[test]
fn a_service_keeps_what_was_allocated() {
    let services = resource("", "v1", "services");
    let old = json!({"spec": {
        "type": "NodePort",
        "clusterIP": "10.0.0.9",
        "ports": [{"port": 80, "nodePort": 30080}],
    }});
    let updated = |spec: Value| {
        let mut before = read(services, old.clone());
        prepare_create(services, &mut before);
        let mut object = read(services, json!({ "spec": spec }));
        prepare_update(services, &mut object, &before);
        object["spec"].clone()
    };
    let kept = updated(json!({"type": "NodePort", "ports": [{"port": 80}]}));
    assert_eq!(kept["clusterIPs"], json!(["10.0.0.9"]));
    assert_eq!(kept["ports"][0]["nodePort"], 30080);
    let changed = updated(
        json!({"clusterIP": "10.0.0.77", "clusterIPs": ["10.0.0.9"], "ports": [{"port": 80, "nodePort": 30080}]}),
    );
    assert_eq!(changed["clusterIPs"], json!(["10.0.0.77"]));
    assert_eq!(changed["ports"][0].get("nodePort"), None);
    let external = updated(json!({
        "type": "ExternalName",
        "externalName": "x",
        "clusterIP": "10.0.0.9",
        "clusterIPs": ["10.0.0.9"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "externalTrafficPolicy": "Cluster",
    }));
    assert_eq!(external, json!({"type": "ExternalName", "externalName": "x", "sessionAffinity": "None"}));
}

#[test]
fn a_namespace_is_active_and_labelled() {
    check_create(
        resource("", "v1", "namespaces"),
        json!({"metadata": {"name": "x"}}),
        json!({
            "metadata": {"name": "x", "labels": {"kubernetes.io/metadata.name": "x"}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }),
    );
}

#[test]
fn text_of_a_secret_becomes_data() {
    check(
        resource("", "v1", "secrets"),
        json!({"data": {"a": "eA==", "b": "eA=="}, "stringData": {"a": "new", "c": ""}}),
        json!({"metadata": {}, "type": "Opaque", "data": {"a": "bmV3", "b": "eA==", "c": ""}}),
    );
}

#[test]
fn smaller_kinds_get_theirs() {
    check(
        resource("rbac.authorization.k8s.io", "v1", "rolebindings"),
        json!({"subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}], "roleRef": {"kind": "Role", "name": "r"}}),
        json!({
            "metadata": {},
            "subjects": [
                {"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"},
                {"kind": "ServiceAccount", "name": "s"},
            ],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        }),
    );
    check(
        resource("networking.k8s.io", "v1", "networkpolicies"),
        json!({"spec": {"egress": [{"ports": [{"port": 53}]}]}}),
        json!({
            "metadata": {},
            "spec": {
                "podSelector": {},
                "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
                "policyTypes": ["Ingress", "Egress"],
            },
        }),
    );
    check(
        resource("storage.k8s.io", "v1", "storageclasses"),
        json!({"provisioner": "p"}),
        json!({"metadata": {}, "provisioner": "p", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
    );
    check(
        resource("", "v1", "limitranges"),
        json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}]}}),
        json!({"metadata": {}, "spec": {"limits": [{
            "type": "Container",
            "max": {"cpu": "2"},
            "min": {"memory": "1Mi"},
            "default": {"cpu": "2"},
            "defaultRequest": {"cpu": "2", "memory": "1Mi"},
        }]}}),
    );
    check(
        resource("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations"),
        json!({"webhooks": [{
            "name": "w.x.y",
            "clientConfig": {"service": {"namespace": "n", "name": "s"}},
            "rules": [{"operations": ["*"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }]}),
        json!({"metadata": {}, "webhooks": [{
            "name": "w.x.y",
            "clientConfig": {"service": {"namespace": "n", "name": "s", "port": 443}},
            "rules": [{"operations": ["*"], "scope": "*"}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "timeoutSeconds": 10,
            "reinvocationPolicy": "Never",
        }]}),
    );
    check_create(
        resource("", "v1", "persistentvolumeclaims"),
        json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}}),
        json!({
            "metadata": {"finalizers": ["kubernetes.io/pvc-protection"]},
            "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"},
            "status": {"phase": "Pending"},
        }),
    );
}

#[test]
fn quality_of_service_follows_resources() {
    let class = |requests: Value, limits: Value| {
        let resources = json!({"requests": requests, "limits": limits});
        let pod = json!({"spec": {"containers": [{ "resources": resources }]}});
        qos::class(pod.as_object().expect("an object"))
    };
    assert_eq!(class(json!({}), json!({})), "BestEffort");
    assert_eq!(class(json!({"cpu": "1"}), json!({})), "Burstable");
    assert_eq!(class(json!({"cpu": "1"}), json!({"cpu": "1"})), "Burstable");
    assert_eq!(
        class(json!({"cpu": "1", "memory": "1Gi"}), json!({"cpu": "1000m", "memory": "1024Mi"})),
        "Guaranteed"
    );
    assert_eq!(class(json!({"example.com/gpu": "1"}), json!({"example.com/gpu": "1"})), "BestEffort");
}

#[test]
fn defaults_keep_the_form_of_objects() {
    for resource in klient_schema::RESOURCES.iter().copied().flatten() {
        let mut object = klient_apimachinery::values::empty(resource.schema);
        apply(resource, &mut object);
        let mut again = object.clone();
        apply(resource, &mut again);
        assert_eq!(object, again, "{}", resource.kind);
        prepare_create(resource, &mut object);
        let decoded = decode(object.clone(), resource.schema).expect("it decodes").object;
        assert_eq!(object, decoded, "{}", resource.kind);
        prepare_update(resource, &mut object, &Map::new());
        prepare_update(resource, &mut Map::new(), &object);
    }
}
