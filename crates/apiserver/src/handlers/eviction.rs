//! The eviction of pods: they are deleted if their PodDisruptionBudget allows it.

mod budget;

use http::{Response, StatusCode};
use klient_apimachinery::Time;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::schema::STATUS;
use klient_apimachinery::meta::v1::{DeleteOptions, Status};
use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::{self, Map, list_at, map_at, text_at};
use klient_schema::policy_v1;
use serde_json::{Value, json};

use super::Context;
use super::body::{self, Kind};
use super::delete::options::{IGNORE_READ_ERROR, Options};
use super::options::{Write, WriteOptions};
use crate::admission::{Attributes, Operation};
use crate::disruption::is_ready;
use crate::registry::deletion::{Deletion, is_terminating};
use crate::registry::pipeline::{self, Pipeline, check_preconditions};
use crate::respond::{self, Body};
use crate::status::{Failure, Result};
use crate::storage::Object;
use crate::warnings::Warnings;

/// The condition of a pod that is about to be deleted.
const DISRUPTION_TARGET: &str = "DisruptionTarget";

/// The number of times that a pod is read again if it changes before it is deleted.
const ATTEMPTS: usize = 20;

/// Evicts the pod in the path.
pub(super) async fn create(context: &mut Context) -> Result<Response<Body>> {
    let format = context.format()?;
    let options = WriteOptions::parse(&context.query, Write::Create)?;
    let mut eviction = read(context, &options)?;
    body::check_namespace(&context.resource, &mut eviction, context.info.namespace.as_deref())?;
    if text_at(&eviction, &["metadata", "name"]) != context.name() {
        return Err(Failure::bad_request("name in URL does not match name in Eviction object"));
    }
    let warnings = Warnings::default();
    let done = admit_and_evict(context, &options, eviction, &warnings).await;
    context.warnings.extend(warnings.take());
    done?;
    let status = Status { status: Some("Success".into()), code: Some(201), ..Default::default() };
    Ok(respond::written(StatusCode::CREATED, format, respond::status(&status), &STATUS))
}

async fn admit_and_evict(
    context: &Context,
    options: &WriteOptions,
    mut eviction: Map,
    warnings: &Warnings,
) -> Result<()> {
    let attributes = Attributes {
        operation: Operation::Create,
        resource: &context.resource,
        form: &context.resource,
        subresource: Some("eviction"),
        presented: Some(&policy_v1::EVICTION),
        namespace: context.namespace(),
        name: context.name(),
        old: None,
        request: context.request(Some(options), warnings),
        reinvocation: None,
    };
    context.state.admission.admit(&attributes, Some(&mut eviction)).await?;
    let mut deletion = deletion(&eviction, context.name())?;
    deletion.dry_run |= options.dry_run;
    context.state.admission.validate(&attributes, Some(&eviction)).await?;
    evict(context, deletion).await
}

fn read(context: &mut Context, options: &WriteOptions) -> Result<Map> {
    // Both versions are the same.
    let sent = body::read(context, "Eviction", "policy/v1");
    let sent =
        sent.or_else(|failure| body::read(context, "Eviction", "policy/v1beta1").map_err(|_| failure))?;
    let kind = Kind { name: "Eviction", version: "v1", schema: Some(&policy_v1::EVICTION) };
    body::decode_as(context, sent, options.validation, kind, |object, numbers| {
        values::decode_with_numbers(object, &policy_v1::EVICTION, numbers)
    })
}

/// The options of the deletion that follows an eviction.
fn deletion(eviction: &Map, name: &str) -> Result<Deletion> {
    let Some(options) = eviction.get("deleteOptions").filter(|options| !options.is_null()) else {
        return Ok(Deletion::default());
    };
    let options: DeleteOptions =
        serde_json::from_value(options.clone()).map_err(|error| Failure::bad_request(error.to_string()))?;
    let Options { deletion, ignores_read_error, .. } = Options::of(options)?;
    if ignores_read_error {
        let path = format!("deleteOptions.{IGNORE_READ_ERROR}");
        let detail = "can not be set for pod eviction, try after removing the option";
        return Err(Failure::invalid("policy", "Eviction", name, &[FieldError::invalid(path, true, detail)]));
    }
    Ok(deletion)
}

async fn evict(context: &Context, deletion: Deletion) -> Result<()> {
    let warnings = Warnings::default();
    let pods = Pipeline::of_server(&context.state, &context.resource, Some("status"), None, &warnings);
    for attempt in 1.. {
        let pod = pods.current(&context.key())?;
        let value = pod.value();
        if !ignores_budgets(&value) {
            break;
        }
        // A pending pod may become ready meanwhile, and then its budgets count.
        let is_pending = !has_ended(&value) && !is_terminating(&value);
        let version = deletion.version.clone().or_else(|| is_pending.then(|| pod.version.to_string()));
        match delete(context, &pods, Deletion { version, ..deletion.clone() }).await {
            Err(failure)
                if failure.is(Reason::Conflict) && deletion.version.is_none() && attempt < ATTEMPTS => {}
            done => return done,
        }
    }
    let pod = pods.current(&context.key())?;
    let budget = budget::of(context, &pod)?;
    // An unready pod of an application that is healthy enough disrupts nothing, as long as it stays unready.
    let spared = budget.as_ref().filter(|budget| !is_ready(&pod.value()) && budget.spares_unready());
    if let Some(budget) = &budget
        && spared.is_none()
    {
        budget.check_and_decrement(context, &pod, deletion.dry_run).await?;
    }
    let version = deletion.version.clone().or_else(|| spared.map(|_| pod.version.to_string()));
    match (delete(context, &pods, Deletion { version, ..deletion.clone() }).await, spared) {
        (Err(failure), Some(budget)) if failure.is(Reason::Conflict) && deletion.version.is_none() => {
            Err(budget.being_processed())
        }
        (done, _) => done,
    }
}

/// Returns true if no budget counts for a pod: it does not run.
fn ignores_budgets(pod: &Map) -> bool {
    has_ended(pod) || text_at(pod, &["status", "phase"]) == "Pending" || is_terminating(pod)
}

fn has_ended(pod: &Map) -> bool {
    matches!(text_at(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

/// Deletes a pod, after the condition for its controllers is set.
async fn delete(context: &Context, pods: &Pipeline<'_>, mut deletion: Deletion) -> Result<()> {
    if !deletion.dry_run {
        let (uid, version) = (deletion.uid.clone(), deletion.version.clone());
        let mut update = |old: &Map, object: &Object| {
            check_preconditions(&context.resource, object, uid.as_deref(), version.as_deref())?;
            let mut new = old.clone();
            set_disruption_target(&mut new);
            Ok(new)
        };
        let updated = pods.guaranteed_update(&context.key(), &mut update).await?;
        deletion.version = deletion.version.map(|_| updated.version.to_string());
    }
    pipeline::delete(pods.state, pods.resource, &context.key(), &deletion, pods.request).await.map(drop)
}

fn set_disruption_target(pod: &mut Map) {
    let mut conditions = list_at(pod, &["status", "conditions"]).to_vec();
    let before = conditions.iter().position(|condition| condition["type"] == DISRUPTION_TARGET);
    let since = before.map(|before| &conditions[before]).filter(|before| before["status"] == "True");
    let since =
        since.and_then(|since| since.get("lastTransitionTime")).filter(|time| !time.is_null()).cloned();
    let condition = json!({
        "type": DISRUPTION_TARGET,
        "status": "True",
        "lastProbeTime": Value::Null,
        "lastTransitionTime": since.unwrap_or_else(|| Time::now().to_string().into()),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    });
    match before {
        Some(before) => conditions[before] = condition,
        None => conditions.push(condition),
    }
    map_at(pod, "status").insert("conditions".to_owned(), conditions.into());
}
