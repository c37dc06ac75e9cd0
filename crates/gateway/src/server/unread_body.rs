//! [`UnreadBody`], the body of a response over HTTP/2 that tells when its client takes nothing of it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use klient_client::{BoxError, ResponseBody};
use tokio::time::{Instant, sleep};

/// The longest part of a body that is handed out at once, and so the most of a response that HTTP/2 holds for a client.
const PART: usize = 16 << 10;

/// The bodies of a connection whose last part waits for its client, by number, with the time of that part. A body is asked for
/// the next part when the client has room for it.
#[derive(Default)]
pub(crate) struct Waiting {
    bodies: AtomicU64,
    since: Mutex<HashMap<u64, Instant>>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a client has taken nothing of a body for some time.
    pub(crate) async fn too_long(&self, limit: Duration) {
        loop {
            sleep(limit / 2).await;
            if self.lock().values().any(|since| since.elapsed() >= limit) {
                return;
            }
        }
    }
}

/// The body of a response, in parts.
pub(crate) struct UnreadBody {
    body: ResponseBody,
    /// The end of a part that is too long.
    rest: Bytes,
    number: u64,
    waiting: Arc<Waiting>,
}

impl UnreadBody {
    pub(crate) fn new(body: ResponseBody, waiting: Arc<Waiting>) -> Self {
        let number = waiting.bodies.fetch_add(1, Ordering::Relaxed);
        UnreadBody { body, rest: Bytes::new(), number, waiting }
    }
}

impl Body for UnreadBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        this.waiting.lock().remove(&this.number);
        if this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            }
        }
        let part = this.rest.split_to(this.rest.len().min(PART));
        this.waiting.lock().insert(this.number, Instant::now());
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

impl Drop for UnreadBody {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.number);
    }
}
