//! [`Bodies`], the response bodies of a transport, which end in an error when they wait unread for too long.
//!
//! The data of a body that is not read waits in memory: up to [`STREAM_WINDOW`](super::sender::STREAM_WINDOW) of an
//! HTTP/2 stream. A sweep looks now and then at all bodies under way. It reads ahead by one frame where it cannot tell
//! whether data is waiting, so that a watch on which nothing happens may stay unread for any time.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use http::{Method, Uri};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use slab::Slab;
use tokio::time::Instant;

use super::BoxError;
use super::pooled_connection::StreamPermit;
use super::unread_body::UnreadBody;

/// The number of checks until a limit is reached.
const SWEEPS_PER_LIMIT: u32 = 8;

/// The response bodies under way on a transport.
pub(super) struct Bodies {
    limit: Option<Duration>,
    registry: Mutex<Registry>,
}

#[derive(Default)]
struct Registry {
    bodies: Slab<Weak<Shared>>,
    is_swept: bool,
}

impl Bodies {
    /// Bodies that may wait unread for `limit`, or for any time.
    pub(super) fn new(limit: Option<Duration>) -> Arc<Self> {
        Arc::new(Bodies { limit, registry: Mutex::default() })
    }

    /// The number of bodies that have not ended.
    pub(super) fn len(&self) -> usize {
        self.registry().bodies.len()
    }

    /// Registers the body of a response. It must be called on a runtime.
    pub(super) fn register(
        self: &Arc<Self>,
        body: Incoming,
        request: (Method, Uri),
        permit: StreamPermit,
    ) -> MonitoredBody {
        let shared = Arc::new(Shared {
            request,
            state: Mutex::new(State::Open { body, read_ahead: None, _permit: permit }),
            signal: Arc::new(Signal {
                reader: AtomicWaker::new(),
                waiting: AtomicU64::new(UNKNOWN),
                registered: Instant::now(),
            }),
        });
        let mut registry = self.registry();
        let key = registry.bodies.insert(Arc::downgrade(&shared));
        let sweep = self.limit.filter(|_| !registry.is_swept);
        registry.is_swept |= sweep.is_some();
        drop(registry);
        if let Some(limit) = sweep {
            // Without the lock, which the sweep takes when it is dropped: a runtime that shuts down drops it at once.
            tokio::spawn(Sweep(Arc::downgrade(self)).run(limit));
        }
        let waker = Waker::from(shared.signal.clone());
        MonitoredBody { shared, waker, _registration: Registration { bodies: self.clone(), key } }
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().expect("no panics while held")
    }
}

/// The task that ends bodies which are not read. It runs while there are any.
struct Sweep(Weak<Bodies>);

impl Sweep {
    async fn run(mut self, limit: Duration) {
        loop {
            tokio::time::sleep(limit / SWEEPS_PER_LIMIT).await;
            let Some(bodies) = self.0.upgrade() else { return };
            let registered: Vec<_> = {
                let mut registry = bodies.registry();
                if registry.bodies.is_empty() {
                    registry.is_swept = false;
                    // Another sweep may begin before this one is dropped.
                    self.0 = Weak::new();
                    return;
                }
                registry.bodies.iter().filter_map(|(_, body)| body.upgrade()).collect()
            };
            for body in registered {
                body.sweep(limit);
            }
        }
    }
}

impl Drop for Sweep {
    /// A sweep also ends with its runtime; the next body then starts another.
    fn drop(&mut self) {
        if let Some(bodies) = self.0.upgrade() {
            bodies.registry().is_swept = false;
        }
    }
}

/// No data is waiting: the body wakes its reader when some arrives.
const IDLE: u64 = 0;

/// The body was read, and whether more data is waiting shows when it is polled.
const UNKNOWN: u64 = u64::MAX;

/// A body that its reader and the sweep share.
struct Shared {
    request: (Method, Uri),
    state: Mutex<State>,
    signal: Arc<Signal>,
}

/// The waker of a body. The connection keeps it, so that it must not own the body: that would then be dropped under the
/// locks of the connection, or never.
struct Signal {
    reader: AtomicWaker,
    /// [`IDLE`], [`UNKNOWN`], or for how long after its registration data began to wait, in milliseconds.
    waiting: AtomicU64,
    registered: Instant,
}

enum State {
    Open {
        body: Incoming,
        /// A frame that the sweep has read.
        read_ahead: Option<Frame<Bytes>>,
        _permit: StreamPermit,
    },
    /// Ended, with an error that the reader has not seen yet.
    Failed(BoxError),
    Ended,
}

impl Signal {
    /// Milliseconds after the registration, from 1.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.registered.elapsed().as_millis()).unwrap_or(UNKNOWN - 1).clamp(1, UNKNOWN - 1)
    }

    fn set(&self, waiting: u64) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }
}

impl Shared {
    fn poll(&self, reader: &Waker, waker: &Waker) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.state.lock().expect("no panics while held");
        match &mut *state {
            State::Open { read_ahead, .. } => {
                if let Some(frame) = read_ahead.take() {
                    self.signal.set(UNKNOWN);
                    return Poll::Ready(Some(Ok(frame)));
                }
                self.signal.reader.register(reader);
                self.poll_body(&mut state, waker)
            }
            State::Failed(_) => match std::mem::replace(&mut *state, State::Ended) {
                State::Failed(error) => Poll::Ready(Some(Err(error))),
                _ => unreachable!("it was matched"),
            },
            State::Ended => Poll::Ready(None),
        }
    }

    /// Polls the body itself, which is dropped at its end.
    fn poll_body(&self, state: &mut State, waker: &Waker) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let State::Open { body, .. } = state else { return Poll::Ready(None) };
        // Before it is polled, so that what arrives meanwhile is not forgotten.
        self.signal.set(IDLE);
        let frame = std::task::ready!(Pin::new(body).poll_frame(&mut Context::from_waker(waker)));
        match &frame {
            Some(Ok(_)) => self.signal.set(UNKNOWN),
            _ => *state = State::Ended,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)))
    }

    /// Ends the body if data has waited in it for longer than a limit.
    fn sweep(&self, limit: Duration) {
        // One that is being read is not waiting.
        let Ok(mut state) = self.state.try_lock() else { return };
        let State::Open { read_ahead, .. } = &mut *state else { return };
        let has_expired = match self.signal.waiting.load(Ordering::Relaxed) {
            IDLE => return,
            UNKNOWN => false,
            since => {
                let waited = Duration::from_millis(self.signal.elapsed().saturating_sub(since));
                if waited < limit {
                    return;
                }
                true
            }
        };
        // A body is also woken where no data arrived.
        let read = match read_ahead.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => self.poll_body(&mut state, &Waker::from(self.signal.clone())),
        };
        match (read, &mut *state) {
            (Poll::Ready(Some(Ok(_))), _) if has_expired => {
                let (method, uri) = &self.request;
                let error = UnreadBody { limit };
                tracing::warn!("{method} {uri}: {error}");
                *state = State::Failed(error.into());
            }
            (Poll::Ready(Some(Ok(frame))), State::Open { read_ahead, .. }) => {
                *read_ahead = Some(frame);
                self.signal.set(self.signal.elapsed());
            }
            (Poll::Ready(Some(Err(error))), _) => *state = State::Failed(error),
            _ => {}
        }
    }
}

impl Wake for Signal {
    /// Notes since when data is waiting. It runs under the locks of the connection, and so takes none of its own.
    fn wake(self: Arc<Self>) {
        let _ = self.waiting.compare_exchange(IDLE, self.elapsed(), Ordering::Relaxed, Ordering::Relaxed);
        self.reader.wake();
    }
}

/// A response body that ends in [`UnreadBody`] when data has waited in it for too long.
pub(super) struct MonitoredBody {
    shared: Arc<Shared>,
    waker: Waker,
    _registration: Registration,
}

impl http_body::Body for MonitoredBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.shared.poll(context.waker(), &self.waker)
    }

    fn is_end_stream(&self) -> bool {
        match &*self.shared.state.lock().expect("no panics while held") {
            State::Open { body, read_ahead, .. } => read_ahead.is_none() && body.is_end_stream(),
            State::Failed(_) => false,
            State::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.shared.state.lock().expect("no panics while held") {
            State::Open { body, read_ahead: None, .. } => body.size_hint(),
            State::Open { .. } | State::Failed(_) => SizeHint::default(),
            State::Ended => SizeHint::with_exact(0),
        }
    }
}

/// A place in the registry, which is left when the body is dropped.
struct Registration {
    bodies: Arc<Bodies>,
    key: usize,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.bodies.registry().bodies.remove(self.key);
    }
}
