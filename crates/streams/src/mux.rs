//! [`Mux`], the streams of one connection: their buffers, the frames that wait to be sent, and who waits for whom.
//!
//! A task per connection reads, and writes what waits; handles of streams ([`Stream`]) share the state with it, and write to
//! the connection themselves while it has room, so that the task need not be woken. When the last handle is dropped, the
//! task is aborted.
//!
//! Memory is bounded: a stream holds at most [`Limits::received`] bytes that nobody has read, beyond them 64 KiB of which
//! its reader has a part and one message of a peer that does not heed windows, and 256 KiB that are not sent yet; a
//! connection has three buffers of 64 KiB for what arrives and 128 KiB that wait for room in it. If a peer heeds windows, it
//! stops sending on a stream whose buffer is full, and other streams go on. If it does not, the connection is not read until
//! there is room.

mod buffers;
mod output;
mod pending;
mod received;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::error::{Error, ErrorKind};
use crate::frame::{Frame, Headers, INITIAL_WINDOW_SIZE, MAX_ID, MAX_WINDOW, status};
use buffers::Buffers;
use output::Output;
pub(crate) use output::Sending;
pub use stream::Stream;

/// The number of control frames that may wait to be sent. A peer that makes more necessary than it reads is cut off.
const MAX_COMMANDS: usize = 1024;

/// The interval in which a server that waits for its own reader looks for the client.
const PROBE: Duration = Duration::from_secs(1);

/// Limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The number of bytes that a stream holds for its reader. A peer that does not heed windows is stopped when they are
    /// there, with the message that reaches them.
    pub(crate) received: usize,
    /// The number of streams at a time.
    pub(crate) streams: usize,
}

/// The end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// Orderly, and streams that have not ended have ended with it.
    Complete,
    /// By an error.
    Failed(Error),
}

/// The streams of one connection.
pub(crate) struct Mux {
    state: Mutex<State>,
    /// The sending direction, until the connection has ended. It is locked before the state.
    output: Mutex<Option<Output>>,
    /// Tells those who wait until everything is sent.
    sent: Notify,
    /// Tells all other futures of changes, but for data, of which there are many.
    changed: Notify,
}

/// The locked state. Wakers are called when it is unlocked, so that the woken tasks do not wait for it at once.
struct Locked<'a>(Option<MutexGuard<'a, State>>);

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.0.as_ref().expect("it is there until this is dropped")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.0.as_mut().expect("it is there until this is dropped")
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let woken = std::mem::take(&mut self.woken);
        self.0 = None;
        woken.into_iter().for_each(Waker::wake);
    }
}

struct State {
    role: Role,
    limits: Limits,
    /// True if streams can be reset. Channels over WebSocket cannot.
    resets: bool,
    streams: BTreeMap<u32, Buffers>,
    /// Streams with data to send, in the order of their turns.
    turns: VecDeque<u32>,
    /// Control frames, which go before data.
    commands: VecDeque<Frame>,
    /// Streams that the peer has opened and nobody has accepted, with their headers.
    incoming: VecDeque<(u32, Headers)>,
    /// Nobody accepts streams of the peer.
    refuses_streams: bool,
    /// The window that the peer gives to new streams, if it heeds windows itself.
    window: Option<u32>,
    /// The id of the next stream that is opened.
    next: u32,
    /// The last stream that the peer opened.
    last: u32,
    /// The id of the next ping.
    next_ping: u32,
    /// No stream can be opened any more: the peer has said goodbye.
    is_leaving: bool,
    /// Everything that waits is sent, and then the connection ends.
    is_closing: bool,
    ended: Option<Ended>,
    /// The error of a server that could not write.
    lost: Option<Error>,
    /// The task of the connection, if it waits for something to send.
    idle: Option<Waker>,
    /// The wakers of tasks that a change concerns, until the lock is released.
    woken: Vec<Waker>,
    /// The wakers of readers, until all that was read at once is received.
    readers: Vec<Waker>,
}

/// The streams of a connection and its task, which ends with the last handle.
pub(crate) struct Handle {
    pub(crate) mux: Arc<Mux>,
    pub(crate) task: AbortHandle,
}

impl Handle {
    /// Sends all that was written, and closes the connection.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        self.mux.flushed().await?;
        self.mux.close();
        self.ended().await
    }

    /// The error that has ended the connection, if one has.
    pub(crate) fn fault(&self) -> Result<(), Error> {
        match &self.mux.lock().ended {
            Some(Ended::Failed(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Waits for the end of the connection.
    pub(crate) async fn ended(&self) -> Result<(), Error> {
        match self.mux.ended().await {
            Ended::Complete => Ok(()),
            Ended::Failed(error) => Err(error),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The peer's part in the numbering of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

impl Role {
    /// Returns true for an own ping, or the answer to one: pings have the parity of the streams of those who send them.
    pub(crate) fn is_own_ping(self, id: u32) -> bool {
        id % 2 == u32::from(self == Role::Client)
    }
}

impl Mux {
    /// A connection of SPDY, whose client opens the streams with odd ids.
    pub(crate) fn new(role: Role, limits: Limits, sending: Box<dyn Sending>) -> Self {
        let next = if role == Role::Client { 1 } else { 2 };
        Mux {
            state: Mutex::new(State {
                role,
                limits,
                resets: true,
                streams: BTreeMap::new(),
                turns: VecDeque::new(),
                commands: VecDeque::new(),
                incoming: VecDeque::new(),
                refuses_streams: false,
                window: None,
                next,
                last: 0,
                next_ping: next,
                is_leaving: false,
                is_closing: false,
                ended: None,
                lost: None,
                idle: None,
                woken: Vec::new(),
                readers: Vec::new(),
            }),
            output: Mutex::new(Some(Output::new(sending))),
            sent: Notify::new(),
            changed: Notify::new(),
        }
    }

    /// A connection with fixed channels, which are open from the beginning. The data that is sent on a channel begins with
    /// its byte in each frame, if it has one.
    pub(crate) fn of_channels(
        limits: Limits,
        channels: impl IntoIterator<Item = (u32, Option<u8>)>,
        sending: Box<dyn Sending>,
    ) -> Self {
        let mut mux = Mux::new(Role::Client, limits, sending);
        let state = mux.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.resets = false;
        state.streams.extend(channels.into_iter().map(|(id, head)| (id, Buffers::channel(head))));
        mux
    }

    fn lock(&self) -> Locked<'_> {
        // Nothing panics while it is held but an allocation, after which the state is as good as before.
        Locked(Some(self.state.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Waits until the state gives a value.
    async fn until<T>(&self, check: impl FnMut(&mut State) -> Option<T>) -> T {
        self.until_notified(&self.changed, check).await
    }

    async fn until_notified<T>(&self, notify: &Notify, mut check: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(notify.notified());
            changed.as_mut().enable();
            let found = check(&mut self.lock());
            match found {
                Some(found) => return found,
                None => changed.await,
            }
        }
    }

    /// Tells all futures that wait of a change.
    fn tell(&self) {
        self.sent.notify_waiters();
        self.changed.notify_waiters();
    }

    /// Sends a frame before all others but those that wait already.
    pub(crate) fn send(&self, frame: Frame) {
        let mut state = self.lock();
        state.commands.push_back(frame);
        state.wake_driver();
    }

    // Opening and accepting

    /// Opens a stream; its id. The peer accepts it later: see [`accepted`](Self::accepted).
    pub(crate) fn open(&self, headers: &Headers) -> Result<u32, Error> {
        let mut state = self.lock();
        if let Some(ended) = &state.ended {
            return Err(ended.error());
        }
        if state.is_leaving || state.is_closing {
            return Err(Error::connection("the connection is closing and opens no streams"));
        }
        if state.streams.len() >= state.limits.streams {
            let limit = state.limits.streams;
            return Err(Error::limit(format!("the connection has {limit} streams, and opens no more")));
        }
        let id = state.next;
        if id > MAX_ID {
            return Err(Error::connection("the connection has opened all streams that it can"));
        }
        state.next += 2;
        state.streams.insert(id, Buffers::new());
        let headers = headers.clone();
        state.commands.push_back(Frame::SynStream { id, headers, fin: false, unidirectional: false });
        state.wake_driver();
        drop(state);
        Ok(id)
    }

    /// Waits until the peer has accepted a stream.
    pub(crate) async fn accepted(&self, id: u32) -> Result<(), Error> {
        self.until(|state| match (state.streams.get(&id), &state.ended) {
            // It may have ended already.
            (Some(stream), _) if stream.is_established => Some(Ok(())),
            (_, Some(ended)) => Some(Err(ended.error())),
            (Some(stream), None) => stream.reset.map(|reason| {
                let reason = status::words(reason);
                Err(Error::refused(format!("the peer does not accept the stream: {reason}")))
            }),
            (None, None) => Some(Err(Error::refused("the stream was reset"))),
        })
        .await
    }

    /// Waits for the next stream that the peer opens; none at the end of the connection.
    pub(crate) async fn incoming(&self) -> Option<(u32, Headers)> {
        self.until(|state| match state.incoming.pop_front() {
            Some(incoming) => Some(Some(incoming)),
            None => (state.ended.is_some() || state.is_leaving).then_some(None),
        })
        .await
    }

    /// Refuses the streams of the peer that nobody has accepted, and all that it opens from now on.
    pub(crate) fn refuse_streams(&self) {
        let mut state = self.lock();
        state.refuses_streams = true;
        for (id, _) in std::mem::take(&mut state.incoming) {
            state.streams.remove(&id);
            state.commands.push_back(Frame::RstStream { id, status: status::REFUSED_STREAM });
        }
        state.wake_driver();
        drop(state);
        // A stream that was full may have held up the connection.
        self.tell();
    }

    /// Accepts a stream of the peer.
    pub(crate) fn accept(&self, id: u32) {
        self.send(Frame::SynReply { id, headers: Headers::default(), fin: false });
    }

    // The part of the task that reads

    /// Wakes those for whom data was [received](Self::receive), of which there may be more than one frame.
    pub(crate) fn wake_readers(&self) {
        let mut state = self.lock();
        let readers = std::mem::take(&mut state.readers);
        state.woken.extend(readers);
    }

    /// Reads from the connection. Those for whom data was received are woken when it has no more at once.
    pub(crate) async fn reading<T>(&self, read: impl Future<Output = T>) -> T {
        let mut read = pin!(read);
        poll_fn(|context| {
            let read = read.as_mut().poll(context);
            if read.is_pending() {
                self.wake_readers();
            }
            read
        })
        .await
    }

    /// Processes a frame of the peer. [`reading`](Self::reading) or [`wake_readers`](Self::wake_readers) is to follow. The
    /// result is true if a stream of a peer that does not heed windows is full: then
    /// [`room`](Self::room) is to be awaited before the next frame.
    pub(crate) fn receive(&self, frame: Frame) -> Result<bool, Error> {
        let mut state = self.lock();
        let mut is_full = false;
        // Data wakes the reader of its stream, and concerns nobody else.
        let mut concerns_others = true;
        match frame {
            Frame::Data { id, data, fin } => {
                is_full = state.data(id, data, fin)?;
                concerns_others = fin || !state.commands.is_empty();
            }
            Frame::SynStream { id, headers, fin, unidirectional } => {
                state.syn_stream(id, headers, fin, unidirectional)?;
            }
            Frame::SynReply { id, fin, .. } => {
                let window = state.window;
                if let Some(stream) = state.streams.get_mut(&id) {
                    stream.establish(window);
                }
                // Its end may wait for this.
                state.schedule(id);
                if fin {
                    state.end_reading(id);
                }
            }
            Frame::Headers { id, fin: true, .. } => state.end_reading(id),
            Frame::Headers { .. } => {}
            Frame::RstStream { id, status } => state.reset_by_peer(id, status),
            Frame::Settings(settings) => {
                let window = settings.iter().find(|(id, _)| *id == INITIAL_WINDOW_SIZE);
                if let Some((_, window)) = window {
                    state.window = Some((*window).min(MAX_WINDOW));
                }
            }
            Frame::Ping(id) if !state.role.is_own_ping(id) => state.commands.push_back(Frame::Ping(id)),
            Frame::Ping(_) => {}
            Frame::GoAway { last, .. } => state.go_away(last),
            Frame::WindowUpdate { id, delta } => state.widen(id, delta),
        }
        if state.commands.len() > MAX_COMMANDS {
            return Err(Error::protocol("the peer does not read the answers to its frames"));
        }
        if concerns_others {
            state.wake_driver();
        }
        drop(state);
        if concerns_others {
            self.tell();
        }
        Ok(is_full)
    }

    /// Waits until every stream has room for more data, or the connection is to be closed.
    ///
    /// The connection is not read meanwhile, and its loss shows only to those who write. A server has nobody to tell then,
    /// so that it writes something empty from time to time.
    ///
    /// # Errors
    ///
    /// If the connection of a server is [lost](Self::lose).
    pub(crate) async fn room(&self, role: Role) -> Result<(), Error> {
        let has_room = |state: &mut State| {
            let limit = state.limits.received;
            let has_room = state.streams.values().all(|stream| !stream.is_full(limit));
            match &state.lost {
                Some(lost) => Some(Err(lost.clone())),
                None => (has_room || state.is_closing || state.ended.is_some()).then_some(Ok(())),
            }
        };
        let mut room = pin!(self.until(has_room));
        loop {
            tokio::select! {
                room = &mut room => return room,
                () = tokio::time::sleep(PROBE), if role == Role::Server => self.probe(),
            }
        }
    }

    /// Sends some empty data, as an old server's greeting, which means nothing on any protocol. Unlike a ping it is never
    /// answered: a peer that waits for room could not do that, and some would not read on.
    fn probe(&self) {
        let mut state = self.lock();
        // The channel 0 is a standard input, on which clients expect nothing.
        let id = state.streams.iter().find(|(id, stream)| **id > 0 && stream.can_probe()).map(|(id, _)| *id);
        if let Some(id) = id.filter(|_| state.commands.is_empty()) {
            state.commands.push_back(Frame::Data { id, data: Bytes::new(), fin: false });
        }
        state.wake_driver();
    }

    /// Tells a server that its client does not receive any more: what cannot be read at once is not waited for.
    pub(crate) fn lose(&self, error: Error) {
        self.lock().lost = Some(error);
        self.tell();
    }

    /// Waits until the peer has said goodbye and all streams have ended, so that nothing is left to read.
    pub(crate) async fn done(&self) {
        let is_done = |state: &mut State| {
            (state.is_leaving && state.streams.values().all(Buffers::is_over)).then_some(())
        };
        self.until(is_done).await;
    }

    /// Sends a ping.
    pub(crate) fn ping(&self) {
        let mut state = self.lock();
        // A peer that does not read gets no more pings than one.
        if !state.commands.is_empty() {
            return;
        }
        let id = state.next_ping;
        // 1 and 2 are the first pings of a client and of a server.
        state.next_ping = if id > MAX_ID - 2 { 2 - id % 2 } else { id + 2 };
        state.commands.push_back(Frame::Ping(id));
        state.wake_driver();
    }

    // The end

    /// Waits until all data of all streams is sent.
    pub(crate) async fn flushed(&self) -> Result<(), Error> {
        let flushed = |state: &mut State| match &state.ended {
            Some(Ended::Complete) => Some(Ok(())),
            Some(ended) => Some(Err(ended.error())),
            None => state.streams.values().all(Buffers::is_sent).then_some(Ok(())),
        };
        self.until_notified(&self.sent, flushed).await
    }

    /// Sends what waits, says goodbye and ends the connection. Nothing more is written, and data that arrives is dropped when
    /// its buffer is full.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if !state.is_closing {
            state.is_closing = true;
            state.go_away_last();
            state.streams.values_mut().for_each(Buffers::wake);
        }
        state.wake_driver();
        drop(state);
        self.tell();
    }

    /// Tells the peer of its violation of the protocol as the last frame.
    pub(crate) fn close_after_violation(&self) {
        self.close_at_once(1);
    }

    /// Ends the connection with a goodbye as the last frame, in place of all that waits.
    pub(crate) fn close_at_once(&self, status: u32) {
        let mut state = self.lock();
        state.commands.clear();
        state.turns.clear();
        let last = state.last;
        state.commands.push_back(Frame::GoAway { last, status });
        state.is_closing = true;
        state.wake_driver();
    }

    /// Ends the connection for all handles. Data that has arrived can still be read.
    pub(crate) fn end(&self, ended: Ended) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.ended = Some(ended);
        }
        let readers = std::mem::take(&mut state.readers);
        state.woken.extend(readers);
        for stream in state.streams.values_mut() {
            stream.wake();
        }
        state.wake_driver();
        drop(state);
        self.tell();
    }

    /// Drops the sending direction of the connection, at the end of its task.
    pub(crate) fn hang_up(&self) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns true if no stream can be opened any more.
    pub(crate) fn is_ended(&self) -> bool {
        let state = self.lock();
        state.is_leaving || state.is_closing || state.ended.is_some()
    }

    /// Waits for the end of the connection.
    pub(crate) async fn ended(&self) -> Ended {
        self.until(|state| state.ended.clone()).await
    }
}

impl State {
    /// Wakes the task of the connection if it waits for something to send.
    fn wake_driver(&mut self) {
        self.woken.extend(self.idle.take());
    }

    /// Takes the next frame to send: control frames first, then data of the streams in turn.
    fn next_frame(&mut self) -> Option<Frame> {
        if let Some(command) = self.commands.pop_front() {
            return Some(command);
        }
        while let Some(id) = self.turns.pop_front() {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            stream.has_turn = false;
            let Some((data, fin)) = stream.next_data() else { continue };
            if stream.can_send() {
                stream.has_turn = true;
                self.turns.push_back(id);
            }
            let is_dropped = stream.is_released && stream.is_finished;
            if is_dropped && self.resets && (stream.is_over() || !stream.is_write_only) {
                if !stream.has_ended_reading() {
                    self.commands.push_back(Frame::RstStream { id, status: status::CANCEL });
                }
                self.streams.remove(&id);
            }
            return Some(Frame::Data { id, data, fin });
        }
        None
    }

    /// Gives a stream a turn if it has something to send. Returns false if it had one, or gets none.
    fn schedule(&mut self, id: u32) -> bool {
        match self.streams.get_mut(&id) {
            Some(stream) if !stream.has_turn && stream.can_send() => {
                stream.has_turn = true;
                self.turns.push_back(id);
                true
            }
            _ => false,
        }
    }

    /// Data of the peer. Returns true if the stream is full and the peer does not heed that.
    fn data(&mut self, id: u32, data: Bytes, fin: bool) -> Result<bool, Error> {
        let (limit, is_closing) = (self.limits.received, self.is_closing);
        // Data may be on its way while a stream is reset, so that of unknown streams is dropped.
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(false) };
        if stream.has_ended_reading() {
            return Ok(false);
        }
        if let Some(whole) = stream.whole
            && stream.received() + data.len() > whole
        {
            return Err(Error::protocol(format!("the error stream has more than {whole} bytes")));
        }
        let is_over = stream.received() + data.len() > limit;
        if is_over && stream.heeds_windows() {
            self.reset(id, status::FLOW_CONTROL_ERROR);
            return Ok(false);
        }
        let is_dropped = stream.is_released || stream.ignores_input || is_over && is_closing;
        if !is_dropped && !data.is_empty() {
            self.readers.extend(stream.receive(data));
        }
        let is_full = stream.is_full(limit) && !stream.heeds_windows();
        if fin {
            self.end_reading(id);
        }
        Ok(is_full)
    }

    /// The peer has ended its direction of a stream.
    fn end_reading(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.end_reading();
            self.forget(id);
        }
    }

    /// Resets a stream because of what the peer does on it.
    fn reset(&mut self, id: u32, status: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.reset(status);
            self.commands.push_back(Frame::RstStream { id, status });
            self.forget(id);
        }
    }

    /// Removes a stream that is over and has no handle.
    fn forget(&mut self, id: u32) {
        let is_gone = |stream: &Buffers| stream.is_released && stream.is_over();
        if self.resets && self.streams.get(&id).is_some_and(is_gone) {
            self.streams.remove(&id);
        }
    }

    /// A stream that the peer opens.
    fn syn_stream(
        &mut self,
        id: u32,
        headers: Headers,
        fin: bool,
        unidirectional: bool,
    ) -> Result<(), Error> {
        if id % 2 == self.next % 2 || id <= self.last {
            return Err(Error::protocol(format!("the peer opens the stream {id} after {}", self.last)));
        }
        self.last = id;
        let is_full = self.streams.len() >= self.limits.streams;
        if self.refuses_streams || is_full || self.is_closing || self.ended.is_some() {
            self.commands.push_back(Frame::RstStream { id, status: status::REFUSED_STREAM });
            return Ok(());
        }
        let mut stream = Buffers::established(self.window);
        if fin {
            stream.end_reading();
        }
        if unidirectional {
            stream.end_writing();
        }
        self.streams.insert(id, stream);
        self.incoming.push_back((id, headers));
        Ok(())
    }

    fn reset_by_peer(&mut self, id: u32, status: u32) {
        // A peer that opens and resets streams must not fill the queue of answers.
        self.commands.retain(|frame| !matches!(frame, Frame::SynReply { id: other, .. } if *other == id));
        if let Some(place) = self.incoming.iter().position(|(other, _)| *other == id) {
            self.incoming.remove(place);
            self.streams.remove(&id);
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.reset(status);
            self.forget(id);
        }
    }

    /// The peer's goodbye: it has not seen own streams after the last.
    fn go_away(&mut self, last: u32) {
        self.is_leaving = true;
        let own = self.next % 2;
        for (id, stream) in &mut self.streams {
            if id % 2 == own && *id > last && !stream.is_established {
                stream.reset(status::REFUSED_STREAM);
            }
        }
    }

    fn go_away_last(&mut self) {
        if self.resets {
            let last = self.last;
            self.commands.push_back(Frame::GoAway { last, status: 0 });
        }
    }

    /// The peer lets more bytes be sent on a stream.
    fn widen(&mut self, id: u32, delta: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.widen(delta) {
            self.schedule(id);
        } else {
            self.reset(id, status::FLOW_CONTROL_ERROR);
        }
    }

    /// The handle of a stream is dropped.
    fn release(&mut self, id: u32) {
        let is_ended = self.ended.is_some();
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.release();
        if !self.resets && !is_ended {
            return;
        }
        if is_ended || stream.is_over() {
            self.streams.remove(&id);
        } else if stream.is_write_only {
            // The peer ends it, or the connection.
        } else if !stream.is_finishing || stream.is_finished || !stream.is_established {
            // A stream that was not shut down discards what is not sent, and one that is not accepted has nobody to wait.
            self.streams.remove(&id);
            self.commands.push_back(Frame::RstStream { id, status: status::CANCEL });
        }
    }
}

impl Ended {
    /// The error of those who wanted more of the connection.
    pub(crate) fn error(&self) -> Error {
        match self {
            Ended::Complete => Error::new(ErrorKind::Connection, "the connection is closed"),
            Ended::Failed(error) => error.clone(),
        }
    }
}
