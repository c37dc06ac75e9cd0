//! [`Pod`], a pod that runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klient_apimachinery::Time;
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::container::{Container, Description, RunState};
use super::memory::Memory;
use super::{is_set, runs};

/// The annotation with the lines of the containers' logs. When it changes, the new lines are added.
pub(super) const LOG: &str = "containers.klient.dev/log";

/// The lists of containers in a pod.
const LISTS: [&str; 2] = ["containers", "ephemeralContainers"];

/// A pod that runs.
pub(super) struct Pod {
    pub(super) uid: String,
    /// The pod in messages, in kubelet's form: `NAME_NAMESPACE(UID)`.
    pub(super) described: String,
    pub(super) started: Time,
    /// The declared ports.
    pub(super) ports: Vec<u16>,
    restart_policy: String,
    containers: Mutex<Containers>,
    memory: Memory,
    /// The lines of the annotation that are in the logs.
    log: Mutex<String>,
    /// The tasks of the main processes, which end with the pod.
    tasks: Mutex<Option<JoinSet<()>>>,
    is_killed: watch::Sender<bool>,
    /// Held while the status is written.
    pub(super) writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Containers {
    all: BTreeMap<String, Arc<Container>>,
    /// The names of those that were added to the running pod.
    ephemeral: Vec<String>,
}

impl Pod {
    /// A pod without its containers.
    pub(super) fn new(pod: &Map, memory: Memory) -> Self {
        let containers = list_at(pod, &["spec", "containers"]).iter().filter_map(Value::as_object);
        let ports = containers.flat_map(|container| list_at(container, &["ports"]));
        let ports = ports.filter(|port| port["protocol"] != "UDP");
        let [name, namespace, uid] =
            ["name", "namespace", "uid"].map(|field| text_at(pod, &["metadata", field]));
        Pod {
            uid: uid.to_owned(),
            described: format!("{name}_{namespace}({uid})"),
            started: Time::now(),
            ports: ports.filter_map(|port| port["containerPort"].as_u64()?.try_into().ok()).collect(),
            restart_policy: text_at(pod, &["spec", "restartPolicy"]).to_owned(),
            containers: Mutex::default(),
            memory,
            log: Mutex::new(text_at(pod, &["metadata", "annotations", LOG]).to_owned()),
            tasks: Mutex::new(Some(JoinSet::new())),
            is_killed: watch::Sender::new(false),
            writing: tokio::sync::Mutex::default(),
        }
    }

    fn containers(&self) -> MutexGuard<'_, Containers> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn container(&self, name: &str) -> Option<Arc<Container>> {
        self.containers().all.get(name).cloned()
    }

    /// The containers that belong to the pod from its beginning.
    pub(super) fn lasting(&self) -> Vec<Arc<Container>> {
        let containers = self.containers();
        let lasting = containers.all.iter().filter(|(name, _)| !containers.ephemeral.contains(name));
        lasting.map(|(_, container)| container.clone()).collect()
    }

    /// Adds the containers of a pod that are not known yet, and returns them.
    pub(super) fn add_containers(&self, pod: &Map) -> Vec<Arc<Container>> {
        let mut containers = self.containers();
        let mut added = Vec::new();
        for list in LISTS {
            for spec in list_at(pod, &["spec", list]).iter().filter_map(Value::as_object) {
                let name = text_at(spec, &["name"]);
                if containers.all.contains_key(name) {
                    continue;
                }
                let container = Arc::new(Container::new(description(pod, spec), self.memory.clone()));
                containers.all.insert(name.to_owned(), container.clone());
                if list != LISTS[0] {
                    containers.ephemeral.push(name.to_owned());
                }
                added.push(container);
            }
        }
        added
    }

    /// Prints the lines of a changed annotation to the logs.
    pub(super) fn add_log(&self, pod: &Map) {
        let lines = text_at(pod, &["metadata", "annotations", LOG]);
        let mut known = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == lines {
            return;
        }
        let added = lines.strip_prefix(known.as_str()).unwrap_or(lines);
        for container in self.lasting() {
            self.print_log(&container, added);
        }
        lines.clone_into(&mut known);
    }

    /// Prints lines to the log of a container, unless it was added to the running pod.
    pub(super) fn print_log(&self, container: &Container, lines: &str) {
        if self.containers().ephemeral.contains(&container.description.name) {
            return;
        }
        if let Some(log) = container.log(false) {
            for line in lines.lines().filter(|line| !line.is_empty()) {
                log.stdout(line);
            }
        }
    }

    /// Returns true if a container that has ended is to be started again.
    pub(super) fn restarts(&self, container: &Container, code: u8) -> bool {
        let is_ephemeral = self.containers().ephemeral.contains(&container.description.name);
        match self.restart_policy.as_str() {
            _ if is_ephemeral => false,
            "Never" => false,
            "OnFailure" => code != 0,
            _ => true,
        }
    }

    /// The phase of the pod.
    pub(super) fn phase(&self) -> &'static str {
        let lasting = self.lasting();
        let codes = lasting.iter().map(|container| match &container.run().state {
            RunState::Ended(ended) if !self.restarts(container, ended.code) => Some(ended.code),
            _ => None,
        });
        match codes.collect::<Option<Vec<u8>>>() {
            Some(codes) if codes.iter().all(|code| *code == 0) => "Succeeded",
            Some(_) => "Failed",
            None => "Running",
        }
    }

    /// Returns true if all its containers run.
    pub(super) fn is_ready(&self) -> bool {
        self.lasting().iter().all(|container| runs(container))
    }

    /// Runs a task as long as the pod.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = &mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner) {
            tasks.spawn(task);
        }
    }

    /// Waits until the pod is killed.
    pub(super) async fn killed(&self) {
        // The sender is here: it cannot fail.
        let _ = self.is_killed.subscribe().wait_for(|is_killed| *is_killed).await;
    }

    /// Ends its containers, their commands and the connections to its ports.
    pub(super) fn kill(&self) {
        self.is_killed.send_replace(true);
        // Dropping the tasks aborts them.
        drop(self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take());
        for container in self.containers().all.values() {
            container.kill();
        }
    }
}

/// The description of a container in the spec of its pod.
fn description(pod: &Map, spec: &Map) -> Description {
    let name = text_at(pod, &["metadata", "name"]);
    let hostname = Some(text_at(pod, &["spec", "hostname"])).filter(|hostname| !hostname.is_empty());
    let hostname = hostname.unwrap_or(name).to_owned();
    let words = |field: &str| {
        let words = list_at(spec, &[field]).iter().filter_map(Value::as_str);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut environment = BTreeMap::from([
        ("HOME".to_owned(), "/root".to_owned()),
        ("HOSTNAME".to_owned(), hostname.clone()),
        ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
    ]);
    for variable in list_at(spec, &["env"]).iter().filter_map(Value::as_object) {
        let value = match text_at(variable, &["valueFrom", "fieldRef", "fieldPath"]) {
            "metadata.name" => name,
            "metadata.namespace" => text_at(pod, &["metadata", "namespace"]),
            "metadata.uid" => text_at(pod, &["metadata", "uid"]),
            _ => text_at(variable, &["value"]),
        };
        environment.insert(text_at(variable, &["name"]).to_owned(), value.to_owned());
    }
    Description {
        name: text_at(spec, &["name"]).to_owned(),
        hostname,
        image: text_at(spec, &["image"]).to_owned(),
        command: [words("command"), words("args")].concat(),
        environment,
        folder: text_at(spec, &["workingDir"]).to_owned(),
        has_stdin: is_set(spec, "stdin"),
        stdin_once: is_set(spec, "stdinOnce"),
        tty: is_set(spec, "tty"),
    }
}
