//! [`Delivery`], the tries to write an event.

use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::{InNamespace, Kind};
use klient_client::{Api, Error, ErrorKind, Patch};
use tokio::sync::watch;

use super::drops::{DropReason, Drops};
use super::recorded_event::RecordedEvent;

/// The number of tries, and the time between them.
#[derive(Clone, Copy)]
pub(super) struct Tries {
    pub(super) max: u32,
    pub(super) sleep: Duration,
}

/// Writes events until the server takes or refuses them, the tries are used up, or the broadcaster is shut down.
pub(super) struct Delivery {
    drops: Arc<Drops>,
    stop: watch::Receiver<bool>,
    tries: Tries,
}

impl Delivery {
    pub(super) fn new(drops: Arc<Drops>, stop: watch::Receiver<bool>, tries: Tries) -> Self {
        Delivery { drops, stop, tries }
    }

    /// Completes when the broadcaster is shut down. If it is dropped, it never is.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.clone();
        async move {
            if stop.wait_for(|stopped| *stopped).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Counts an event as dropped.
    pub(super) fn drop_event(&self, event: &RecordedEvent, reason: DropReason, error: Option<&Error>) {
        self.drops.add(event, reason, error);
    }

    /// Warns of dropped events that were not told yet, once a minute.
    pub(super) fn warn_of_drops(&self) {
        self.drops.warn_if_due();
    }

    /// Creates the object of an event, or patches the one that exists. `number` is that of the events that are dropped if
    /// it fails.
    pub(super) async fn deliver<K: Kind>(
        &mut self,
        event: &RecordedEvent,
        number: u64,
        events: &Api<K, InNamespace>,
        object: &K,
        patch: Option<&Patch>,
    ) {
        let dropped = tokio::select! {
            biased;
            () = self.stopped() => Err((DropReason::Shutdown, None)),
            done = self.try_all(events, object, patch) => done,
        };
        if let Err((reason, error)) = dropped {
            self.drops.add_all(number, event, reason, error.as_ref());
        }
    }

    async fn try_all<K: Kind>(
        &self,
        events: &Api<K, InNamespace>,
        object: &K,
        patch: Option<&Patch>,
    ) -> Result<(), (DropReason, Option<Error>)> {
        let mut tries = 0;
        loop {
            let Err(error) = write(events, object, patch).await else { return Ok(()) };
            // An earlier try took effect, though its answer was lost.
            if error.is_already_exists() && tries > 0 {
                return Ok(());
            }
            if let Some(reason) = refusal(&error) {
                return Err((reason, Some(error)));
            }
            tries += 1;
            if tries >= self.tries.max {
                return Err((DropReason::TriesExhausted, Some(error)));
            }
            let sleep = self.tries.sleep;
            tokio::time::sleep(if tries == 1 { sleep.mul_f64(fastrand::f64()) } else { sleep }).await;
        }
    }
}

/// Patches the object, or creates it if it does not exist: events expire on the server.
async fn write<K: Kind>(
    events: &Api<K, InNamespace>,
    object: &K,
    patch: Option<&Patch>,
) -> Result<(), Error> {
    if let Some(patch) = patch {
        match events.patch(object.name(), patch).await {
            Err(error) if error.is_not_found() => {}
            patched => return patched.map(drop),
        }
    }
    events.create(object).await.map(drop)
}

/// The reason to give up at once; `None` if another try may help.
fn refusal(error: &Error) -> Option<DropReason> {
    match error.kind() {
        _ if error.causes().any(|(reason, ..)| reason == "NamespaceTerminating") => {
            Some(DropReason::NamespaceTerminating)
        }
        ErrorKind::Status if error.retry_after().is_some() => None,
        ErrorKind::Connect
        | ErrorKind::Connection
        | ErrorKind::Timeout
        | ErrorKind::Auth
        | ErrorKind::Decode => None,
        _ => Some(DropReason::Rejected),
    }
}
