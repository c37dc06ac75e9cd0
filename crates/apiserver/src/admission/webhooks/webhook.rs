//! [`Webhook`], a webhook of a configuration, parsed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::values::{Map, at, list_at, text_at};
use serde_json::Value;

use crate::admission::conditions::MatchConditions;
use crate::admission::matching::Criteria;
use crate::webhook::ClientConfig;

/// A webhook of a MutatingWebhookConfiguration or ValidatingWebhookConfiguration.
#[derive(Debug)]
pub(super) struct Webhook {
    /// The name of the configuration.
    pub(super) configuration: String,
    pub(super) name: String,
    /// `CONFIGURATION/NAME/N` for the Nth of that name.
    pub(super) id: String,
    pub(super) criteria: Criteria,
    /// `None` without any.
    pub(super) conditions: Option<Arc<MatchConditions>>,
    pub(super) client: Result<ClientConfig, String>,
    /// The version of the reviews: the first of `admissionReviewVersions` that is known.
    pub(super) review_version: Option<&'static str>,
    /// True if a write goes on when the webhook cannot be called: `failurePolicy: Ignore`.
    pub(super) ignores_failures: bool,
    pub(super) timeout: Duration,
    /// True if it is called again after other plugins have changed the object: `reinvocationPolicy: IfNeeded`.
    pub(super) is_reinvoked: bool,
}

impl Webhook {
    /// The webhooks of a configuration in the stored form, which is defaulted and valid.
    pub(super) fn parse_all(configuration: &Map) -> Vec<Webhook> {
        let name = text_at(configuration, &["metadata", "name"]);
        let mut names: HashMap<&str, usize> = HashMap::new();
        let webhooks = list_at(configuration, &["webhooks"]).iter().filter_map(Value::as_object);
        let parse = |webhook| {
            let count = names.entry(text_at(webhook, &["name"])).or_default();
            let parsed = Webhook::parse(name, webhook, *count);
            *count += 1;
            parsed
        };
        webhooks.map(parse).collect()
    }

    fn parse(configuration: &str, webhook: &Map, index: usize) -> Webhook {
        let name = text_at(webhook, &["name"]);
        let reviews = list_at(webhook, &["admissionReviewVersions"]).iter().filter_map(Value::as_str);
        let known = |version: &str| ["v1", "v1beta1"].into_iter().find(|known| *known == version);
        let seconds = at(webhook, &["timeoutSeconds"]).and_then(Value::as_u64).unwrap_or(10);
        let conditions = list_at(webhook, &["matchConditions"]);
        let empty = Map::new();
        let client = at(webhook, &["clientConfig"]).and_then(Value::as_object).unwrap_or(&empty);
        Webhook {
            configuration: configuration.to_owned(),
            name: name.to_owned(),
            id: format!("{configuration}/{name}/{index}"),
            criteria: Criteria::of_webhook(webhook),
            conditions: (!conditions.is_empty()).then(|| Arc::new(MatchConditions::of_webhook(conditions))),
            client: ClientConfig::parse(client),
            review_version: reviews.filter_map(known).next(),
            ignores_failures: text_at(webhook, &["failurePolicy"]) == "Ignore",
            timeout: Duration::from_secs(seconds),
            is_reinvoked: text_at(webhook, &["reinvocationPolicy"]) == "IfNeeded",
        }
    }
}
