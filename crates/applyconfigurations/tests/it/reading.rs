//! Configurations from JSON and YAML.

use std::error::Error as _;

use klient_applyconfigurations::Error;
use klient_applyconfigurations::apps::v1::{Deployment, DeploymentSpec};
use klient_applyconfigurations::core::v1::{
    ConfigMap, Container, Namespace, ObjectReference, PodSpec, Secret,
};
use klient_applyconfigurations::meta::v1::LabelSelector;
use serde::Deserialize;
use serde_json::json;

#[test]
fn yaml_and_json_say_what_setters_say() {
    let yaml = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
";
    let read = Deployment::from_yaml(yaml).unwrap();
    let made = Deployment::new("web", "shop").labels([("app", "web")]).spec(
        DeploymentSpec::new().replicas(3).selector(LabelSelector::new().match_labels([("app", "web")])),
    );
    assert_eq!(read, made);
    assert_eq!(Deployment::from_json(&made.to_string()).unwrap(), made);
    assert_eq!(Deployment::from_value(made.clone().into_value()).unwrap(), made);
    // A configuration that was read can be changed.
    let changed = read.labels([("tier", "front")]);
    assert_eq!(changed.as_map()["metadata"]["labels"], json!({"app": "web", "tier": "front"}));
}

#[track_caller]
fn check(yaml: &str, is: fn(&Error) -> bool, text: &str) {
    let error = Deployment::from_yaml(yaml).unwrap_err();
    assert!(is(&error), "{error:?}");
    assert_eq!(error.to_string(), text);
}

#[test]
fn what_is_no_configuration_of_the_kind_is_one_error_that_says_why() {
    let kind = Error::is_wrong_kind;
    check("{kind: Deployment}", kind, "apps/v1 Deployment: apiVersion is not set");
    check("{apiVersion: apps/v1}", kind, "apps/v1 Deployment: kind is not set");
    check("{apiVersion: v1, kind: Pod}", kind, "apps/v1 Deployment: it is v1 Pod");
    check("{apiVersion: apps/v2, kind: Deployment}", kind, "apps/v1 Deployment: it is apps/v2 Deployment");
    check("[1, 2]", kind, "apps/v1 Deployment: apiVersion is not set");
    check("", kind, "apps/v1 Deployment: apiVersion is not set");

    let of = |rest: &str| format!("{{apiVersion: apps/v1, kind: Deployment, {rest}}}");
    let invalid = Error::is_invalid;
    check(
        &of("spec: {replicas: many}"),
        invalid,
        "apps/v1 Deployment: .spec.replicas: expected numeric (int or float), got string",
    );
    check(
        &of("spec: {template: {spec: {containers: [{name: web, imag: nginx}]}}}"),
        invalid,
        "apps/v1 Deployment: .spec.template.spec.containers[name=\"web\"].imag: field not declared in schema",
    );
    check(
        &of("spec: {template: {spec: {containers: [{name: web}, {name: web}]}}}"),
        invalid,
        "apps/v1 Deployment: .spec.template.spec.containers: duplicate entries for key [name=\"web\"]",
    );
    check(
        &of("metadata: {labels: [app]}, spec: 3"),
        invalid,
        "apps/v1 Deployment: .metadata.labels: expected map, got &{[app]}; .spec: expected map, got &{3}",
    );
}

#[test]
fn text_that_cannot_be_read_is_an_error_with_its_cause() {
    for error in [Deployment::from_yaml("a: [").unwrap_err(), Deployment::from_json("{").unwrap_err()] {
        assert!(error.is_syntax());
        let text = error.to_string();
        assert!(text.starts_with("apps/v1 Deployment: cannot be read: "), "{text}");
        assert!(text.contains("line 1") && error.source().is_none(), "{text}");
    }
}

#[test]
fn a_second_document_is_an_error() {
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\nkind: ConfigMap\n";
    let more = "expected one YAML document, found more: read them with yaml::documents";
    assert_eq!(
        ConfigMap::from_yaml(yaml).unwrap_err().to_string(),
        format!("v1 ConfigMap: cannot be read: {more}")
    );
    let error = <klient_api::core::v1::ConfigMap as klient_apimachinery::codec::Wire>::from_yaml(yaml);
    assert_eq!(error.unwrap_err().to_string(), more);
}

#[test]
fn errors_do_not_tell_secrets() {
    let yaml = "{apiVersion: v1, kind: Secret, metadata: {name: key}, data: {password: [s3cret]}, stringData: s3cret}";
    let error = Secret::from_yaml(yaml).unwrap_err();
    assert!(error.is_invalid());
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    assert!(error.to_string().contains(".data.password: expected something else"), "{error}");
}

#[test]
fn parts_and_kinds_can_stand_in_types_of_ones_own() {
    #[derive(Deserialize)]
    struct Shop {
        pod: PodSpec,
        space: Namespace,
        about: ObjectReference,
    }
    let shop = |pod: serde_json::Value| {
        serde_json::from_value::<Shop>(json!({
            "pod": pod,
            "space": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
            "about": {"apiVersion": "v1", "kind": "Pod"},
        }))
    };
    let read = shop(json!({"containers": [{"name": "web"}]})).ok().unwrap();
    assert_eq!(read.pod, PodSpec::new().containers([Container::new().name("web")]));
    assert_eq!(read.space, Namespace::new("shop"));
    assert_eq!(read.about, ObjectReference::new().api_version("v1").kind("Pod"));
    for (pod, problem) in [
        (json!({"containers": {}}), "v1 PodSpec: .containers: expected list"),
        (json!({"kind": "Pod"}), "v1 PodSpec: .kind: field not declared"),
        (json!(3), "v1 PodSpec: expected a JSON object"),
    ] {
        let error = shop(pod).err().unwrap().to_string();
        assert!(error.starts_with(problem), "{error}");
    }
}

#[test]
fn null_is_kept_as_it_was_said() {
    let yaml = "{apiVersion: v1, kind: ConfigMap, metadata: {name: sky}, data: {color: null}}";
    assert_eq!(ConfigMap::from_yaml(yaml).unwrap().as_map()["data"], json!({"color": null}));
}
