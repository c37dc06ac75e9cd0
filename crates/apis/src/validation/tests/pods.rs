//! Pods and their parts.

use serde_json::{Value, json};

use super::{LABEL, SUBDOMAIN, check, check_update, read, resource, with};
use crate::defaults;

fn pod() -> Value {
    json!({"spec": {"containers": [{"name": "c", "image": "x"}]}})
}

/// A Pod with another value at a pointer.
#[track_caller]
fn refused(pointer: &str, value: Value, expected: &[&str]) {
    check("", "pods", &with(pod(), pointer, value), expected);
}

#[track_caller]
fn refused_update(pointer: &str, value: Value, expected: &[&str]) {
    check_update("", "pods", &pod(), &with(pod(), pointer, value), expected);
}

#[test]
fn containers_need_names_and_images() {
    check("", "pods", &pod(), &[]);
    check("", "pods", &json!({}), &["spec.containers: Required value"]);
    refused(
        "/spec/containers",
        json!([{"image": "x"}, {"name": "C_"}, {"name": "C_", "image": " x"}]),
        &[
            "spec.containers[0].name: Required value",
            &format!(r#"spec.containers[1].name: Invalid value: "C_": {LABEL}"#),
            "spec.containers[1].image: Required value",
            &format!(r#"spec.containers[2].name: Invalid value: "C_": {LABEL}"#),
            r#"spec.containers[2].name: Duplicate value: "C_""#,
            r#"spec.containers[2].image: Invalid value: " x": must not have leading or trailing whitespace"#,
        ],
    );
    refused(
        "/spec/containers/0/imagePullPolicy",
        json!("Sometimes"),
        &[
            r#"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
        ],
    );
    refused(
        "/spec/initContainers",
        json!([{"name": "c", "image": "x", "livenessProbe": {"exec": {"command": ["a"]}}}]),
        &[
            r#"spec.initContainers[0].name: Duplicate value: "c""#,
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
        ],
    );
    refused(
        "/spec/ephemeralContainers",
        json!([{"name": "e", "image": "x", "targetContainerName": "d"}]),
        &[
            r#"spec.ephemeralContainers[0].targetContainerName: Not found: "d""#,
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ],
    );
}

#[test]
fn ports_are_in_range_and_told_apart() {
    refused(
        "/spec/containers/0/ports",
        json!([
            {"containerPort": 70000, "name": "http"},
            {"containerPort": 80, "name": "http", "protocol": "tcp"},
            {"containerPort": 81, "hostPort": 81},
            {"containerPort": 82, "hostPort": 81},
            {"name": "80"},
        ]),
        &[
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            r#"spec.containers[0].ports[1].name: Duplicate value: "http""#,
            r#"spec.containers[0].ports[1].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#,
            r#"spec.containers[0].ports[4].name: Invalid value: "80": must contain at least one letter (a-z)"#,
            "spec.containers[0].ports[4].containerPort: Required value",
            r#"spec.containers[0].ports[3].hostPort: Duplicate value: "TCP//81""#,
        ],
    );
    check(
        "",
        "pods",
        &json!({"spec": {"hostNetwork": true, "containers": [
            {"name": "c", "image": "x", "ports": [{"containerPort": 80, "hostPort": 81}]},
        ]}}),
        &[
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
        ],
    );
}

#[test]
fn the_environment_names_what_it_is_from() {
    refused(
        "/spec/containers/0/env",
        json!([
            {"value": "1"},
            {"name": "a=b"},
            {"name": "A", "valueFrom": {}},
            {"name": "B", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a/b"}}},
            {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "spec.nosuch"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
            {"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}},
        ]),
        &[
            "spec.containers[0].env[0].name: Required value",
            r#"spec.containers[0].env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
            r#"spec.containers[0].env[2].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"#,
            r#"spec.containers[0].env[3].valueFrom.secretKeyRef.key: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"#,
            r#"spec.containers[0].env[3].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#,
            r#"spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nosuch": error converting fieldPath: field label not supported: spec.nosuch"#,
            r#"spec.containers[0].env[5].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#,
            r#"spec.containers[0].env[6].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource"#,
        ],
    );
    refused(
        "/spec/containers/0/envFrom",
        json!([{"prefix": "p"}]),
        &[
            r#"spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`"#,
        ],
    );
}

#[test]
fn volumes_are_named_and_mounted() {
    let mounts = json!([{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/a"}, {"name": "v"}]);
    let with_volumes = |volumes: Value| with(pod(), "/spec/volumes", volumes);
    check(
        "",
        "pods",
        &with(
            with_volumes(json!([{"name": "v", "emptyDir": {}}])),
            "/spec/containers/0/volumeMounts",
            mounts,
        ),
        &[
            r#"spec.containers[0].volumeMounts[1].name: Not found: "w""#,
            r#"spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique"#,
            "spec.containers[0].volumeMounts[2].mountPath: Required value",
        ],
    );
    check(
        "",
        "pods",
        &with_volumes(json!([
            {"name": "a", "emptyDir": {}},
            {"name": "a", "hostPath": {"path": "/a/../b", "type": "Dir"}},
            {"name": "b", "emptyDir": {}, "secret": {"secretName": "s"}},
            {"name": "c", "configMap": {"items": [{"key": "k", "path": "/x"}], "defaultMode": 4096}},
            {"emptyDir": {}},
        ])),
        &[
            r#"spec.volumes[1].hostPath.path: Invalid value: "/a/../b": must not contain '..'"#,
            r#"spec.volumes[1].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket""#,
            r#"spec.volumes[1].name: Duplicate value: "a""#,
            "spec.volumes[2].secret: Forbidden: may not specify more than 1 volume type",
            "spec.volumes[3].configMap.name: Required value",
            "spec.volumes[3].configMap.defaultMode: Invalid value: 4096: must be a number between 0 and 0777 (octal), both inclusive",
            r#"spec.volumes[3].configMap.items[0].path: Invalid value: "/x": must be a relative path"#,
            "spec.volumes[4].name: Required value",
        ],
    );
}

#[test]
fn requests_stay_within_limits() {
    refused(
        "/spec/containers/0/resources",
        json!({
            "limits": {"cpu": "1", "example.com/gpu": "500m", "nosuch": "1"},
            "requests": {"cpu": "2", "memory": "-1", "example.com/gpu": "500m", "nosuch": "1"},
        }),
        &[
            r#"spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer"#,
            r#"spec.containers[0].resources.limits[nosuch]: Invalid value: "nosuch": must be a standard resource type or fully qualified"#,
            r#"spec.containers[0].resources.limits[nosuch]: Invalid value: "nosuch": must be a standard resource for containers"#,
            r#"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
            r#"spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer"#,
            r#"spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0"#,
            r#"spec.containers[0].resources.requests[nosuch]: Invalid value: "nosuch": must be a standard resource type or fully qualified"#,
            r#"spec.containers[0].resources.requests[nosuch]: Invalid value: "nosuch": must be a standard resource for containers"#,
        ],
    );
    refused(
        "/spec/containers/0/resources",
        json!({"requests": {"example.com/gpu": "1"}}),
        &[
            "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
        ],
    );
}

#[test]
fn probes_do_one_thing() {
    refused(
        "/spec/containers/0/livenessProbe",
        json!({
            "exec": {},
            "httpGet": {"port": "http"},
            "initialDelaySeconds": -1,
            "successThreshold": 2,
            "terminationGracePeriodSeconds": 0,
        }),
        &[
            "spec.containers[0].livenessProbe.exec.command: Required value",
            "spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
            "spec.containers[0].livenessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0",
            "spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ],
    );
    refused(
        "/spec/containers/0/readinessProbe",
        json!({}),
        &["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
    );
    refused(
        "/spec/containers/0/lifecycle",
        json!({"preStop": {"httpGet": {"port": 0, "scheme": "ftp"}}}),
        &[
            "spec.containers[0].lifecycle.preStop.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
            r#"spec.containers[0].lifecycle.preStop.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS""#,
        ],
    );
}

#[test]
fn the_spec_has_known_policies_and_names() {
    refused(
        "/spec/restartPolicy",
        json!("Sometimes"),
        &[
            r#"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never""#,
        ],
    );
    refused(
        "/spec/dnsPolicy",
        json!("None"),
        &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    );
    refused(
        "/spec/activeDeadlineSeconds",
        json!(0),
        &["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    );
    refused(
        "/spec/hostAliases",
        json!([{"ip": "1.2.3", "hostnames": ["A"]}]),
        &[
            r#"spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
            &format!(r#"spec.hostAliases[0].hostnames[0]: Invalid value: "A": {SUBDOMAIN}"#),
        ],
    );
    refused(
        "/spec/tolerations",
        json!([
            {"operator": "Equal"},
            {"key": "k", "operator": "Exists", "value": "v", "tolerationSeconds": 1},
            {"key": "k", "operator": "In", "effect": "No"},
        ]),
        &[
            r#"spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys""#,
            r#"spec.tolerations[1].effect: Invalid value: "": effect must be 'NoExecute' when `tolerationSeconds` is set"#,
            r#"spec.tolerations[1].operator: Invalid value: "v": value must be empty when `operator` is 'Exists'"#,
            r#"spec.tolerations[2].operator: Unsupported value: "In": supported values: "Equal", "Exists""#,
            r#"spec.tolerations[2].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#,
        ],
    );
    refused(
        "/spec/affinity",
        json!({
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}},
            "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 0, "podAffinityTerm": {"topologyKey": "a", "labelSelector": {"matchExpressions": [{"key": "k", "operator": "In"}]}}},
            ]},
        }),
        &[
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ],
    );
    refused(
        "/spec/topologySpreadConstraints",
        json!([{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "x"}]),
        &[
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
            "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
            r#"spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: "DoNotSchedule", "ScheduleAnyway""#,
        ],
    );
    refused(
        "/spec/securityContext",
        json!({"runAsUser": -1, "seccompProfile": {"type": "Localhost"}, "sysctls": [{"name": "A"}]}),
        &[
            "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
            r#"spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"#,
            "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
        ],
    );
}

#[test]
fn annotations_of_pods_and_templates_mean_what_they_say() {
    let cases = [
        ("seccomp.security.alpha.kubernetes.io/pod", "runtime/default", None),
        (
            "seccomp.security.alpha.kubernetes.io/pod",
            "foo",
            Some(
                r#".seccomp.security.alpha.kubernetes.io/pod: Invalid value: "foo": must be a valid seccomp profile"#,
            ),
        ),
        (
            "container.seccomp.security.alpha.kubernetes.io/other",
            "localhost/../x",
            Some(
                r#".container.seccomp.security.alpha.kubernetes.io/other: Invalid value: "../x": must not contain '..'"#,
            ),
        ),
        ("container.apparmor.security.beta.kubernetes.io/c", "localhost/x", None),
        (
            "container.apparmor.security.beta.kubernetes.io/c",
            "foo",
            Some(
                r#"[container.apparmor.security.beta.kubernetes.io/c]: Invalid value: "foo": invalid AppArmor profile name: "foo""#,
            ),
        ),
        (
            "container.apparmor.security.beta.kubernetes.io/d",
            "unconfined",
            Some(
                r#"[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found"#,
            ),
        ),
        (
            "kubernetes.io/config.mirror",
            "x",
            Some(
                r#"[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set"#,
            ),
        ),
        ("scheduler.alpha.kubernetes.io/tolerations", "[]", None),
        (
            "scheduler.alpha.kubernetes.io/tolerations",
            "x",
            Some(
                r#": Invalid value: "scheduler.alpha.kubernetes.io/tolerations": invalid character 'x' looking for beginning of value"#,
            ),
        ),
        (
            "controller.kubernetes.io/pod-deletion-cost",
            "01",
            Some(
                r#"[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "01": must be a 32bit integer"#,
            ),
        ),
    ];
    for (key, value, problem) in cases {
        let mut annotated = pod();
        annotated["metadata"] = json!({"annotations": {key: value}});
        let of = |path: &str| problem.map(|problem| format!("{path}.annotations{problem}"));
        let refused = of("metadata");
        check("", "pods", &annotated, &refused.iter().map(String::as_str).collect::<Vec<_>>());
        let refused = of("template");
        let template = json!({"template": annotated});
        check("", "podtemplates", &template, &refused.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let mut profiled = pod();
    profiled["metadata"] =
        json!({"annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}});
    let path = "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden";
    let added = format!("{path}: may not add AppArmor annotations");
    check_update("", "pods", &pod(), &profiled, &[&added]);
    let removed = format!("{path}: may not remove or update AppArmor annotations");
    check_update("", "pods", &profiled, &pod(), &[&removed]);
}

#[test]
fn little_of_a_pod_can_change() {
    let only = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    refused_update("/spec/containers/0/image", json!("y:1"), &[only]);
    let pulled = with(pod(), "/spec/containers/0/imagePullPolicy", json!("Always"));
    check_update("", "pods", &pulled, &with(pulled.clone(), "/spec/containers/0/image", json!("y:1")), &[]);
    refused_update("/spec/activeDeadlineSeconds", json!(5), &[]);
    refused_update("/spec/tolerations", json!([{"key": "k", "operator": "Exists"}]), &[]);
    refused_update("/metadata/labels", json!({"a": "b"}), &[]);
    refused_update("/spec/hostNetwork", json!(true), &[only]);
    refused_update("/spec/nodeName", json!("n"), &[only]);
    refused_update(
        "/spec/containers",
        json!([{"name": "c", "image": "x"}, {"name": "d", "image": "x"}]),
        &["spec.containers: Forbidden: pod updates may not add or remove containers"],
    );
    refused_update(
        "/spec/schedulingGates",
        json!([{"name": "a/b"}]),
        &[
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a/b'",
        ],
    );
    let tolerant = with(pod(), "/spec/tolerations", json!([{"key": "k", "operator": "Exists"}]));
    check_update(
        "",
        "pods",
        &tolerant,
        &pod(),
        &[
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
        ],
    );
    let gated = with(pod(), "/spec/schedulingGates", json!([{"name": "a/b"}]));
    check_update("", "pods", &gated, &with(pod(), "/spec/nodeSelector", json!({"a": "b"})), &[]);
    check_update("", "pods", &gated, &with(pod(), "/spec/affinity", json!({"nodeAffinity": {}})), &[]);
}

#[test]
fn ephemeral_containers_stay_as_they_are() {
    let with = |containers: Value| {
        let resource = resource("", "pods");
        let mut pod = read(resource, &with(pod(), "/spec/ephemeralContainers", containers));
        defaults::prepare_create(resource, &mut pod);
        pod
    };
    let before = with(json!([{"name": "e", "image": "x"}]));
    let problem = |change: &str| {
        format!(
            "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be {change}\n"
        )
    };
    for (containers, expected) in [
        (json!([{"name": "f", "image": "x"}, {"name": "e", "image": "x"}]), None),
        (json!([{"name": "e", "image": "y"}]), Some(problem("changed"))),
        (json!([]), Some(problem("removed"))),
    ] {
        let errors = crate::validation::ephemeral_containers(&with(containers), &before);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, Vec::from_iter(expected));
    }
}
