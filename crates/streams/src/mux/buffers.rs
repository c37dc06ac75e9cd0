//! [`Buffers`], the state of one stream: what has arrived for its reader, and what its writer has to send.

use std::task::Waker;

use bytes::Bytes;

use super::pending::Pending;
use super::received::Received;
use crate::frame::{MAX_WINDOW, status};

/// The number of bytes that a stream takes from its writer before they are sent. A writer that waits goes on when all of
/// them are: to wake it costs more than to copy a frame.
const SEND_BUFFER: usize = 256 * 1024;

/// The state of one stream.
#[derive(Default)]
pub(super) struct Buffers {
    /// The peer has accepted the stream, or opened it: data can be sent. Go's spdystream drops data that comes before.
    pub(super) is_established: bool,
    /// The handle is dropped, and nobody reads any more.
    pub(super) is_released: bool,
    /// The stream was written only, so that its end is the last of it: a peer in Go closes its connection when it has seen
    /// it, and what comes later makes the system discard what that peer has sent.
    pub(super) is_write_only: bool,
    /// Nobody reads the stream, which is written only.
    pub(super) ignores_input: bool,
    /// The number of bytes that a stream holds at most which is never full.
    pub(super) whole: Option<usize>,
    /// The reason for which one of both ends has reset the stream.
    pub(super) reset: Option<u32>,
    /// Bytes that were written were not sent when the stream was reset.
    has_lost: bool,
    received: Received,
    is_read_to_end: bool,
    reader: Option<Waker>,
    /// The bytes that were read and for which the peer has no new window yet.
    consumed: usize,
    pending: Pending,
    /// The writer has nothing to add.
    pub(super) is_finishing: bool,
    /// The end is sent.
    pub(super) is_finished: bool,
    /// The bytes that the peer's window still lets through; none if it does not heed windows.
    credit: Option<u32>,
    writer: Option<Waker>,
    /// The stream is in the queue of those that have something to send.
    pub(super) has_turn: bool,
}

impl Buffers {
    /// A stream that the peer has not accepted yet.
    pub(super) fn new() -> Self {
        Buffers::default()
    }

    /// A stream on which data can be sent at once.
    pub(super) fn established(window: Option<u32>) -> Self {
        Buffers { is_established: true, credit: window, ..Buffers::default() }
    }

    /// A channel, of whose data each frame begins with a byte, if there is one.
    pub(super) fn channel(head: Option<u8>) -> Self {
        Buffers { is_established: true, pending: Pending::of_channel(head), ..Buffers::default() }
    }

    pub(super) fn establish(&mut self, window: Option<u32>) {
        if !self.is_established {
            self.is_established = true;
            self.credit = window;
        }
    }

    pub(super) fn heeds_windows(&self) -> bool {
        self.credit.is_some()
    }

    // Reading

    pub(super) fn received(&self) -> usize {
        self.received.len()
    }

    /// Keeps data for the reader; returns the one who waits for it.
    pub(super) fn receive(&mut self, data: Bytes) -> Option<Waker> {
        self.received.push(data);
        self.reader.take()
    }

    /// Takes received bytes for the reader; none if there are none.
    pub(super) fn take_received(&mut self) -> Bytes {
        let part = self.received.take();
        if self.heeds_windows() {
            self.consumed += part.len();
        }
        part
    }

    /// The bytes for which the peer is to get a new window, once they are half of it.
    pub(super) fn take_consumed(&mut self, window: usize) -> Option<u32> {
        if !self.heeds_windows() || self.is_read_to_end || self.consumed < window / 2 {
            return None;
        }
        u32::try_from(std::mem::take(&mut self.consumed)).ok()
    }

    pub(super) fn is_full(&self, limit: usize) -> bool {
        !self.is_released && self.whole.is_none() && self.received.len() >= limit
    }

    /// Discards what has arrived, and what will.
    pub(super) fn ignore_input(&mut self) {
        self.ignores_input = true;
        self.received = Received::default();
    }

    pub(super) fn end_reading(&mut self) {
        self.is_read_to_end = true;
        self.wake_reader();
    }

    /// Returns true if the peer has sent all that it will.
    pub(super) fn has_ended_reading(&self) -> bool {
        self.is_read_to_end || self.reset.is_some()
    }

    /// Returns true if the peer has ended its direction, and has not broken it off.
    pub(super) fn is_read_to_end(&self) -> bool {
        self.is_read_to_end
    }

    pub(super) fn wait_to_read(&mut self, waker: &Waker) {
        self.reader = Some(waker.clone());
    }

    // Writing

    /// The number of bytes that a writer can add.
    pub(super) fn room(&self) -> usize {
        SEND_BUFFER.saturating_sub(self.pending.len())
    }

    /// Takes bytes from a writer, for which there is room.
    pub(super) fn write(&mut self, data: &[u8]) {
        self.pending.push(data);
    }

    pub(super) fn can_send(&self) -> bool {
        let has_data = !self.pending.is_empty() && self.credit != Some(0);
        let has_end = self.pending.is_empty() && self.is_finishing && !self.is_finished;
        self.is_established && self.reset.is_none() && (has_data || has_end)
    }

    /// Returns true if empty data can be sent between the other data.
    pub(super) fn can_probe(&self) -> bool {
        self.is_established && self.reset.is_none() && !self.is_finishing
    }

    /// The bytes of the next frame, and true if they are the last.
    pub(super) fn next_data(&mut self) -> Option<(Bytes, bool)> {
        if !self.can_send() {
            return None;
        }
        let credit = self.credit.map_or(usize::MAX, |credit| usize::try_from(credit).unwrap_or(usize::MAX));
        let data = self.pending.take(credit);
        if let Some(credit) = &mut self.credit {
            *credit -= u32::try_from(data.len()).expect("it is at most the credit");
        }
        let fin = self.pending.is_empty() && self.is_finishing;
        self.is_finished |= fin;
        Some((data, fin))
    }

    /// The writer that waits, if all that was written is sent.
    pub(super) fn writer_to_wake(&mut self) -> Option<Waker> {
        if self.pending.is_empty() { self.writer.take() } else { None }
    }

    /// Adds to the peer's window; false if it becomes larger than it may be.
    pub(super) fn widen(&mut self, delta: u32) -> bool {
        let Some(credit) = &mut self.credit else { return true };
        let widened = credit.checked_add(delta).filter(|credit| *credit <= MAX_WINDOW);
        *credit = widened.unwrap_or(*credit);
        widened.is_some()
    }

    /// Returns true if nothing that was written waits to be sent.
    pub(super) fn is_sent(&self) -> bool {
        self.reset.is_some() || self.pending.is_empty() && self.is_finishing == self.is_finished
    }

    /// Returns true if the stream or its connection has ended without an error, and only the end of this direction was not
    /// sent, as with a TCP socket whose peer has closed.
    pub(super) fn needs_no_end(&self, has_ended: bool) -> bool {
        let is_over = self.reset.map_or(has_ended, |reason| reason == status::CANCEL);
        is_over && self.pending.is_empty() && !self.has_lost
    }

    pub(super) fn end_writing(&mut self) {
        self.is_finishing = true;
        self.is_finished = true;
        self.pending = Pending::default();
        self.wake_writer();
    }

    pub(super) fn wait_to_write(&mut self, waker: &Waker) {
        self.writer = Some(waker.clone());
    }

    // The end

    /// Ends both directions. What has arrived can still be read.
    pub(super) fn reset(&mut self, reason: u32) {
        self.reset.get_or_insert(reason);
        self.has_lost |= !self.pending.is_empty();
        self.pending = Pending::default();
        self.wake();
    }

    /// The handle is dropped.
    pub(super) fn release(&mut self) {
        self.is_released = true;
        self.received = Received::default();
        (self.reader, self.writer) = (None, None);
    }

    /// Returns true if both directions have ended.
    pub(super) fn is_over(&self) -> bool {
        self.reset.is_some() || self.is_read_to_end && self.is_finished
    }

    /// Wakes those who read and write, because the connection has ended.
    pub(super) fn wake(&mut self) {
        self.wake_reader();
        self.wake_writer();
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }
}
