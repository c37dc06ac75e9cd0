//! [`Output`], the sending direction of a connection, and the part of [`Mux`] that sends.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker, ready};

use super::buffers::Buffers;
use super::{Ended, Mux};
use crate::error::Error;
use crate::frame::Frame;

/// The number of bytes that are written at once, about.
const WRITE_BUFFER: usize = 128 * 1024;

/// The sending direction of a connection, with the form of its frames.
pub(crate) trait Sending: Send {
    /// Queues a frame.
    fn push(&mut self, frame: Frame);

    /// Queues the end of the connection, which has failed or not. Nothing is queued behind it.
    fn end(&mut self, has_failed: bool);

    /// Sends all that is queued.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>>;
}

/// The sending direction of a connection, and what is to be done when it has sent. It is the connection's task that waits
/// for room: who else writes does so with the waker of that task.
pub(super) struct Output {
    sending: Box<dyn Sending>,
    /// The task of the connection, once it runs.
    driver: Option<Waker>,
    /// The frames that are encoded next, whose place is used again.
    frames: Vec<Frame>,
    /// The streams with data in what is queued.
    sent: Vec<u32>,
    /// The writers of streams whose data is all sent. They are woken when this is unlocked, and then send themselves.
    woken: Vec<Waker>,
    end: End,
    error: Option<Error>,
}

/// The end of the direction.
enum End {
    NotYet,
    Queued,
    Sent,
}

impl Output {
    pub(super) fn new(sending: Box<dyn Sending>) -> Self {
        Output {
            sending,
            driver: None,
            frames: Vec::new(),
            sent: Vec::new(),
            woken: Vec::new(),
            end: End::NotYet,
            error: None,
        }
    }

    /// Queues the end, behind which there are no frames.
    fn end(&mut self, has_failed: bool) {
        self.sending.end(has_failed);
        self.end = End::Queued;
    }

    /// Sends what is queued. Returns true if the end is among it.
    ///
    /// # Errors
    ///
    /// That of the connection, again and again.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Some(error) = &self.error {
            return Poll::Ready(Err(error.clone()));
        }
        if matches!(self.end, End::Sent) {
            return Poll::Ready(Ok(true));
        }
        if let Err(error) = ready!(self.sending.poll_send(context)) {
            return Poll::Ready(Err(self.error.insert(error).clone()));
        }
        let is_end = matches!(self.end, End::Queued);
        if is_end {
            self.end = End::Sent;
        }
        Poll::Ready(Ok(is_end))
    }
}

impl Mux {
    /// Sends frames until the connection is to be closed, and all is sent. The task of the connection awaits it.
    pub(crate) async fn send_all(&self) -> Result<(), Error> {
        let poll = |context: &mut Context<'_>| {
            let mut locked = self.output.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(output) = &mut *locked else { return Poll::Ready(Ok(())) };
            output.driver = Some(context.waker().clone());
            let sent = self.poll_send(output, context);
            let woken = std::mem::take(&mut output.woken);
            drop(locked);
            woken.into_iter().for_each(Waker::wake);
            sent
        };
        poll_fn(poll).await
    }

    /// Sends what can be sent at once, for the task of the connection, which then need not be woken.
    pub(super) fn send_now(&self) {
        let mut locked = self.output.try_lock();
        let output = locked.as_deref_mut().ok().and_then(Option::as_mut);
        let Some((output, driver)) = output.and_then(|output| output.driver.clone().map(|it| (output, it)))
        else {
            return self.lock().wake_driver();
        };
        let sent = self.poll_send(output, &mut Context::from_waker(&driver));
        let woken = std::mem::take(&mut output.woken);
        drop(locked);
        woken.into_iter().for_each(Waker::wake);
        if sent.is_ready() {
            // It is to know of the end, or of the error.
            driver.wake();
        }
    }

    /// Sends frames until nothing is left to send or the connection has no room, of which `context` is told; ready when
    /// the connection is to be closed and all is sent.
    fn poll_send(&self, output: &mut Output, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if ready!(output.poll_send(context))? {
                return Poll::Ready(Ok(()));
            }
            let mut state = self.lock();
            for id in output.sent.drain(..) {
                let stream = state.streams.get_mut(&id);
                output.woken.extend(stream.and_then(Buffers::writer_to_wake));
            }
            let mut left = WRITE_BUFFER;
            while left > 0
                && let Some(frame) = state.next_frame()
            {
                let mut size = 64;
                if let Frame::Data { id, data, .. } = &frame {
                    size = data.len();
                    output.sent.push(*id);
                }
                left = left.saturating_sub(size);
                output.frames.push(frame);
            }
            if output.frames.is_empty() {
                if !state.is_closing {
                    state.idle = Some(context.waker().clone());
                    return Poll::Pending;
                }
                output.end(matches!(state.ended, Some(Ended::Failed(_))));
            }
            drop(state);
            self.sent.notify_waiters();
            for frame in output.frames.drain(..) {
                if !matches!(frame, Frame::Data { fin: false, .. }) {
                    self.changed.notify_waiters();
                }
                output.sending.push(frame);
            }
        }
    }
}
