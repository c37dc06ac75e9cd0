//! Certificates that programs make themselves.

use std::time::Duration;

use klient_api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Resource, Unstructured};
use klient_client::{Client, Patch};
use klient_webhook::{
    AdmissionWebhook, Allowed, CaBundle, Denied, ErrorKind, Request, Server, WebhookAddress,
    WebhookCertificates, WebhookCertificatesOptions, Webhooks,
};
use serde_json::json;

use crate::cluster::{any_port, cluster, url};

/// Options with short intervals.
fn options() -> WebhookCertificatesOptions {
    WebhookCertificatesOptions {
        hosts: vec!["127.0.0.1".into()],
        ca_bundles: vec![CaBundle::Validating("hooks".into()), CaBundle::Mutating("not-there".into())],
        propagation: Duration::from_millis(200),
        resync: Duration::from_millis(50),
        ..Default::default()
    }
}

fn webhooks() -> Webhooks {
    let deny = async |request: Request<ConfigMap>, ()| -> Result<Allowed, Denied> {
        Err(Denied::new(format!("{request:?}")))
    };
    Webhooks::builder()
        .admission(AdmissionWebhook::validating("deny.hooks.example", (), deny))
        .build()
        .unwrap()
}

/// Asks the API server to create an object, which the webhook denies if it is reached.
async fn call(client: &Client) -> Result<(), String> {
    let config_map = ConfigMap { metadata: ObjectMeta::named("m"), ..Default::default() };
    let error = client.api::<ConfigMap>().namespace("default").create(&config_map).await.unwrap_err();
    if error.to_string().ends_with("CREATE ConfigMap default/m") { Ok(()) } else { Err(error.to_string()) }
}

async fn bundle(client: &Client) -> String {
    let configuration = client.api::<ValidatingWebhookConfiguration>().get("hooks").await.unwrap();
    let bundle = configuration.webhooks[0].client_config.ca_bundle.clone().unwrap_or_default();
    String::from_utf8(bundle.as_ref().to_vec()).unwrap()
}

fn authorities(bundle: &str) -> usize {
    bundle.matches("BEGIN CERTIFICATE").count()
}

#[tokio::test]
async fn replicas_share_an_authority_and_the_bundle_is_put_back() {
    let (_server, client) = cluster().await;
    let (one, other) = tokio::join!(
        WebhookCertificates::start(&client, options()),
        WebhookCertificates::start(&client, options())
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.ca_bundle(), other.ca_bundle());
    assert_eq!(authorities(&one.ca_bundle()), 1);
    for certificates in [&one, &other] {
        let server = Server::start(webhooks(), certificates.tls(), any_port()).await.unwrap();
        // Without a bundle, which comes with the next look.
        let address = WebhookAddress::url(url(&server));
        webhooks().install(&client, "hooks", &address, &Default::default()).await.unwrap();
        while authorities(&bundle(&client).await) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(call(&client).await, Ok(()));
        let remove = json!([
            {"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": null},
            {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
        ]);
        let configurations = client.api::<ValidatingWebhookConfiguration>();
        configurations.patch("hooks", &Patch::Json(remove)).await.unwrap();
        while bundle(&client).await != one.ca_bundle() {
            tokio::task::yield_now().await;
        }
        let configuration = configurations.get("hooks").await.unwrap();
        assert_eq!(configuration.metadata.labels["a"], "b");
    }
}

#[tokio::test]
async fn a_new_authority_comes_before_the_old_one_expires_and_no_call_fails() {
    let (_server, client) = cluster().await;
    // Seconds are the least unit of a certificate.
    let options = WebhookCertificatesOptions {
        authority_max_age: Duration::from_secs(12),
        certificate_max_age: Duration::from_secs(8),
        propagation: Duration::from_millis(500),
        ..options()
    };
    let one = WebhookCertificates::start(&client, options.clone()).await.unwrap();
    let other = WebhookCertificates::start(&client, options).await.unwrap();
    let server = Server::start(webhooks(), one.tls(), any_port()).await.unwrap();
    let address = WebhookAddress::url(url(&server)).ca_bundle(one.ca_bundle());
    webhooks().install(&client, "hooks", &address, &Default::default()).await.unwrap();
    let first = bundle(&client).await;
    let mut certificates = one.subscribe();
    let (mut seen, mut both) = (vec![certificates.borrow_and_update().clone().unwrap()], false);
    // Until the second authority has signed.
    loop {
        assert_eq!(call(&client).await, Ok(()));
        both |= authorities(&bundle(&client).await) == 2;
        if certificates.has_changed().unwrap() {
            seen.push(certificates.borrow_and_update().clone().unwrap());
        }
        let issuer = seen.last().unwrap().certificate_pem();
        if !issuer.ends_with(&*first) {
            break;
        }
    }
    assert!(both && seen.len() >= 2);
    assert_eq!(call(&client).await, Ok(()));
    assert!(bundle(&client).await.contains(&first));
    while other.ca_bundle() != one.ca_bundle() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_bundle_that_is_refused_holds_up_neither_the_others_nor_the_certificate() {
    let (_server, client) = cluster().await;
    let rules = json!([{
        "apiGroups": ["apiextensions.k8s.io"], "apiVersions": ["v1"], "operations": ["UPDATE"],
        "resources": ["customresourcedefinitions"],
    }]);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "frozen"},
        "spec": {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false"}]},
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "frozen"}, "spec": {"policyName": "frozen", "validationActions": ["Deny"]},
    });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "lamps.frozen.example"},
        "spec": {
            "group": "frozen.example", "scope": "Cluster", "names": {"plural": "lamps", "kind": "Lamp"},
            "conversion": {"strategy": "Webhook", "webhook": {
                "clientConfig": {"url": "https://127.0.0.1/convert"}, "conversionReviewVersions": ["v1"],
            }},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}},
            ],
        },
    });
    let options = WebhookCertificatesOptions {
        ca_bundles: vec![
            CaBundle::Definition("lamps.frozen.example".into()),
            CaBundle::Validating("hooks".into()),
        ],
        certificate_max_age: Duration::from_secs(3),
        ..options()
    };
    let certificates = WebhookCertificates::start(&client, options.clone()).await.unwrap();
    create::<ValidatingAdmissionPolicy>(&client, policy).await;
    create::<ValidatingAdmissionPolicyBinding>(&client, binding).await;
    create::<CustomResourceDefinition>(&client, definition).await;
    let server = Server::start(webhooks(), certificates.tls(), any_port()).await.unwrap();
    let address = WebhookAddress::url(url(&server));
    webhooks().install(&client, "hooks", &address, &Default::default()).await.unwrap();
    let error = WebhookCertificates::start(&client, options).await.unwrap_err().to_string();
    assert!(error.starts_with("caBundle of CustomResourceDefinition lamps.frozen.example: "), "{error}");
    let mut seen = certificates.subscribe();
    for _ in 0..2 {
        seen.mark_unchanged();
        let renewed = tokio::time::timeout(Duration::from_secs(60), seen.changed()).await;
        renewed.unwrap().unwrap();
        assert_eq!(call(&client).await, Ok(()));
    }
}

/// Creates an object of a cluster-scoped kind.
async fn create<K: Resource>(client: &Client, object: serde_json::Value) {
    let object: Unstructured = serde_json::from_value(object).unwrap();
    client.dynamic(K::INFO).create(&object).await.unwrap();
}

#[tokio::test]
async fn a_secret_with_something_else_is_not_overwritten() {
    let (_server, client) = cluster().await;
    let secrets = client.api::<Secret>().namespace("default");
    let secret = Secret {
        metadata: ObjectMeta::named("webhook-authority"),
        data: [("password", "secret")].into(),
        ..Default::default()
    };
    secrets.create(&secret).await.unwrap();
    let error = WebhookCertificates::start(&client, options()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    assert!(error.to_string().starts_with("Secret default/webhook-authority: "), "{error}");
    // An empty one is filled, as one of a manifest.
    let empty = json!({"data": null});
    secrets.patch("webhook-authority", &Patch::Merge(empty)).await.unwrap();
    WebhookCertificates::start(&client, options()).await.unwrap();
    let error =
        WebhookCertificates::start(&client, WebhookCertificatesOptions { hosts: Vec::new(), ..options() });
    let error = error.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the certificate of the server of webhooks: a serving certificate without a host: give a DNS name or an IP address"
    );
}
