//! [`Stage`], the server of a play and all that its run has shown so far.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use klient_apimachinery::{Object as _, Unstructured};
use klient_apiserver::{Server, StartError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::identity::Identity;
use crate::incarnation::Incarnation;
use crate::known::{FIRST_VERSION, Known, generate_name};
use crate::normalize::{Normalizer, leaves};
use crate::options::Options;
use crate::play::{Moment, Moments, Play};
use crate::run::{Introduced, Record};
use crate::snapshot::{Base, Snapshot, counted};
use crate::target::Target;
use crate::timeline::Timeline;
use crate::watchdog::Watchdog;
use crate::write::{Changed, Effect, Write, WriteOutcome};

/// The server of a play and all that its run has shown so far.
pub(crate) struct Stage {
    pub(crate) server: Server,
    /// The version of the empty cluster.
    pub(crate) since: u64,
    pub(crate) play: Option<Play>,
    pub(crate) options: Options,
    pub(crate) incarnation: watch::Sender<Arc<Incarnation>>,
    pub(crate) watchdog: Arc<Watchdog>,
    state: Mutex<State>,
}

/// All that a run has shown so far.
pub(crate) struct State {
    pub(crate) step: usize,
    pub(crate) moments: Moments,
    /// True if the fault of the play has happened.
    pub(crate) is_hurt: bool,
    /// The time until which writes are refused.
    pub(crate) refused_until: Option<Instant>,
    pub(crate) record: Record,
    known: Known,
    /// The uids of the objects that the controller has deleted.
    deleted_uids: BTreeSet<String>,
}

/// A day: longer than all that is waited for in a play.
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Stage {
    /// Starts a server on the runtime of the play.
    pub(crate) async fn start(play: Option<Play>, options: &Options) -> Result<Stage, StartError> {
        let on_this_runtime = klient_apiserver::Options {
            listen: None,
            threads: None,
            first_version: FIRST_VERSION,
            // Connections within a program are not lost: checks of idle ones, and signs of life, would take most of the
            // time of a play.
            client_timeout: DAY,
            bookmark_interval: DAY,
            ..Default::default()
        };
        let server = Server::start(on_this_runtime).await?;
        let state = State {
            step: 0,
            moments: Moments::default(),
            is_hurt: false,
            refused_until: None,
            record: Record {
                writes: Vec::new(),
                timeline: Timeline::new(Instant::now()),
                written: BTreeMap::new(),
                effects: BTreeSet::new(),
                deleted: BTreeMap::new(),
                values: HashMap::new(),
                introduced: Vec::new(),
            },
            known: Known::default(),
            deleted_uids: BTreeSet::new(),
        };
        Ok(Stage {
            since: server.resource_version(),
            server,
            play,
            options: options.clone(),
            incarnation: watch::channel(Incarnation::new(1, None)).0,
            watchdog: Watchdog::new(options.max_requests),
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

    /// Kills the controller, if it is not down, and starts it again with caches as of a version, if there is one.
    pub(crate) fn kill(&self, behind: Option<u64>) {
        let number = self.end_current();
        self.incarnation.send_replace(Incarnation::new(number + 1, behind));
    }

    /// Kills the controller, and does not start it again.
    pub(crate) fn stop(&self) {
        let number = self.end_current();
        self.incarnation.send_replace(Incarnation::down(number + 1));
    }

    fn end_current(&self) -> usize {
        let killed = self.current();
        killed.gate.kill();
        self.watchdog.reset();
        killed.number
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        let mut state = self.state();
        let step = state.step;
        state.record.timeline.note(step, text.into());
    }

    /// Notes what only a trace shows.
    pub(crate) fn trace(&self, text: impl Into<String>) {
        let mut state = self.state();
        let step = state.step;
        state.record.timeline.trace(step, text.into());
    }

    pub(crate) fn pass_moment(&self, moment: Moment) {
        let version = self.server.resource_version();
        self.state().moments.push(moment, version);
    }

    /// The name, as in an identity, of the object that a write names, or has in its body.
    pub(crate) fn stable_name(&self, target: &Target, body: &Unstructured) -> Option<String> {
        let known = &mut self.state().known;
        let words = [target.name.as_deref(), generate_name(body), Some(body.name())];
        if words.into_iter().flatten().any(|word| known.has_unknown_word(word, "")) {
            known.learn(&self.server.local().objects(), self.since);
        }
        let name = target.name.as_deref().map(|name| known.stable(name));
        name.or_else(|| Some(known.stable_name(body)).filter(|name| !name.is_empty()))
    }

    /// Begins a write of the controller, and returns its number.
    pub(crate) fn begin_write(&self, mut write: Write) -> usize {
        let mut state = self.state();
        write.step = state.step;
        let step = state.step;
        state.record.writes.push(write);
        let number = state.record.writes.len();
        state.record.timeline.write(step, number);
        number
    }

    /// Notes the result of a write of the controller.
    pub(crate) fn end_write(&self, number: usize, outcome: WriteOutcome) {
        self.state().record.writes[number - 1].outcome = outcome;
    }

    /// Notes the objects that a write has changed, of the controller if it has a number.
    pub(crate) fn note_changed(&self, number: Option<usize>, target: &Target, changed: &[Changed]) {
        let mut state = self.state();
        let state = &mut *state;
        let step = number.map_or(state.step, |number| state.record.writes[number - 1].step);
        let resource = target.resource();
        if changed.iter().any(|changed| state.known.is_puzzled_by(&changed.object)) {
            state.known.learn(&self.server.local().objects(), self.since);
        }
        let identities: Vec<Identity> = changed
            .iter()
            .map(|Changed { object, is_answered, .. }| {
                let former = state.known.with_uid(object.uid()).filter(|_| !is_answered).cloned();
                former.unwrap_or_else(|| state.known.identity_in(&resource, object.namespace(), object))
            })
            .collect();
        for (index, (Changed { object, effect, is_answered }, identity)) in
            changed.iter().zip(&identities).enumerate()
        {
            if *is_answered {
                state.known.add(identity, object);
            }
            if let Some(number) = number {
                state.record.written.entry(identity.clone()).or_insert(number);
                state.record.effects.insert((step, identity.clone(), *effect));
            }
            match effect {
                Effect::Created | Effect::Changed if *is_answered => {
                    self.note_values(state, number, identity, object);
                }
                Effect::Deleted if number.is_some() && state.deleted_uids.insert(uid_or_name(object)) => {
                    let later = identities[index + 1..].iter().filter(|other| *other == identity).count();
                    let left = self.count(&state.known, identity) + later;
                    state.record.deleted.entry(identity.clone()).or_default().push(left);
                }
                _ => {}
            }
        }
    }

    /// Notes the values of the fields of an object, as a write has left it.
    fn note_values(
        &self,
        state: &mut State,
        number: Option<usize>,
        identity: &Identity,
        object: &Unstructured,
    ) {
        let normalizer = Normalizer { known: &state.known, live: None, options: &self.options };
        let leaves = leaves(&normalizer.object(&identity.resource, object));
        let values = state.record.values.entry(identity.clone()).or_default();
        for leaf in leaves {
            if values.insert(leaf.clone())
                && let Some(write) = number
            {
                state.record.introduced.push(Introduced { write, identity: identity.clone(), leaf });
            }
        }
    }

    /// The number of objects of an identity that are not being deleted.
    fn count(&self, known: &Known, identity: &Identity) -> usize {
        let objects = self.server.local().objects();
        let named = objects.iter().filter(|stored| {
            let object = stored.to_unstructured();
            object.deletion_timestamp().is_none() && known.identity(stored, &object) == *identity
        });
        named.count()
    }

    /// The uids of the objects that count, and a snapshot of them, by which a change is noticed.
    pub(crate) fn fingerprint(&self) -> (Vec<String>, Snapshot) {
        let all = self.server.local().objects();
        let counted = counted(&all, self.since, &self.options);
        let uids = counted.iter().map(|object| object.uid().to_owned()).collect();
        let base = Base { since: self.since, is_named: false };
        (uids, Snapshot::take(&all, &base, &mut self.state().known, &self.options))
    }

    /// A snapshot of the objects that have changed since the empty cluster.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot_since(self.since)
    }

    /// A snapshot of the objects of the empty cluster, too.
    pub(crate) fn whole_snapshot(&self) -> Snapshot {
        self.snapshot_since(0)
    }

    fn snapshot_since(&self, since: u64) -> Snapshot {
        let base = Base { since, is_named: true };
        Snapshot::take(&self.server.local().objects(), &base, &mut self.state().known, &self.options)
    }
}

/// The uid of an object, or its name if that is all that is known of it.
fn uid_or_name(object: &Unstructured) -> String {
    let uid = object.uid();
    if uid.is_empty() {
        format!("{} {}", object.namespace().unwrap_or_default(), object.name())
    } else {
        uid.to_owned()
    }
}
