//! Pods and Deployments.

use serde_json::{Value, json};

use super::{conditions, metadata};
use crate::kind::{Kind, Place};
use crate::shape::{Field, Shape, may, must};

pub(super) fn pod() -> Kind {
    Kind {
        kind: "Pod",
        plural: "pods",
        place: Place::Namespace,
        api_versions: &["v1"],
        has_status: true,
        has_scale: false,
        is_builtin: true,
        shape: Shape::Object(vec![may("metadata", metadata(false)), must("spec", Shape::Object(pod_spec()))]),
        second_shape: None,
        status: Shape::Object(vec![
            may("conditions", conditions()),
            may("phase", Shape::one(json!(["Pending", "Running"]))),
            may("message", Shape::one(json!(["a", "b"]))),
            may("podIPs", Shape::keyed(json!([{"ip": "10.0.0.1"}]), vec![])),
        ]),
        defaults: POD_DEFAULTS,
        dropped: &[],
    }
}

pub(super) fn deployment() -> Kind {
    let labels = json!([{"app": "web"}]);
    let mut spec = pod_spec();
    spec.retain(|field| field.name() != "activeDeadlineSeconds");
    let rolling = Shape::Object(vec![
        may("maxSurge", Shape::one(json!([1, "25%", "50%"]))),
        may("maxUnavailable", Shape::one(json!([0, 1, "25%"]))),
    ]);
    let template = Shape::Object(vec![
        must(
            "metadata",
            Shape::Object(vec![
                must("labels", Shape::one(json!([{"app": "web"}, {"app": "web", "x": "y"}]))),
                may("annotations", Shape::strings(&["at"])),
            ]),
        ),
        must("spec", Shape::Object(spec)),
    ]);
    Kind {
        kind: "Deployment",
        plural: "deployments",
        place: Place::Namespace,
        api_versions: &["apps/v1"],
        has_status: true,
        has_scale: true,
        is_builtin: true,
        shape: Shape::Object(vec![
            may("metadata", metadata(false)),
            must(
                "spec",
                Shape::Object(vec![
                    may("replicas", Shape::one(json!([1, 2, 3, 0]))),
                    may("paused", Shape::one(json!([true, false]))),
                    may("minReadySeconds", Shape::one(json!([0, 5]))),
                    may("revisionHistoryLimit", Shape::one(json!([10, 2]))),
                    must("selector", Shape::Object(vec![must("matchLabels", Shape::one(labels))])),
                    may(
                        "strategy",
                        Shape::Object(vec![
                            may("type", Shape::one(json!(["RollingUpdate", "RollingUpdate", "Recreate"]))),
                            may("rollingUpdate", rolling),
                        ]),
                    ),
                    must("template", template),
                ]),
            ),
        ]),
        second_shape: None,
        status: Shape::Object(vec![
            may("replicas", Shape::one(json!([1, 2]))),
            may("observedGeneration", Shape::one(json!([1, 2]))),
            may("conditions", conditions()),
        ]),
        defaults: POD_DEFAULTS,
        dropped: &[],
    }
}

fn container(images: Value) -> Vec<Field> {
    let ports = json!([
        {"containerPort": 80},
        {"containerPort": 80, "protocol": "TCP"},
        {"containerPort": 80, "protocol": "UDP"},
        {"containerPort": 81, "protocol": "TCP"},
    ]);
    vec![
        must("image", Shape::one(images)),
        may("command", Shape::list(json!(["run", "--fast", "run"]))),
        may("args", Shape::list(json!(["a", "b"]))),
        may("imagePullPolicy", Shape::one(json!(["Always", "IfNotPresent"]))),
        may(
            "env",
            Shape::keyed(
                json!([{"name": "A"}, {"name": "B"}, {"name": "C"}]),
                vec![may("value", Shape::one(json!(["1", "2", ""])))],
            ),
        ),
        may("ports", Shape::keyed(ports, vec![may("name", Shape::one(json!(["web", "dns"])))])),
        may(
            "resources",
            Shape::Object(vec![
                may("limits", Shape::Map(&["cpu", "memory"], Box::new(Shape::one(json!(["1", "1000m", 1]))))),
                may("requests", Shape::Map(&["cpu"], Box::new(Shape::one(json!(["0.5", "500m"]))))),
            ]),
        ),
        may(
            "volumeMounts",
            Shape::keyed(json!([{"mountPath": "/a"}, {"mountPath": "/b"}]), {
                vec![must("name", Shape::one(json!(["v", "w"])))]
            }),
        ),
        may(
            "livenessProbe",
            Shape::Object(vec![
                must("httpGet", Shape::Object(vec![must("port", Shape::one(json!([80, "web"])))])),
                may("periodSeconds", Shape::one(json!([5, 10]))),
            ]),
        ),
        may("securityContext", Shape::Object(vec![may("runAsUser", Shape::one(json!([0, 1000])))])),
    ]
}

fn pod_spec() -> Vec<Field> {
    let images = json!(["a:1", "a:2"]);
    vec![
        must(
            "containers",
            Shape::keyed(json!([{"name": "one"}, {"name": "two"}]), container(images.clone())),
        ),
        may("initContainers", Shape::keyed(json!([{"name": "init"}]), container(images))),
        may("nodeSelector", Shape::strings(&["disk", "zone"])),
        may("terminationGracePeriodSeconds", Shape::one(json!([5, 30]))),
        may("activeDeadlineSeconds", Shape::one(json!([600, 300]))),
        may("imagePullSecrets", Shape::keyed(json!([{"name": "a"}, {"name": "b"}]), vec![])),
        may(
            "hostAliases",
            Shape::keyed(json!([{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]), {
                vec![may("hostnames", Shape::list(json!(["x.example", "y.example"])))]
            }),
        ),
        must(
            "volumes",
            Shape::one(json!([
                [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {"medium": "Memory"}}],
                [{"name": "w", "configMap": {"name": "c"}}, {"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}],
            ])),
        ),
        may(
            "tolerations",
            Shape::one(json!([[], [{"key": "a", "operator": "Exists"}], [{"key": "b", "value": "c"}]])),
        ),
        may(
            "topologySpreadConstraints",
            Shape::keyed(
                json!([{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}, {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]),
                vec![must("maxSkew", Shape::one(json!([1, 2])))],
            ),
        ),
        may("securityContext", Shape::Object(vec![may("fsGroup", Shape::one(json!([1, 2])))])),
    ]
}

const POD_DEFAULTS: &[&str] = &[
    "dnsPolicy",
    "enableServiceLinks",
    "imagePullPolicy",
    "priority",
    "preemptionPolicy",
    "protocol",
    "restartPolicy",
    "schedulerName",
    "securityContext",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tolerations",
    "resources",
    "requests",
    "defaultMode",
    "emptyDir",
    "failureThreshold",
    "periodSeconds",
    "successThreshold",
    "timeoutSeconds",
    "scheme",
    "path",
    "value",
    "status",
    "replicas",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "strategy",
    "type",
    "rollingUpdate",
    "maxSurge",
    "maxUnavailable",
    "finalizers",
    "operator",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
];
