//! [`Pending`], the bytes of a stream that are still to be sent.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::copying::{buffer, put};
use crate::frame::MAX_DATA;

/// The length from which a write begins a part that has room for more.
const MIN_ROOMY: usize = 4 * 1024;

/// A queue of bytes, in parts of a frame each, so that taking one moves no others.
#[derive(Default)]
pub(super) struct Pending {
    parts: VecDeque<BytesMut>,
    len: usize,
    /// The byte that each part begins with, which is not counted. Such parts are taken whole.
    head: Option<u8>,
}

impl Pending {
    /// A queue whose parts begin with a byte.
    pub(super) fn of_channel(head: Option<u8>) -> Self {
        Pending { head, ..Pending::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, mut data: &[u8]) {
        self.len += data.len();
        let head = usize::from(self.head.is_some());
        while !data.is_empty() {
            if self.parts.back().is_none_or(|last| last.len() >= head + MAX_DATA) {
                let capacity = if data.len() < MIN_ROOMY { data.len() } else { MAX_DATA };
                let mut part = buffer(head + capacity);
                part.extend(self.head);
                self.parts.push_back(part);
            }
            if let Some(last) = self.parts.back_mut() {
                let (now, rest) = data.split_at(data.len().min(head + MAX_DATA - last.len()));
                last.reserve(now.len());
                put(now, last);
                data = rest;
            }
        }
    }

    /// Takes the first bytes, as many as fit in a frame and in `limit`; none if there are none.
    pub(super) fn take(&mut self, limit: usize) -> Bytes {
        let part = match self.parts.front_mut() {
            Some(part) if part.len() > limit => part.split_to(limit),
            _ => self.parts.pop_front().unwrap_or_default(),
        };
        let head = usize::from(self.head.is_some());
        self.len -= part.len().saturating_sub(head);
        part.freeze()
    }
}
