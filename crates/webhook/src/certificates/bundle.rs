//! [`CaBundle`], the certificate authorities in a configuration or a definition.

use klient_api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_apimachinery::{ByteString, Resource as _, ResourceInfo, Str, Unstructured};
use klient_client::{Client, Patch};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind};

/// The object whose `caBundle` is kept, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CaBundle {
    /// All webhooks of a ValidatingWebhookConfiguration.
    Validating(Str),
    /// All webhooks of a MutatingWebhookConfiguration.
    Mutating(Str),
    /// The conversion webhook of a CustomResourceDefinition.
    Definition(Str),
}

impl CaBundle {
    fn object(&self) -> (ResourceInfo, &Str) {
        match self {
            CaBundle::Validating(name) => (ValidatingWebhookConfiguration::INFO, name),
            CaBundle::Mutating(name) => (MutatingWebhookConfiguration::INFO, name),
            CaBundle::Definition(name) => (CustomResourceDefinition::INFO, name),
        }
    }

    /// Puts a bundle into the object, where it is another, and leaves all else of the object. One that does not exist is left
    /// out.
    pub(super) async fn put(&self, client: &Client, bundle: &str) -> Result<(), Error> {
        let (info, name) = self.object();
        let failed =
            |error| Error::caused(ErrorKind::Request, format!("caBundle of {} {name}", info.kind), error);
        let objects = client.dynamic(info.clone());
        let Some(object) = objects.get_opt(name).await.map_err(failed)? else { return Ok(()) };
        let patch = patch(&object, &ByteString::from(bundle).to_base64().into());
        if patch.is_empty() {
            return Ok(());
        }
        let patched = objects.patch(name, &Patch::Json(patch.into())).await;
        patched.map(drop).map_err(failed)
    }
}

/// The operations that put a bundle into an object.
fn patch(object: &Unstructured, bundle: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    let mut put = |config: Option<&Value>, path: &str| {
        let Some(config) = config.filter(|config| config.is_object()) else { return false };
        let differs = config.get("caBundle") != Some(bundle);
        if differs {
            operations.push(json!({"op": "add", "path": format!("{path}/caBundle"), "value": bundle}));
        }
        differs
    };
    let mut named = Vec::new();
    let webhooks = object.at(&["webhooks"]).and_then(Value::as_array);
    for (index, webhook) in webhooks.into_iter().flatten().enumerate() {
        let path = format!("/webhooks/{index}");
        if put(webhook.get("clientConfig"), &format!("{path}/clientConfig")) {
            // Another webhook may take the index meanwhile.
            named.push(json!({"op": "test", "path": format!("{path}/name"), "value": webhook["name"]}));
        }
    }
    let conversion = ["spec", "conversion", "webhook", "clientConfig"];
    put(object.at(&conversion), &format!("/{}", conversion.join("/")));
    named.extend(operations);
    named
}
