//! Warnings of new objects, as kube-apiserver words them.

use serde_json::{Value, json};

use super::*;

/// Checks the warnings of a new object.
#[track_caller]
fn check((group, version, kind): (&str, &str, &str), object: Value, expected: &[&str]) {
    changed((group, version, kind), object, None, expected);
}

#[track_caller]
fn changed((group, version, kind): (&str, &str, &str), object: Value, old: Option<Value>, expected: &[&str]) {
    let served = klient_schema::RESOURCES.iter().copied().flatten();
    let mut same =
        served.filter(|resource| (resource.group, resource.version, resource.kind) == (group, version, kind));
    let resource = same.next().expect("the kind is known");
    let old = old.map(|old| old.as_object().cloned().expect("an object"));
    let said = super::object(resource, object.as_object().expect("an object"), old.as_ref());
    assert_eq!(said, expected, "{object}");
}

const POD: (&str, &str, &str) = ("", "v1", "Pod");
const DEPLOYMENT: (&str, &str, &str) = ("apps", "v1", "Deployment");
const SERVICE: (&str, &str, &str) = ("", "v1", "Service");

#[track_caller]
fn check_spec(spec: Value, expected: &[&str]) {
    check(POD, json!({"metadata": {"name": "p"}, "spec": spec}), expected);
    let template = json!({"metadata": {"name": "d"}, "spec": {"template": {"metadata": {}, "spec": spec}}});
    let below: Vec<String> = expected
        .iter()
        .map(|text| {
            text.replacen("spec.", "spec.template.spec.", if text.contains("with spec.") { 9 } else { 1 })
        })
        .collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    check(DEPLOYMENT, template, &below);
}

#[test]
fn containers_are_looked_into() {
    let hides = "which may be dropped when using apply";
    check_spec(
        json!({"containers": [{"name": "c", "env": [
            {"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "A", "value": "$(A)"},
            {"name": "A", "value": "$(A)1"}, {"name": "A", "valueFrom": {}},
        ]}]}),
        &[
            &format!("spec.containers[0].env[1]: hides previous definition of \"A\", {hides}"),
            &format!("spec.containers[0].env[2]: hides previous definition of \"A\", {hides}"),
            &format!("spec.containers[0].env[4]: hides previous definition of \"A\", {hides}"),
        ],
    );
    check_spec(
        json!({"initContainers": [{"name": "i", "resources": {"limits": {"memory": "100m", "cpu": "100m"}}}],
            "overhead": {"memory": "1500m"}}),
        &[
            r#"spec.overhead[memory]: fractional byte value "1500m" is invalid, must be an integer"#,
            r#"spec.initContainers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer"#,
        ],
    );
    check_spec(
        json!({"containers": [
            {"ports": [{"containerPort": 80, "protocol": "TCP", "hostIP": "1.2.3.4", "name": "web"}]},
            {"ports": [
                {"containerPort": 80, "protocol": "TCP", "hostPort": 80, "name": "web"},
                {"containerPort": 81, "protocol": "TCP", "hostPort": 81},
                {"containerPort": 81, "protocol": "TCP", "hostPort": 81, "hostIP": "1.2.3.4"},
                {"containerPort": 82, "protocol": "TCP"},
                {"containerPort": 82, "protocol": "TCP"},
            ]},
        ]}),
        &[
            "spec.containers[0].ports[0]: hostIP set without hostPort: {Name:web HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}",
            "spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]",
            "spec.containers[1].ports[2]: dangerously ambiguous port definition with spec.containers[1].ports[1]",
            "spec.containers[1].ports[4]: duplicate port definition with spec.containers[1].ports[3]",
            "spec.containers[1].ports[0]: duplicate port name \"web\" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]",
        ],
    );
}

#[test]
fn pods_are_looked_into() {
    check_spec(
        json!({
            "nodeSelector": {"beta.kubernetes.io/os": "linux", "x": "y"},
            "affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "app.kubernetes.io/created-by", "values": ["-"]}]}]},
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"preference": {"matchExpressions": [{"key": "a", "values": ["b"]}]}}],
            }, "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a"}],
                "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": {"labelSelector": {}}}, {"podAffinityTerm": {}}],
            }},
            "topologySpreadConstraints": [{"topologyKey": "failure-domain.beta.kubernetes.io/zone"}],
            "terminationGracePeriodSeconds": -1,
        }),
        &[
            r#"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead"#,
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: app.kubernetes.io/created-by is deprecated since v1.9",
            r#"spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#,
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod",
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod",
        ],
    );
    check_spec(
        json!({
            "volumes": [
                {"name": "a", "gitRepo": {}}, {"name": "b", "storageos": {}}, {"name": "c", "rbd": {}},
                {"name": "d", "ephemeral": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1500m"}}}}}},
            ],
            "hostAliases": [{"ip": "1.2.3.4"}, {"ip": "1.2.3.4"}, {"ip": "::ffff:1.2.3.4"}],
            "imagePullSecrets": [{"name": "a"}, {"name": "a"}, {"name": ""}],
            "dnsConfig": {"nameservers": ["1.2.3.004", "FD00::1", "fd00::1"]},
        }),
        &[
            "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
            "spec.volumes[1].storageOS: deprecated in v1.22, non-functional in v1.25+",
            "spec.volumes[2].rbd: deprecated in v1.28, non-functional in v1.31+",
            r#"spec.volumes[3].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer"#,
            r#"spec.hostAliases[1].ip: duplicate ip "1.2.3.4""#,
            r#"spec.imagePullSecrets[1].name: duplicate name "a""#,
            r#"spec.imagePullSecrets[2].name: invalid empty name """#,
            r#"spec.dnsConfig.nameservers[0]: non-standard IP address "1.2.3.004" is invalid: use "1.2.3.4""#,
            r#"spec.dnsConfig.nameservers[1]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")"#,
            r#"spec.hostAliases[2].ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4""#,
        ],
    );
}

#[test]
fn files_in_each_others_place_are_found() {
    check(
        POD,
        json!({"metadata": {"name": "p"}, "spec": {"volumes": [
            {"name": "v", "configMap": {"name": "m", "items": [{"path": "a/b"}, {"path": "a/"}, {"path": "ab"}]}},
            {"name": "s", "secret": {"secretName": "s", "items": [{"path": "a"}, {"path": "a"}]}},
            {"name": "p", "projected": {"sources": [
                {}, {"secret": {"name": "s", "items": [{"path": "x"}]}}, {"serviceAccountToken": {"path": "x/y"}},
                {"clusterTrustBundle": {"signerName": "e.x/s", "path": "x"}}, {"podCertificate": {"keyPath": "k", "credentialBundlePath": "k"}},
            ]}},
        ]}}),
        &[
            r#"volume "v" (ConfigMap "m"): overlapping paths: "a" with "a/b""#,
            r#"volume "s" (Secret "s"): overlapping paths: "a" with "a""#,
            r#"volume "p" (Projected) has no sources provided"#,
            r#"volume "p" (Projected): overlapping paths: "x/y" (ServiceAccountToken) with "x" (Secret "s")"#,
            r#"volume "p" (Projected): overlapping paths: "x" (ClusterTrustBundle "e.x/s") with "x" (Secret "s")"#,
            r#"volume "p" (Projected): overlapping paths: "x" (ClusterTrustBundle "e.x/s") with "x/y" (ServiceAccountToken)"#,
            r#"volume "p" (Projected): overlapping paths: "k" (PodCertificate credential bundle) with "k" (PodCertificate key)"#,
        ],
    );
}

#[test]
fn annotations_without_effect_are_named() {
    let annotations = json!({
        "security.alpha.kubernetes.io/sysctls": "a",
        "seccomp.security.alpha.kubernetes.io/pod": "a",
        "container.seccomp.security.alpha.kubernetes.io/c": "a",
        "container.apparmor.security.beta.kubernetes.io/c": "runtime/default",
    });
    let spec = json!({"containers": [{"name": "c"}]});
    let said = [
        r#"metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead"#,
        r#"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead"#,
        r#"metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead"#,
    ];
    let app_armor = r#"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead"#;
    let pod = json!({"metadata": {"name": "p", "annotations": annotations}, "spec": spec});
    check(POD, pod.clone(), &[app_armor, said[0], said[1], said[2]]);
    changed(POD, pod.clone(), Some(pod), &[]);
    let template = json!({"metadata": {"annotations": annotations}, "spec": spec});
    let deployment = json!({"metadata": {"name": "d", "generation": 2}, "spec": {"template": template}});
    let below = |text: &str| text.replace("metadata.", "spec.template.metadata.");
    let expected = [said[0], said[1], said[2], app_armor].map(below);
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(DEPLOYMENT, deployment.clone(), &expected);
    changed(DEPLOYMENT, deployment.clone(), Some(deployment.clone()), &[]);
    changed(DEPLOYMENT, deployment, Some(json!({"metadata": {"generation": 1}})), &expected);
}

#[test]
fn names_that_are_no_labels_are_named() {
    let label = "a DNS label is recommended: [must not contain dots]";
    let surprising = "which can result in surprising behavior";
    let named = json!({"metadata": {"name": "a.b"}});
    check(
        POD,
        named.clone(),
        &[&format!("metadata.name: this is used in the Pod's hostname, {surprising}; {label}")],
    );
    let other = format!("metadata.name: this is used in Pod names and hostnames, {surprising}; {label}");
    for kind in
        [DEPLOYMENT, ("batch", "v1", "Job"), ("batch", "v1", "CronJob"), ("", "v1", "ReplicationController")]
    {
        check(kind, named.clone(), &[&other]);
        changed(kind, named.clone(), Some(named.clone()), &[]);
    }
    check(("apps", "v1", "StatefulSet"), named, &[]);
}

#[test]
fn what_makes_pods_is_looked_into() {
    let fractional = |path: &str| {
        format!("{path}[storage]: fractional byte value \"1500m\" is invalid, must be an integer")
    };
    let claims = json!([{"spec": {"resources": {"requests": {"storage": "1.5"}}}}]);
    let set = json!({"metadata": {}, "spec": {"volumeClaimTemplates": claims, "revisionHistoryLimit": -1}});
    let limit = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";
    let kind = ("apps", "v1", "StatefulSet");
    check(kind, set.clone(), &[&fractional("spec.volumeClaimTemplates[0].resources.requests"), limit]);
    let expected = [&*fractional("spec.volumeClaimTemplates[0].Spec.resources.requests"), limit];
    changed(kind, set.clone(), Some(set), &expected);
    let job = json!({"completionMode": "Indexed", "completions": 100_001, "parallelism": 10_001,
        "template": {"spec": {"terminationGracePeriodSeconds": -1}}});
    let many = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
    let negative = "template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1";
    check(
        ("batch", "v1", "Job"),
        json!({"metadata": {"name": "j"}, "spec": job}),
        &[&format!("spec: {many}"), &format!("spec.{negative}")],
    );
    let cron = json!({"metadata": {"name": "c"}, "spec": {"schedule": "TZ=UTC * * * * *", "jobTemplate": {"spec": job}}});
    let path = "spec.jobTemplate.spec";
    let kind = ("batch", "v1", "CronJob");
    check(kind, cron.clone(), &[&format!("{path}: {many}"), &format!("{path}.{negative}")]);
    changed(
        kind,
        cron.clone(),
        Some(cron),
        &[
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ],
    );
    let with = |seconds: i64| json!({"metadata": {"name": "x", "generation": seconds}, "spec": {"template": {"spec": {"terminationGracePeriodSeconds": seconds}}}});
    let negative = format!("spec.{negative}");
    changed(("apps", "v1", "DaemonSet"), with(-1), Some(with(1)), &[&negative]);
    changed(("apps", "v1", "DaemonSet"), with(-1), Some(with(-1)), &[]);
    changed(("", "v1", "ReplicationController"), with(1), Some(with(-1)), &[&negative]);
    check(
        ("", "v1", "PodTemplate"),
        json!({"template": {"spec": {"terminationGracePeriodSeconds": -1}}}),
        &[negative.trim_start_matches("spec.")],
    );
}

#[test]
fn services_are_looked_into() {
    let check =
        |spec: Value, expected: &[&str]| check(SERVICE, json!({"metadata": {}, "spec": spec}), expected);
    check(
        json!({"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "loadBalancerIP": "010.0.0.1",
            "externalIPs": ["1.2.3.4"], "sessionAffinity": "ClientIP", "externalName": "a"}),
        &[
            "spec.loadBalancerIP is ignored for headless services",
            "spec.externalIPs is ignored for headless services",
            "spec.SessionAffinity is ignored for headless services",
            r#"spec.loadBalancerIP: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1""#,
            r#"spec.externalName is ignored when spec.type is not "ExternalName""#,
        ],
    );
    check(
        json!({"type": "LoadBalancer", "clusterIP": "fd00::0", "clusterIPs": ["fd00::0"], "externalIPs": ["1.2.3.4"],
            "loadBalancerSourceRanges": ["1.2.3.4/24", "10.0.0.0/08", "fd00::0/64", "::ffff:1.2.0.0/112", "10.0.0.0/8"],
            "trafficDistribution": "PreferClose"}),
        &[
            r#"spec.clusterIPs[0]: IPv6 address "fd00::0" should be in RFC 5952 canonical format ("fd00::")"#,
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
            r#"spec.loadBalancerSourceRanges[0]: CIDR value "1.2.3.4/24" is ambiguous in this context (should be "1.2.3.0/24" or "1.2.3.4/32"?)"#,
            r#"spec.loadBalancerSourceRanges[1]: non-standard CIDR value "10.0.0.0/08" is invalid: use "10.0.0.0/8""#,
            r#"spec.loadBalancerSourceRanges[2]: IPv6 CIDR value "fd00::0/64" should be in RFC 5952 canonical format ("fd00::/64")"#,
            r#"spec.loadBalancerSourceRanges[3]: non-standard CIDR value "::ffff:1.2.0.0/112" is invalid: use "1.2.0.0/16""#,
            r#"spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone""#,
        ],
    );
    check(
        json!({"type": "ExternalName", "externalName": "a", "externalIPs": ["1.2.3.4"]}),
        &[r#"spec.externalIPs is ignored when spec.type is "ExternalName""#],
    );
}

#[test]
fn other_kinds_are_looked_into() {
    let odd = r#"non-standard IP address "1.2.3.04" is invalid: use "1.2.3.4""#;
    check(
        ("", "v1", "Endpoints"),
        json!({"subsets": [{"addresses": [{"ip": "1.2.3.04"}], "notReadyAddresses": [{"ip": "1.2.3.04"}]}]}),
        &[
            &format!("subsets[0].addresses[0].ip: {odd}"),
            &format!("subsets[0].notReadyAddresses[0].ip: {odd}"),
        ],
    );
    check(
        ("discovery.k8s.io", "v1", "EndpointSlice"),
        json!({"addressType": "FQDN", "endpoints": [{"addresses": ["a.b", "1.2.3.04"]}]}),
        &["spec.addressType: FQDN endpoints are deprecated", &format!("endpoints[0].addresses[1]: {odd}")],
    );
    let managed = json!({"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"});
    check(
        ("discovery.k8s.io", "v1", "EndpointSlice"),
        json!({"metadata": {"labels": managed}, "endpoints": [{"addresses": ["1.2.3.04"]}]}),
        &[],
    );
    let ingress = json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "a"}}, "spec": {}});
    let kind = ("networking.k8s.io", "v1", "Ingress");
    let class = r#"annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead"#;
    check(kind, ingress.clone(), &[class]);
    changed(kind, ingress.clone(), Some(ingress), &[]);
    check(
        ("networking.k8s.io", "v1", "NetworkPolicy"),
        json!({"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.1/16"]}}]}]}}),
        &[
            r#"spec.egress[0].to[0].ipBlock.except[0]: CIDR value "10.1.0.1/16" is ambiguous in this context (should be "10.1.0.0/16" or "10.1.0.1/32"?)"#,
        ],
    );
    check(
        ("", "v1", "Node"),
        json!({"spec": {"externalID": "a", "configSource": {}, "podCIDRs": ["10.0.0.0/08"]}}),
        &[
            "spec.configSource: the feature is removed",
            "spec.externalID: this field is deprecated, and is unused by Kubernetes",
            r#"spec.podCIDRs[0]: non-standard CIDR value "10.0.0.0/08" is invalid: use "10.0.0.0/8""#,
        ],
    );
    check(
        ("node.k8s.io", "v1", "RuntimeClass"),
        json!({"scheduling": {"nodeSelector": {"node-role.kubernetes.io/master": ""}}}),
        &[r#"scheduling.nodeSelector: use "node-role.kubernetes.io/control-plane" instead"#],
    );
    check(
        ("", "v1", "Secret"),
        json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "YQ=="}}),
        &["tls: failed to find any PEM data in certificate input"],
    );
    let account = json!({"metadata": {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}});
    let deprecated = "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
    check(("", "v1", "ServiceAccount"), account.clone(), &[deprecated]);
    changed(("", "v1", "ServiceAccount"), account.clone(), Some(account), &[]);
}

#[test]
fn storage_is_looked_into() {
    let class = r#"metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead"#;
    let annotations = json!({"volume.beta.kubernetes.io/storage-class": "a"});
    check(
        ("", "v1", "PersistentVolume"),
        json!({"metadata": {"annotations": annotations}, "spec": {
            "persistentVolumeReclaimPolicy": "Recycle", "cephfs": {},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "beta.kubernetes.io/arch"}]}]}}}}),
        &[
            class,
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
            r#"spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead"#,
            "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
        ],
    );
    check(
        ("", "v1", "PersistentVolumeClaim"),
        json!({"metadata": {"annotations": annotations}, "spec": {"resources": {"limits": {"storage": "1m"}}}}),
        &[
            class,
            r#"spec.resources.limits[storage]: fractional byte value "1m" is invalid, must be an integer"#,
        ],
    );
    check(
        ("storage.k8s.io", "v1", "StorageClass"),
        json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": "beta.kubernetes.io/os"}]}]}),
        &[
            r#"allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.14; use "kubernetes.io/os" instead"#,
        ],
    );
    check(
        ("storage.k8s.io", "v1", "CSIStorageCapacity"),
        json!({"nodeTopology": {"matchLabels": {"beta.kubernetes.io/os": "a"}}}),
        &[
            r#"nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use "kubernetes.io/os" instead"#,
        ],
    );
    let driver = json!({"spec": {"tokenRequests": [{"audience": "a"}]}});
    let unset = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";
    check(("storage.k8s.io", "v1", "CSIDriver"), driver.clone(), &[unset]);
    changed(("storage.k8s.io", "v1", "CSIDriver"), driver.clone(), Some(driver), &[]);
}

#[test]
fn webhooks_that_are_never_called_are_named() {
    let rules = json!([
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews", "pods"]},
        {"apiGroups": ["*"], "resources": ["subjectaccessreviews"]},
    ]);
    let webhooks = json!({"metadata": {"name": "a.static.k8s.io"}, "webhooks": [{"rules": rules}]});
    let kind = ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration");
    let excluded = "webhooks[0].rules[0]: subjectaccessreviews.authorization.k8s.io is excluded from admission webhooks; this rule will have no effect";
    check(kind, webhooks.clone(), &[excluded]);
    let reserved = r#"metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API"#;
    changed(kind, webhooks.clone(), Some(webhooks), &[reserved, excluded]);
}

#[test]
fn definitions_and_their_objects_are_looked_into() {
    let crd = |schema: Value| {
        let crd = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}});
        crd.as_object().cloned().expect("an object")
    };
    let now = crd(json!({"properties": {
        "a": {"type": "string", "format": "nonsense"}, "b": {"type": "string", "format": "date-time"},
        "c": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}},
    }}));
    let set = r#"x-kubernetes-list-type: set for items of type "object" is not supported by server-side apply or CEL validation rules"#;
    assert_eq!(definition(&now, None), [r#"unrecognized format "nonsense""#, set]);
    assert_eq!(definition(&now, Some(&now)), [""; 0]);
    let held = |finalizers: Value| {
        let held = json!({"metadata": {"finalizers": finalizers}});
        held.as_object().cloned().expect("an object")
    };
    let prefer = "prefer a domain-qualified finalizer name";
    let conflicts = "to avoid accidental conflicts with other finalizer writers";
    assert_eq!(
        custom(&held(json!(["orphan", "a.b/c", "b", "a.b"])), Some(&held(json!(["b"])))),
        [format!(r#"metadata.finalizers: "a.b": {prefer} including a path (/) {conflicts}"#)]
    );
    assert_eq!(
        custom(&held(json!(["b"])), None),
        [format!(r#"metadata.finalizers: "b": {prefer} {conflicts}"#)]
    );
}
