//! [`drive`], the task of a session: it reads and writes the connection, each without waiting for the other.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, ReadHalf};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use crate::connection::BoxConnection;
use crate::error::Error;
use crate::frame::{Decoder, Frame};
use crate::mux::{Ended, Mux, Role};
use crate::read_buffer::ReadBuffer;

/// The time in which the peer has to close a connection after the goodbye.
const LINGER: Duration = Duration::from_secs(10);

/// The time for sending what is left when the peer has ended the connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The times of a connection.
pub(super) struct Times {
    pub(super) ping: Option<Duration>,
    pub(super) idle: Option<Duration>,
}

/// Reads and writes the frames of a connection until it ends.
pub(super) async fn drive(
    connection: ReadHalf<BoxConnection>,
    mux: Arc<Mux>,
    role: Role,
    times: Times,
    activity: Activity,
) {
    let mut reading = pin!(read(connection, &mux, role, &activity));
    let mut writing = pin!(mux.send_all());
    let ended = tokio::select! {
        read = &mut reading => match read {
            Ok(()) => {
                mux.end(Ended::Complete);
                mux.close();
                let _ = timeout(LAST_WORDS, writing).await;
                Ended::Complete
            }
            Err(ReadError::Broken(error)) => Ended::Failed(error),
            Err(ReadError::Violation(error)) => {
                mux.end(Ended::Failed(error.clone()));
                mux.close_after_violation();
                let _ = timeout(LAST_WORDS, writing).await;
                Ended::Failed(error)
            }
        },
        written = &mut writing => match written {
            Ok(()) => {
                // Closing at once would make the system discard what the peer has not received.
                let _ = timeout(LINGER, reading).await;
                Ended::Complete
            }
            // A peer that has closed its end may have sent a result before.
            Err(error) => {
                if role == Role::Server {
                    mux.lose(error.clone());
                }
                match timeout(LINGER, reading).await {
                    Ok(Ok(())) => Ended::Complete,
                    Ok(Err(ReadError::Broken(error) | ReadError::Violation(error))) => Ended::Failed(error),
                    Err(_) => Ended::Failed(error),
                }
            }
        },
        error = idle(&activity, times.idle) => Ended::Failed(error),
        never = pings(&mux, times.ping) => match never {},
    };
    mux.end(ended);
    mux.hang_up();
}

/// The time of the last frame in either direction that is no own ping, nor an answer to one.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    pub(super) fn begin() -> Self {
        Activity(Arc::new(Mutex::new(Instant::now())))
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a frame, unless it is an own ping or the answer to one, or empty, which an idle connection has as well.
    pub(super) fn note(&self, frame: &Frame, role: Role) {
        let counts = match frame {
            Frame::Ping(id) => !role.is_own_ping(*id),
            Frame::Data { data, fin: false, .. } => !data.is_empty(),
            _ => true,
        };
        if counts {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }
}

enum ReadError {
    /// The connection broke.
    Broken(Error),
    /// The peer violated the protocol.
    Violation(Error),
}

/// Reads frames until the peer closes the connection.
async fn read(
    mut connection: ReadHalf<BoxConnection>,
    mux: &Mux,
    role: Role,
    activity: &Activity,
) -> Result<(), ReadError> {
    let mut decoder = Decoder::new();
    let mut buffer = ReadBuffer::default();
    loop {
        while let Some(frame) = decoder.decode(buffer.bytes()).map_err(ReadError::Violation)? {
            activity.note(&frame, role);
            if mux.receive(frame).map_err(ReadError::Violation)? {
                mux.wake_readers();
                mux.room(role).await.map_err(ReadError::Broken)?;
            }
        }
        let read = tokio::select! {
            read = mux.reading(connection.read_buf(buffer.with_room())) => read,
            () = mux.done() => return Ok(()),
        };
        match read.map_err(|error| ReadError::Broken(Error::of_io(&error)))? {
            0 if decoder.is_between_frames(buffer.bytes()) => return Ok(()),
            0 => {
                let error = Error::connection("the connection was closed within a frame");
                return Err(ReadError::Broken(error));
            }
            _ => {}
        }
    }
}

/// Sends pings.
async fn pings(mux: &Mux, interval: Option<Duration>) -> Infallible {
    let Some(interval) = interval else { return std::future::pending().await };
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        mux.ping();
    }
}

/// Waits until no frame but own pings and their answers has been read or written for some time.
async fn idle(activity: &Activity, time: Option<Duration>) -> Error {
    let Some(time) = time else { return std::future::pending().await };
    loop {
        sleep_until(activity.last() + time).await;
        if activity.last() + time <= Instant::now() {
            let seconds = time.as_secs_f32();
            return Error::timeout(format!("the connection was idle for {seconds} s"));
        }
    }
}
