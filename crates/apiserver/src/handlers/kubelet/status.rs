//! The state of containers in the status of their pod, with the kubelet's refusals. A container without a status counts
//! as running, so that nobody has to write the status of pods whose containers the program stands in for.

use klient_apimachinery::go::quoted;
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

/// The lists of containers' statuses.
const STATUSES: [&str; 3] = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

/// Checks that a pod runs.
pub(super) fn is_running(pod: &Map) -> Result<(), String> {
    if !matches!(text_at(pod, &["status", "phase"]), "Succeeded" | "Failed") {
        return Ok(());
    }
    let (name, namespace) = (text_at(pod, &["metadata", "name"]), text_at(pod, &["metadata", "namespace"]));
    Err(format!("pod not found ({})", quoted(format!("{name}_{namespace}"))))
}

/// Returns true if a container of a pod runs.
pub(super) fn is_container_running(pod: &Map, container: &str) -> bool {
    let is_stopped = status(pod, container).is_some_and(|status| {
        let is = |state: &str| status["state"].get(state).is_some();
        !is("running") && (is("waiting") || is("terminated"))
    });
    is_running(pod).is_ok() && !is_stopped
}

/// The kubelet's words about a container that does not run and is to be attached to.
pub(super) fn not_attachable(pod: &Map, container: &str) -> String {
    let (name, namespace) = (text_at(pod, &["metadata", "name"]), text_at(pod, &["metadata", "namespace"]));
    format!("container {container} not found in pod {name}_{namespace}")
}

/// Checks that a container has a log: upstream's `validateContainerLogStatus`.
pub(super) fn has_log(pod: &Map, container: &str, previous: bool) -> Result<(), String> {
    let Some(status) = status(pod, container) else { return Ok(()) };
    let state = |state: &str| status["state"].get(state).filter(|state| !state.is_null());
    let is_run = |terminated: &Value| terminated["containerID"].as_str().is_some_and(|id| !id.is_empty());
    let last = status["lastState"].get("terminated").filter(|last| !last.is_null());
    let (of, name) = (quoted(container), quoted(text_at(pod, &["metadata", "name"])));
    if previous {
        return if last.is_some_and(is_run) { Ok(()) } else { Err(no_log(pod, container, true)) };
    }
    if state("running").is_some() {
        return Ok(());
    }
    if let Some(terminated) = state("terminated").or(last) {
        return if is_run(terminated) || last.is_some_and(is_run) {
            Ok(())
        } else {
            Err(format!("container {of} in pod {name} is terminated"))
        };
    }
    Err(match state("waiting").map(|waiting| waiting["reason"].as_str().unwrap_or_default()) {
        Some("ErrImagePull") => {
            format!("container {of} in pod {name} is waiting to start: image can't be pulled")
        }
        Some("ImagePullBackOff") => {
            format!("container {of} in pod {name} is waiting to start: trying and failing to pull image")
        }
        Some(reason) => format!("container {of} in pod {name} is waiting to start: {reason}"),
        None => format!("container {of} in pod {name} is waiting to start - no logs yet"),
    })
}

/// The kubelet's words about a log that is not there.
pub(super) fn no_log(pod: &Map, container: &str, previous: bool) -> String {
    let (container, pod) = (quoted(container), quoted(text_at(pod, &["metadata", "name"])));
    if previous {
        format!("previous terminated container {container} in pod {pod} not found")
    } else {
        format!("container {container} in pod {pod} is not available")
    }
}

fn status<'a>(pod: &'a Map, container: &str) -> Option<&'a Value> {
    let mut statuses = STATUSES.iter().flat_map(|list| list_at(pod, &["status", list]));
    statuses.find(|status| status["name"] == container)
}
