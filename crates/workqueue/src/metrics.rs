//! Metrics of a named queue, under client-go's names.
//!
//! - [`Snapshot`]: all metrics at one moment, as values or in Prometheus' text format;
//! - [`Metrics`]: each observation as it happens, for a metrics library.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Instant;
use crate::state::Slot;

/// Receives the observations of a queue, to pass them to a metrics library (client-go's `MetricsProvider`):
/// see [`QueueBuilder::metrics`](crate::QueueBuilder::metrics).
///
/// | client-go's metric | what makes it |
/// |---|---|
/// | `workqueue_depth` | one more with [`Added`](Observation::Added), one less with [`Taken`](Observation::Taken) |
/// | `workqueue_adds_total` | [`Added`](Observation::Added) |
/// | `workqueue_queue_duration_seconds` | [`Taken`](Observation::Taken) |
/// | `workqueue_work_duration_seconds` | [`Done`](Observation::Done) |
/// | `workqueue_retries_total` | [`Retried`](Observation::Retried) |
/// | `workqueue_unfinished_work_seconds`, `workqueue_longest_running_processor_seconds` | [`Snapshot`], when they are read |
///
/// Implemented by closures.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use klient_workqueue::{Observation, Queue};
///
/// let adds = Arc::new(AtomicU64::new(0));
/// let counted = adds.clone();
/// let queue: Queue<&str> = Queue::builder()
///     .name("pods")
///     .metrics(move |_queue: &str, observation: Observation| {
///         if let Observation::Added = observation {
///             counted.fetch_add(1, Ordering::Relaxed);
///         }
///     })
///     .build();
/// queue.add("shop/web-0");
/// assert_eq!(adds.load(Ordering::Relaxed), 1);
/// ```
pub trait Metrics: Send + Sync {
    /// Called for each observation, with the queue's name. The queue's lock is not held. If it panics, the panic
    /// hook reports that, and the queue continues.
    fn observe(&self, queue: &str, observation: Observation);
}

impl<F: Fn(&str, Observation) + Send + Sync> Metrics for F {
    fn observe(&self, queue: &str, observation: Observation) {
        self(queue, observation);
    }
}

/// An observation of an item of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// The item was added and not queued already.
    Added,
    /// The item was handed to a worker; the time since it was added.
    Taken(Duration),
    /// A worker finished the item; the time it took.
    Done(Duration),
    /// The item was added with a delay.
    Retried,
}

/// The metrics of a queue at one moment: see [`Queue::metrics`](crate::Queue::metrics).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The queue's name, the value of the label `name`.
    pub name: Arc<str>,
    /// `workqueue_depth`: the number of items that are ready or are being processed and were added again.
    pub depth: usize,
    /// `workqueue_adds_total`: the number of adds of items that were not queued already.
    pub adds: u64,
    /// `workqueue_retries_total`: the number of adds with a delay.
    pub retries: u64,
    /// `workqueue_queue_duration_seconds`: the time items were queued.
    pub queue_duration: Histogram,
    /// `workqueue_work_duration_seconds`: the time items were processed.
    pub work_duration: Histogram,
    /// `workqueue_unfinished_work_seconds`: the sum of the times for which items in progress have been
    /// processed.
    pub unfinished_work: Duration,
    /// `workqueue_longest_running_processor_seconds`: the longest time for which an item in progress has been
    /// processed.
    pub longest_running_processor: Duration,
}

/// A histogram of durations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// The number of observations.
    pub count: u64,
    /// The sum of the durations.
    pub sum: Duration,
    /// The number of observations up to each bound of [`Histogram::BOUNDS`], and above the bound before.
    pub buckets: [u64; Self::BOUNDS.len()],
}

impl Histogram {
    /// The buckets of Kubernetes' own controllers: 10 ns to 10 s, in powers of ten.
    pub const BOUNDS: [Duration; 10] = {
        let mut bounds = [Duration::from_nanos(10); 10];
        let mut at = 1;
        while at < bounds.len() {
            bounds[at] = Duration::from_nanos(10u64.pow(at as u32 + 1));
            at += 1;
        }
        bounds
    };

    fn record(&mut self, duration: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
        let bucket = Self::BOUNDS.partition_point(|bound| *bound < duration);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            *bucket += 1;
        }
    }
}

/// Writes snapshots in Prometheus' text format, as `/metrics` of Kubernetes' controllers does.
///
/// ```
/// use klient_workqueue::{Queue, prometheus_text};
///
/// let queue: Queue<&str> = Queue::builder().name("pods").build();
/// queue.add("shop/web-0");
/// let text = prometheus_text(&[queue.metrics().expect("it has a name")]);
/// assert!(text.contains("workqueue_depth{name=\"pods\"} 1\n"));
/// ```
pub fn prometheus_text(snapshots: &[Snapshot]) -> String {
    let mut text = String::new();
    write_all(&mut text, snapshots).expect("writing to a string does not fail");
    text
}

fn write_all(text: &mut String, snapshots: &[Snapshot]) -> fmt::Result {
    type Figure = (&'static str, &'static str, &'static str, fn(&Snapshot) -> f64);
    const FIGURES: [Figure; 5] = [
        ("depth", "gauge", "Current depth of workqueue", |one| one.depth as f64),
        ("adds_total", "counter", "Total number of adds handled by workqueue", |one| one.adds as f64),
        ("retries_total", "counter", "Total number of retries handled by workqueue", |one| {
            one.retries as f64
        }),
        (
            "unfinished_work_seconds",
            "gauge",
            "How many seconds of work is in progress and has not been observed by work_duration.",
            |one| one.unfinished_work.as_secs_f64(),
        ),
        (
            "longest_running_processor_seconds",
            "gauge",
            "How many seconds the longest running processor has been running.",
            |one| one.longest_running_processor.as_secs_f64(),
        ),
    ];
    for (metric, kind, help, figure) in FIGURES {
        write_head(text, metric, kind, help)?;
        for one in snapshots {
            writeln!(text, "workqueue_{metric}{{name=\"{}\"}} {}", Label(&one.name), figure(one))?;
        }
    }
    type Durations = (&'static str, &'static str, fn(&Snapshot) -> &Histogram);
    const DURATIONS: [Durations; 2] = [
        (
            "queue_duration_seconds",
            "How long in seconds an item stays in workqueue before being requested.",
            |one| &one.queue_duration,
        ),
        ("work_duration_seconds", "How long in seconds processing an item from workqueue takes.", |one| {
            &one.work_duration
        }),
    ];
    for (metric, help, histogram) in DURATIONS {
        write_head(text, metric, "histogram", help)?;
        for one in snapshots {
            write_histogram(text, metric, &Label(&one.name), histogram(one))?;
        }
    }
    Ok(())
}

fn write_head(text: &mut String, metric: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP workqueue_{metric} {help}\n# TYPE workqueue_{metric} {kind}")
}

fn write_histogram(text: &mut String, metric: &str, name: &Label<'_>, histogram: &Histogram) -> fmt::Result {
    let mut below = 0;
    for (bound, bucket) in Histogram::BOUNDS.iter().zip(histogram.buckets) {
        below += bucket;
        let bound = bound.as_secs_f64();
        writeln!(text, "workqueue_{metric}_bucket{{name=\"{name}\",le=\"{bound}\"}} {below}")?;
    }
    writeln!(text, "workqueue_{metric}_bucket{{name=\"{name}\",le=\"+Inf\"}} {}", histogram.count)?;
    writeln!(text, "workqueue_{metric}_sum{{name=\"{name}\"}} {}", histogram.sum.as_secs_f64())?;
    writeln!(text, "workqueue_{metric}_count{{name=\"{name}\"}} {}", histogram.count)
}

/// A label value with Prometheus' escapes, without its quotes.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '\\' | '"' => write!(f, "\\{char}")?,
                '\n' => f.write_str("\\n")?,
                _ => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// Counts and times the items of a queue, under its lock. Durations in progress are computed when they are
/// read.
pub(crate) struct Meter {
    name: Arc<str>,
    /// Set if a [`Metrics`] receives the observations.
    is_heard: bool,
    depth: usize,
    adds: u64,
    retries: u64,
    queue_duration: Histogram,
    work_duration: Histogram,
    /// By slot.
    times: Vec<Times>,
}

#[derive(Clone, Copy, Default)]
struct Times {
    added: Option<Instant>,
    taken: Option<Instant>,
}

impl Meter {
    pub(crate) fn new(name: Arc<str>, is_heard: bool) -> Self {
        Self {
            name,
            is_heard,
            depth: 0,
            adds: 0,
            retries: 0,
            queue_duration: Histogram::default(),
            work_duration: Histogram::default(),
            times: Vec::new(),
        }
    }

    /// Counts an add; `since` is the time at which a delayed item became ready.
    pub(crate) fn added(&mut self, slot: Slot, since: Option<Instant>) -> Option<Observation> {
        self.adds += 1;
        self.depth += 1;
        let slot = slot as usize;
        if slot >= self.times.len() {
            self.times.resize(slot + 1, Times::default());
        }
        self.times[slot].added = Some(since.unwrap_or_else(Instant::now));
        self.is_heard.then_some(Observation::Added)
    }

    pub(crate) fn taken(&mut self, slot: Slot) -> Option<Observation> {
        self.depth -= 1;
        let now = Instant::now();
        let times = &mut self.times[slot as usize];
        let waited = times.added.take().map_or(Duration::ZERO, |added| now.saturating_duration_since(added));
        times.taken = Some(now);
        self.queue_duration.record(waited);
        self.is_heard.then_some(Observation::Taken(waited))
    }

    pub(crate) fn done(&mut self, slot: Slot) -> Option<Observation> {
        let worked = self.times[slot as usize].taken.take().map_or(Duration::ZERO, since);
        self.work_duration.record(worked);
        self.is_heard.then_some(Observation::Done(worked))
    }

    pub(crate) fn retried(&mut self) -> Option<Observation> {
        self.retries += 1;
        self.is_heard.then_some(Observation::Retried)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let unfinished = self.times.iter().filter_map(|times| times.taken.map(since));
        Snapshot {
            name: self.name.clone(),
            depth: self.depth,
            adds: self.adds,
            retries: self.retries,
            queue_duration: self.queue_duration.clone(),
            work_duration: self.work_duration.clone(),
            unfinished_work: unfinished.clone().sum(),
            longest_running_processor: unfinished.max().unwrap_or_default(),
        }
    }
}

fn since(earlier: Instant) -> Duration {
    Instant::now().saturating_duration_since(earlier)
}
