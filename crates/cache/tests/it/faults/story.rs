//! [`Story`], the events of one handler and their consistency.

use std::collections::{BTreeMap, HashMap, HashSet};

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use klient_cache::{Cached, Event, Overflow, Undecodable};

use super::cluster::Painted;
use super::ledger::Ledger;
use crate::unreadable::MARK;

/// An object that has its color in two places.
pub(super) trait Colored: Wire + Object {
    /// The color outside the label.
    fn color(&self) -> Option<&str>;
}

/// The objects that a handler's filter passes.
#[derive(Clone, Copy)]
pub(super) enum Wants {
    All,
    /// About half of the objects, by the last letter of the color.
    Half,
}

impl Wants {
    pub(super) fn includes(self, color: &str) -> bool {
        match self {
            Wants::All => true,
            Wants::Half => color.ends_with(['0', '2', '4', '6', '8']),
        }
    }
}

/// The events of one handler.
pub(super) struct Story {
    overflow: Overflow,
    wants: Wants,
    /// The objects as the handler knows them.
    now: BTreeMap<String, Painted>,
    /// The uid and version of undecodable objects as the handler knows them.
    undecodable: BTreeMap<String, (String, u64)>,
    /// The latest version of each uid.
    latest: HashMap<String, u64>,
    /// All received states, and `true` for those that were written.
    states: HashSet<(Painted, bool)>,
    problems: Vec<String>,
    pub(super) events: u64,
    pub(super) greatest_depth: usize,
}

impl Story {
    pub(super) fn new(overflow: Overflow, wants: Wants) -> Self {
        Story {
            overflow,
            wants,
            now: BTreeMap::new(),
            undecodable: BTreeMap::new(),
            latest: HashMap::new(),
            states: HashSet::new(),
            problems: Vec::new(),
            events: 0,
            greatest_depth: 0,
        }
    }

    pub(super) fn tell<K: Colored>(&mut self, event: &Event<K>) {
        self.events += 1;
        let key = event.key().to_string();
        match event {
            Event::Added { object, .. } => {
                let state = self.state(object, true);
                self.undecodable.remove(&key);
                if let Some(before) = self.now.insert(key, state) {
                    self.problem(event, &format!("there was {before:?}"));
                }
            }
            Event::Updated { old, new } => {
                let (old, new) = (painted(old), self.state(new, true));
                if old.0 == new.0 && old.1 >= new.1 {
                    self.problem(event, "it goes back");
                }
                self.undecodable.remove(&key);
                let before = self.now.insert(key, new);
                if before.as_ref() != Some(&old) {
                    self.problem(event, &format!("there was {before:?}"));
                }
            }
            Event::Undecodable { known, version } => {
                let before = self.now.get(&key).cloned();
                if before != known.as_ref().map(painted) {
                    self.problem(event, &format!("there was {before:?}"));
                }
                self.undecodable.insert(key, marked(version));
            }
            Event::Deleted(deleted) => {
                let before = self.now.remove(&key);
                let was_undecodable = self.undecodable.remove(&key).is_some();
                if deleted.known.is_none() && deleted.object.is_none() {
                    // Its mark may have been merged with its deletion.
                    if before.is_some() || (!was_undecodable && self.overflow == Overflow::Block) {
                        self.problem(event, &format!("there was {before:?}"));
                    }
                    return;
                }
                let last = deleted.object.as_ref().map(|object| self.state(object, false));
                let known = deleted.known.as_ref().map(painted);
                // Two objects of one name may have been created and deleted between two events.
                let is_same = self.overflow == Overflow::Coalesce
                    || before.as_ref().map(|before| &before.0) == last.as_ref().map(|last| &last.0);
                if before.is_none() || before != known || !is_same {
                    self.problem(event, &format!("there was {before:?}"));
                }
                if deleted.is_final_state_unknown && self.overflow == Overflow::Block && before != last {
                    self.problem(event, &format!("there was {before:?}"));
                }
            }
            _ => self.problem(event, "no test knows it"),
        }
    }

    fn state<K: Colored>(&mut self, object: &Cached<K>, is_written: bool) -> Painted {
        let state = painted(object);
        if object.color().is_some_and(|color| color != state.2) {
            self.problems.push(format!("{object:?} has two colors: {:?} and {}", object.color(), state.2));
        }
        let latest = self.latest.entry(state.0.clone()).or_default();
        if *latest > state.1 {
            self.problems.push(format!("{object:?} comes after version {latest}"));
        }
        *latest = state.1;
        self.states.insert((state.clone(), is_written));
        state
    }

    fn problem<K: Object>(&mut self, event: &Event<K>, problem: &str) {
        self.problems.push(format!("event {}, {event:?}: {problem}", self.events));
    }

    /// The objects that the handler knows in another state than the server has.
    pub(super) fn wrong(&self, wanted: &BTreeMap<String, Painted>) -> Vec<String> {
        let is_wrong = |key: &&String| match wanted.get(*key) {
            // A filter passes all objects that could never be decoded.
            Some((uid, version, color)) if color == MARK => {
                let told = self.undecodable.get(*key);
                matches!(self.wants, Wants::All) && told != Some(&(uid.clone(), *version))
            }
            object => object.filter(|object| self.wants.includes(&object.2)) != self.now.get(*key),
        };
        let told = self.now.keys().chain(self.undecodable.keys());
        wanted.keys().chain(told).filter(is_wrong).cloned().collect()
    }

    /// All inconsistencies.
    pub(super) fn problems(
        &self,
        ledger: &Ledger,
        wanted: &BTreeMap<String, Painted>,
        kind: &str,
    ) -> Vec<String> {
        let mut problems = self.problems.clone();
        for ((uid, version, color), is_written) in &self.states {
            // A pod that is deleted is marked first, which gives it a version.
            let is_exact = *is_written && kind != "pods";
            let is_ours = !color.is_empty();
            if is_ours && !ledger.has(uid, *version, color, is_exact) {
                let states = ledger.states(uid);
                problems.push(format!("nobody made {uid} {color} at {version}, but {states:?}"));
            }
        }
        let wrong = self.wrong(wanted);
        if !wrong.is_empty() {
            problems.push(format!("in the end it is wrong about {wrong:?}"));
        }
        let most = super::follower::BUFFER + klient_cache::MAX_BATCH_SIZE;
        if self.greatest_depth > most {
            problems.push(format!("{} events waited", self.greatest_depth));
        }
        problems
    }
}

/// The uid and version of an undecodable object.
pub(super) fn marked(version: &Undecodable) -> (String, u64) {
    (version.uid.to_string(), version.resource_version.parse().unwrap())
}

/// An object in short.
pub(super) fn painted<K: Object + Wire>(object: &Cached<K>) -> Painted {
    let color = object.labels().get("color").unwrap_or_default().to_owned();
    (object.uid().to_owned(), object.resource_version().parse().unwrap(), color)
}
