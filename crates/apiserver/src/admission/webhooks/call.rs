//! [`Caller`], which calls an admission webhook for a write.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use klient_apimachinery::go::quoted;
use klient_apimachinery::patch::json::{JsonPatch, JsonPatchError};
use klient_apimachinery::values::{self, Map, list_at};
use serde_json::Value;
use tokio::time::Instant;

use super::forms::{Forms, Versions};
use super::review::{self, Response};
use super::webhook::Webhook;
use crate::admission::Attributes;
use crate::admission::conditions::{Input, UserAuthorizer, request};
use crate::admission::evaluation::evaluate;
use crate::admission::matching::Matched;
use crate::admission::patched::{Author, check_kind};
use crate::conversion::Converter;
use crate::registry::Registry;
use crate::respond;
use crate::status::{Failure, Result};
use crate::storage::Storage;
use crate::webhook::WebhookClients;

/// Calls admission webhooks.
pub(crate) struct Caller {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clients: Arc<WebhookClients>,
    pub(crate) converter: Arc<Converter>,
}

/// The failure of a call.
pub(super) enum CallError {
    /// There was no valid response: the `failurePolicy` decides.
    Failed(String),
    /// The write is rejected.
    Rejected(Failure),
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        CallError::Rejected(failure)
    }
}

impl Caller {
    /// The resource by which a write of a user matches a webhook, if it does.
    ///
    /// # Errors
    ///
    /// 404 if the namespace of the write does not exist, 403 if a match condition cannot be evaluated.
    pub(super) async fn matches(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        object: Option<&Map>,
        versions: &mut Versions,
    ) -> Result<Option<Matched>> {
        let (storage, registry) = (&*self.storage, &*self.registry);
        let matched = webhook.criteria.matches(storage, registry, attributes, object)?;
        let (Some(matched), Some(conditions), Some(user)) =
            (&matched, &webhook.conditions, attributes.request.user)
        else {
            return Ok(matched);
        };
        let forms = self.forms(versions, attributes, matched, object).await?;
        let [new, old] = forms.values();
        let input = Input {
            object: new.as_object(),
            old_object: old.as_object(),
            request: &request(attributes, matched),
            params: None,
            namespace: None,
            authorizer: &UserAuthorizer::new(&self.storage, &self.registry, user, attributes),
        };
        let (conditions, fails) = (conditions.clone(), !webhook.ignores_failures);
        let matches = move |input: Input<'_>| conditions.matches(fails, input);
        match evaluate(attributes.request, input, matches).await? {
            Ok(matches) => Ok(matches.then(|| matched.clone())),
            Err(problem) => Err(Failure::forbidden(&attributes.resource.target(attributes.name), &problem)),
        }
    }

    /// The objects of a write in the version that has matched, encoded once for all webhooks.
    ///
    /// # Errors
    ///
    /// If the conversion webhook of the kind fails.
    pub(super) async fn forms(
        &self,
        versions: &mut Versions,
        attributes: &Attributes<'_>,
        matched: &Matched,
        object: Option<&Map>,
    ) -> Result<Arc<Forms>> {
        if let Some(known) = versions.get(&matched.resource) {
            return Ok(known);
        }
        let object = self.versioned(attributes, matched, object).await?;
        let old = self.versioned(attributes, matched, attributes.old).await?;
        Ok(versions.add(&matched.resource, object, old))
    }

    /// An object in the version that has matched, as the JSON that webhooks get.
    async fn versioned(
        &self,
        attributes: &Attributes<'_>,
        matched: &Matched,
        object: Option<&Map>,
    ) -> Result<Bytes> {
        let Some(object) = object else { return Ok(Bytes::from_static(b"null")) };
        let mut object = object.clone();
        let json = match attributes.presented {
            Some(schema) => {
                object.insert("kind".to_owned(), matched.kind.kind.as_str().into());
                object.insert("apiVersion".to_owned(), matched.kind.api_version().into());
                let mut json = Vec::new();
                values::encode(&object, schema, &mut json);
                json
            }
            None => {
                let resource = &matched.resource;
                let converted = self
                    .converter
                    .convert(attributes.form, resource, object, attributes.request.deadline)
                    .await;
                // Upstream's accessor of versions and its caller each say so.
                let object = converted.map_err(|failure| {
                    Failure::internal(format!("Internal error occurred: {}", failure.message()))
                })?;
                respond::kind::with_kind(resource, &resource.encode(&object))
            }
        };
        Ok(json.into())
    }

    /// Sends a write to a webhook and returns its response.
    ///
    /// # Errors
    ///
    /// If there is no valid response, or a rejection.
    pub(super) async fn call(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        matched: &Matched,
        forms: &Forms,
        is_mutating: bool,
    ) -> Result<Response, CallError> {
        let failed = |problem: String| CallError::Failed(problem);
        let version = webhook.review_version.ok_or_else(|| {
            failed("could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)".to_owned())
        })?;
        let client = webhook.client.as_ref();
        let client = client.map_err(|error| failed(format!("could not get REST client: {error}")))?;
        let review = review::review(version);
        let uid = uuid::Uuid::new_v4().to_string();
        let body = Bytes::from(review::request(&uid, review, attributes, matched, forms));
        let now = Instant::now();
        let deadline = (now + webhook.timeout).min(attributes.request.deadline);
        let seconds = (deadline.saturating_duration_since(now) + Duration::from_millis(999)).as_secs();
        let query = format!("?timeout={seconds}s");
        let answer = self.clients.call(client, &query, body, review, deadline).await;
        let answer = answer.map_err(|error| failed(format!("failed to call webhook: {error}")))?;
        let response = Response::of(review, &answer, &uid, is_mutating)
            .map_err(|error| failed(format!("received invalid webhook response: {error}")))?;
        for (key, value) in &response.annotations {
            attributes.annotate(&format!("{}/{key}", webhook.name), value);
        }
        attributes.request.warnings.add(response.warnings.clone());
        if response.allowed {
            return Ok(response);
        }
        Err(CallError::Rejected(Failure::of(response.rejection(&webhook.name))))
    }

    /// Applies the patch of a response to an object, which is `before` in the version that has matched. Returns true if
    /// that has changed it.
    ///
    /// # Errors
    ///
    /// If the patch is none, or does not apply.
    pub(super) async fn patch(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        matched: &Matched,
        (forms, object): (&Forms, Option<&mut Map>),
        response: &Response,
    ) -> Result<bool, CallError> {
        if response.patch.is_empty() {
            return Ok(false);
        }
        let patch = JsonPatch::parse_unchecked(&response.patch).map_err(|error| {
            let problem = match error {
                JsonPatchError::Syntax(problem) | JsonPatchError::Malformed(problem) => problem,
                other => other.to_string(),
            };
            CallError::Failed(format!("received undecodable patch in webhook response: {problem}"))
        })?;
        if patch.is_empty() {
            return Ok(false);
        }
        let Some(object) = object else {
            return Err(Failure::internal(format!(
                "admission webhook {} attempted to modify the object, which is not supported for this operation",
                quoted(&webhook.name)
            ))
            .into());
        };
        if response.patch_type != "JSONPatch" {
            let problem = format!("unsupported patch type {}", quoted(&response.patch_type));
            return Err(CallError::Failed(problem));
        }
        let [before, _] = forms.values();
        let mut after = before.clone();
        patch.apply(&mut after).map_err(|error| {
            Failure::internal(match error {
                JsonPatchError::Failed { problem, .. } => problem,
                other => other.to_string(),
            })
        })?;
        check_kind(attributes, matched, &after, Author::Webhook)?;
        let mut new = self.decode(attributes, matched, after)?;
        let json = match attributes.presented {
            Some(_) => self.versioned(attributes, matched, Some(&new)).await?,
            None => respond::kind::with_kind(&matched.resource, &matched.resource.encode(&new)).into(),
        };
        let is_changed = serde_json::from_slice::<Value>(&json).ok().as_ref() != Some(before);
        if attributes.presented.is_none() {
            matched.resource.strategy.default(&mut new);
            new = self
                .converter
                .convert(&matched.resource, attributes.form, new, attributes.request.deadline)
                .await?;
        }
        if let Some(reinvocation) = attributes.reinvocation {
            reinvocation.changes(object);
        }
        *object = new;
        Ok(is_changed)
    }

    fn decode(&self, attributes: &Attributes<'_>, matched: &Matched, patched: Value) -> Result<Map> {
        let Value::Object(mut object) = patched else {
            return Err(Failure::internal("the patch of a webhook makes no object"));
        };
        object.remove("kind");
        object.remove("apiVersion");
        // Go leaves out an empty list.
        if list_at(&object, &["metadata", "managedFields"]).is_empty()
            && let Some(Value::Object(metadata)) = object.get_mut("metadata")
        {
            metadata.remove("managedFields");
        }
        let decoded = match attributes.presented {
            Some(schema) => values::decode(object, schema),
            None => matched.resource.decode_changed(object),
        };
        Ok(decoded.map_err(|mismatch| Failure::internal(mismatch.of_json))?.object)
    }

    /// The failure of a write whose webhook could not be called; none if the webhook ignores that.
    pub(super) fn fail(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        problem: &str,
        annotation: &str,
    ) -> Result<()> {
        let problem = format!("failed calling webhook {}: {problem}", quoted(&webhook.name));
        attributes.request.check_deadline()?;
        if !webhook.ignores_failures {
            return Err(Failure::internal(problem));
        }
        tracing::warn!(webhook = webhook.name, problem, "a webhook could not be called, which it ignores");
        attributes.annotate(annotation, &webhook.name);
        Ok(())
    }
}
