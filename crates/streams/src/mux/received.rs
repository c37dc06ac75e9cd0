//! [`Received`], the bytes that have arrived for the reader of a stream.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::copying::put;

/// The length from which bytes stay in the buffer of 64 KiB that they were read into, so that this holds four times its
/// bytes at most. Shorter ones are copied together.
const MIN_SHARED: usize = 16 * 1024;

/// The largest part that a reader takes.
const MAX_PART: usize = 64 * 1024;

/// A queue of bytes.
#[derive(Default)]
pub(super) struct Received {
    parts: VecDeque<Bytes>,
    /// Short ones, behind all parts.
    last: BytesMut,
    len: usize,
}

impl Received {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, data: Bytes) {
        self.len += data.len();
        if data.len() < MIN_SHARED {
            self.last.reserve(data.len());
            put(&data, &mut self.last);
            return;
        }
        if !self.last.is_empty() {
            self.parts.push_back(std::mem::take(&mut self.last).freeze());
        }
        self.parts.push_back(data);
    }

    /// Takes the first bytes; none if there are none.
    pub(super) fn take(&mut self) -> Bytes {
        let part = match self.parts.front_mut() {
            Some(part) if part.len() > MAX_PART => part.split_to(MAX_PART),
            Some(_) => self.parts.pop_front().unwrap_or_default(),
            None if self.last.len() > MAX_PART => self.last.split_to(MAX_PART).freeze(),
            // The next bytes get a buffer of their own size.
            None => std::mem::take(&mut self.last).freeze(),
        };
        self.len -= part.len();
        part
    }
}
