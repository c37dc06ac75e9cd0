//! Server-side apply: what goes out, what does not, and what becomes of it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use klient_api::apps::v1 as apps_api;
use klient_api::autoscaling::v1 as autoscaling_api;
use klient_api::core::v1 as api;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use klient_apimachinery::{ApplyConfiguration, Namespaced, Resource, ResourceInfo, Unstructured, verbs};
use klient_applyconfigurations::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus};
use klient_applyconfigurations::autoscaling::v1::{Scale, ScaleSpec};
use klient_applyconfigurations::core::v1::{ConfigMap, Container, Node, PodSpec, PodTemplateSpec, Secret};
use klient_applyconfigurations::meta::v1::LabelSelector;
use klient_client::{
    ApplyOptions, Client, Config, Error, ErrorKind, FieldValidation, Patch, RequestBody, ResponseBody,
    Transport, WriteOptions,
};
use klient_structured_merge::upgrade_managed_fields_patch;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cluster::{cluster, config_map, create_gadgets};

const GADGETS: ResourceInfo = ResourceInfo::from_static("shop.example", "v1", "Gadget", "gadgets", true);

/// A client whose requests go nowhere: each is noted, and answered with the object in it.
#[derive(Clone, Default)]
struct Echo(Arc<Mutex<Vec<(String, Value)>>>);

impl Echo {
    fn client(&self) -> Client {
        let echo = self.clone();
        let layer = tower::layer::layer_fn(move |_: Transport| {
            let echo = echo.clone();
            tower::service_fn(move |request: Request<RequestBody>| {
                let echo = echo.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body: Bytes = body.collect().await?.to_bytes();
                    let sent =
                        head.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
                    let line = format!("{} {} {sent}", head.method, head.uri);
                    echo.0.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap()));
                    let body = ResponseBody::new(Full::from(body));
                    let response =
                        Response::builder().header(header::CONTENT_TYPE, "application/json").body(body);
                    Ok::<_, klient_client::BoxError>(response?)
                }
            })
        });
        Client::with_layer(Config::from_url("http://cluster").unwrap(), layer).unwrap()
    }

    /// The one request since this was asked last, and its body.
    fn taken(&self) -> (String, Value) {
        let mut taken = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }
}

fn me() -> ApplyOptions {
    ApplyOptions::new("me")
}

fn sky(color: &str) -> ConfigMap {
    ConfigMap::new("sky", "default").data([("color", color)])
}

#[tokio::test]
async fn an_apply_is_a_patch_with_nothing_in_it_that_was_not_said() {
    let echo = Echo::default();
    let config_maps = echo.client().api::<api::ConfigMap>().namespace("default");
    let applied = config_maps.apply(&sky("blue"), &me()).await.unwrap();
    assert_eq!(applied.data, [("color", "blue")].into());
    let (line, body) = echo.taken();
    assert_eq!(
        line,
        "PATCH http://cluster/api/v1/namespaces/default/configmaps/sky?fieldManager=me application/apply-patch+yaml"
    );
    assert_eq!(
        body,
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "sky", "namespace": "default"},
            "data": {"color": "blue"},
        })
    );
}

#[tokio::test]
async fn options_are_said_in_the_request() {
    let echo = Echo::default();
    let handle = echo.client().api::<api::ConfigMap>().namespace("default");
    let query = |line: String| line.split(['?', ' ']).nth(2).unwrap_or_default().to_owned();
    handle.apply(&sky("blue"), &me().force().dry_run()).await.unwrap();
    assert_eq!(query(echo.taken().0), "force=true&fieldManager=me&dryRun=All");

    // Of the handle's options, those that are not said again count.
    let handle = handle.with(WriteOptions {
        field_manager: Some("somebody".into()),
        dry_run: true,
        field_validation: Some(FieldValidation::Strict),
    });
    handle.apply(&sky("blue"), &ApplyOptions::new("a b/c")).await.unwrap();
    assert_eq!(query(echo.taken().0), "fieldManager=a%20b%2Fc&dryRun=All&fieldValidation=Strict");
}

#[tokio::test]
async fn subresources_are_applied_below_the_object() {
    let echo = Echo::default();
    let deployments = echo.client().api::<apps_api::Deployment>().namespace("shop");
    let url = "PATCH http://cluster/apis/apps/v1/namespaces/shop/deployments/web";
    let check = |(line, _): (String, Value), path: &str| {
        assert_eq!(line, format!("{url}{path}?fieldManager=me application/apply-patch+yaml"));
    };
    let status = Deployment::new("web", "shop").status(DeploymentStatus::new().replicas(3));
    deployments.apply_status(&status, &me()).await.unwrap();
    check(echo.taken(), "/status");
    let scale = Scale::new("web", "shop").spec(ScaleSpec::new().replicas(3));
    let applied: autoscaling_api::Scale = deployments.apply_scale(&scale, &me()).await.unwrap();
    assert_eq!(applied.spec.replicas, Some(3));
    check(echo.taken(), "/scale");
    deployments.apply_subresource(&status, "other", &me()).await.unwrap();
    check(echo.taken(), "/other");
}

#[tokio::test]
async fn the_namespace_may_be_left_to_the_handle() {
    let echo = Echo::default();
    let client = echo.client();
    let mut object = Unstructured::new("v1", "ConfigMap", "sky");
    object["data"] = json!({"color": "blue"});
    client.dynamic(api::ConfigMap::INFO).namespace("shop").apply(&object, &me()).await.unwrap();
    let (line, body) = echo.taken();
    assert!(line.contains("/namespaces/shop/configmaps/sky?"), "{line}");
    assert_eq!(body["metadata"], json!({"name": "sky"}));
    client.api::<api::Node>().apply(&Node::new("n1"), &me()).await.unwrap();
    assert!(echo.taken().0.starts_with("PATCH http://cluster/api/v1/nodes/n1?"));
}

/// A kind of the program's own, and its configuration.
#[derive(Clone, Debug)]
struct Gadget(Unstructured);

klient_apimachinery::object!(Gadget, 0);

impl Wire for Gadget {
    fn from_json(bytes: &[u8]) -> Result<Self, klient_apimachinery::codec::DecodeError> {
        Unstructured::from_json(bytes).map(Gadget)
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        self.0.to_json(out);
    }
}

impl Resource for Gadget {
    type Scope = Namespaced;
    const INFO: ResourceInfo = GADGETS;
}

impl verbs::Patch for Gadget {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GadgetConfiguration {
    api_version: &'static str,
    kind: &'static str,
    metadata: ObjectMeta,
    spec: Value,
}

impl ApplyConfiguration for GadgetConfiguration {
    type Object = Gadget;
}

fn gadget_configuration(size: u32) -> GadgetConfiguration {
    GadgetConfiguration {
        api_version: "shop.example/v1",
        kind: "Gadget",
        metadata: ObjectMeta::named("g1"),
        spec: json!({ "size": size }),
    }
}

#[tokio::test]
async fn kinds_of_ones_own_are_applied_as_built_in_ones() {
    let echo = Echo::default();
    let gadgets = echo.client().api::<Gadget>().namespace("shop");
    let applied = gadgets.apply(&gadget_configuration(3), &me()).await.unwrap();
    assert_eq!(applied.0["spec"]["size"], 3);
    assert_eq!(
        echo.taken().1,
        json!({
            "apiVersion": "shop.example/v1", "kind": "Gadget", "metadata": {"name": "g1"}, "spec": {"size": 3},
        })
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_not_sent() {
    let echo = Echo::default();
    let client = echo.client();
    let dynamic = client.dynamic(api::ConfigMap::INFO).namespace("shop");
    let object = |value: Value| Unstructured::from_json(value.to_string().as_bytes()).unwrap();
    let of = |metadata: Value| object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    let check = |error: Error, subject: &str, problem: &str| {
        assert_eq!(error.kind(), ErrorKind::Request, "{error:?}");
        assert_eq!(error.subject(), subject);
        let cause = error.cause().unwrap().to_string();
        assert!(cause.contains(problem), "{cause}");
    };
    for (configuration, subject, problem) in [
        (object(json!({})), "apply configmaps", "has no apiVersion"),
        (object(json!({"apiVersion": "v1"})), "apply configmaps", "has no kind"),
        (
            Unstructured::new("v1", "Secret", "a"),
            "apply configmaps/a",
            "is of v1 Secret, and v1 ConfigMap is wanted",
        ),
        (
            object(json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            "apply configmaps",
            "has no metadata.name",
        ),
        (of(json!({"generateName": "a-"})), "apply configmaps", "has no metadata.name"),
        (of(json!({"name": 7})), "apply configmaps", "invalid type: integer `7`, expected a string"),
        (
            of(json!({"name": "a", "managedFields": []})),
            "apply configmaps/a",
            "has metadata.managedFields, which only the server keeps",
        ),
        (
            of(json!({"name": "a", "namespace": "other"})),
            "apply configmaps/a",
            r#"has metadata.namespace "other", and the handle is to "shop""#,
        ),
    ] {
        check(dynamic.apply(&configuration, &me()).await.unwrap_err(), subject, problem);
    }
    let fine = of(json!({"name": "a"}));
    let nobody = dynamic.apply(&fine, &ApplyOptions::new("")).await.unwrap_err();
    check(nobody, "apply configmaps/a", "the field manager is empty");
    let nowhere = client.dynamic(api::ConfigMap::INFO).apply(&fine, &me()).await.unwrap_err();
    check(nowhere, "patch configmaps", "needs a namespace");
    let nowhere = client.dynamic(api::ConfigMap::INFO).apply_status(&fine, &me()).await.unwrap_err();
    check(nowhere, "status configmaps", "needs a namespace");

    let nodes = client.dynamic(api::Node::INFO);
    let mut node = Unstructured::new("v1", "Node", "n1");
    node.set_namespace("shop");
    check(nodes.apply(&node, &me()).await.unwrap_err(), "apply nodes/n1", "and the kind has no namespaces");

    let deployments = client.api::<apps_api::Deployment>().namespace("shop");
    let web = Deployment::new("web", "shop");
    let wrong = deployments.apply_scale(&web, &me()).await.unwrap_err();
    check(
        wrong,
        "apply deployments.apps/web",
        "is of apps/v1 Deployment, and autoscaling/v1 Scale is wanted",
    );
    assert_eq!(echo.0.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn errors_do_not_tell_what_is_in_a_configuration() {
    let echo = Echo::default();
    let secrets = echo.client().api::<api::Secret>().namespace("shop");
    let secret = Secret::new("key", "other").string_data([("password", "s3cret")]);
    let error = secrets.apply(&secret, &me()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
}

// What becomes of it on a server.

fn web(replicas: i32) -> Deployment {
    Deployment::new("web", "default").spec(
        DeploymentSpec::new()
            .replicas(replicas)
            .selector(LabelSelector::new().match_labels([("app", "web")]))
            .template(
                PodTemplateSpec::new()
                    .labels([("app", "web")])
                    .spec(PodSpec::new().containers([Container::new().name("web").image("nginx")])),
            ),
    )
}

fn managers(metadata: &ObjectMeta) -> Vec<String> {
    let name = |entry: &ManagedFieldsEntry| {
        let text = |text: &Option<klient_apimachinery::Str>| text.as_deref().unwrap_or_default().to_owned();
        let subresource = text(&entry.subresource);
        let slash = if subresource.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{subresource}", text(&entry.operation), text(&entry.manager))
    };
    metadata.managed_fields.iter().map(name).collect()
}

#[tokio::test]
async fn the_first_apply_creates_and_the_next_changes() {
    let (server, client) = cluster().await;
    let config_maps = client.api::<api::ConfigMap>().namespace("default");
    let made = config_maps.apply(&sky("blue").data([("height", "high")]), &me()).await.unwrap();
    assert_eq!(managers(&made.metadata), ["Apply me"]);
    let changed = config_maps.apply(&sky("grey"), &me()).await.unwrap();
    assert_eq!(changed.data, [("color", "grey")].into());
    // Once more changes nothing.
    let before = server.resource_version();
    assert_eq!(config_maps.apply(&sky("grey"), &me()).await.unwrap(), changed);
    assert_eq!(server.resource_version(), before);
}

#[tokio::test]
async fn fields_of_others_are_a_conflict_unless_they_are_taken_by_force() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<api::ConfigMap>().namespace("default");
    config_maps.apply(&sky("blue").data([("height", "high")]), &me()).await.unwrap();
    let other = ApplyOptions::new("other");
    let error = config_maps.apply(&sky("grey"), &other).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    let causes: Vec<_> = error.causes().collect();
    assert_eq!(causes, [("FieldManagerConflict", ".data.color", r#"conflict with "me""#)]);
    let taken = config_maps.apply(&sky("grey"), &other.force()).await.unwrap();
    assert_eq!(taken.data, [("color", "grey"), ("height", "high")].into());
    assert_eq!(managers(&taken.metadata), ["Apply me", "Apply other"]);
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<api::ConfigMap>().namespace("default");
    let would_be = config_maps.apply(&sky("blue"), &me().dry_run()).await.unwrap();
    assert_eq!(would_be.data, [("color", "blue")].into());
    assert!(config_maps.get("sky").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn what_was_applied_is_extracted_changed_and_applied_again() {
    let (_server, client) = cluster().await;
    let deployments = client.api::<apps_api::Deployment>().namespace("default");
    let made = deployments.apply(&web(3), &me()).await.unwrap();
    let extracted = Deployment::extract(&made, "me").unwrap();
    assert_eq!(extracted, web(3));
    let changed = deployments.apply(&extracted.annotations([("note", "x")]), &me()).await.unwrap();
    assert_eq!(changed.metadata.annotations, [("note", "x")].into());
    assert_eq!(changed.spec.replicas, Some(3));
    assert_eq!(Deployment::extract(&changed, "other").unwrap(), Deployment::new("web", "default"));
}

#[tokio::test]
async fn status_and_scale_have_owners_of_their_own() {
    let (_server, client) = cluster().await;
    let deployments = client.api::<apps_api::Deployment>().namespace("default");
    deployments.apply(&web(3), &me()).await.unwrap();
    let status = Deployment::new("web", "default").status(DeploymentStatus::new().observed_generation(1));
    let changed = deployments.apply_status(&status, &me()).await.unwrap();
    assert_eq!(changed.status.observed_generation, Some(1));
    assert_eq!(changed.spec.replicas, Some(3));
    assert_eq!(managers(&changed.metadata), ["Apply me", "Apply me/status"]);
    assert_eq!(Deployment::extract_subresource(&changed, "me", "status").unwrap(), status);

    let scale = Scale::new("web", "default").spec(ScaleSpec::new().replicas(5));
    let scaler = ApplyOptions::new("scaler");
    let error = deployments.apply_scale(&scale, &scaler).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    let scaled: autoscaling_api::Scale = deployments.apply_scale(&scale, &scaler.force()).await.unwrap();
    assert_eq!(scaled.spec.replicas, Some(5));
    let now = deployments.get("web").await.unwrap();
    assert_eq!(now.spec.replicas, Some(5));
    let extracted = Deployment::extract(&now, "me").unwrap();
    assert_eq!(extracted.as_map()["spec"].get("replicas"), None);
}

#[tokio::test]
async fn custom_objects_are_applied_untyped_and_typed() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let gadgets = client.dynamic(GADGETS).namespace("default");
    let mut gadget = Unstructured::new("shop.example/v1", "Gadget", "g1");
    gadget["spec"] = json!({"size": 3});
    let made = gadgets.apply(&gadget, &me()).await.unwrap();
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "me");
    // What came from the server is not what was applied.
    let error = gadgets.apply(&made, &me()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);

    let typed = client.api::<Gadget>().namespace("default");
    let error = typed.apply(&gadget_configuration(4), &ApplyOptions::new("other")).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    let taken = typed.apply(&gadget_configuration(4), &ApplyOptions::new("other").force()).await.unwrap();
    assert_eq!(taken.0["spec"]["size"], 4);

    let mut status = Unstructured::new("shop.example/v1", "Gadget", "g1");
    status["status"] = json!({"ready": true});
    assert_eq!(gadgets.apply_status(&status, &me()).await.unwrap()["status"], json!({"ready": true}));
    let mut scale = Unstructured::new("autoscaling/v1", "Scale", "g1");
    scale["spec"] = json!({"replicas": 7});
    let scaled = gadgets.apply_scale(&scale, &me().force()).await.unwrap();
    assert_eq!(scaled["spec"]["replicas"], 7);
}

#[tokio::test]
async fn what_was_applied_by_the_client_is_taken_over() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<api::ConfigMap>().namespace("default");
    let csa = WriteOptions { field_manager: Some("csa".into()), ..Default::default() };
    let made = config_maps.clone().with(csa).create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(managers(&made.metadata), ["Update csa"]);
    let upgrade =
        |object: &api::ConfigMap| upgrade_managed_fields_patch(&object.metadata, &["csa"], "me", "");
    let patch = Patch::Json(upgrade(&made).unwrap().unwrap());
    let upgraded = config_maps.patch("sky", &patch).await.unwrap();
    assert_eq!(managers(&upgraded.metadata), ["Apply me"]);
    assert_eq!(upgrade(&upgraded).unwrap(), None);
    // It is as old as the object it was made of.
    assert!(config_maps.patch("sky", &patch).await.unwrap_err().is_conflict());
    // And so what is no longer applied goes away.
    let empty = config_maps.apply(&ConfigMap::new("sky", "default"), &me()).await.unwrap();
    assert_eq!(empty.data, [("", ""); 0].into());
}

#[tokio::test]
async fn what_the_server_refuses_is_told() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<api::ConfigMap>().namespace("default");
    let long = "m".repeat(129);
    let error = config_maps.apply(&sky("blue"), &ApplyOptions::new(long.as_str())).await.unwrap_err();
    assert!(error.is_invalid(), "{error:?}");
    let deployments = client.api::<apps_api::Deployment>().namespace("default");
    let error = deployments.apply(&Deployment::new("web", "default"), &me()).await.unwrap_err();
    assert!(error.is_invalid(), "{error:?}");
    let unread = Deployment::new("web", "default").status(DeploymentStatus::new().replicas(1));
    assert!(deployments.apply_status(&unread, &me()).await.unwrap_err().is_not_found());
}
