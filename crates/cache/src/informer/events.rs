//! [`Events`], the events of an informer as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, Object};

use super::registration::Resync;
use super::{InformerHandle, Listener, Phase, Shared};
use crate::buffer::{BufferReader, Step};
use crate::error::Error;
use crate::event::Event;

/// The events of an informer as a stream, in the order in which they happened to each object. It first tells of all
/// objects that are there. When the informer was stopped and all was told, it ends; if the informer is started again,
/// it goes on with the events from then on, which begin with what has changed since.
///
/// While it is not polled, events wait. Once too many do, of each object only what it has come to is kept, so that the
/// informer and its other handlers go on: see [`Overflow`](crate::Overflow), which also offers another way.
#[must_use = "events are listener until this is dropped, which also may stop the informer"]
pub struct Events<K: Wire + Object> {
    handle: Arc<InformerHandle<K>>,
    listener: Arc<Listener<K>>,
    idle: Option<IdleReader<K>>,
    /// Nobody locks it: it lets tasks share the stream while they wait for something else.
    reading: Option<Mutex<BoxFuture<'static, ReadResult<K>>>>,
}

/// One who reads comes back with an event, or with none at the end.
type ReadResult<K> = (IdleReader<K>, Option<Event<K>>);

/// One who reads, when nobody waits.
struct IdleReader<K> {
    reader: BufferReader<K>,
    resync: Resync,
}

impl<K: Wire + Object> Events<K> {
    pub(super) fn new(
        handle: Arc<InformerHandle<K>>,
        listener: Arc<Listener<K>>,
        resync: Option<Duration>,
    ) -> Self {
        let idle = IdleReader {
            reader: BufferReader::new(listener.buffer.clone()),
            resync: Resync::new(&handle.shared, resync),
        };
        Events { handle, listener, idle: Some(idle), reading: None }
    }

    /// The next event, which is waited for; `None` while the informer is stopped.
    pub async fn next(&mut self) -> Option<Event<K>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Whether all objects that were there at first have been taken from the stream.
    pub fn has_synced(&self) -> bool {
        *self.listener.has_synced.borrow()
    }

    /// Waits until the informer's store holds all objects that were there at first.
    ///
    /// # Errors
    ///
    /// As [`Informer::wait_for_sync`](super::Informer::wait_for_sync).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.handle.wait_for_sync().await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event<K>>> {
        if let Some(mut idle) = self.idle.take() {
            // Most events are there already, and need no future.
            while let Some(step) = idle.reader.try_next() {
                match step {
                    Step::Synced => drop(self.listener.has_synced.send_replace(true)),
                    Step::Event(event) => {
                        self.idle = Some(idle);
                        return Poll::Ready(Some(event));
                    }
                }
            }
            let reading: BoxFuture<'_, _> =
                Box::pin(read(self.handle.shared.clone(), self.listener.clone(), idle));
            self.reading = Some(reading.into());
        }
        let reading = self.reading.as_mut().expect("one who does not idle reads");
        let reading = reading.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Poll::Ready((idle, event)) = reading.as_mut().poll(context) else { return Poll::Pending };
        self.reading = None;
        self.idle = Some(idle);
        Poll::Ready(event)
    }
}

async fn read<K: Wire + Object>(
    shared: Arc<Shared<K>>,
    listener: Arc<Listener<K>>,
    mut idle: IdleReader<K>,
) -> ReadResult<K> {
    let mut phase = shared.phase.subscribe();
    loop {
        tokio::select! {
            // What was to be told is told before the end.
            biased;
            step = idle.reader.next() => match step {
                Step::Synced => drop(listener.has_synced.send_replace(true)),
                Step::Event(event) => return (idle, Some(event)),
            },
            _ = phase.wait_for(|phase| matches!(phase, Phase::Stopped | Phase::ShutDown)) => {
                return (idle, None);
            }
            () = idle.resync.due() => {
                if *listener.has_synced.borrow() && shared.phase() == Phase::Running {
                    shared.resync(&listener);
                }
            }
        }
    }
}

impl<K: Wire + Object> Stream for Events<K> {
    type Item = Event<K>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event<K>>> {
        self.poll(context)
    }
}

impl<K: Wire + Object> Drop for Events<K> {
    fn drop(&mut self) {
        self.handle.shared.remove_listener(&self.listener);
    }
}

impl<K: Wire + Object> fmt::Debug for Events<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({:?})", self.handle.shared.store.resource())
    }
}
