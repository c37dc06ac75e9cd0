//! The attributes of a definition.

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::api::core::v1::PodTemplateSpec;
use klient::definitions::{Definition, Definitions};
use klient::{Client, CustomResource, Quantity, Resource as _, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::TestCluster;

/// A website.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1beta1", kind = "Website", plural = "webs", singular = "web")]
#[resource(short_name = "w", short_name = "ws", category = "all", scope = Cluster, status = Status)]
#[resource(scale(spec = ".spec.replicas", status = ".status.replicas", selector = ".status.selector"))]
#[resource(column(
    name = "Replicas",
    type = "integer",
    path = ".spec.replicas",
    description = "Servers",
    format = "int32",
    priority = 1
))]
#[resource(column(name = "Age", type = "date", path = ".metadata.creationTimestamp"))]
#[resource(selectable_field = ".spec.host")]
#[resource(rule("self.metadata.name.size() < 9"))]
#[resource(rule(
    "!oldSelf.hasValue() || oldSelf.value().spec.host == self.spec.host",
    message_expression = "'it is ' + self.spec.host",
    reason = "FieldValueForbidden",
    field_path = ".spec.host",
    optional_old_self = true,
))]
#[resource(label("app", "web"), annotation("example.com/team", "web"))]
#[resource(deprecated = "use v1", derive(PartialEq))]
pub(crate) struct Site {
    /// The host name.
    host: String,
    #[serde(default)]
    #[schemars(range(max = 9))]
    replicas: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
pub(crate) struct Status {
    replicas: u8,
    selector: String,
}

/// Installs a definition, and waits until it is served.
pub(crate) async fn install(client: &Client, definition: Definition) {
    Definitions::install(client, [definition], &Default::default()).await.unwrap();
}

fn as_json(definition: &CustomResourceDefinition) -> Value {
    serde_json::to_value(definition).unwrap()
}

#[test]
fn every_attribute_is_in_the_definition() {
    let definition = Website::definition().build().unwrap();
    let expected = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "webs.example.com", "labels": {"app": "web"}, "annotations": {"example.com/team": "web"},
        },
        "spec": {
            "group": "example.com",
            "names": {
                "categories": ["all"], "kind": "Website", "listKind": "WebsiteList", "plural": "webs",
                "shortNames": ["w", "ws"], "singular": "web",
            },
            "scope": "Cluster",
            "versions": [{
                "name": "v1beta1", "served": true, "storage": true,
                "deprecated": true, "deprecationWarning": "use v1",
                "additionalPrinterColumns": [
                    {
                        "name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "description": "Servers",
                        "format": "int32", "priority": 1,
                    },
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "selectableFields": [{"jsonPath": ".spec.host"}],
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": "A website.",
                    "required": ["spec"],
                    "properties": {
                        "spec": {
                            "type": "object",
                            "description": "A website.",
                            "required": ["host"],
                            "properties": {
                                "host": {"type": "string", "description": "The host name."},
                                "replicas": {
                                    "type": "integer", "format": "int32", "minimum": 0, "maximum": 9, "nullable": true,
                                },
                            },
                        },
                        "status": {
                            "type": "object",
                            "properties": {
                                "replicas": {
                                    "type": "integer", "format": "int32", "minimum": 0, "maximum": 255, "default": 0,
                                },
                                "selector": {"type": "string", "default": ""},
                            },
                        },
                    },
                    "x-kubernetes-validations": [
                        {"rule": "self.metadata.name.size() < 9"},
                        {
                            "rule": "!oldSelf.hasValue() || oldSelf.value().spec.host == self.spec.host",
                            "messageExpression": "'it is ' + self.spec.host", "reason": "FieldValueForbidden",
                            "fieldPath": ".spec.host", "optionalOldSelf": true,
                        },
                    ],
                }},
            }],
        },
    });
    let mut definition = as_json(&definition);
    // The server writes it.
    definition.as_object_mut().unwrap().remove("status");
    pretty_equal(&definition, &expected);
    assert_eq!(Website::INFO.group_resource(), "webs.example.com");
}

/// Compares with a readable difference.
pub(crate) fn pretty_equal(one: &Value, other: &Value) {
    let [one, other] = [one, other].map(|value| serde_json::to_string_pretty(value).unwrap());
    assert_eq!(one, other, "\n{one}");
}

#[tokio::test]
async fn a_derived_kind_is_written_read_scaled_and_judged_by_its_rules() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    install(&client, Website::definition()).await;
    let websites = client.api::<Website>();
    let site = Site { host: "a.example".into(), replicas: Some(2) };
    let mut shop = websites.create(&Website::new("shop", site)).await.unwrap();
    assert_eq!(shop.status, None);
    shop.status = Some(Status { replicas: 1, selector: "app=shop".into() });
    let shop = websites.update_status(&shop).await.unwrap();
    let scale = websites.scale("shop").await.unwrap();
    assert_eq!((scale.spec.replicas, scale.status.replicas), (Some(2), 1));
    let mut moved = shop.clone();
    moved.spec.host = "b.example".into();
    let error = websites.update(&moved).await.unwrap_err();
    assert!(error.to_string().contains("spec.host: Forbidden: it is b.example"), "{error}");
    let error = websites.create(&Website::new("a-long-name", shop.spec.clone())).await.unwrap_err();
    assert!(error.to_string().contains("failed rule: self.metadata.name.size() < 9"), "{error}");
    // The fields of a status are no part of the definition's schema that a create must have.
    assert_eq!(websites.get("shop").await.unwrap(), shop);
}

/// The kinds of values that Kubernetes has.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
#[serde(rename_all = "camelCase")]
struct StackSpec {
    template: PodTemplateSpec,
    size: Quantity,
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
struct Part {
    name: String,
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self != 7", "message": "seven is taken"}]))]
    number: i32,
}

#[tokio::test]
async fn types_of_kubernetes_are_fields_of_a_custom_resource() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    install(&client, Stack::definition()).await;
    let stacks = client.api::<Stack>().namespace("default");
    let spec = json!({
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}]},
        },
        "size": "1Gi",
        "parts": [{"name": "a", "number": 1}],
    });
    let mut stack: Stack =
        serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).unwrap();
    let created = stacks.create(&stack).await.unwrap();
    assert_eq!(created.spec.template.metadata.as_ref().unwrap().labels["app"], "web");
    assert_eq!(created.spec.template.spec.containers[0].ports[0].protocol.as_deref(), Some("TCP"));
    stack.metadata.name = Some("other".into());
    stack.spec.parts[0].number = 7;
    let error = stacks.create(&stack).await.unwrap_err();
    assert!(error.to_string().contains("spec.parts[0].number: Invalid value: 7: seven is taken"), "{error}");
    stack.spec.parts = vec![Part { name: "a".into(), number: 1 }, Part { name: "a".into(), number: 2 }];
    let error = stacks.create(&stack).await.unwrap_err();
    assert!(error.to_string().contains("Duplicate value"), "{error}");
}
