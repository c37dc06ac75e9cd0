//! `MutatingAdmissionWebhook` and `ValidatingAdmissionWebhook`: writes are sent to the webhooks of MutatingWebhookConfigurations,
//! one after the other, which may change them, and to those of ValidatingWebhookConfigurations, all at once.
//!
//! Without a configuration they cost a lock each.

mod call;
mod forms;
mod review;
mod webhook;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::Map;
use serde_json::json;

use super::matching::{Matched, is_exempt};
use super::registrations::Registrations;
use super::{Attributes, Plugin};
use crate::status::Result;
use call::CallError;
pub(crate) use call::Caller;
use forms::{Forms, Versions};
use webhook::Webhook;

const MUTATING: &str = "MutatingAdmissionWebhook";

/// The admission plugin that calls mutating webhooks.
pub(crate) struct MutatingAdmissionWebhook {
    configurations: Registrations<Vec<Webhook>>,
    caller: Arc<Caller>,
}

/// The admission plugin that calls validating webhooks.
pub(crate) struct ValidatingAdmissionWebhook {
    configurations: Registrations<Vec<Webhook>>,
    caller: Arc<Caller>,
}

fn configurations(caller: &Caller, plural: &str) -> Registrations<Vec<Webhook>> {
    let resource = caller.registry.built_in("admissionregistration.k8s.io", "v1", plural);
    Registrations::new(caller.storage.clone(), resource.table.clone(), Webhook::parse_all)
}

impl MutatingAdmissionWebhook {
    pub(crate) fn new(caller: Arc<Caller>) -> Self {
        let configurations = configurations(&caller, "mutatingwebhookconfigurations");
        MutatingAdmissionWebhook { configurations, caller }
    }

    async fn call_all(&self, attributes: &Attributes<'_>, mut object: Option<&mut Map>) -> Result<()> {
        let configurations = self.configurations.all(attributes.request.deadline).await?;
        let (Some(reinvocation), Some(_), false) =
            (attributes.reinvocation, attributes.request.user, configurations.is_empty())
        else {
            return Ok(());
        };
        if is_exempt(attributes) {
            return Ok(());
        }
        reinvocation.begin(MUTATING, object.as_deref());
        let webhooks = configurations.iter().flat_map(|webhooks| webhooks.iter());
        let mut versions = Versions::default();
        for (index, webhook) in webhooks.enumerate() {
            let matched = self.caller.matches(webhook, attributes, object.as_deref(), &mut versions).await?;
            let Some(matched) = matched else { continue };
            if !reinvocation.invokes(MUTATING, &webhook.id) {
                continue;
            }
            let number = format!("round_{}_index_{index}", reinvocation.round());
            let called = self.call(webhook, attributes, &matched, object.as_deref_mut(), &mut versions).await;
            let changed = matches!(called, Ok(true));
            if !matches!(called, Ok(false)) {
                versions = Versions::default();
            }
            let Webhook { configuration, name, .. } = webhook;
            let mutation = json!({"configuration": configuration, "webhook": name, "mutated": changed});
            let key = format!("mutation.webhook.admission.k8s.io/{number}");
            attributes.annotate(&key, &mutation.to_string());
            reinvocation.invoked(MUTATING, &webhook.id, changed, webhook.is_reinvoked);
            match called {
                Ok(_) => {}
                Err(CallError::Failed(problem)) => {
                    let key = format!("failed-open.mutation.webhook.admission.k8s.io/{number}");
                    self.caller.fail(webhook, attributes, &problem, &key)?;
                }
                Err(CallError::Rejected(failure)) => return Err(failure),
            }
        }
        reinvocation.end(MUTATING, object.as_deref());
        Ok(())
    }

    /// Calls a webhook and applies its patch; returns true if that has changed the object.
    async fn call(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        matched: &Matched,
        object: Option<&mut Map>,
        versions: &mut Versions,
    ) -> Result<bool, CallError> {
        let caller = &self.caller;
        let forms = caller.forms(versions, attributes, matched, object.as_deref()).await?;
        let response = caller.call(webhook, attributes, matched, &forms, true).await?;
        caller.patch(webhook, attributes, matched, (&forms, object), &response).await
    }
}

impl Plugin for MutatingAdmissionWebhook {
    fn admit<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call_all(attributes, object))
    }
}

impl ValidatingAdmissionWebhook {
    pub(crate) fn new(caller: Arc<Caller>) -> Self {
        let configurations = configurations(&caller, "validatingwebhookconfigurations");
        ValidatingAdmissionWebhook { configurations, caller }
    }

    async fn call_all(&self, attributes: &Attributes<'_>, object: Option<&Map>) -> Result<()> {
        let configurations = self.configurations.all(attributes.request.deadline).await?;
        if configurations.is_empty() || attributes.request.user.is_none() || is_exempt(attributes) {
            return Ok(());
        }
        let mut calls = Vec::new();
        let mut versions = Versions::default();
        for webhook in configurations.iter().flat_map(|webhooks| webhooks.iter()) {
            if let Some(matched) = self.caller.matches(webhook, attributes, object, &mut versions).await? {
                let forms = self.caller.forms(&mut versions, attributes, &matched, object).await?;
                calls.push(self.call(webhook, attributes, matched, forms, calls.len()));
            }
        }
        let done = join_all(calls).await;
        done.into_iter().collect()
    }

    async fn call(
        &self,
        webhook: &Webhook,
        attributes: &Attributes<'_>,
        matched: Matched,
        forms: Arc<Forms>,
        index: usize,
    ) -> Result<()> {
        let caller = &self.caller;
        match caller.call(webhook, attributes, &matched, &forms, false).await {
            Ok(_) => Ok(()),
            Err(CallError::Rejected(failure)) => Err(failure),
            Err(CallError::Failed(problem)) => {
                let key = format!("failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}");
                caller.fail(webhook, attributes, &problem, &key)
            }
        }
    }
}

impl Plugin for ValidatingAdmissionWebhook {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.call_all(attributes, object))
    }
}

/// Waits for futures at once, and returns their results in order.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *result = Some(output);
            }
        }
        if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
