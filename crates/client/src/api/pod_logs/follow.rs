//! [`ContainerLog`], the log of one container, which may go on after the container's restart.

use bytes::Bytes;
use klient_apimachinery::{ListOptions, Object as _, Str, Time, Unstructured};
use serde_json::Value;
use tokio::time::sleep;

use super::super::changes::{BACKOFF, Change};
use super::super::default_container::containers;
use super::super::{Api, DynamicPlace, LogOptions};
use super::{LogLine, PodLogsOptions};
use crate::error::Error;

/// The log of one container.
pub(super) struct ContainerLog {
    pods: Api<Unstructured, DynamicPlace>,
    uid: String,
    pod: Str,
    container: Str,
    options: LogOptions,
    follow_restarts: bool,
    /// The last line, if containers are followed over restarts.
    last: Option<Last>,
    /// The runs that were read, if the first is known.
    runs: Option<Runs>,
}

/// The place of a line in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Last {
    time: LineTime,
    /// The number of lines of the same time up to this one, since clocks may be coarse.
    number: usize,
}

/// The time at the beginning of a line, in RFC 3339 with a precision of nanoseconds, which no type of the API has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LineTime {
    /// To the second. Times of one log have the same offset, so that they sort as strings.
    seconds: String,
    /// The digits of the fraction, which sort as strings too.
    fraction: String,
    zone: String,
}

impl LineTime {
    /// The time of a line, and the rest of it.
    fn split(line: &Bytes) -> Option<(Self, Bytes)> {
        let end = line.iter().position(|byte| *byte == b' ')?;
        let text = std::str::from_utf8(&line[..end]).ok()?;
        let (seconds, rest) = text.split_at_checked("2006-01-02T15:04:05".len())?;
        let digits = rest.strip_prefix('.').unwrap_or_default();
        let fraction: String = digits.chars().take_while(char::is_ascii_digit).collect();
        let zone = if rest.starts_with('.') { &digits[fraction.len()..] } else { rest };
        let time = LineTime { seconds: seconds.to_owned(), fraction, zone: zone.to_owned() };
        time.to_second()?;
        Some((time, line.slice(end + 1..)))
    }

    fn to_second(&self) -> Option<Time> {
        format!("{}{}", self.seconds, self.zone).parse().ok()
    }
}

/// The state of a container, as its pod shows it. Runs have the number of restarts before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has not begun to run, or its log of an earlier run cannot be read.
    Waiting,
    /// It is in its run of this number.
    Running(u64),
    /// The run of this number has ended, and the container waits for its next one.
    Ended(u64),
    /// It runs never again after the run of this number.
    Over(u64),
    /// Its pod does not exist any more.
    Gone,
}

impl State {
    /// The run whose log the server has as that of the container.
    fn run(self) -> Option<u64> {
        match self {
            State::Running(run) | State::Ended(run) | State::Over(run) => Some(run),
            State::Waiting | State::Gone => None,
        }
    }
}

/// The runs of a container that were read.
#[derive(Clone, Copy, Debug)]
struct Runs {
    /// The first run that is not read to its end.
    next: u64,
    /// Its log was opened.
    is_begun: bool,
}

impl ContainerLog {
    pub(super) fn new(
        pods: &Api<Unstructured, DynamicPlace>,
        pod: &Unstructured,
        container: &str,
        options: &PodLogsOptions,
    ) -> Self {
        let log = LogOptions { container: Some(container.to_owned()), ..options.log.clone() };
        ContainerLog {
            pods: Api { place: DynamicPlace::new(pod.namespace()), ..pods.clone() },
            uid: pod.uid().to_owned(),
            pod: pod.name().into(),
            container: container.into(),
            options: log,
            follow_restarts: options.follow_restarts,
            last: None,
            // All runs of a container are read that has not begun its first.
            runs: (state(pod, container) == State::Waiting)
                .then(|| Runs { next: restarts(pod, container), is_begun: false }),
        }
    }

    /// Reads the log to its end.
    pub(super) async fn read<F: Future<Output = ()>>(mut self, send: impl Fn(Result<LogLine, Error>) -> F) {
        let result = if self.follow_restarts {
            self.read_all_runs(&send).await
        } else {
            self.read_run(None, self.options.previous, &send).await.map(drop)
        };
        if let Err(error) = result {
            send(Err(error)).await;
        }
    }

    /// Reads the log of the present run to its end, or of the one before it. A number is that of the run that is meant:
    /// nothing is read, and the result is false, if another has begun meanwhile.
    async fn read_run<F: Future<Output = ()>>(
        &mut self,
        run: Option<u64>,
        previous: bool,
        send: &impl Fn(Result<LogLine, Error>) -> F,
    ) -> Result<bool, Error> {
        let timestamps = self.options.timestamps || self.follow_restarts;
        let follow = self.options.follow && !previous;
        let options = LogOptions { timestamps, follow, previous, ..self.options.clone() };
        let mut log = self.pods.logs(&self.pod, &options).await?;
        // The log that was opened is that of the run only if no other run has begun by now.
        if run.is_some() && self.state().await.ok().and_then(State::run).is_some_and(|now| Some(now) != run) {
            return Ok(false);
        }
        let mut seen = self.last.clone();
        while let Some(line) = log.line().await? {
            let Some(line) = self.new_line(line, &mut seen) else { continue };
            let (pod, container) = (self.pod.clone(), self.container.clone());
            send(Ok(LogLine { pod, container, line })).await;
        }
        Ok(true)
    }

    /// Takes the time from a line if it is not wanted; none for a line that was read before. `seen` is the last of those, and
    /// counts how many of its time are still to come.
    fn new_line(&mut self, line: Bytes, seen: &mut Option<Last>) -> Option<Bytes> {
        if !self.follow_restarts {
            return Some(line);
        }
        let Some((time, rest)) = LineTime::split(&line) else { return Some(line) };
        match seen {
            Some(seen) if time < seen.time => return None,
            Some(seen) if time == seen.time && seen.number > 0 => {
                seen.number -= 1;
                return None;
            }
            _ => {}
        }
        self.last = Some(match self.last.take() {
            Some(last) if last.time == time => Last { number: last.number + 1, ..last },
            _ => Last { time, number: 1 },
        });
        Some(if self.options.timestamps { line } else { rest })
    }

    /// Reads the logs of all runs from the present one on, or from the first if the container has not begun to run.
    async fn read_all_runs<F: Future<Output = ()>>(
        &mut self,
        send: &impl Fn(Result<LogLine, Error>) -> F,
    ) -> Result<(), Error> {
        let mut backoff = BACKOFF;
        loop {
            let state = match self.state().await {
                Err(error) if is_transient(&error) => {
                    sleep(backoff.step()).await;
                    continue;
                }
                state => state?,
            };
            let run = match state {
                State::Gone => return Ok(()),
                State::Waiting => {
                    self.changed(state).await?;
                    continue;
                }
                State::Running(run) | State::Ended(run) | State::Over(run) => run,
            };
            let runs = *self.runs.get_or_insert(Runs { next: run, is_begun: false });
            if run < runs.next {
                if matches!(state, State::Over(_)) {
                    return Ok(());
                }
                if run + 1 < runs.next {
                    // A kubelet that has lost its containers counts anew.
                    self.begin_run(run);
                } else {
                    self.changed(state).await?;
                }
                continue;
            }
            let is_previous = run > runs.next;
            if is_previous && run - 1 > runs.next {
                // Servers have the logs of two runs.
                self.begin_run(run - 1);
            } else if runs.is_begun {
                if state == State::Running(runs.next) {
                    // The log has ended, and the container goes on: the connection broke, or the status is late.
                    sleep(backoff.step()).await;
                    if self.state().await.ok() != Some(state) {
                        continue;
                    }
                }
                self.go_on_behind_last();
            }
            if !is_previous {
                self.runs = Some(Runs { next: run, is_begun: true });
            }
            let before = self.last.clone();
            let ended = self.read_run(Some(run), is_previous, send).await;
            if self.last != before {
                backoff = BACKOFF;
            }
            let is_over = matches!(state, State::Over(_)) && !is_previous;
            match ended {
                // Another run has begun, whose state comes next.
                Ok(false) => continue,
                Ok(true) if is_over => return Ok(()),
                Ok(true) => {}
                Err(error) if is_over && !runs.is_begun => return Err(error),
                // The pod is gone.
                Err(error) if state == State::Running(runs.next) && error.is_not_found() => return Ok(()),
                Err(error) if is_transient(&error) && (backoff.steps > 0 || !is_gone(&error) && !is_over) => {
                    sleep(backoff.step()).await;
                    continue;
                }
                // The container is gone with its log.
                Err(error) if is_over && is_gone(&error) => return Ok(()),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
            if is_previous {
                self.begin_run(run);
            } else if state == State::Ended(run) {
                self.begin_run(run + 1);
            } else {
                continue;
            }
            backoff = BACKOFF;
        }
    }

    /// Lets the next reading be that of a run from its beginning, without the lines that were read as those of another run
    /// because the pod's status was late.
    fn begin_run(&mut self, run: u64) {
        let LogOptions { container, timestamps, stream, .. } = self.options.clone();
        self.options = LogOptions { container, timestamps, stream, follow: true, ..Default::default() };
        self.runs = Some(Runs { next: run, is_begun: false });
    }

    /// Lets the next reading begin behind the last line.
    fn go_on_behind_last(&mut self) {
        if let Some(since) = self.last.as_ref().and_then(|last| last.time.to_second()) {
            self.options.since_time = Some(since);
            (self.options.since, self.options.tail_lines) = (None, None);
        }
    }

    async fn state(&self) -> Result<State, Error> {
        let pod = self.pods.get_opt(&self.pod).await?;
        let pod = pod.filter(|pod| pod.uid() == self.uid);
        Ok(pod.map_or(State::Gone, |pod| state(&pod, &self.container)))
    }

    /// Waits until the container is in another state, or its pod is gone.
    async fn changed(&self, from: State) -> Result<(), Error> {
        let is_same = |pod: &Unstructured| pod.uid() == self.uid && state(pod, &self.container) == from;
        let mut changes = self.pods.changes(&ListOptions::fields(format!("metadata.name={}", self.pod)));
        loop {
            let stays = match changes.next().await? {
                Change::Listed(pods) => pods.items.first().is_some_and(is_same),
                Change::Applied(pod) => is_same(&pod),
                Change::Deleted(_) => false,
            };
            if !stays {
                return Ok(());
            }
        }
    }
}

/// Returns true for errors that may be over in a moment, among them the refusal of a container that has just ended.
fn is_transient(error: &Error) -> bool {
    error.is_transient() || error.is_bad_request()
}

/// Returns true for the errors of a log that does not exist.
fn is_gone(error: &Error) -> bool {
    error.is_not_found() || error.is_bad_request()
}

fn status<'p>(pod: &'p Unstructured, container: &str) -> Option<&'p Value> {
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let lists = lists.into_iter().filter_map(|list| pod.at(&["status", list])?.as_array());
    lists.flatten().find(|status| status["name"] == *container)
}

/// The number of a container's restarts.
fn restarts(pod: &Unstructured, container: &str) -> u64 {
    status(pod, container).and_then(|status| status["restartCount"].as_u64()).unwrap_or_default()
}

fn state(pod: &Unstructured, container: &str) -> State {
    let run = restarts(pod, container);
    if containers(pod).all(|name| name != container) {
        return State::Over(run);
    }
    let phase = pod.at(&["status", "phase"]).and_then(Value::as_str);
    let has_ended = matches!(phase, Some("Succeeded" | "Failed"));
    let Some(status) = status(pod, container) else {
        return match phase {
            _ if has_ended => State::Over(run),
            // Servers without containers set no statuses.
            Some("Running") => State::Running(run),
            _ => State::Waiting,
        };
    };
    let part = |state: &str, name: &str| status.get(state)?.get(name).filter(|part| !part.is_null());
    if part("state", "running").is_some() {
        return State::Running(run);
    }
    let terminated = part("state", "terminated");
    let policy = pod.at(&["spec", "restartPolicy"]).and_then(Value::as_str).unwrap_or("Always");
    let succeeded = terminated.is_some_and(|terminated| terminated["exitCode"] == 0);
    let is_last = terminated.is_some() && (policy == "Never" || policy == "OnFailure" && succeeded);
    if has_ended || is_last || pod.deletion_timestamp().is_some() {
        State::Over(run)
    } else if terminated.or(part("lastState", "terminated")).is_some() {
        State::Ended(run)
    } else {
        State::Waiting
    }
}
