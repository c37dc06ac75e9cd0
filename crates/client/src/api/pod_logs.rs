//! [`PodLogs`], the logs of several containers at once.

mod follow;

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{ListOptions, Object, Place, Str, Unstructured, verbs};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::changes::Change;
use super::default_container::{containers, default_container};
use super::{Api, DynamicPlace, LogOptions};
use crate::error::Error;

/// The number of lines that wait for a reader. When it is reached, the logs are not read on.
const WAITING: usize = 64;

/// The logs of several containers that are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodLogsOptions {
    /// The part of each log, and the container; without one the only container of each pod, that of the annotation
    /// `kubectl.kubernetes.io/default-container`, or the first.
    pub log: LogOptions,
    /// All containers of each pod, init containers and ephemeral ones included.
    pub all_containers: bool,
    /// Follows containers over their restarts, continues logs whose connection breaks, and adds the pods that come later.
    /// Each line comes once, also those of runs that end before their log was opened, as far as servers have them: the logs
    /// of a container's last two runs. The last run of a container that waits for its restart comes at once.
    /// The stream then ends only when it is dropped, or if the pods cannot be listed at first, or are refused later; what
    /// fails for a moment is tried again. It implies [`LogOptions::follow`].
    pub follow_restarts: bool,
}

/// A line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The name of the pod.
    pub pod: Str,
    /// The name of the container.
    pub container: Str,
    /// The line without its end. It may be no UTF-8.
    pub line: Bytes,
}

impl LogLine {
    /// The prefix with which kubectl tells the lines of several containers apart: `[pod/NAME/CONTAINER] `.
    pub fn prefix(&self) -> String {
        format!("[pod/{}/{}] ", self.pod, self.container)
    }
}

/// The lines of several containers' logs, each container's in its order: a stream. A log that cannot be read is an error in
/// it, and the others go on. Dropping it ends the requests.
///
/// Its reader sets the pace: a log is not read on while 64 lines wait.
pub struct PodLogs {
    lines: mpsc::Receiver<Result<LogLine, Error>>,
    /// The task that reads the logs by tasks of its own, which all end with it.
    _task: JoinSet<()>,
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Reads the logs of all pods that a label selector selects; [`pod_selector`](Self::pod_selector) has that of a
    /// deployment or service.
    ///
    /// ```no_run
    /// # async fn f(client: klient_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::apps::v1::Deployment;
    /// use klient_api::core::v1::Pod;
    /// use klient_client::PodLogsOptions;
    ///
    /// let selector = client.api::<Deployment>().namespace("shop").pod_selector("web").await?;
    /// let options = PodLogsOptions { follow_restarts: true, ..Default::default() };
    /// let mut logs = client.api::<Pod>().namespace("shop").pod_logs(&selector.to_string(), &options);
    /// while let Some(line) = logs.next().await {
    ///     let line = line?;
    ///     println!("{}{}", line.prefix(), String::from_utf8_lossy(&line.line));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn pod_logs(&self, selector: &str, options: &PodLogsOptions) -> PodLogs
    where
        K: verbs::Log,
    {
        let (lines, receiver) = mpsc::channel(WAITING);
        let mut options = options.clone();
        options.log.follow |= options.follow_restarts;
        let reading = Reading { pods: self.untyped(), options, lines };
        let mut task = JoinSet::new();
        let selector = selector.to_owned();
        task.spawn(async move {
            if let Err(error) = reading.all(&selector).await {
                // Nobody reads any more.
                let _ = reading.lines.send(Err(error)).await;
            }
        });
        PodLogs { lines: receiver, _task: task }
    }
}

impl PodLogs {
    /// The next line; none when all logs have ended.
    pub async fn next(&mut self) -> Option<Result<LogLine, Error>> {
        self.lines.recv().await
    }
}

impl Stream for PodLogs {
    type Item = Result<LogLine, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.lines.poll_recv(context)
    }
}

impl fmt::Debug for PodLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PodLogs")
    }
}

/// The logs that are read, and the place of their lines.
#[derive(Clone)]
struct Reading {
    pods: Api<Unstructured, DynamicPlace>,
    options: PodLogsOptions,
    lines: mpsc::Sender<Result<LogLine, Error>>,
}

/// The pods whose logs are read.
#[derive(Default)]
struct Pods {
    /// The uids of those whose logs were begun, without those that were deleted.
    known: HashSet<String>,
    /// A task per container.
    tasks: JoinSet<()>,
}

impl Reading {
    /// Reads the logs of the pods that exist, and of those that come if they are wanted.
    async fn all(&self, selector: &str) -> Result<(), Error> {
        let mut pods = Pods::default();
        let options = ListOptions::labels(selector);
        let list = self.pods.list(&options).await?;
        list.items.iter().for_each(|pod| self.begin(pod, &mut pods));
        if !self.options.follow_restarts {
            while pods.tasks.join_next().await.is_some() {}
            return Ok(());
        }
        let mut changes = self.pods.changes(&options).after(list.resource_version());
        loop {
            match changes.next().await? {
                Change::Listed(list) => list.items.iter().for_each(|pod| self.begin(pod, &mut pods)),
                Change::Applied(pod) => self.begin(&pod, &mut pods),
                // A pod that only leaves the selector is read on, and is not to be read twice when it comes back.
                Change::Deleted(pod) if pod.deletion_timestamp().is_some() => {
                    pods.known.remove(pod.uid());
                }
                Change::Deleted(_) => {}
            }
            while pods.tasks.try_join_next().is_some() {}
        }
    }

    /// Begins to read the logs of a pod, once.
    fn begin(&self, pod: &Unstructured, pods: &mut Pods) {
        if !pods.known.insert(pod.uid().to_owned()) {
            return;
        }
        let wanted: Vec<&str> = match &self.options.log.container {
            _ if self.options.all_containers => containers(pod).collect(),
            Some(name) => vec![name],
            None => default_container(pod).into_iter().collect(),
        };
        for container in wanted {
            let reading = self.clone();
            let log = follow::ContainerLog::new(&self.pods, pod, container, &self.options);
            pods.tasks.spawn(log.read(move |line| {
                let lines = reading.lines.clone();
                // If nobody reads any more, the task is about to be aborted.
                async move { drop(lines.send(line).await) }
            }));
        }
    }
}
