//! [`Queue`], bytes that are to be written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncWrite as _, WriteHalf};

use crate::connection::BoxConnection;

/// The number of parts that are written at once.
const MAX_PARTS: usize = 32;

/// The length from which data is not copied behind its head.
const MIN_PART: usize = 2 * 1024;

/// Bytes that are to be written, in parts, so that data is not copied behind its head.
#[derive(Default)]
pub(super) struct Queue {
    parts: VecDeque<Bytes>,
    /// The last bytes.
    last: BytesMut,
}

impl Queue {
    /// The bytes to append to.
    pub(super) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.last
    }

    /// Appends data.
    pub(super) fn push(&mut self, data: Bytes) {
        if data.len() < MIN_PART {
            self.last.extend_from_slice(&data);
        } else {
            self.end_part();
            self.parts.push_back(data);
        }
    }

    fn end_part(&mut self) {
        if !self.last.is_empty() {
            self.parts.push_back(self.last.split().freeze());
        }
    }

    /// Writes all parts.
    pub(super) fn poll_write(
        &mut self,
        mut connection: Pin<&mut WriteHalf<BoxConnection>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.end_part();
        while !self.parts.is_empty() {
            let written = if connection.is_write_vectored() {
                let mut slices = [IoSlice::new(&[]); MAX_PARTS];
                for (slice, part) in slices.iter_mut().zip(&self.parts) {
                    *slice = IoSlice::new(part);
                }
                let count = self.parts.len().min(MAX_PARTS);
                ready!(connection.as_mut().poll_write_vectored(context, &slices[..count]))?
            } else {
                if self.parts.len() > 1 {
                    self.parts = [self.parts.make_contiguous().concat().into()].into();
                }
                ready!(connection.as_mut().poll_write(context, &self.parts[0]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.parts.front_mut() {
            if count < first.len() {
                return first.advance(count);
            }
            count -= first.len();
            self.parts.pop_front();
        }
    }
}
