//! The configurations by which an API server calls webhooks.

use klient_api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhook,
    ValidatingWebhookConfiguration,
};
use klient_apimachinery::codec::Wire;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Resource, Str, Unstructured};
use klient_client::{ApplyOptions, Client};

use crate::address::WebhookAddress;
use crate::admission::AdmissionWebhook;
use crate::error::{Error, ErrorKind};
use crate::webhooks::Webhooks;

/// Options of [`Webhooks::install`].
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The field manager of the configurations; `klient-webhook` by default.
    pub field_manager: Str,
    /// Takes fields from other managers, as after an installation by kubectl or helm. Without it that is a conflict.
    pub force: bool,
}

impl Default for InstallOptions {
    fn default() -> Self {
        InstallOptions { field_manager: "klient-webhook".into(), force: false }
    }
}

/// A webhook in a configuration: those that validate and those that change objects have types of their own, with the same
/// fields.
macro_rules! configured {
    ($type:ident, $webhook:ident, $address:ident) => {{
        let options = &$webhook.options;
        $type {
            name: $webhook.name.clone(),
            client_config: $address.admission(&$webhook.path()),
            rules: rules($webhook),
            failure_policy: Some(options.failure_policy.as_str().into()),
            match_policy: Some(options.match_policy.as_str().into()),
            side_effects: options.side_effects.as_str().into(),
            timeout_seconds: seconds($webhook),
            admission_review_versions: vec!["v1".into()],
            namespace_selector: options.namespace_selector.clone().map(Box::new),
            object_selector: options.object_selector.clone().map(Box::new),
            match_conditions: options.match_conditions.clone(),
            ..Default::default()
        }
    }};
}

impl Webhooks {
    /// The configuration of the webhooks that validate, for the API server to call them at an address. Without one that
    /// validates, it has no webhooks.
    pub fn validating_configuration(
        &self,
        name: impl Into<Str>,
        address: &WebhookAddress,
    ) -> ValidatingWebhookConfiguration {
        let webhooks = self.admission().filter(|webhook| !webhook.is_mutating);
        ValidatingWebhookConfiguration {
            metadata: ObjectMeta::named(name),
            webhooks: webhooks.map(|webhook| configured!(ValidatingWebhook, webhook, address)).collect(),
            ..Default::default()
        }
    }

    /// The configuration of the webhooks that change objects: see [`validating_configuration`](Self::validating_configuration).
    pub fn mutating_configuration(
        &self,
        name: impl Into<Str>,
        address: &WebhookAddress,
    ) -> MutatingWebhookConfiguration {
        let webhooks = self.admission().filter(|webhook| webhook.is_mutating);
        MutatingWebhookConfiguration {
            metadata: ObjectMeta::named(name),
            webhooks: webhooks
                .map(|webhook| MutatingWebhook {
                    reinvocation_policy: Some(webhook.options.reinvocation_policy.as_str().into()),
                    ..configured!(MutatingWebhook, webhook, address)
                })
                .collect(),
            ..Default::default()
        }
    }

    /// Applies the configurations of the webhooks, both with a name. That of a sort without webhooks is not written.
    ///
    /// The API server calls webhooks some time after this, and refuses writes meanwhile if it cannot reach them: start the
    /// [`Server`](crate::Server) before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Request`] if the server refuses a configuration, another manager owns a field of it, or it cannot be reached.
    pub async fn install(
        &self,
        client: &Client,
        name: &str,
        address: &WebhookAddress,
        options: &InstallOptions,
    ) -> Result<(), Error> {
        let validating = self.validating_configuration(name, address);
        if !validating.webhooks.is_empty() {
            apply(client, name, &validating, options).await?;
        }
        let mutating = self.mutating_configuration(name, address);
        if !mutating.webhooks.is_empty() {
            apply(client, name, &mutating, options).await?;
        }
        Ok(())
    }
}

async fn apply<K: Resource + Wire>(
    client: &Client,
    name: &str,
    configuration: &K,
    options: &InstallOptions,
) -> Result<(), Error> {
    let mut apply = ApplyOptions::new(options.field_manager.clone());
    if options.force {
        apply = apply.force();
    }
    let applied = client.dynamic(K::INFO).apply(&Unstructured::from_typed(configuration), &apply).await;
    let failed = |error| Error::caused(ErrorKind::Request, format!("{} {name}", K::INFO.kind), error);
    applied.map(drop).map_err(failed)
}

/// A rule for each resource, with its subresources.
fn rules(webhook: &AdmissionWebhook) -> Vec<RuleWithOperations> {
    let options = &webhook.options;
    let rule = |info: &klient_apimachinery::ResourceInfo| {
        let plural: Str = (*info.plural).into();
        let subresource = |name: &Str| format!("{plural}/{name}").into();
        let subresources = options.subresources.iter().map(subresource);
        RuleWithOperations {
            api_groups: vec![(*info.group).into()],
            api_versions: vec![(*info.version).into()],
            resources: std::iter::once(plural.clone()).chain(subresources).collect(),
            operations: options.operations.iter().map(|operation| operation.as_str().into()).collect(),
            ..Default::default()
        }
    };
    webhook.resources.iter().map(rule).collect()
}

fn seconds(webhook: &AdmissionWebhook) -> Option<i32> {
    i32::try_from(webhook.options.timeout.as_secs()).ok()
}
