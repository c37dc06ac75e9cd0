//! [`Budget`], the PodDisruptionBudget of a pod.

use std::sync::Arc;

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, at, map_at, text_at};
use serde_json::Value;

use super::super::Context;
use crate::admission::RequestContext;
use crate::disruption::{self, budgets_of, count};
use crate::registry::Resource;
use crate::registry::pipeline::Pipeline;
use crate::status::{Failure, Result, Target};
use crate::storage::Object;
use crate::warnings::Warnings;

/// The reason of the causes of refusals.
const CAUSE: &str = "DisruptionBudget";

/// The number of evictions that the disruption controller may have left to note.
const MAX_DISRUPTED: usize = 2000;

/// The PodDisruptionBudget of a pod.
pub(super) struct Budget {
    resource: Arc<Resource>,
    object: Arc<Object>,
}

/// The budget that selects a pod.
///
/// # Errors
///
/// 500 if there are several.
pub(super) fn of(context: &Context, pod: &Object) -> Result<Option<Budget>> {
    let mut budgets = budgets_of(&context.state, context.namespace(), &[pod]);
    if budgets.len() > 1 {
        let problem = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        return Err(Failure::bare(500, problem));
    }
    let resource = disruption::budgets(&context.state);
    Ok(budgets.pop().map(|object| Budget { resource, object }))
}

impl Budget {
    /// Returns true if pods that are not ready can be evicted in any case.
    pub(super) fn spares_unready(&self) -> bool {
        let budget = self.object.value();
        let (healthy, desired) = (count(&budget, "currentHealthy"), count(&budget, "desiredHealthy"));
        text_at(&budget, &["spec", "unhealthyPodEvictionPolicy"]) == "AlwaysAllow"
            || (healthy >= desired && desired > 0)
    }

    /// Takes the eviction of a pod from the disruptions that the budget allows.
    ///
    /// # Errors
    ///
    /// 429 if it allows none now, 403 if its status is not plausible.
    pub(super) async fn check_and_decrement(
        &self,
        context: &Context,
        pod: &Object,
        dry_run: bool,
    ) -> Result<()> {
        let warnings = Warnings::default();
        let pipeline = Pipeline::of_server(
            &context.state,
            &self.resource,
            Some("status"),
            Some("kube-apiserver"),
            &warnings,
        );
        let request = RequestContext { dry_run, ..pipeline.request };
        let pipeline = Pipeline { request, ..pipeline };
        let mut update = |old: &Map, _: &Object| {
            self.check(old)?;
            let mut new = old.clone();
            let left = count(old, "disruptionsAllowed") - 1;
            let status = map_at(&mut new, "status");
            status.insert("disruptionsAllowed".to_owned(), left.into());
            let now = Time::now().to_string();
            map_at(status, "disruptedPods").insert(pod.key.name().to_owned(), now.into());
            if left == 0 {
                disruption::set_condition(&mut new);
            }
            Ok(new)
        };
        pipeline.guaranteed_update(&self.object.key, &mut update).await.map(drop)
    }

    /// Checks that a state of the budget allows an eviction.
    fn check(&self, budget: &Map) -> Result<()> {
        let name = self.object.key.name();
        let generation = at(budget, &["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default();
        if count(budget, "observedGeneration") < generation {
            return Err(self.being_processed());
        }
        let allowed = count(budget, "disruptionsAllowed");
        if allowed < 0 {
            let problem = "pdb disruptions allowed is negative";
            return Err(self.forbidden(problem, problem));
        }
        let disrupted =
            at(budget, &["status", "disruptedPods"]).and_then(Value::as_object).map_or(0, Map::len);
        if disrupted > MAX_DISRUPTED {
            let problem = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
            return Err(self.forbidden(problem, "too many pending evictions not confirmed by PDB controller"));
        }
        if allowed > 0 {
            return Ok(());
        }
        let (healthy, desired) = (count(budget, "currentHealthy"), count(budget, "desiredHealthy"));
        let condition = disruption::condition(budget).filter(|condition| {
            text_at(condition, &["status"]) == "False" && !text_at(condition, &["message"]).is_empty()
        });
        let part = |name: &str| condition.map(|condition| text_at(condition, &[name])).unwrap_or_default();
        let (reason, message) = (part("reason"), part("message"));
        let cause = if reason == "SyncFailed" {
            format!(
                "The disruption budget {name} does not allow evicting pods currently because it failed sync: {message}"
            )
        } else if healthy <= desired {
            format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
        } else if condition.is_some() {
            format!(
                "The disruption budget {name} does not allow evicting pods currently ({reason}): {message}"
            )
        } else {
            format!("The disruption budget {name} does not allow evicting pods currently")
        };
        Err(refused(0, &cause))
    }

    /// 429 for a budget whose status is not up to date.
    pub(super) fn being_processed(&self) -> Failure {
        let name = self.object.key.name();
        refused(10, &format!("The disruption budget {name} is still being processed by the server."))
    }

    fn forbidden(&self, problem: &str, cause: &str) -> Failure {
        let name = self.object.key.name();
        let target = Target { group: "policy", plural: "poddisruptionbudget", name };
        let cause = format!("The disruption budget {name} does not allow evicting pods currently: {cause}");
        Failure::forbidden(&target, problem).caused_by(CAUSE, &cause, "")
    }
}

fn refused(retry_after_seconds: i32, cause: &str) -> Failure {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Failure::too_many_requests(message, retry_after_seconds).caused_by(CAUSE, cause, "")
}
