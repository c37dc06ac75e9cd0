//! The configurations of webhooks.

use std::time::Duration;

use klient_api::admissionregistration::v1::{
    MatchCondition, MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use klient_api::core::v1::{Pod, Service};
use klient_apimachinery::meta::v1::LabelSelector;
use klient_client::Patch;
use klient_webhook::{
    AdmissionWebhook, Allowed, Denied, FailurePolicy, InstallOptions, MatchPolicy, Operation,
    ReinvocationPolicy, Request, SideEffects, WebhookAddress, WebhookOptions, Webhooks,
};
use serde_json::json;

use crate::cluster::cluster;
use crate::lamps::v2::Lamp;

fn webhooks() -> Webhooks {
    let options = WebhookOptions {
        operations: vec![Operation::Create, Operation::Delete],
        subresources: vec!["status".into()],
        failure_policy: FailurePolicy::Ignore,
        timeout: Duration::from_secs(3),
        namespace_selector: Some(LabelSelector { match_labels: [("a", "b")].into(), ..Default::default() }),
        object_selector: Some(LabelSelector { match_labels: [("c", "d")].into(), ..Default::default() }),
        match_conditions: vec![MatchCondition {
            name: "not-kube-system".into(),
            expression: "request.namespace != 'kube-system'".into(),
            ..Default::default()
        }],
        match_policy: MatchPolicy::Exact,
        side_effects: SideEffects::NoneOnDryRun,
        ..Default::default()
    };
    let allow = async |_: Request<Lamp>, ()| Ok::<_, Denied>(Allowed::new());
    let pods = async |_: Request<Pod>, ()| Ok::<_, Denied>(Allowed::unchanged());
    let again = WebhookOptions { reinvocation_policy: ReinvocationPolicy::IfNeeded, ..Default::default() };
    let services = async |_: Request<Service>, ()| Ok::<_, Denied>(Allowed::unchanged());
    Webhooks::builder()
        .admission(AdmissionWebhook::validating("lamps.hooks.example", (), allow).options(options))
        .admission(AdmissionWebhook::mutating("pods.hooks.example", (), pods))
        .admission(AdmissionWebhook::mutating("services.hooks.example", (), services).options(again))
        .build()
        .unwrap()
}

#[test]
fn a_configuration_has_the_options_of_its_webhooks() {
    let address =
        WebhookAddress::service("shop", "webhook").port(8443).path_prefix("/hooks/").ca_bundle("ca");
    let validating = webhooks().validating_configuration("hooks", &address);
    assert_eq!(
        serde_json::to_value(&validating).unwrap(),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "hooks"},
            "webhooks": [{
                "name": "lamps.hooks.example",
                "clientConfig": {
                    "service": {
                        "namespace": "shop", "name": "webhook", "port": 8443,
                        "path": "/hooks/validate-hooks-example-v2-lamp",
                    },
                    "caBundle": "Y2E=",
                },
                "rules": [{
                    "operations": ["CREATE", "DELETE"], "apiGroups": ["hooks.example"], "apiVersions": ["v2"],
                    "resources": ["lamps", "lamps/status"],
                }],
                "failurePolicy": "Ignore",
                "matchPolicy": "Exact",
                "sideEffects": "NoneOnDryRun",
                "timeoutSeconds": 3,
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {"matchLabels": {"a": "b"}},
                "objectSelector": {"matchLabels": {"c": "d"}},
                "matchConditions": [
                    {"name": "not-kube-system", "expression": "request.namespace != 'kube-system'"},
                ],
            }],
        })
    );
    let address = WebhookAddress::url("https://[::1]:9443/");
    assert_eq!(address.hosts(), ["::1"]);
    let mutating = webhooks().mutating_configuration("hooks", &address);
    assert_eq!(
        serde_json::to_value(&mutating.webhooks[..1]).unwrap(),
        json!([{
            "name": "pods.hooks.example",
            "clientConfig": {"url": "https://[::1]:9443/mutate--v1-pod"},
            "rules": [{
                "operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
            }],
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "reinvocationPolicy": "Never",
            "sideEffects": "None",
            "timeoutSeconds": 10,
            "admissionReviewVersions": ["v1"],
        }])
    );
    assert_eq!(mutating.webhooks[1].reinvocation_policy.as_deref(), Some("IfNeeded"));
}

#[tokio::test]
async fn configurations_are_applied_and_a_bundle_of_another_is_kept() {
    let (_server, client) = cluster().await;
    let address = WebhookAddress::service("shop", "webhook");
    let install =
        async |options: &InstallOptions| webhooks().install(&client, "hooks", &address, options).await;
    install(&Default::default()).await.unwrap();
    let validating = client.api::<ValidatingWebhookConfiguration>();
    let patch =
        Patch::Json(json!([{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "Y2E="}]));
    validating.patch("hooks", &patch).await.unwrap();
    install(&Default::default()).await.unwrap();
    let installed = validating.get("hooks").await.unwrap();
    assert_eq!(installed.webhooks[0].match_policy.as_deref(), Some("Exact"));
    assert_eq!(installed.webhooks[0].side_effects, "NoneOnDryRun");
    assert_eq!(installed.webhooks[0].client_config.ca_bundle.as_ref().unwrap().as_ref(), b"ca");
    let mutating = client.api::<MutatingWebhookConfiguration>().get("hooks").await.unwrap();
    assert_eq!(mutating.webhooks[1].reinvocation_policy.as_deref(), Some("IfNeeded"));

    let patch = Patch::Json(json!([{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 7}]));
    validating.patch("hooks", &patch).await.unwrap();
    let error = install(&Default::default()).await.unwrap_err();
    assert!(error.request_error().unwrap().is_conflict(), "{error}");
    assert!(error.to_string().starts_with("ValidatingWebhookConfiguration hooks: "), "{error}");
    install(&InstallOptions { force: true, ..Default::default() }).await.unwrap();
    assert_eq!(validating.get("hooks").await.unwrap().webhooks[0].timeout_seconds, Some(3));
}
