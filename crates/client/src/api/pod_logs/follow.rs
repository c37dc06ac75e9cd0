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

/// The state of a container, as its pod shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has not begun to run, or waits for its next run.
    Waiting,
    /// It is in its run of this number.
    Running(u64),
    /// It runs never again.
    Over,
    /// Its pod does not exist any more.
    Gone,
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
        }
    }

    /// Reads the log to its end.
    pub(super) async fn read<F: Future<Output = ()>>(mut self, send: impl Fn(Result<LogLine, Error>) -> F) {
        let result =
            if self.follow_restarts { self.read_all_runs(&send).await } else { self.read_run(&send).await };
        if let Err(error) = result {
            send(Err(error)).await;
        }
    }

    /// Reads the log of the present run to its end.
    async fn read_run<F: Future<Output = ()>>(
        &mut self,
        send: &impl Fn(Result<LogLine, Error>) -> F,
    ) -> Result<(), Error> {
        let has_times = self.options.timestamps || self.follow_restarts;
        let options = LogOptions { timestamps: has_times, ..self.options.clone() };
        let mut log = self.pods.logs(&self.pod, &options).await?;
        let mut seen = self.last.clone();
        while let Some(line) = log.line().await? {
            let Some(line) = self.new_line(line, &mut seen) else { continue };
            let (pod, container) = (self.pod.clone(), self.container.clone());
            send(Ok(LogLine { pod, container, line })).await;
        }
        Ok(())
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

    /// Reads the logs of all runs, the present one first.
    async fn read_all_runs<F: Future<Output = ()>>(
        &mut self,
        send: &impl Fn(Result<LogLine, Error>) -> F,
    ) -> Result<(), Error> {
        let mut read = None;
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
                // The lines that it printed before are still there, also those after its connection broke.
                State::Over => {
                    self.go_on_behind_last();
                    let ended = self.read_run(send).await;
                    let was_read = read.is_some() || self.last.is_some();
                    match ended {
                        // The container is gone with its log.
                        Err(error) if was_read && (error.is_not_found() || error.is_bad_request()) => {
                            return Ok(());
                        }
                        Err(error) if was_read && is_transient(&error) && backoff.steps > 0 => {
                            sleep(backoff.step()).await;
                            continue;
                        }
                        ended => return ended,
                    }
                }
                State::Waiting => {
                    self.changed().await?;
                    continue;
                }
                State::Running(run) => run,
            };
            if read == Some(run) {
                // The log has ended, and the container goes on: the connection broke, or the status is late.
                sleep(backoff.step()).await;
                if self.state().await.ok() != Some(State::Running(run)) {
                    continue;
                }
                self.go_on_behind_last();
            } else if read.is_some() {
                // A new run is read from its beginning.
                let LogOptions { container, timestamps, stream, .. } = self.options.clone();
                self.options =
                    LogOptions { container, timestamps, stream, follow: true, ..Default::default() };
                (self.last, backoff) = (None, BACKOFF);
            }
            read = Some(run);
            let before = self.last.clone();
            let ended = self.read_run(send).await;
            if self.last != before {
                backoff = BACKOFF;
            }
            match ended {
                // The pod is gone.
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) if !is_transient(&error) => return Err(error),
                _ => {}
            }
        }
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

    /// Waits until the container does not wait any more, or its pod is gone.
    async fn changed(&self) -> Result<(), Error> {
        let is_waiting = |pod: &Unstructured| state(pod, &self.container) == State::Waiting;
        let mut changes = self.pods.changes(&ListOptions::fields(format!("metadata.name={}", self.pod)));
        loop {
            let waits = match changes.next().await? {
                Change::Listed(pods) => pods.items.first().is_some_and(is_waiting),
                Change::Applied(pod) => is_waiting(&pod),
                Change::Deleted(_) => false,
            };
            if !waits {
                return Ok(());
            }
        }
    }
}

/// Returns true for errors that may be over in a moment, among them the refusal of a container that has just ended.
fn is_transient(error: &Error) -> bool {
    error.is_transient() || error.is_bad_request()
}

fn state(pod: &Unstructured, container: &str) -> State {
    if containers(pod).all(|name| name != container) {
        return State::Over;
    }
    let lists = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];
    let lists = lists.into_iter().filter_map(|list| pod.at(&["status", list])?.as_array());
    let status = lists.flatten().find(|status| status["name"] == *container);
    let phase = pod.at(&["status", "phase"]).and_then(Value::as_str);
    let has_ended = matches!(phase, Some("Succeeded" | "Failed"));
    let Some(status) = status else {
        return match phase {
            _ if has_ended => State::Over,
            // Servers without containers set no statuses.
            Some("Running") => State::Running(0),
            _ => State::Waiting,
        };
    };
    let restarts = status["restartCount"].as_u64().unwrap_or_default();
    let state = &status["state"];
    if state.get("running").is_some_and(|running| !running.is_null()) {
        return State::Running(restarts);
    }
    let terminated = state.get("terminated").filter(|terminated| !terminated.is_null());
    let policy = pod.at(&["spec", "restartPolicy"]).and_then(Value::as_str).unwrap_or("Always");
    let succeeded = terminated.is_some_and(|terminated| terminated["exitCode"] == 0);
    let is_last = terminated.is_some() && (policy == "Never" || policy == "OnFailure" && succeeded);
    if has_ended || is_last || pod.deletion_timestamp().is_some() { State::Over } else { State::Waiting }
}
