//! The effect of setters on a configuration.

use klient_api::core::v1::Pod;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::{ByteString, IntOrString, MicroTime, Quantity, Time};
use klient_applyconfigurations::apiextensions::v1::JSONSchemaProps;
use klient_applyconfigurations::apps::v1::{
    Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus, RollingUpdateDeployment,
    StatefulSetSpec,
};
use klient_applyconfigurations::autoscaling::v2::HPAScalingPolicy;
use klient_applyconfigurations::certificates::v1::CertificateSigningRequestSpec;
use klient_applyconfigurations::coordination::v1::LeaseSpec;
use klient_applyconfigurations::core::v1;
use klient_applyconfigurations::core::v1::{
    ConfigMap, Container, ContainerPort, EmptyDirVolumeSource, Namespace, PersistentVolumeClaim,
    PodTemplateSpec, ResourceRequirements, Secret, Volume,
};
use klient_applyconfigurations::meta::v1::OwnerReference;
use klient_applyconfigurations::resource::v1::OpaqueDeviceConfiguration;
use serde_json::{Value, json};

#[track_caller]
fn check(configuration: impl Into<Value>, json: Value) {
    assert_eq!(configuration.into(), json);
}

#[test]
fn a_kind_begins_with_what_names_it() {
    check(
        Deployment::new("web", "shop"),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}),
    );
    check(
        Namespace::new("shop"),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
    );
    check(DeploymentSpec::new(), json!({}));
}

#[test]
fn a_value_takes_the_place_of_the_one_before() {
    check(
        DeploymentSpec::new().replicas(1).paused(false).replicas(0),
        json!({"replicas": 0, "paused": false}),
    );
    let spec = DeploymentSpec::new().template(PodTemplateSpec::new().labels([("a", "b")]));
    check(spec.template(PodTemplateSpec::new()), json!({"template": {}}));
}

#[test]
fn items_are_added_and_entries_merged() {
    let container = Container::new().args(["a"]).args(["b".to_owned()]).args(["a"]);
    check(container, json!({"args": ["a", "b", "a"]}));
    let map =
        ConfigMap::new("sky", "shop").data([("a", "1"), ("b", "2")]).data([("b".to_owned(), "3".to_owned())]);
    assert_eq!(map.as_map()["data"], json!({"a": "1", "b": "3"}));
    let ports = [80, 443].map(|port| ContainerPort::new().container_port(port));
    check(
        Container::new().name("web").ports(ports),
        json!({"name": "web", "ports": [{"containerPort": 80}, {"containerPort": 443}]}),
    );
}

#[test]
fn what_is_set_to_nothing_is_set() {
    check(Container::new().args([""; 0]), json!({"args": []}));
    check(
        Volume::new().name("tmp").empty_dir(EmptyDirVolumeSource::new()),
        json!({"name": "tmp", "emptyDir": {}}),
    );
    let map = ConfigMap::new("sky", "shop").data([("", ""); 0]);
    assert_eq!(map.as_map()["data"], json!({}));
}

#[test]
fn metadata_is_said_on_what_has_it() {
    let owner = OwnerReference::new().api_version("v1").kind("Node").name("n1").uid("u1").controller(true);
    let map = ConfigMap::new("sky", "shop")
        .labels([("app", "web")])
        .labels([("tier", "front")])
        .annotations([("note", "x")])
        .finalizers(["shop.example/keep"])
        .owner_references([owner])
        .uid("u2")
        .resource_version("7");
    assert_eq!(
        map.as_map()["metadata"],
        json!({
            "name": "sky", "namespace": "shop", "uid": "u2", "resourceVersion": "7",
            "labels": {"app": "web", "tier": "front"}, "annotations": {"note": "x"},
            "finalizers": ["shop.example/keep"],
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1", "controller": true},
            ],
        })
    );
    check(PodTemplateSpec::new().labels([("app", "web")]), json!({"metadata": {"labels": {"app": "web"}}}));
}

#[test]
fn one_type_serves_an_object_and_its_status() {
    let condition =
        DeploymentCondition::new().type_("Available").status("True").last_update_time(Time::from_unix(0));
    let status = DeploymentStatus::new().observed_generation(2).conditions([condition]);
    assert_eq!(
        Deployment::new("web", "shop").status(status).as_map()["status"],
        json!({
            "observedGeneration": 2,
            "conditions": [{"type": "Available", "status": "True", "lastUpdateTime": "1970-01-01T00:00:00Z"}],
        })
    );
}

#[test]
fn values_are_written_as_the_api_writes_them() {
    let resources = ResourceRequirements::new()
        .requests([("cpu", "100m"), ("memory", "64Mi")])
        .limits([("cpu", Quantity::from("2"))]);
    check(resources, json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "2"}}));
    check(
        RollingUpdateDeployment::new().max_surge(1).max_unavailable("25%"),
        json!({"maxSurge": 1, "maxUnavailable": "25%"}),
    );
    check(RollingUpdateDeployment::new().max_surge(IntOrString::Int(2)), json!({"maxSurge": 2}));
    let secret = Secret::new("key", "shop").data([("a", "hi")]).data([("b", ByteString(vec![0, 255]))]);
    assert_eq!(secret.as_map()["data"], json!({"a": "aGk=", "b": "AP8="}));
    check(
        LeaseSpec::new().renew_time("2026-01-02T03:04:05.678901Z".parse::<MicroTime>().unwrap()),
        json!({"renewTime": "2026-01-02T03:04:05.678901Z"}),
    );
    check(
        OpaqueDeviceConfiguration::new().driver("gpu.example").parameters(json!({"size": 3})),
        json!({"driver": "gpu.example", "parameters": {"size": 3}}),
    );
    check(
        CertificateSigningRequestSpec::new().request("pem").extra([("scopes", ["a", "b"])]),
        json!({"request": "cGVt", "extra": {"scopes": ["a", "b"]}}),
    );
    check(HPAScalingPolicy::new().value(3), json!({"value": 3}));
}

#[test]
fn schemas_hold_schemas_or_something_simpler() {
    let size = JSONSchemaProps::new().type_("integer").minimum(0.0).default(3);
    check(
        JSONSchemaProps::new()
            .type_("object")
            .properties([("size", size.clone())])
            .additional_properties(false)
            .items(size)
            .dependencies([("a", json!(["b"]))]),
        json!({
            "type": "object",
            "properties": {"size": {"type": "integer", "minimum": 0.0, "default": 3}},
            "additionalProperties": false,
            "items": {"type": "integer", "minimum": 0.0, "default": 3},
            "dependencies": {"a": ["b"]},
        }),
    );
}

#[test]
fn a_kind_can_stand_in_another() {
    let claim = PersistentVolumeClaim::new("data", "shop");
    let spec = StatefulSetSpec::new().volume_claim_templates([claim]);
    assert_eq!(spec.as_map()["volumeClaimTemplates"][0]["kind"], "PersistentVolumeClaim");
    let read: StatefulSetSpec = serde_json::from_value(spec.clone().into_value()).unwrap();
    assert_eq!(read, spec);
}

#[test]
fn a_configuration_is_what_the_objects_type_reads() {
    let pod =
        v1::Pod::new("web-0", "shop").spec(v1::PodSpec::new().containers([Container::new().name("web")]));
    let pod = Pod::from_json(pod.to_string().as_bytes()).unwrap();
    assert_eq!(pod.spec.containers[0].name, "web");
}

#[test]
fn debug_shows_what_is_set_and_no_secrets() {
    let map = ConfigMap::new("sky", "shop").data([("color", "blue")]);
    assert_eq!(
        format!("{map:?}"),
        r#"ConfigMap {"apiVersion": "v1", "data": {"color": "blue"}, "kind": "ConfigMap", "metadata": {"name": "sky", "namespace": "shop"}}"#
    );
    let secret =
        Secret::new("key", "shop").data([("password", "s3cret")]).string_data([("password", "s3cret")]);
    for shown in [format!("{secret:?}"), format!("{secret:#?}")] {
        assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0") && shown.contains("***"), "{shown}");
    }
    assert!(secret.to_string().contains("s3cret"));
}
