//! [`Events`], the events of an informer as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, Object};

use super::handle::InformerHandle;
use super::resync::Resync;
use super::shared::{Listener, Phase, Shared};
use crate::buffer::{BufferReader, Step};
use crate::error::Error;
use crate::event::Event;

/// The events of an informer as a stream, in the order of changes of each object. It begins with all objects
/// of the store as added. It ends when the informer was stopped and all queued events were taken; after
/// another start it continues, beginning with the differences found by the new list.
///
/// Events are buffered while the stream is not polled. By default a full buffer merges changes of the same
/// object, so that the informer goes on: see [`Overflow`](crate::Overflow).
#[must_use = "events are buffered until this is dropped, which also may stop the informer"]
pub struct Events<K: Wire + Object> {
    handle: Arc<InformerHandle<K>>,
    listener: Arc<Listener<K>>,
    idle: Option<IdleReader<K>>,
    /// The mutex is never locked; it makes the stream `Sync`.
    reading: Option<Mutex<BoxFuture<'static, ReadResult<K>>>>,
}

/// The reader, and the event it has read; `None` when the informer is stopped.
type ReadResult<K> = (IdleReader<K>, Option<Event<K>>);

/// The reader and the resync timer, while no read is pending.
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

    /// Waits for the next event; `None` once the informer is stopped. Before the informer is
    /// [started](super::Informer::start) there are no events, and this waits. Cancel safe.
    pub async fn next(&mut self) -> Option<Event<K>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Returns true once all initial objects were taken from the stream.
    pub fn has_synced(&self) -> bool {
        *self.listener.has_synced.borrow()
    }

    /// Waits until the informer's store holds its first list.
    ///
    /// # Errors
    ///
    /// As [`Informer::wait_for_sync`](super::Informer::wait_for_sync).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.handle.wait_for_sync().await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event<K>>> {
        if let Some(mut idle) = self.idle.take() {
            // Most events are queued already and need no future.
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
            // Queued events come before the end.
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
