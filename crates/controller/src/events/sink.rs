//! [`Sink`], a consumer of events, and the task that serves it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::delivery::Delivery;
use super::drops::DropReason;
use super::recorded_event::RecordedEvent;

/// An entry of a queue.
pub(super) enum Message {
    Event(Arc<RecordedEvent>),
    /// Answered once all events before it are written or dropped.
    Flush(oneshot::Sender<()>),
}

/// A consumer of events. `now` is the time since the sink was started.
pub(super) trait Sink: Send + 'static {
    /// Takes one event.
    fn write(
        &mut self,
        event: Arc<RecordedEvent>,
        now: Duration,
        delivery: &mut Delivery,
    ) -> impl Future<Output = ()> + Send;

    /// Writes all that it has kept.
    fn flush(&mut self, delivery: &mut Delivery) -> impl Future<Output = ()> + Send {
        let _ = delivery;
        async {}
    }

    /// The time between two calls of [`tick`](Self::tick).
    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Called once in a period.
    fn tick(&mut self, now: Duration, delivery: &mut Delivery) -> impl Future<Output = ()> + Send {
        let _ = (now, delivery);
        async {}
    }
}

/// The task of a sink.
pub(super) struct SinkTask<S> {
    sink: S,
    queue: mpsc::Receiver<Message>,
    delivery: Delivery,
    start: Instant,
}

impl<S: Sink> SinkTask<S> {
    pub(super) fn new(sink: S, queue: mpsc::Receiver<Message>, delivery: Delivery) -> Self {
        SinkTask { sink, queue, delivery, start: Instant::now() }
    }

    /// Serves the sink until the queue is closed and empty, or the broadcaster is shut down.
    pub(super) async fn run(mut self) {
        let mut stopped = std::pin::pin!(self.delivery.stopped());
        let mut next_tick = self.start + self.sink.period();
        loop {
            let message = tokio::select! {
                biased;
                () = &mut stopped => break,
                () = tokio::time::sleep_until(next_tick) => {
                    self.sink.tick(self.start.elapsed(), &mut self.delivery).await;
                    self.delivery.warn_of_drops();
                    next_tick = Instant::now() + self.sink.period();
                    continue;
                }
                message = self.queue.recv() => message,
            };
            match message {
                Some(Message::Event(event)) => {
                    self.sink.write(event, self.start.elapsed(), &mut self.delivery).await;
                }
                Some(Message::Flush(done)) => {
                    self.sink.flush(&mut self.delivery).await;
                    // Nobody may wait any more.
                    let _ = done.send(());
                }
                None => {
                    self.sink.flush(&mut self.delivery).await;
                    return;
                }
            }
        }
        self.queue.close();
        while let Some(message) = self.queue.recv().await {
            if let Message::Event(event) = message {
                self.delivery.drop_event(&event, DropReason::Shutdown, None);
            }
        }
        // Dropped rather than written, and counted.
        self.sink.flush(&mut self.delivery).await;
    }
}
