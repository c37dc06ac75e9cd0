//! The case `webhook`: a webhook that every secret is validated by.

use std::time::Duration;

use klient_api::admissionregistration::v1::ValidatingWebhookConfiguration;
use klient_api::core::v1::Secret;
use klient_apimachinery::ByteString;
use klient_apimachinery::codec::Wire as _;
use klient_client::{Client, Config};
use measure::Args;
use serde_json::{Map, Value, json};

/// The label of objects that the webhook refuses.
const REFUSED: &str = "example.com/refused";

/// Configures the webhook at `--url`, whose certificate the authority in `--data` has signed, and tells why secrets are
/// not validated by it, if so.
pub async fn run(args: &Args, out: &mut Map<String, Value>) {
    let config = Config::from_kubeconfig_file(args.str("kubeconfig", "kubeconfig")).unwrap();
    let client = Client::new(config).unwrap();
    let ca = std::fs::read(format!("{}/ca.pem", args.str("data", "data"))).unwrap();
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "bench"},
        "webhooks": [{
            "name": "bench.example.com",
            "clientConfig": {
                "url": args.str("url", "https://127.0.0.1:28443/validate"),
                "caBundle": ByteString::from(ca),
            },
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"]}],
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
        }],
    });
    let configuration =
        ValidatingWebhookConfiguration::from_json(configuration.to_string().as_bytes()).unwrap();
    let problem = match client.api::<ValidatingWebhookConfiguration>().create(&configuration).await {
        Ok(_) if is_called(&client).await => Value::Null,
        Ok(_) => json!("webhooks are not called"),
        Err(error) => json!(format!("webhooks are refused: {error}")),
    };
    out.insert("problem".into(), problem);
}

/// Returns true when the webhook has refused an object. A server may call a new webhook some time after it is configured.
async fn is_called(client: &Client) -> bool {
    let refused = json!({"metadata": {"generateName": "refused-", "labels": {REFUSED: "true"}}});
    let refused = Secret::from_json(refused.to_string().as_bytes()).unwrap();
    for _ in 0..50 {
        match client.api::<Secret>().namespace("default").create(&refused).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(error) => return error.is_forbidden(),
        }
    }
    false
}
