//! [`Converter`], the conversion of objects between the versions of their kind.
//!
//! Custom resources are stored in the version that is the storage version when they are written. The strategy `None` changes
//! nothing but the `apiVersion`; the strategy `Webhook` calls a webhook for every read and write in another version,
//! once for many objects of a list.

mod converted;
mod review;
mod undecodable;

use std::sync::Arc;
use std::time::Duration;

use klient_apiextensions::definition::ConversionWebhook;
use klient_apimachinery::values::{self, MAX_OBJECT_DEPTH, Map};
use serde_json::Value;
use tokio::time::Instant;
pub(crate) use undecodable::{Undecodable, UndecodableList};

use crate::registry::Resource;
use crate::respond;
use crate::status::{Failure, Result};
use crate::storage::Object;
use crate::webhook::{ClientConfig, WebhookClients};

/// The time-out of a conversion, as upstream.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The bytes of the objects of one review at most, unless one has more: the response has a limit, too.
const BATCH: usize = 1024 * 1024;

/// Converts objects between the versions of their kind. A call of a webhook ends at the deadline of its request at the
/// latest.
pub(crate) struct Converter {
    clients: Arc<WebhookClients>,
}

impl Converter {
    pub(crate) fn new(clients: Arc<WebhookClients>) -> Self {
        Converter { clients }
    }

    /// The clients of conversion webhooks, and of all others.
    pub(crate) fn clients(&self) -> &Arc<WebhookClients> {
        &self.clients
    }

    /// Converts an object, without its `apiVersion` and `kind`, from the version of one resource to that of another.
    ///
    /// # Errors
    ///
    /// 500 if the conversion webhook of the kind fails.
    pub(crate) async fn convert(
        &self,
        from: &Resource,
        to: &Resource,
        object: Map,
        deadline: Instant,
    ) -> Result<Map> {
        if from.path() == to.path() {
            return Ok(object);
        }
        if let Some(webhook) = from.conversion_webhook() {
            return self
                .call_for_one(from, webhook, &from.info.version, &to.info.version, object, deadline)
                .await;
        }
        let stored = match from.conversion {
            Some(conversion) => (conversion.to_storage)(object),
            None => object,
        };
        Ok(match to.conversion {
            Some(conversion) => (conversion.from_storage)(stored),
            None => stored,
        })
    }

    /// Converts an object of a custom kind between two of its versions by its webhook, whatever is served. An object without
    /// fields is the same in all versions.
    ///
    /// # Errors
    ///
    /// 500 if the webhook fails.
    pub(crate) async fn convert_version(
        &self,
        resource: &Resource,
        from: &str,
        to: &str,
        object: Map,
        deadline: Instant,
    ) -> Result<Map> {
        match resource.conversion_webhook() {
            Some(webhook) if from != to && !object.is_empty() => {
                self.call_for_one(resource, webhook, from, to, object, deadline).await
            }
            _ => Ok(object),
        }
    }

    /// Brings an object of a custom resource from the version of the request to that of storage. Fields that either does
    /// not know are pruned, and the defaults of the latter are set. All that is stored, or shown as if it were, passes
    /// through here.
    ///
    /// # Errors
    ///
    /// 422 if admission has left metadata of a wrong type; 500 if the conversion webhook of the kind fails; 400 if the
    /// object is nested too deep to be read again.
    pub(crate) async fn to_storage(
        &self,
        resource: &Resource,
        mut object: Map,
        deadline: Instant,
    ) -> Result<Map> {
        resource.normalize(&mut object)?;
        if let Some(webhook) = resource.conversion_webhook()
            && let (from, to) = (&*resource.info.version, resource.stored_version_name())
            && from != to
        {
            object = self.call_for_one(resource, webhook, from, to, object, deadline).await?;
        }
        resource.prune_to_stored(&mut object);
        resource.default_as_stored(&mut object);
        if values::is_too_deep(&object) {
            let problem = format!("exceeded max depth: an object is nested {MAX_OBJECT_DEPTH} deep at most");
            return Err(Failure::bad_request(problem));
        }
        Ok(object)
    }

    /// A stored object as a value in the present storage version, which may be another than when it was written.
    ///
    /// # Errors
    ///
    /// If the conversion webhook of the kind fails.
    pub(crate) async fn read_stored(
        &self,
        resource: &Resource,
        object: &Object,
        deadline: Instant,
    ) -> Result<Map, Undecodable> {
        let (from, to) = (&*object.version_name, resource.stored_version_name());
        match resource.conversion_webhook() {
            Some(webhook) if from != to => {
                let converted = self.call_for_one(resource, webhook, from, to, object.value(), deadline);
                converted.await.map_err(|failure| Undecodable::new(resource, object, &failure))
            }
            _ => Ok(object.value()),
        }
    }

    /// A stored object, converted by the webhook of its kind if it has one and is stored in another version.
    ///
    /// # Errors
    ///
    /// If the webhook fails.
    pub(crate) async fn serve(
        &self,
        resource: &Resource,
        object: Arc<Object>,
        deadline: Instant,
    ) -> Result<Arc<Object>, Undecodable> {
        let Some(webhook) = resource.conversion_webhook() else { return Ok(object) };
        let (from, to) = (&*object.version_name, &*resource.info.version);
        if from == to {
            return Ok(object);
        }
        let converted = self.call_for_one(resource, webhook, from, to, object.value(), deadline).await;
        let converted = converted.map_err(|failure| Undecodable::new(resource, &object, &failure))?;
        Ok(Arc::new(resource.served(&object, converted)))
    }

    /// Stored objects, as [`serve`](Self::serve). The objects of a batch that fails are converted one by one, as upstream
    /// converts all, so that the error names those that cannot be converted.
    ///
    /// # Errors
    ///
    /// If the webhook fails for one of them.
    pub(crate) async fn serve_all(
        &self,
        resource: &Resource,
        mut objects: Vec<Arc<Object>>,
        deadline: Instant,
    ) -> Result<Vec<Arc<Object>>, UndecodableList> {
        let Some(webhook) = resource.conversion_webhook() else { return Ok(objects) };
        let version = &*resource.info.version;
        let is_other = |index: &usize| objects[*index].version_name != version;
        let others: Vec<usize> = (0..objects.len()).filter(is_other).collect();
        let mut others = others.into_iter().peekable();
        let mut undecodable = UndecodableList::of(resource);
        while others.peek().is_some() && !undecodable.is_full() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(index) =
                others.next_if(|index| batch.is_empty() || bytes + objects[*index].json.len() <= BATCH)
            {
                bytes += objects[index].json.len();
                batch.push(index);
            }
            let whole =
                |index: &usize| whole(resource, &objects[*index].version_name, objects[*index].value());
            let originals: Vec<Value> = batch.iter().map(whole).collect();
            match self.call(webhook, resource, originals, version, deadline).await {
                Ok(values) => {
                    for (index, value) in batch.into_iter().zip(values) {
                        objects[index] = Arc::new(resource.served(&objects[index], value));
                    }
                }
                Err(failure) if batch.len() == 1 => {
                    undecodable.push(Undecodable::new(resource, &objects[batch[0]], &failure));
                }
                Err(_) => {
                    let deadline = deadline.min(Instant::now() + TIMEOUT);
                    for index in batch {
                        match self.serve(resource, objects[index].clone(), deadline).await {
                            Ok(object) => objects[index] = object,
                            Err(object) => undecodable.push(object),
                        }
                        if undecodable.is_full() || !undecodable.is_empty() && Instant::now() >= deadline {
                            break;
                        }
                    }
                }
            }
            if !undecodable.is_empty() && Instant::now() >= deadline {
                break;
            }
        }
        if undecodable.is_empty() { Ok(objects) } else { Err(undecodable) }
    }

    async fn call_for_one(
        &self,
        resource: &Resource,
        webhook: &ConversionWebhook,
        from: &str,
        to: &str,
        object: Map,
        deadline: Instant,
    ) -> Result<Map> {
        let original = whole(resource, from, object);
        let mut converted = self.call(webhook, resource, vec![original], to, deadline).await?;
        Ok(converted.pop().unwrap_or_default())
    }

    /// Calls a webhook for objects with `apiVersion` and `kind`; returns them without.
    async fn call(
        &self,
        webhook: &ConversionWebhook,
        resource: &Resource,
        originals: Vec<Value>,
        version: &str,
        deadline: Instant,
    ) -> Result<Vec<Map>> {
        let desired = format!("{}/{version}", resource.info.group);
        let failed = |problem: String| Failure::bare(500, problem);
        let review = review::of(&webhook.review_versions);
        let review = review.ok_or_else(|| failed("no supported conversion review versions".to_owned()))?;
        let kind = review::printed_kind(originals.first());
        let uid = uuid::Uuid::new_v4().to_string();
        let body = respond::to_bytes(&review::request(review, &uid, &desired, &originals));
        let deadline = deadline.min(Instant::now() + TIMEOUT);
        let called = async {
            let config = ClientConfig::parse(&webhook.client_config)?;
            let answer = self.clients.call(&config, "?timeout=30s", body.into(), review, deadline).await?;
            review::converted_objects(review, answer, &uid)
        };
        let converted = called.await;
        let converted = converted
            .map_err(|problem| failed(format!("conversion webhook for {kind} failed: {problem}")))?;
        if converted.len() != originals.len() {
            let (got, expected) = (converted.len(), originals.len());
            return Err(failed(format!(
                "conversion webhook for {kind} returned {got} objects, expected {expected}"
            )));
        }
        let is_list = originals.len() > 1;
        let pairs = originals.iter().zip(converted).enumerate();
        let checked = pairs.map(|(index, (original, converted))| {
            let place = is_list.then_some(index);
            let checked = converted::check(original, converted, &desired, place);
            checked.map_err(|problem| failed(format!("conversion webhook for {kind} {problem}")))
        });
        checked.collect()
    }
}

/// An object with its `apiVersion` and `kind`.
fn whole(resource: &Resource, version: &str, mut object: Map) -> Value {
    object.insert("apiVersion".to_owned(), format!("{}/{version}", resource.info.group).into());
    object.insert("kind".to_owned(), (*resource.info.kind).into());
    object.into()
}
