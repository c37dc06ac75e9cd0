//! The choice of a pod among those that an object selects, in kubectl's order.

use std::cmp::Reverse;
use std::time::Duration;

use klient_apimachinery::{ListOptions, Object as _, Unstructured};
use serde_json::Value;

use crate::api::changes::Change;
use crate::api::target_pods::TargetPods;
use crate::error::{Error, ErrorKind, Problem};

pub(super) fn phase(pod: &Unstructured) -> &str {
    pod.at(&["status", "phase"]).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn is_running(pod: &Unstructured) -> bool {
    phase(pod) == "Running"
}

/// Waits for a pod that runs and is not to be deleted.
pub(super) async fn wait(
    target: &TargetPods,
    selector: &str,
    limit: Duration,
) -> Result<Unstructured, Error> {
    let mut changes = target.pods.changes(&ListOptions::labels(selector));
    let first = async {
        loop {
            let pods = match changes.next().await? {
                Change::Listed(pods) => pods.items,
                Change::Applied(pod) => vec![pod],
                Change::Deleted(_) => Vec::new(),
            };
            if let Some(pod) = best(pods) {
                return Ok(pod);
            }
        }
    };
    if let Ok(waited) = tokio::time::timeout(limit, first).await {
        return waited;
    }
    let seconds = limit.as_secs_f64();
    let mut problem = format!("no pod of the selector {selector} has begun to run within {seconds} s");
    if let Some(error) = changes.last_error() {
        problem += &format!("; the last error was: {error}");
    }
    Err(Error::new(ErrorKind::Timeout, target.to_string(), Problem(problem)))
}

/// The best of those that can be used: one that is ready, for longest; then one with few restarts, and an old one.
fn best(pods: Vec<Unstructured>) -> Option<Unstructured> {
    let usable = |pod: &Unstructured| is_running(pod) && pod.deletion_timestamp().is_none();
    pods.into_iter().filter(usable).min_by_key(|pod| {
        let list = |name| pod.at(&["status", name]).and_then(Value::as_array).into_iter().flatten();
        let ready = list("conditions").find(|condition| condition["type"] == "Ready");
        let ready = ready.filter(|condition| condition["status"] == "True");
        let since = ready.and_then(|condition| condition["lastTransitionTime"].as_str());
        let restarts = list("containerStatuses").filter_map(|status| status["restartCount"].as_i64()).max();
        let created = pod.at(&["metadata", "creationTimestamp"]).and_then(Value::as_str);
        // Times of the API sort as strings.
        (Reverse(ready.is_some()), since.map(str::to_owned), restarts, created.map(str::to_owned))
    })
}
