//! Rows of pods.

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, text_at};
use serde_json::{Value, json};

use super::age;
use super::row::Row;
use super::text::{NONE, or, text};

pub(super) fn pod(row: &Row<'_>) -> Vec<Value> {
    let init = Init::of(row);
    let state = State::of(row, init);
    let total = row.list(&["spec", "containers"]).len() + sidecars(row).count();
    vec![
        row.name(),
        format!("{}/{total}", state.ready).into(),
        state.reason.into(),
        state.restarts.cell(row),
        row.age(),
        or(ip(row), NONE).into(),
        or(row.text(&["spec", "nodeName"]), NONE).into(),
        or(row.text(&["status", "nominatedNodeName"]), NONE).into(),
        readiness_gates(row).into(),
    ]
}

/// A pod in phase `Succeeded` or `Failed` is completed.
pub(super) fn conditions(object: &Map) -> Vec<Value> {
    let phase = text_at(object, &["status", "phase"]);
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return Vec::new(),
    };
    vec![json!({"type": "Completed", "status": "True", "reason": phase, "message": message})]
}

/// The names of restartable init containers (sidecars).
fn sidecars<'a>(row: &Row<'a>) -> impl Iterator<Item = &'a str> {
    let all = row.list(&["spec", "initContainers"]).iter();
    all.filter(|container| container["restartPolicy"] == "Always").map(|container| text(container, "name"))
}

/// The number of restarts of all containers, and the end of the last terminated one.
#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        let finished = age::moment(text(&status["lastState"]["terminated"], "finishedAt"));
        self.count = self.count.saturating_add(status["restartCount"].as_i64().unwrap_or_default());
        self.last = self.last.max(finished);
    }

    fn cell(self, row: &Row<'_>) -> Value {
        match self.last {
            Some(time) if self.count != 0 => format!("{} ({} ago)", self.count, row.since(time)).into(),
            _ => self.count.to_string().into(),
        }
    }
}

/// The progress of initialization.
#[derive(Default)]
struct Init {
    restarts: Restarts,
    sidecar_restarts: Restarts,
    ready_sidecars: usize,
    /// The reason for which initialization waits or has failed.
    pending: Option<String>,
}

impl Init {
    fn of(row: &Row<'_>) -> Self {
        let mut init = Init::default();
        for (index, status) in row.list(&["status", "initContainerStatuses"]).iter().enumerate() {
            let sidecar = sidecars(row).any(|name| name == text(status, "name"));
            init.restarts.add(status);
            if sidecar {
                init.sidecar_restarts.add(status);
            }
            let terminated = &status["state"]["terminated"];
            if terminated.is_object() && exit_code(terminated) == 0 {
                continue;
            }
            if sidecar && status["started"] == true {
                init.ready_sidecars += usize::from(status["ready"] == true);
                continue;
            }
            init.pending = Some(init_reason(&status["state"], index, row.size(&["spec", "initContainers"])));
            break;
        }
        init
    }
}

fn init_reason(state: &Value, index: usize, total: usize) -> String {
    if state["terminated"].is_object() {
        return format!("Init:{}", end_reason(&state["terminated"]));
    }
    match text(&state["waiting"], "reason") {
        "" | "PodInitializing" => format!("Init:{index}/{total}"),
        reason => format!("Init:{reason}"),
    }
}

/// The cells of a pod's state.
struct State {
    reason: String,
    ready: usize,
    restarts: Restarts,
}

impl State {
    fn of(row: &Row<'_>, init: Init) -> Self {
        let blocked = init.pending.is_some() && !row.is_true("Initialized");
        let mut state = State {
            reason: init.pending.unwrap_or_else(|| phase_reason(row).to_owned()),
            ready: init.ready_sidecars,
            restarts: init.restarts,
        };
        if !blocked {
            state.restarts = init.sidecar_restarts;
            state.add_containers(row);
        }
        if row.deleted() && row.text(&["status", "reason"]) == "NodeLost" {
            state.reason = "Unknown".to_owned();
        } else if row.deleted() && !matches!(row.text(&["status", "phase"]), "Succeeded" | "Failed") {
            state.reason = "Terminating".to_owned();
        }
        state
    }

    /// Adds the containers' states. The first container that waits or has terminated gives the reason.
    fn add_containers(&mut self, row: &Row<'_>) {
        let mut running = false;
        let mut failure = None;
        for status in row.list(&["status", "containerStatuses"]).iter().rev() {
            self.restarts.add(status);
            let state = &status["state"];
            let waiting = text(&state["waiting"], "reason");
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if state["terminated"].is_object() {
                self.reason = end_reason(&state["terminated"]);
                if exit_code(&state["terminated"]) != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if status["ready"] == true && state["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            self.reason = match failure {
                _ if running && row.any_true("Ready") => "Running".to_owned(),
                Some(failure) => failure,
                None if running => "NotReady".to_owned(),
                None => return,
            };
        }
    }
}

fn phase_reason<'a>(row: &Row<'a>) -> &'a str {
    let gated =
        |condition: &Value| condition["type"] == "PodScheduled" && condition["reason"] == "SchedulingGated";
    if row.list(&["status", "conditions"]).iter().any(gated) {
        return "SchedulingGated";
    }
    or(row.text(&["status", "reason"]), row.text(&["status", "phase"]))
}

fn exit_code(terminated: &Value) -> i64 {
    terminated["exitCode"].as_i64().unwrap_or_default()
}

/// The reason of a container's termination.
fn end_reason(terminated: &Value) -> String {
    match (text(terminated, "reason"), terminated["signal"].as_i64().unwrap_or_default()) {
        ("", 0) => format!("ExitCode:{}", exit_code(terminated)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// The pod's IP: `podIP` takes precedence over the list.
fn ip<'a>(row: &Row<'a>) -> &'a str {
    let first = row.list(&["status", "podIPs"]).first();
    or(row.text(&["status", "podIP"]), first.map_or("", |ip| text(ip, "ip")))
}

fn readiness_gates(row: &Row<'_>) -> String {
    let gates = row.list(&["spec", "readinessGates"]);
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let open = gates.iter().filter(|gate| row.is_true(text(gate, "conditionType"))).count();
    format!("{open}/{}", gates.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printers::tests::check as check_row;

    fn waiting(reason: &str) -> Value {
        json!({"waiting": {"reason": reason}})
    }

    fn ended(exit_code: i64, signal: i64, reason: &str) -> Value {
        json!({"terminated": {"exitCode": exit_code, "signal": signal, "reason": reason}})
    }

    fn running() -> Value {
        json!({"running": {"startedAt": "2026-01-10T11:59:00Z"}})
    }

    fn container(state: &Value, ready: bool, restarts: i64) -> Value {
        named("c", state, ready, restarts)
    }

    fn named(name: &str, state: &Value, ready: bool, restarts: i64) -> Value {
        json!({"name": name, "ready": ready, "restartCount": restarts, "state": state})
    }

    /// Checks the cells Ready, Status and Restarts of a pod with two containers and two init containers, the first of
    /// them a sidecar.
    #[track_caller]
    fn check(status: Value, expected: [&str; 3]) {
        check_deleted(status, Value::Null, expected);
    }

    #[track_caller]
    fn check_deleted(status: Value, deleted: Value, expected: [&str; 3]) {
        let [ready, state, restarts] = expected;
        let spec = json!({
            "containers": [{"name": "c"}, {"name": "d"}],
            "initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}],
        });
        check_row(
            "v1/pods",
            json!({"metadata": {"deletionTimestamp": deleted}, "spec": spec, "status": status}),
            json!(["a", ready, state, restarts, "22s", "<none>", "<none>", "<none>", "<none>"]),
        );
    }

    #[test]
    fn pods_show_their_phase_or_the_reason_of_their_status() {
        check(json!({}), ["0/3", "", "0"]);
        check(json!({"phase": "Pending"}), ["0/3", "Pending", "0"]);
        check(json!({"phase": "Failed", "reason": "Evicted"}), ["0/3", "Evicted", "0"]);
        let gated = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
        check(json!({"phase": "Pending", "conditions": gated}), ["0/3", "SchedulingGated", "0"]);
    }

    #[test]
    fn containers_give_the_reason_the_first_one_last() {
        for (first, second, expected) in [
            (running(), running(), ["2/3", "Running", "3"]),
            (waiting("ContainerCreating"), waiting("ErrImagePull"), ["0/3", "ContainerCreating", "3"]),
            (running(), waiting("CrashLoopBackOff"), ["1/3", "CrashLoopBackOff", "3"]),
            (waiting(""), running(), ["1/3", "Running", "3"]),
            (ended(1, 0, "Error"), running(), ["1/3", "Error", "3"]),
            (ended(137, 0, ""), running(), ["1/3", "ExitCode:137", "3"]),
            (ended(137, 9, ""), running(), ["1/3", "Signal:9", "3"]),
            (ended(0, 0, "Completed"), ended(0, 0, "Completed"), ["0/3", "Completed", "3"]),
            (ended(0, 0, "Completed"), ended(2, 0, "Error"), ["0/3", "Error", "3"]),
            (ended(0, 0, "Completed"), running(), ["1/3", "NotReady", "3"]),
        ] {
            let statuses = [container(&first, true, 1), container(&second, true, 2)];
            check(json!({"phase": "Running", "containerStatuses": statuses}), expected);
        }
    }

    #[test]
    fn completed_containers_beside_ready_ones_leave_a_pod_running() {
        let statuses = [container(&ended(0, 0, "Completed"), false, 0), container(&running(), true, 0)];
        let ready = json!([{"type": "Ready", "status": "True"}]);
        check(
            json!({"phase": "Running", "containerStatuses": statuses, "conditions": ready}),
            ["1/3", "Running", "0"],
        );
        let failed = [statuses[0].clone(), container(&ended(1, 0, "OOMKilled"), false, 0)];
        check(
            json!({"phase": "Running", "containerStatuses": failed, "conditions": ready}),
            ["0/3", "OOMKilled", "0"],
        );
    }

    #[test]
    fn a_running_container_counts_once_it_is_ready() {
        let statuses = [container(&running(), false, 0), container(&running(), true, 0)];
        check(json!({"phase": "Running", "containerStatuses": statuses}), ["1/3", "Running", "0"]);
    }

    #[test]
    fn init_containers_come_before_the_others() {
        let side = |started: bool| {
            let mut status = named("side", &running(), true, 1);
            status["started"] = started.into();
            status
        };
        let init = |state: Value| named("init", &state, false, 4);
        for (statuses, expected) in [
            (vec![side(false)], ["0/3", "Init:0/2", "1"]),
            (vec![side(true), init(waiting("PodInitializing"))], ["1/3", "Init:1/2", "5"]),
            (vec![side(true), init(running())], ["1/3", "Init:1/2", "5"]),
            (vec![side(true), init(waiting("ImagePullBackOff"))], ["1/3", "Init:ImagePullBackOff", "5"]),
            (vec![side(true), init(ended(1, 0, "Error"))], ["1/3", "Init:Error", "5"]),
            (vec![side(true), init(ended(1, 0, ""))], ["1/3", "Init:ExitCode:1", "5"]),
            (vec![side(true), init(ended(1, 15, ""))], ["1/3", "Init:Signal:15", "5"]),
            (vec![side(true), init(ended(0, 0, "Completed"))], ["2/3", "Pending", "3"]),
        ] {
            let containers = [container(&running(), true, 2)];
            let (init, main) = ("initContainerStatuses", "containerStatuses");
            check(json!({"phase": "Pending", init: statuses, main: containers}), expected);
        }
    }

    #[test]
    fn an_initialized_pod_shows_its_containers_whatever_a_sidecar_does() {
        let side = named("side", &waiting("CrashLoopBackOff"), false, 7);
        let status = |initialized: &str| {
            json!({
                "phase": "Running",
                "conditions": [{"type": "Initialized", "status": initialized}],
                "initContainerStatuses": [side],
                "containerStatuses": [container(&running(), true, 0)],
            })
        };
        check(status("True"), ["1/3", "Init:CrashLoopBackOff", "7"]);
        check(status("False"), ["0/3", "Init:CrashLoopBackOff", "7"]);
    }

    #[test]
    fn restarts_say_when_the_last_one_was() {
        let restarted = |restarts: i64, finished: &str| {
            let mut status = container(&running(), true, restarts);
            status["lastState"] = json!({"terminated": {"exitCode": 1, "finishedAt": finished}});
            status
        };
        let (older, newer) = ("2026-01-10T11:00:00Z", "2026-01-10T11:55:00Z");
        for (statuses, expected) in
            [(vec![restarted(1, newer), restarted(2, older)], "3 (5m ago)"), (vec![restarted(0, newer)], "0")]
        {
            let ready = format!("{}/3", statuses.len());
            check(json!({"phase": "Running", "containerStatuses": statuses}), [&*ready, "Running", expected]);
        }
    }

    #[test]
    fn pods_being_deleted_terminate_unless_they_have_ended() {
        let time = json!("2026-01-10T12:00:00Z");
        for (status, expected) in [
            (json!({"phase": "Running"}), "Terminating"),
            (json!({"phase": "Succeeded"}), "Succeeded"),
            (json!({"phase": "Failed"}), "Failed"),
            (json!({"phase": "Running", "reason": "NodeLost"}), "Unknown"),
        ] {
            check_deleted(status, time.clone(), ["0/3", expected, "0"]);
        }
    }

    #[test]
    fn wide_output_shows_where_a_pod_runs() {
        check_row(
            "v1/pods",
            json!({
                "spec": {
                    "containers": [{"name": "c"}],
                    "nodeName": "n1",
                    "readinessGates": [
                        {"conditionType": "x/a"}, {"conditionType": "x/b"}, {"conditionType": "x/c"},
                    ],
                },
                "status": {
                    "phase": "Pending",
                    "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
                    "nominatedNodeName": "n2",
                    "conditions": [{"type": "x/a", "status": "True"}, {"type": "x/b", "status": "False"}],
                },
            }),
            json!(["a", "0/1", "Pending", "0", "22s", "10.0.0.1", "n1", "n2", "1/3"]),
        );
    }
}
