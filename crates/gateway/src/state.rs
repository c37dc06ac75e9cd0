//! [`State`], the state of a gateway.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klient_client::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::assets::Assets;
use crate::clusters::Clusters;
use crate::error::Error;
use crate::guard::Guard;
use crate::meters::Meters;
use crate::options::Options;
use crate::readiness::Readiness;
use crate::streams::Streams;

/// The shortest interval at which unused informers are looked for.
const SHORTEST: Duration = Duration::from_millis(10);

/// The state of a gateway.
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) guard: Guard,
    pub(crate) token: String,
    pub(crate) clusters: Clusters,
    pub(crate) streams: Streams,
    pub(crate) meters: Arc<Meters>,
    pub(crate) assets: Assets,
    pub(crate) readiness: Readiness,
    /// True when the gateway shuts down: streams end.
    pub(crate) shutdown: watch::Sender<bool>,
    tidying: Mutex<Option<JoinHandle<()>>>,
}

impl State {
    pub(crate) fn new(client: Client, options: Options, token: String) -> Result<Self, Error> {
        Ok(State {
            guard: Guard::new(&options, &token)?,
            clusters: Clusters::new(client, &options),
            streams: Streams::new(options.limits.streams, options.limits.streams_per_client),
            meters: Arc::default(),
            assets: Assets::embedded(),
            readiness: Readiness::default(),
            shutdown: watch::Sender::new(false),
            tidying: Mutex::default(),
            token,
            options,
        })
    }

    /// Starts the task that stops unused informers, unless it runs.
    pub(crate) fn begin_to_tidy(self: &Arc<Self>) {
        let mut tidying = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        if tidying.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let (state, idle) = (Arc::downgrade(self), self.options.idle);
        let interval = (idle / 4).min(self.options.recheck / 2).max(SHORTEST);
        *tidying = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(state) = state.upgrade() else { return };
                state.clusters.tidy(idle).await;
            }
        }));
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(task) = self.tidying.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}
