//! [`Hands`], the keys that a replica may act on and those on which it acts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klient_apimachinery::Str;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::assignment::{Assignment, Assignments, Blocker};
use super::claim::{self, Claim, Written};
use super::key::ShardKey;
use super::share::Share;
use super::term::Term;
use crate::clock::Moment;

/// The keys that a replica may act on and those on which it acts.
///
/// Each claim that is sent covers all keys in hand, and from then on none is taken in hand that it does not cover.
pub(super) struct Hands {
    state: Mutex<State>,
    /// Told when a retained key is not in hand any more.
    pub(super) retained_ended: Notify,
}

struct State {
    term: Option<Arc<Term>>,
    assignment: Assignment,
    /// The keys in hand, with the number of guards of each.
    in_hand: HashMap<ShardKey, usize>,
    /// The retained keys of the last claim.
    retained: Vec<ShardKey>,
    written: Written,
    subscribers: Vec<UnboundedSender<Assignment>>,
    is_closed: bool,
}

impl Hands {
    pub(super) fn new() -> Self {
        let state = State {
            term: None,
            assignment: Assignment::none(0),
            in_hand: HashMap::new(),
            retained: Vec::new(),
            written: Written::new(),
            subscribers: Vec::new(),
            is_closed: false,
        };
        Hands { state: Mutex::new(state), retained_ended: Notify::new() }
    }

    /// Takes a key in hand, if that is allowed.
    pub(super) fn begin(&self, key: ShardKey, now: Moment) -> Option<(Arc<Term>, Assignment)> {
        let mut state = self.state();
        let term = state.term.clone().filter(|term| term.valid_until(now).is_ok())?;
        if !state.assignment.owns(key) {
            return None;
        }
        *state.in_hand.entry(key).or_default() += 1;
        Some((term, state.assignment.clone()))
    }

    /// Gives a key back that was taken in a term.
    pub(super) fn end(&self, term: &Arc<Term>, key: ShardKey) {
        let mut state = self.state();
        // The keys of an earlier term are not counted any more.
        if !state.term.as_ref().is_some_and(|present| Arc::ptr_eq(present, term)) {
            return;
        }
        let Some(guards) = state.in_hand.get_mut(&key) else { return };
        *guards -= 1;
        if *guards == 0 {
            state.in_hand.remove(&key);
            if state.retained.binary_search(&key).is_ok() {
                self.retained_ended.notify_one();
            }
        }
    }

    pub(super) fn owns(&self, key: ShardKey, now: Moment) -> bool {
        let (term, assignment) = {
            let state = self.state();
            (state.term.clone(), state.assignment.clone())
        };
        term.is_some_and(|term| term.valid_until(now).is_ok()) && assignment.owns(key)
    }

    pub(super) fn assignment(&self) -> Assignment {
        self.state().assignment.clone()
    }

    /// The claim of a share that is about to be sent. Keys that it has not are not taken in hand any more.
    pub(super) fn claim(&self, share: &Share) -> Claim {
        let mut state = self.state();
        if state.assignment.last_share().is_some_and(|last| last != share) {
            let narrowed = state.assignment.narrowed(share.clone());
            state.assign(narrowed);
        }
        let mut retained: Vec<_> = state.in_hand.keys().copied().filter(|key| !share.has(*key)).collect();
        retained.sort_unstable();
        state.retained.clone_from(&retained);
        Claim { share: share.clone(), retained, written: state.written.clone() }
    }

    /// Returns `true` if the last claim has a retained key that is not in hand any more.
    pub(super) fn has_retained_too_much(&self) -> bool {
        let state = self.state();
        state.retained.iter().any(|key| !state.in_hand.contains_key(key))
    }

    /// Begins a term, without keys.
    pub(super) fn begin_term(&self, term: Arc<Term>) {
        self.state().term = Some(term);
    }

    /// Allows the keys of a share that is published, but for those that others claim.
    pub(super) fn grant(&self, share: &Share, blockers: Vec<Blocker>, version: Str, written: Written) {
        let mut state = self.state();
        if !state.assignment.is_of(share, &blockers) {
            let granted = state.assignment.granted(share.clone(), blockers, version, written);
            state.assign(granted);
        }
    }

    /// Ends the term: all keys are lost.
    pub(super) fn end_term(&self) {
        let mut state = self.state();
        state.term = None;
        state.in_hand.clear();
        state.retained.clear();
        if !state.assignment.is_none() {
            let none = Assignment::none(state.assignment.serial() + 1);
            state.assign(none);
        }
    }

    /// Ends the term, and tells that no other follows.
    pub(super) fn close(&self) {
        self.end_term();
        let mut state = self.state();
        state.is_closed = true;
        state.subscribers.clear();
    }

    /// Takes note of a write to a resource, perhaps of a namespace.
    pub(super) fn wrote(&self, resource: &str, version: &str) {
        claim::note(&mut self.state().written, resource, version);
    }

    pub(super) fn subscribe(&self) -> Assignments {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.state();
        // The receiver is there.
        let _ = sender.send(state.assignment.clone());
        if !state.is_closed {
            state.subscribers.push(sender);
        }
        Assignments::new(receiver)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn assign(&mut self, assignment: Assignment) {
        self.subscribers.retain(|subscriber| subscriber.send(assignment.clone()).is_ok());
        self.assignment = assignment;
    }
}
