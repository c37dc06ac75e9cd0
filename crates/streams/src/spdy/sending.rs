//! [`Frames`], the sending direction of a session.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncWrite as _, WriteHalf};

use super::driver::Activity;
use super::queue::Queue;
use crate::connection::BoxConnection;
use crate::error::Error;
use crate::frame::{Encoder, Frame};
use crate::mux::{Role, Sending};

/// The frames of SPDY, as they are sent. The direction is shut down behind the last.
pub(super) struct Frames {
    connection: WriteHalf<BoxConnection>,
    queue: Queue,
    encoder: Encoder,
    role: Role,
    activity: Activity,
    has_ended: bool,
}

impl Frames {
    pub(super) fn new(connection: WriteHalf<BoxConnection>, role: Role, activity: Activity) -> Self {
        let (queue, encoder) = (Queue::default(), Encoder::new());
        Frames { connection, queue, encoder, role, activity, has_ended: false }
    }
}

impl Sending for Frames {
    fn push(&mut self, frame: Frame) {
        self.activity.note(&frame, self.role);
        self.encoder.encode(&frame, self.queue.bytes());
        if let Frame::Data { data, .. } = frame {
            self.queue.push(data);
        }
    }

    fn end(&mut self, _has_failed: bool) {
        self.has_ended = true;
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut connection = Pin::new(&mut self.connection);
        let broken = |error| Error::of_io(&error);
        ready!(self.queue.poll_write(connection.as_mut(), context)).map_err(broken)?;
        ready!(connection.as_mut().poll_flush(context)).map_err(broken)?;
        if self.has_ended {
            ready!(connection.poll_shutdown(context)).map_err(broken)?;
        }
        Poll::Ready(Ok(()))
    }
}
