//! [`RateLimiter`], the client's own limit of requests per second.

mod throttle;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klient_workqueue::BucketRateLimiter;

use crate::error::{Error, Problem};
use throttle::Throttled;
pub(crate) use throttle::throttle;

/// A limit of requests per second, shared by its clones (client-go's `flowcontrol.NewTokenBucketRateLimiter`).
///
/// A client has none unless [`Config::rate_limiter`](crate::Config::rate_limiter) sets one: servers limit their clients
/// by priority and fairness. All clones of a client share its limiter, and so do all clients whose configurations hold
/// clones of it.
///
/// Requests take tokens of a bucket, in the order of their arrival. A request that is dropped while it waits takes none.
/// The wait is not part of the request's time-out. A wait of more than 50 ms is logged at `debug`, one of more than a
/// second at `warn`, at most once in ten seconds.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_client::{Client, Config, RateLimiter};
///
/// # let server = klient_apiserver::TestServer::start().await?;
/// let mut config = Config::from_kubeconfig(&server.kubeconfig())?;
/// config.rate_limiter = Some(RateLimiter::token_bucket(50.0, 100)?);
/// let client = Client::new(config.clone())?;
/// // Another client, of the same limiter.
/// let other = Client::new(config)?;
/// # client.discovery().version().await?;
/// # other.discovery().version().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    qps: f64,
    burst: u32,
    bucket: BucketRateLimiter,
    /// Held by the first of those that wait.
    line: tokio::sync::Mutex<()>,
    /// The number of those that wait. Nobody overtakes them.
    waiting: AtomicUsize,
    throttled: Throttled,
}

impl RateLimiter {
    /// A full bucket of `burst` tokens that gains `qps` tokens each second.
    ///
    /// # Errors
    ///
    /// If `qps` is no positive number, or `burst` is 0: no request could be sent.
    pub fn token_bucket(qps: f64, burst: u32) -> Result<Self, Error> {
        if qps.is_nan() || qps <= 0.0 {
            let problem = format!("{qps} requests per second: it must be more than 0");
            return Err(Error::config("rate limiter", Problem(problem)));
        }
        if burst == 0 {
            let problem = format!("the burst must be at least 1 if the rate is {qps} requests per second");
            return Err(Error::config("rate limiter", Problem(problem)));
        }
        Ok(RateLimiter(Arc::new(Inner {
            qps,
            burst,
            bucket: BucketRateLimiter::new(qps, burst),
            line: tokio::sync::Mutex::new(()),
            waiting: AtomicUsize::new(0),
            throttled: Throttled::default(),
        })))
    }

    /// Requests per second.
    pub fn qps(&self) -> f64 {
        self.0.qps
    }

    /// The number of requests that may be sent at once.
    pub fn burst(&self) -> u32 {
        self.0.burst
    }

    /// Takes a token if there is one and no request waits for it.
    pub fn try_accept(&self) -> bool {
        self.0.waiting.load(Ordering::Acquire) == 0 && self.0.bucket.try_take().is_ok()
    }

    /// Takes a token, and waits until there is one. Dropping the future takes none.
    pub async fn wait(&self) {
        if self.try_accept() {
            return;
        }
        let _waiting = Waiting::new(&self.0.waiting);
        let _first = self.0.line.lock().await;
        while let Err(time) = self.0.bucket.try_take() {
            tokio::time::sleep(time).await;
        }
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("qps", &self.0.qps).field("burst", &self.0.burst).finish()
    }
}

/// One of those that wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::AcqRel);
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
