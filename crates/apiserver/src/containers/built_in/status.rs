//! The status of a pod that runs.

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, list_at, map_at, text_at};
use serde_json::{Value, json};

use super::container::{Container, Ended, RunState};
use super::pod::Pod;

/// The conditions of a pod that runs, with whether they depend on its containers.
const CONDITIONS: [(&str, bool); 5] = [
    ("PodReadyToStartContainers", false),
    ("Initialized", false),
    ("Ready", true),
    ("ContainersReady", true),
    ("PodScheduled", false),
];

/// Sets the status of a pod to what its containers do.
pub(super) fn set(object: &mut Map, pod: &Pod) {
    let lists = [
        ("containers", "containerStatuses"),
        ("initContainers", "initContainerStatuses"),
        ("ephemeralContainers", "ephemeralContainerStatuses"),
    ];
    let statuses = lists.map(|(list, statuses)| {
        let specs = list_at(object, &["spec", list]).iter().filter_map(Value::as_object);
        let list = specs.map(|spec| match pod.container(text_at(spec, &["name"])) {
            Some(container) => of_container(spec, pod, &container),
            None => of_init_container(spec, pod),
        });
        (statuses, list.collect::<Vec<_>>())
    });
    let phase = pod.phase();
    let is_over = phase != "Running";
    let (is_ready, now) = (pod.is_ready(), Time::now().to_string());
    let status = map_at(object, "status");
    for (name, list) in statuses.into_iter().filter(|(_, list)| !list.is_empty()) {
        status.insert(name.to_owned(), list.into());
    }
    status.insert("phase".to_owned(), phase.into());
    status.insert("startTime".to_owned(), pod.started.to_string().into());
    let mut conditions = match status.remove("conditions") {
        Some(Value::Array(conditions)) => conditions,
        _ => Vec::new(),
    };
    for (name, depends) in CONDITIONS {
        let is_true = if depends { is_ready } else { !(is_over && name == "PodReadyToStartContainers") };
        let value = if is_true { "True" } else { "False" };
        let present = conditions.iter().position(|condition| condition["type"] == name);
        if present.is_some_and(|present| conditions[present]["status"] == value) {
            continue;
        }
        let mut condition = json!({"type": name, "status": value, "lastTransitionTime": now});
        if !is_true && depends {
            let reason = if is_over { "PodCompleted" } else { "ContainersNotReady" };
            condition["reason"] = reason.into();
        }
        match present {
            Some(present) => conditions[present] = condition,
            None => conditions.push(condition),
        }
    }
    status.insert("conditions".to_owned(), conditions.into());
}

fn of_container(spec: &Map, pod: &Pod, container: &Container) -> Value {
    let run = container.run();
    let id = |restarts: u32| format!("klient://{}-{}-{restarts}", pod.uid, container.description.name);
    let is_running = matches!(run.state, RunState::Running(_));
    let ended = |ended: &Ended, restarts: u32| {
        let reason = if ended.code == 0 { "Completed" } else { "Error" };
        json!({"terminated": {
            "exitCode": ended.code,
            "reason": reason,
            "startedAt": ended.started.to_string(),
            "finishedAt": ended.finished.to_string(),
            "containerID": id(restarts),
        }})
    };
    let back_off = |ended: &Ended| {
        let time = klient_apimachinery::Duration::from(ended.back_off);
        let (name, pod) = (&container.description.name, &pod.described);
        let message = format!("back-off {time} restarting failed container={name} pod={pod}");
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
    };
    let (state, last) = match (&run.state, &run.last) {
        (RunState::Running(since), last) => {
            let last = last.as_ref().map(|last| ended(last, run.restarts.saturating_sub(1)));
            (json!({"running": {"startedAt": since.to_string()}}), last)
        }
        (RunState::Ended(end), _) if pod.restarts(container, end.code) => {
            (back_off(end), Some(ended(end, run.restarts)))
        }
        (RunState::Ended(end), last) => {
            let last = last.as_ref().map(|last| ended(last, run.restarts.saturating_sub(1)));
            (ended(end, run.restarts), last)
        }
        (RunState::Waiting, _) => (json!({"waiting": {"reason": "ContainerCreating"}}), None),
    };
    json!({
        "name": container.description.name,
        "image": text_at(spec, &["image"]),
        "imageID": "",
        "containerID": id(run.restarts),
        "ready": is_running,
        "started": is_running,
        "restartCount": run.restarts,
        "state": state,
        "lastState": last.unwrap_or_else(|| json!({})),
    })
}

/// The status of an init container, which counts as one that has succeeded, or as a sidecar that runs.
fn of_init_container(spec: &Map, pod: &Pod) -> Value {
    let (name, started) = (text_at(spec, &["name"]), pod.started.to_string());
    let is_sidecar = text_at(spec, &["restartPolicy"]) == "Always";
    let id = format!("klient://{}-{name}-0", pod.uid);
    let state = if is_sidecar {
        json!({"running": {"startedAt": started}})
    } else {
        json!({"terminated": {
            "exitCode": 0,
            "reason": "Completed",
            "startedAt": started,
            "finishedAt": started,
            "containerID": id,
        }})
    };
    json!({
        "name": name,
        "image": text_at(spec, &["image"]),
        "imageID": "",
        "containerID": id,
        "ready": true,
        "started": is_sidecar,
        "restartCount": 0,
        "state": state,
        "lastState": {},
    })
}
