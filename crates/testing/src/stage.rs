//! [`Stage`], the server of a play and all that its run has shown so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use klient_apiserver::{Server, StartError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::identity::Identity;
use crate::incarnation::Incarnation;
use crate::options::Options;
use crate::play::{Moment, Moments, Play};
use crate::snapshot::{Snapshot, Uids, counted};
use crate::timeline::Timeline;
use crate::write::{Changed, Effect, Write, WriteOutcome};

/// The server of a play and all that its run has shown so far.
pub(crate) struct Stage {
    pub(crate) server: Server,
    /// The version of the empty cluster.
    pub(crate) since: u64,
    pub(crate) play: Option<Play>,
    pub(crate) options: Options,
    pub(crate) incarnation: watch::Sender<Arc<Incarnation>>,
    state: Mutex<State>,
}

/// All that a run has shown so far.
pub(crate) struct State {
    pub(crate) step: usize,
    pub(crate) writes: Vec<Write>,
    pub(crate) moments: Moments,
    pub(crate) timeline: Timeline,
    /// True if the fault of the play has happened.
    pub(crate) is_hurt: bool,
    /// The objects that the controller has changed, with the first write that did.
    pub(crate) written: BTreeMap<Identity, usize>,
    /// The uids of the objects that the controller has deleted.
    pub(crate) deleted: BTreeMap<Identity, BTreeSet<String>>,
    uids: Uids,
}

impl Stage {
    /// Starts a server on the runtime of the play.
    pub(crate) async fn start(play: Option<Play>, options: &Options) -> Result<Stage, StartError> {
        // Connections within a program are not lost: checks of idle ones would take most of the time of a play.
        let client_timeout = Duration::from_secs(3600);
        let on_this_runtime =
            klient_apiserver::Options { listen: None, threads: None, client_timeout, ..Default::default() };
        let server = Server::start(on_this_runtime).await?;
        let state = State {
            step: 0,
            writes: Vec::new(),
            moments: Moments::default(),
            timeline: Timeline::new(Instant::now()),
            is_hurt: false,
            written: BTreeMap::new(),
            deleted: BTreeMap::new(),
            uids: Uids::new(),
        };
        Ok(Stage {
            since: server.resource_version(),
            server,
            play,
            options: options.clone(),
            incarnation: watch::channel(Incarnation::new(1, None)).0,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panics while held")
    }

    /// The incarnation of the controller that runs.
    pub(crate) fn current(&self) -> Arc<Incarnation> {
        self.incarnation.borrow().clone()
    }

    /// Kills the controller; the next incarnation starts with caches as of a version, if there is one.
    pub(crate) fn kill(&self, behind: Option<u64>) {
        let killed = self.current();
        killed.gate.kill();
        self.incarnation.send_replace(Incarnation::new(killed.number + 1, behind));
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        let mut state = self.state();
        let step = state.step;
        state.timeline.note(step, text.into());
    }

    /// Notes what only a trace shows.
    pub(crate) fn trace(&self, text: impl Into<String>) {
        let mut state = self.state();
        let step = state.step;
        state.timeline.trace(step, text.into());
    }

    pub(crate) fn pass_moment(&self, moment: Moment) {
        let version = self.server.resource_version();
        self.state().moments.push(moment, version);
    }

    /// Begins a write of the controller, and returns its number.
    pub(crate) fn begin_write(&self, mut write: Write) -> usize {
        let mut state = self.state();
        write.step = state.step;
        state.writes.push(write);
        let (step, number) = (state.step, state.writes.len());
        state.timeline.write(step, number);
        number
    }

    /// Notes the result of a write of the controller.
    pub(crate) fn end_write(&self, number: usize, outcome: WriteOutcome) {
        self.state().writes[number - 1].outcome = outcome;
    }

    /// Notes the objects that a write has changed, of the controller if it has a number.
    pub(crate) fn note_changed(&self, number: Option<usize>, changed: &[Changed]) {
        let mut state = self.state();
        for Changed { identity, uid, effect } in changed {
            if !uid.is_empty() {
                state.uids.insert(uid.clone(), identity.clone());
            }
            if let Some(number) = number {
                state.written.entry(identity.clone()).or_insert(number);
                if *effect == Effect::Deleted {
                    state.deleted.entry(identity.clone()).or_default().insert(uid.clone());
                }
            }
        }
    }

    /// The objects that count, by which a change is noticed.
    pub(crate) fn fingerprint(&self) -> Vec<(String, u64)> {
        let objects = counted(&self.server.local(), self.since, &self.options);
        objects.iter().map(|object| (object.uid().to_owned(), object.resource_version())).collect()
    }

    /// A snapshot of the objects that have changed since a version.
    pub(crate) fn snapshot(&self, since: u64) -> Snapshot {
        Snapshot::take(&self.server.local(), since, &mut self.state().uids, &self.options)
    }
}
