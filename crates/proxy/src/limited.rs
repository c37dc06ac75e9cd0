//! [`Limited`], a body that fails when it is longer than a limit.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use klient_client::BoxError;

/// A body of a limited length.
pub(crate) struct Limited<B> {
    body: Pin<Box<B>>,
    rest: u64,
    overrun: Overrun,
}

/// A sign that a body was too long, which outlives it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrun(Arc<AtomicBool>);

impl Overrun {
    pub(crate) fn has_happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<B> Limited<B> {
    pub(crate) fn new(body: B, limit: u64, overrun: Overrun) -> Self {
        Limited { body: Box::pin(body), rest: limit, overrun }
    }
}

impl<B> Body for Limited<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(self.body.as_mut().poll_frame(context)) {
            Some(Ok(frame)) => frame,
            end => return Poll::Ready(end.map(|frame| frame.map_err(Into::into))),
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.rest.checked_sub(length) {
            Some(rest) => {
                self.rest = rest;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.overrun.0.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err("the body of the request is too large".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
