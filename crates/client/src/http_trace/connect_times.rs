//! [`ConnectTimes`], the time that each step of opening a connection takes.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

tokio::task_local! {
    static TIMES: Arc<ConnectTimes>;
}

/// The steps of the connection that is opened for a request. The connector finds them by the task of the request, since
/// the HTTP client between the two passes on nothing.
#[derive(Debug, Default)]
pub(crate) struct ConnectTimes {
    dns: AtomicU64,
    dial: AtomicU64,
    tls: AtomicU64,
    is_set: AtomicBool,
}

/// A step of opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Dns,
    /// DNS and TCP together: the time of DNS is subtracted.
    Connect,
    Tls,
}

impl ConnectTimes {
    /// Runs a request whose connector is to measure, or one whose connector is not.
    pub(crate) async fn measured<F: Future>(times: Option<Arc<Self>>, request: F) -> F::Output {
        match times {
            Some(times) => TIMES.scope(times, request).await,
            None => request.await,
        }
    }

    /// The steps of the request that runs in this task, to be measured in another.
    pub(crate) fn current() -> Option<Arc<Self>> {
        TIMES.try_with(Arc::clone).ok()
    }

    /// Runs a step of the connection, and notes its time if the request of this task is measured.
    pub(crate) async fn step<F: Future>(step: Step, future: F) -> F::Output {
        let began = Instant::now();
        let output = future.await;
        ConnectTimes::note(step, began.elapsed());
        output
    }

    /// Logs the addresses of a host, if the request of this task is measured.
    pub(crate) fn log_lookup(host: &str, addresses: &[SocketAddr]) {
        if TIMES.try_with(|_| ()).is_ok() {
            super::log_lookup(host, addresses);
        }
    }

    /// Logs the address of a TCP connection that was opened, if the request of this task is measured.
    pub(crate) fn log_dial(address: SocketAddr) {
        if TIMES.try_with(|_| ()).is_ok() {
            super::log_dial(address);
        }
    }

    /// Logs that a TCP connection was not opened, if the request of this task is measured.
    pub(crate) fn log_dial_failure(host: &str, port: u16, error: &(dyn Error + 'static)) {
        if TIMES.try_with(|_| ()).is_ok() {
            super::log_dial_failure(&format!("{host}:{port}"), error);
        }
    }

    fn note(step: Step, time: Duration) {
        let _ = TIMES.try_with(|times| {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            match step {
                Step::Dns => times.dns.store(micros, Ordering::Relaxed),
                Step::Connect => {
                    let dial = micros.saturating_sub(times.dns.load(Ordering::Relaxed));
                    times.dial.store(dial, Ordering::Relaxed);
                }
                Step::Tls => times.tls.store(micros, Ordering::Relaxed),
            }
            times.is_set.store(true, Ordering::Relaxed);
        });
    }

    /// True if a connection was opened.
    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    pub(super) fn dns(&self) -> Duration {
        Duration::from_micros(self.dns.load(Ordering::Relaxed))
    }

    pub(super) fn dial(&self) -> Duration {
        Duration::from_micros(self.dial.load(Ordering::Relaxed))
    }

    pub(super) fn tls(&self) -> Duration {
        Duration::from_micros(self.tls.load(Ordering::Relaxed))
    }

    pub(super) fn sum(&self) -> Duration {
        self.dns() + self.dial() + self.tls()
    }
}
