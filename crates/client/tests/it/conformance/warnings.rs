//! Warnings beside responses.

use klient_api::core::v1::{Endpoints, Pod};
use klient_apimachinery::Unstructured;
use klient_client::{
    Api, Client, Config, DeferredRestMapper, DynamicPlace, FieldValidation, ListOptions, Patch,
    WarningHandler, Warnings, WriteOptions,
};
use serde_json::{Value, json};

use super::test_cluster::TestCluster;
use crate::cluster::pod;

/// A client that collects warnings.
fn collecting(cluster: &TestCluster) -> (Client, Warnings) {
    let (handler, warnings) = WarningHandler::collector();
    (Client::new(Config { warnings: handler, ..cluster.config() }).unwrap(), warnings)
}

fn texts(warnings: &Warnings) -> Vec<String> {
    warnings.take().into_iter().map(|warning| warning.text).collect()
}

#[tokio::test]
async fn a_deprecated_version_is_warned_of() {
    let cluster = TestCluster::start().await;
    let (client, warnings) = collecting(&cluster);
    let endpoints = client.api::<Endpoints>().namespace(&cluster.namespace);
    endpoints.list(&ListOptions::default()).await.unwrap();
    endpoints.get("none").await.unwrap_err();
    let text = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    assert_eq!(texts(&warnings), [text, text]);
    client.api::<Pod>().namespace(&cluster.namespace).list(&ListOptions::default()).await.unwrap();
    assert_eq!(texts(&warnings), [""; 0]);
}

fn validating(
    api: &Api<Unstructured, DynamicPlace>,
    field_validation: FieldValidation,
) -> Api<Unstructured, DynamicPlace> {
    let options = WriteOptions { field_validation: Some(field_validation), ..Default::default() };
    api.clone().with(options)
}

#[tokio::test]
async fn unknown_fields_are_warned_of_refused_or_dropped() {
    let cluster = TestCluster::start().await;
    let (client, warnings) = collecting(&cluster);
    let group = cluster.define("Gadget", "Namespaced", &cluster.unique("gd")).await;
    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    for (group, kind, spec) in [("apps", "Deployment", deployment()), (&group, "Gadget", json!({"size": 1}))]
    {
        let resource = mapper.kind(group, kind, None).await.unwrap();
        let objects = client.dynamic(&resource).namespace(&cluster.namespace);
        let mut object = Unstructured::new(&resource.info.api_version(), kind, "web");
        object["spec"] = spec;
        object["spec"]["sizes"] = json!(1);
        let problem = r#"unknown field "spec.sizes""#;
        let refused = validating(&objects, FieldValidation::Strict).create(&object).await.unwrap_err();
        assert!(refused.is_bad_request(), "{refused}");
        let message = format!(
            "{kind} in version \"v1\" cannot be handled as a {kind}: strict decoding error: {problem}"
        );
        assert_eq!(refused.as_status().unwrap().message.as_deref(), Some(&*message));
        let created = validating(&objects, FieldValidation::Warn).create(&object).await.unwrap();
        assert_eq!(created["spec"].get("sizes"), None);
        assert_eq!(texts(&warnings), [problem], "{kind}");
        let patch = Patch::Merge(json!({"spec": {"sizes": 2}}));
        objects.patch("web", &patch).await.unwrap();
        assert_eq!(texts(&warnings), [problem], "the default is to warn: {kind}");
        validating(&objects, FieldValidation::Ignore).patch("web", &patch).await.unwrap();
        assert_eq!(texts(&warnings), [""; 0], "{kind}");
    }
}

fn deployment() -> Value {
    json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    })
}

/// The admission plugin PodSecurity, which the embedded server does not have: it has no nodes that pods could harm.
#[tokio::test]
async fn a_pod_that_is_not_secure_is_warned_of() {
    let cluster = TestCluster::start().await;
    let (client, warnings) = collecting(&cluster);
    let label =
        Patch::Merge(json!({"metadata": {"labels": {"pod-security.kubernetes.io/warn": "baseline"}}}));
    client.api::<klient_api::core::v1::Namespace>().patch(&cluster.namespace, &label).await.unwrap();
    let mut web = pod("web", "web");
    web.spec.host_network = Some(true);
    let text = r#"would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)"#;
    let pods = client.api::<Pod>().namespace(&cluster.namespace);
    pods.create(&web).await.unwrap();
    let expected: &[&str] = if cluster.embedded().is_some() { &[] } else { &[text] };
    assert_eq!(texts(&warnings), expected);
}
