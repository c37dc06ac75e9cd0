//! [`Watchdog`], which ends a play that does not come to an end by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::problem::{FindingKind, Problem};

/// Ends a play that does not come to an end by itself, since virtual time stands still while there is something to do: a
/// controller that sends requests without a pause, or that works without a pause and sends none.
pub(crate) struct Watchdog {
    /// The number of times that virtual time has passed.
    ticks: AtomicU64,
    failure: watch::Sender<Option<Problem>>,
    requests: Mutex<Requests>,
    limit: usize,
}

/// The requests since the controller was last at rest, or was started.
#[derive(Default)]
struct Requests {
    sent: usize,
    by_line: HashMap<String, usize>,
}

/// The interval of virtual time at which it is seen to pass.
const TICK: Duration = Duration::from_secs(60);

/// The number of different requests that a problem names.
const SHOWN: usize = 3;

impl Watchdog {
    /// A watchdog that lets a number of requests pass until the controller is at rest.
    pub(crate) fn new(limit: usize) -> Arc<Watchdog> {
        let (ticks, failure, requests) = Default::default();
        Arc::new(Watchdog { ticks, failure, requests, limit })
    }

    /// Counts from here on.
    pub(crate) fn reset(&self) {
        *self.requests.lock().expect("no panics while held") = Requests::default();
    }

    /// Counts a request. Returns false, and ends the play, if it is one too many.
    pub(crate) fn admit(&self, line: String) -> bool {
        let mut requests = self.requests.lock().expect("no panics while held");
        if requests.sent < self.limit {
            requests.sent += 1;
            *requests.by_line.entry(line).or_default() += 1;
            return true;
        }
        let mut lines: Vec<_> = requests.by_line.iter().collect();
        lines.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let mut details = vec![format!("it has sent {} requests and goes on; most of them:", self.limit)];
        details.extend(lines.iter().take(SHOWN).map(|(line, times)| format!("  {line}: {times} times")));
        self.fail(Problem::new(FindingKind::NotAtRest, details));
        false
    }

    fn fail(&self, problem: Problem) {
        self.failure.send_if_modified(|failure| {
            let is_first = failure.is_none();
            failure.get_or_insert(problem);
            is_first
        });
    }

    /// Waits until the play has to end.
    pub(crate) async fn bark(&self) -> Problem {
        let mut failure = self.failure.subscribe();
        let failed = failure.wait_for(Option::is_some).await.map(|failure| failure.clone());
        failed.ok().flatten().expect("it is waited for, and its sender lives")
    }

    /// Starts a task that notes, as long as the runtime is there, that virtual time passes.
    pub(crate) fn tick(self: &Arc<Self>) {
        let dog = self.clone();
        tokio::spawn(async move {
            loop {
                sleep(TICK).await;
                dog.ticks.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// Watches from another thread that virtual time passes, until the sender is dropped.
    pub(crate) fn watch(self: &Arc<Self>, limit: Duration) -> mpsc::Sender<()> {
        let (sender, ended) = mpsc::channel();
        let dog = self.clone();
        thread::spawn(move || {
            let mut seen = None;
            while ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let ticks = dog.ticks.load(Ordering::Relaxed);
                if seen.replace(ticks) == Some(ticks) {
                    dog.fail(stands_still(limit));
                }
            }
        });
        sender
    }
}

fn stands_still(limit: Duration) -> Problem {
    let details = [
        format!(
            "virtual time has stood still for {} s of real time: it passes while all wait.",
            limit.as_secs_f64()
        ),
        "Something works without a pause and sends no request, or waits for something outside of the play."
            .to_owned(),
    ];
    Problem::new(FindingKind::NotAtRest, details)
}
