//! The built-in containers: all pods run, with a small shell, files in memory, an answer at declared ports and the logs
//! that annotations have.

mod archive;
mod commands;
mod console;
mod container;
mod files;
mod http;
mod log_writer;
mod memory;
mod pod;
mod processes;
mod shell;
mod status;
mod terminal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use klient_apimachinery::values::{Map, at, list_at, text_at};
use klient_streams::BoxError;
use klient_streams::port_forward::Forwarded;
use klient_streams::remote_command::{ExitStatus, Stdio};
use serde_json::Value;
use tokio::time::Instant;

use super::{ContainerCommand, ContainerLog, LogRequest, PodPort};
use crate::admission::RequestContext;
use crate::registry::deletion::Deletion;
use crate::registry::pipeline::{Pipeline, delete};
use crate::state::State;
use crate::storage::{Key, Object};
use crate::warnings::Warnings;
use container::{Container, RunState};
use memory::Memory;
use pod::{LOG, Pod};

/// The time until a container that has ended a second time is started again, which doubles with each restart up to the
/// longest.
const BACK_OFF: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// The time after which a container that has run so long is started again as after its first end.
const STEADY: Duration = Duration::from_secs(600);

/// The pods that run.
#[derive(Default)]
pub(crate) struct Pods {
    running: Mutex<HashMap<Key, Arc<Pod>>>,
    memory: Memory,
}

impl Pods {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Pod>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, namespace: &str, name: &str) -> Option<Arc<Pod>> {
        self.lock().get(&Key::new(Some(namespace), name)).cloned()
    }

    fn container(&self, namespace: &str, pod: &str, name: &str) -> Option<Arc<Container>> {
        self.get(namespace, pod)?.container(name)
    }

    /// Runs a command in a container.
    pub(super) async fn exec(
        self: Arc<Self>,
        command: ContainerCommand,
        stdio: Stdio,
    ) -> Result<ExitStatus, BoxError> {
        let ContainerCommand { namespace, pod, container: name, args, tty } = command;
        let container = self.container(&namespace, &pod, &name);
        let container = container.ok_or_else(|| format!("container {name} does not run"))?;
        let program = args.first().map_or("", String::as_str);
        if let Some(refusal) = commands::refusal(&container, program) {
            return Err(refusal.into());
        }
        Ok(container.exec(args, tty, stdio).await.into())
    }

    /// Attaches to the main process of a container.
    pub(super) async fn attach(
        self: Arc<Self>,
        command: ContainerCommand,
        stdio: Stdio,
    ) -> Result<ExitStatus, BoxError> {
        let ContainerCommand { namespace, pod, container: name, .. } = command;
        let container = self.container(&namespace, &pod, &name);
        let container = container.ok_or_else(|| format!("container {name} does not run"))?;
        container.attach(stdio).await;
        // The exit code is in the status of the pod: to attach is a success whatever the process does.
        Ok(ExitStatus::SUCCESS)
    }

    /// Answers a connection to a port that a container of the pod declares.
    pub(super) async fn forward(
        self: Arc<Self>,
        port: PodPort,
        connection: Forwarded,
    ) -> Result<(), BoxError> {
        let pod = self.get(&port.namespace, &port.pod);
        let Some(pod) = pod.filter(|pod| pod.ports.contains(&port.port)) else {
            let number = port.port;
            let refused = format!("dial tcp4 127.0.0.1:{number}: connect: connection refused");
            return Err(format!("failed to connect to localhost:{number}, IPv4: {refused}").into());
        };
        tokio::select! {
            biased;
            () = pod.killed() => {}
            () = http::serve(port, connection) => {}
        }
        Ok(())
    }

    /// The log of a container. That of an init container, which has ended without running, is empty.
    pub(super) fn log(&self, request: &LogRequest) -> Option<ContainerLog> {
        let LogRequest { namespace, pod, container, previous } = request;
        match self.get(namespace, pod)?.container(container) {
            Some(container) => container.log(*previous),
            None if *previous => None,
            None => {
                let log = ContainerLog::default();
                log.close();
                Some(log)
            }
        }
    }

    /// Removes a pod that runs and has this UID.
    fn take(&self, key: &Key, uid: &str) -> Option<Arc<Pod>> {
        let mut pods = self.lock();
        pods.get(key).filter(|pod| pod.uid == uid)?;
        pods.remove(key)
    }

    /// Returns a pod that runs, or begins to run it, in which case the other value is true; `None` if it is not to run.
    fn get_or_run(&self, state: &State, object: &Object, value: &Map) -> Option<(Arc<Pod>, bool)> {
        let uid = text_at(value, &["metadata", "uid"]);
        let mut pods = self.lock();
        if let Some(pod) = pods.get(&object.key).filter(|pod| pod.uid == uid) {
            return Some((pod.clone(), false));
        }
        // Changes may come in another order than they were stored in: a pod that is deleted meanwhile, or whose server
        // has stopped, would never end. If either happens from now on, the pod is found in the map.
        let resource = state.registry.built_in("", "v1", "pods");
        let stored = state.store.get(&resource.table, &object.key)?;
        let is_stored = text_at(&stored.value(), &["metadata", "uid"]) == uid;
        if !is_stored || !is_to_run(value) || has_stopped(state) {
            return None;
        }
        let pod = Arc::new(Pod::new(value, self.memory.clone()));
        if let Some(replaced) = pods.insert(object.key.clone(), pod.clone()) {
            replaced.kill();
        }
        Some((pod, true))
    }

    /// Ends all pods, whose tasks would otherwise keep the state of the server, and write to its objects.
    fn stop(&self) {
        for (_, pod) in self.lock().drain() {
            pod.kill();
        }
    }

    /// Reacts to a change of a pod: runs it when it is new, and ends it when it is deleted.
    pub(crate) async fn changed(self: &Arc<Self>, state: &Arc<State>, object: &Object, deleted: bool) {
        let value = object.value();
        let uid = text_at(&value, &["metadata", "uid"]);
        if deleted {
            if let Some(pod) = self.take(&object.key, uid) {
                pod.kill();
            }
            return;
        }
        if object.is_terminating {
            let pod = self.lock().get(&object.key).filter(|pod| pod.uid == uid).cloned();
            if let Some(pod) = pod {
                pod.kill();
            }
            // Without a grace period, who deletes it removes it.
            let grace_period = at(&value, &["metadata", "deletionGracePeriodSeconds"]);
            if grace_period.and_then(Value::as_i64).is_some_and(|seconds| seconds > 0) {
                self.remove(state, &object.key, uid).await;
            }
            return;
        }
        let Some((pod, is_new)) = self.get_or_run(state, object, &value) else { return };
        let added = pod.add_containers(&value);
        pod.add_log(&value);
        if added.is_empty() && !is_new {
            return;
        }
        for container in &added {
            container.begin();
            pod.print_log(container, text_at(&value, &["metadata", "annotations", LOG]));
        }
        self.sync(state, &object.key, &pod).await;
        for container in added {
            let (pods, state, key) = (self.clone(), state.clone(), object.key.clone());
            let running = run(pods, state, key, pod.clone(), container);
            pod.spawn(running);
        }
    }

    /// Writes the status of a pod.
    fn sync<'a>(&'a self, state: &'a Arc<State>, key: &'a Key, pod: &'a Pod) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let resource = state.registry.built_in("", "v1", "pods");
            let warnings = Warnings::default();
            let pipeline = Pipeline::of_server(state, &resource, Some("status"), Some("kubelet"), &warnings);
            // Of two changes, the status that includes both is written last.
            let _one_at_a_time = pod.writing.lock().await;
            let mut update = |old: &Map, _: &Object| {
                let mut new = old.clone();
                if text_at(old, &["metadata", "uid"]) == pod.uid {
                    status::set(&mut new, pod);
                }
                Ok(new)
            };
            if let Err(failure) = pipeline.guaranteed_update(key, &mut update).await {
                // It may be deleted meanwhile.
                tracing::debug!(pod = %key, code = failure.code(), "the status could not be written");
            }
        })
    }

    /// Removes a pod that is given time to end, as its kubelet does.
    async fn remove(&self, state: &Arc<State>, key: &Key, uid: &str) {
        let resource = state.registry.built_in("", "v1", "pods");
        let warnings = Warnings::default();
        let options = Deletion { grace_period: Some(0), uid: Some(uid.to_owned()), ..Deletion::default() };
        let request = RequestContext::of_server(&warnings);
        if let Err(failure) = Box::pin(delete(state, &resource, key, &options, request)).await {
            tracing::debug!(pod = %key, code = failure.code(), "the pod could not be removed");
        }
    }
}

/// Runs the pods that are there when the server starts, and ends all when it stops.
pub(crate) fn resume(state: &Arc<State>) {
    let Some(pods) = state.containers.as_ref().and_then(|containers| containers.pods.clone()) else { return };
    let resource = state.registry.built_in("", "v1", "pods");
    let (running, mut stopped) = (pods.clone(), state.stopped.clone());
    tokio::spawn(async move {
        // Without a sender, the server is dropped.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        running.stop();
    });
    let state = state.clone();
    tokio::spawn(async move {
        for object in state.store.all(&resource.table, None) {
            pods.changed(&state, &object, false).await;
        }
    });
}

/// Returns true if a server has stopped or is dropped.
fn has_stopped(state: &State) -> bool {
    *state.stopped.borrow() || state.stopped.has_changed().is_err()
}

/// Returns true if a pod is neither held back nor at its end.
fn is_to_run(pod: &Map) -> bool {
    let has_ended = matches!(text_at(pod, &["status", "phase"]), "Succeeded" | "Failed");
    !has_ended && list_at(pod, &["spec", "schedulingGates"]).is_empty()
}

/// Runs a container, again after its end if its pod says so.
fn run(
    pods: Arc<Pods>,
    state: Arc<State>,
    key: Key,
    pod: Arc<Pod>,
    container: Arc<Container>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        // After its first end, a container is started again at once.
        let mut back_off = Duration::ZERO;
        loop {
            let started = Instant::now();
            let code = container.clone().main().await;
            if started.elapsed() >= STEADY {
                back_off = Duration::ZERO;
            }
            container.end(code, back_off);
            let restarts = pod.restarts(&container, code);
            if !restarts {
                pods.sync(&state, &key, &pod).await;
                return;
            }
            if !back_off.is_zero() {
                pods.sync(&state, &key, &pod).await;
                tokio::time::sleep(back_off).await;
            }
            back_off = (back_off * 2).clamp(BACK_OFF, LONGEST_BACK_OFF);
            container.begin();
            pods.sync(&state, &key, &pod).await;
        }
    })
}

/// Returns true if a field of a container's description is true.
fn is_set(container: &Map, field: &str) -> bool {
    at(container, &[field]).is_some_and(|value| value == true)
}

/// Returns true while a container runs.
fn runs(container: &Container) -> bool {
    matches!(container.run().state, RunState::Running(_))
}
