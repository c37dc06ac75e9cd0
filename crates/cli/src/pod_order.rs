//! Orders of pods, by which one of several is chosen (kubectl's `podutils`).

use std::cmp::{Ordering, Reverse};

use klient_api::core::v1::{Pod, PodCondition};
use klient_apimachinery::Time;

/// The order for logs (`ByLogging`): the first is the one whose logs tell most.
pub(crate) fn by_logging(a: &Pod, b: &Pod) -> Ordering {
    let phase = |pod: &Pod| match pod.status.phase.as_deref() {
        Some("Unknown") => 1,
        Some("Pending") => 2,
        _ => 0,
    };
    is_unassigned(a)
        .cmp(&is_unassigned(b))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| Reverse(is_ready(a)).cmp(&Reverse(is_ready(b))))
        .then_with(|| newest_first(ready_time(a), ready_time(b)).reverse())
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| {
            let [a, b] = [a, b].map(|pod| pod.metadata.creation_timestamp.as_ref());
            newest_first(a, b).reverse()
        })
}

/// The order for attaching (`ActivePods`, reversed): the first is the most active.
pub(crate) fn by_activity(a: &Pod, b: &Pod) -> Ordering {
    let phase = |pod: &Pod| match pod.status.phase.as_deref() {
        Some("Unknown") => 1,
        Some("Running") => 2,
        _ => 0,
    };
    let deletion = |pod: &Pod| pod.metadata.deletion_timestamp;
    is_unassigned(a)
        .cmp(&is_unassigned(b))
        .then_with(|| phase(b).cmp(&phase(a)))
        .then_with(|| is_ready(b).cmp(&is_ready(a)))
        .then_with(|| deletion(a).is_some().cmp(&deletion(b).is_some()))
        .then_with(|| deletion(b).cmp(&deletion(a)))
        .then_with(|| newest_first(ready_time(a), ready_time(b)).reverse())
        .then_with(|| restarts(a).cmp(&restarts(b)))
        .then_with(|| {
            let [a, b] = [a, b].map(|pod| pod.metadata.creation_timestamp.as_ref());
            newest_first(a, b).reverse()
        })
}

fn is_unassigned(pod: &Pod) -> bool {
    pod.spec.node_name.as_deref().unwrap_or_default().is_empty()
}

fn ready(pod: &Pod) -> Option<&PodCondition> {
    let ready = pod.status.conditions.iter().find(|condition| condition.type_ == "Ready");
    ready.filter(|condition| condition.status == "True")
}

fn is_ready(pod: &Pod) -> bool {
    ready(pod).is_some()
}

fn ready_time(pod: &Pod) -> Option<&Time> {
    ready(pod)?.last_transition_time.as_ref()
}

/// A time that is not known counts as the newest (`afterOrZero`).
fn newest_first(a: Option<&Time>, b: Option<&Time>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => b.cmp(a),
    }
}

/// The most restarts of a container, then of a sidecar.
fn restarts(pod: &Pod) -> (i32, i32) {
    let regular = pod.status.container_statuses.iter().map(|status| status.restart_count).max();
    let is_sidecar = |name: &str| {
        let mut init = pod.spec.init_containers.iter();
        init.any(|container| container.name == name && container.restart_policy.as_deref() == Some("Always"))
    };
    let sidecars = pod.status.init_container_statuses.iter().filter(|status| is_sidecar(&status.name));
    (regular.unwrap_or_default(), sidecars.map(|status| status.restart_count).max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, node: &str, phase: &str, ready: bool, restarts: i32) -> Pod {
        let pod = json!({
            "metadata": {"name": name},
            "spec": {"nodeName": node, "containers": [{"name": "c"}]},
            "status": {
                "phase": phase,
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": [{
                    "name": "c", "image": "i", "imageID": "", "ready": ready, "restartCount": restarts,
                }],
            },
        });
        serde_json::from_value(pod).expect("a pod")
    }

    #[test]
    fn a_pod_that_runs_is_before_those_that_do_not() {
        let mut pods = vec![
            pod("new", "", "Pending", false, 0),
            pod("pending", "n", "Pending", false, 0),
            pod("restarted", "n", "Running", true, 3),
            pod("ready", "n", "Running", true, 0),
            pod("running", "n", "Running", false, 0),
        ];
        let names = |pods: &[Pod]| -> Vec<String> {
            pods.iter().map(|pod| pod.metadata.name.as_deref().unwrap_or_default().to_owned()).collect()
        };
        pods.sort_by(by_logging);
        assert_eq!(names(&pods), ["restarted", "ready", "running", "pending", "new"]);
        pods.sort_by(by_activity);
        assert_eq!(names(&pods), ["ready", "restarted", "running", "pending", "new"]);
    }
}
