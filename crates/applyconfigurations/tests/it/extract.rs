//! Extraction of the fields that a field manager has applied.

use klient_api::apps::v1 as api;
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::{Object as _, Unstructured};
use klient_applyconfigurations::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus};
use klient_applyconfigurations::core::v1::{ConfigMap, Node};
use serde_json::{Value, json};

/// A deployment as a server gives it, with some managers.
fn live() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "9", "generation": 2,
            "labels": {"app": "web", "team": "blue"},
            "managedFields": [
                {
                    "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:app": {}}},
                        "f:spec": {
                            "f:replicas": {},
                            "f:template": {"f:spec": {"f:containers": {
                                "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {}},
                            }}},
                        },
                    },
                },
                {
                    "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                    "subresource": "status", "fieldsV1": {"f:status": {"f:observedGeneration": {}}},
                },
                {
                    "manager": "me", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:paused": {}}},
                },
            ],
        },
        "spec": {
            "replicas": 3, "paused": true,
            "template": {"spec": {"containers": [
                {"name": "log", "image": "log:1"},
                {"name": "web", "image": "web:1", "imagePullPolicy": "Always"},
            ]}},
        },
        "status": {"observedGeneration": 2, "replicas": 3},
    })
}

fn unstructured(value: &Value) -> Unstructured {
    Unstructured::from_json(value.to_string().as_bytes()).unwrap()
}

#[test]
fn what_a_manager_applied_comes_out_and_nothing_else() {
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}},
        },
    });
    let typed = api::Deployment::from_json(live().to_string().as_bytes()).unwrap();
    assert_eq!(Deployment::extract(&typed, "me").unwrap().into_value(), wanted);
    let extracted = Deployment::extract(&unstructured(&live()), "me").unwrap();
    assert_eq!(extracted.as_map(), wanted.as_object().unwrap());
    // And can be changed and applied again.
    let changed = extracted.labels([("tier", "front")]);
    assert_eq!(changed.as_map()["metadata"]["labels"], json!({"app": "web", "tier": "front"}));
}

#[test]
fn each_subresource_has_its_own() {
    let status = Deployment::extract_subresource(&unstructured(&live()), "me", "status").unwrap();
    let wanted = Deployment::new("web", "shop").status(DeploymentStatus::new().observed_generation(2));
    assert_eq!(status, wanted);
}

#[test]
fn who_applied_nothing_gets_the_name() {
    let object = unstructured(&live());
    assert_eq!(Deployment::extract(&object, "nobody").unwrap(), Deployment::new("web", "shop"));
    assert_eq!(
        Deployment::extract_subresource(&object, "me", "scale").unwrap(),
        Deployment::new("web", "shop")
    );
    let node = unstructured(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}));
    assert_eq!(Node::extract(&node, "me").unwrap(), Node::new("n1"));
}

#[test]
fn fields_of_newer_servers_are_left_out_unless_they_were_applied() {
    let mut newer = live();
    newer["spec"]["template"]["spec"]["containers"][1]["newField"] = json!({"a": 1});
    newer["status"]["newField"] = json!([1]);
    let typed = api::Deployment::from_json(newer.to_string().as_bytes()).unwrap();
    let before = Deployment::extract(&unstructured(&live()), "me").unwrap();
    assert_eq!(Deployment::extract(&typed, "me").unwrap(), before);

    let container = &mut newer["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]
        ["f:containers"]["k:{\"name\":\"web\"}"];
    container["f:newField"] = json!({"f:a": {}});
    let error = Deployment::extract(&unstructured(&newer), "me").unwrap_err();
    assert!(error.is_invalid());
    assert_eq!(
        error.to_string(),
        "apps/v1 Deployment: .spec.template.spec.containers[name=\"web\"].newField.a: it was applied, and this build \
         does not know it"
    );
    assert_eq!(
        Deployment::extract_subresource(&unstructured(&newer), "me", "status").unwrap(),
        Deployment::new("web", "shop").status(DeploymentStatus::new().observed_generation(2))
    );
}

#[test]
fn objects_that_cannot_be_extracted_from_are_errors() {
    let wrong = ConfigMap::extract(&unstructured(&live()), "me").unwrap_err();
    assert!(wrong.is_wrong_kind());
    assert_eq!(wrong.to_string(), "v1 ConfigMap: it is apps/v1 Deployment");

    let mut broken = live();
    broken["metadata"]["managedFields"][0]["fieldsV1"] = json!({"nonsense": {}});
    let error = Deployment::extract(&unstructured(&broken), "me").unwrap_err();
    assert!(error.is_managed_fields(), "{error:?}");

    let mut invalid = live();
    invalid["spec"]["replicas"] = json!("many");
    let error = Deployment::extract(&unstructured(&invalid), "me").unwrap_err();
    assert_eq!(
        error.to_string(),
        "apps/v1 Deployment: .spec.replicas: expected numeric (int or float), got string"
    );
    assert_eq!(unstructured(&invalid).name(), "web");
}

#[test]
fn what_others_took_is_no_longer_extracted() {
    let mut taken = live();
    let fields = &mut taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"];
    fields.as_object_mut().unwrap().remove("f:replicas");
    let extracted = Deployment::extract(&unstructured(&taken), "me").unwrap();
    assert_eq!(extracted.as_map()["spec"].get("replicas"), None);
    let again = extracted.spec(DeploymentSpec::new().replicas(3));
    assert_eq!(again.as_map()["spec"], json!({"replicas": 3}));
}
