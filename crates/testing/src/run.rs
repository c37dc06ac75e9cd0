//! [`Run`], all that a run of a scenario has shown.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::identity::Identity;
use crate::play::{Moments, Play};
use crate::problem::{FindingKind, Problem};
use crate::snapshot::Snapshot;
use crate::timeline::Timeline;
use crate::write::{Effect, Write};

/// All that a run of a scenario has shown.
pub(crate) struct Run {
    pub(crate) play: Option<Play>,
    pub(crate) moments: Moments,
    /// False if the run did not come to the point of the play.
    pub(crate) is_hurt: bool,
    /// The objects of an empty cluster, of a reference run.
    pub(crate) empty: Snapshot,
    /// The objects after each step.
    pub(crate) snapshots: BTreeMap<usize, Snapshot>,
    /// The deletions by the controller until each step.
    pub(crate) deleted: BTreeMap<usize, Deletions>,
    pub(crate) record: Record,
    /// The first problem, and the step that it was seen after.
    pub(crate) problem: Option<(usize, Problem)>,
    pub(crate) virtual_time: Duration,
}

/// The writes of a run, and their effects.
#[derive(Clone)]
pub(crate) struct Record {
    /// Those of the controller.
    pub(crate) writes: Vec<Write>,
    pub(crate) timeline: Timeline,
    /// The objects that the controller has changed, with the first write that did.
    pub(crate) written: BTreeMap<Identity, usize>,
    /// The effects of the controller's writes in each step.
    pub(crate) effects: BTreeSet<(usize, Identity, Effect)>,
    pub(crate) deleted: Deletions,
    /// The values that fields of objects have had.
    pub(crate) values: HashMap<Identity, HashSet<Leaf>>,
    /// The values that a write of the controller was the first to give to a field.
    pub(crate) introduced: Vec<Introduced>,
}

/// For each object that the controller has deleted under a name, the number of others that were left under it.
pub(crate) type Deletions = BTreeMap<Identity, Vec<usize>>;

/// The JSON pointer of a field, and its value.
pub(crate) type Leaf = (String, String);

/// A value that a write of the controller was the first to give to a field.
#[derive(Clone)]
pub(crate) struct Introduced {
    pub(crate) write: usize,
    pub(crate) identity: Identity,
    pub(crate) leaf: Leaf,
}

impl Run {
    /// The plays of the run.
    pub(crate) fn plays(&self) -> Vec<Play> {
        self.moments.plays(|write| self.record.writes.get(write - 1).is_some_and(|write| write.has_version))
    }

    /// The requests of the controller in their order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.record.writes.iter().map(Write::request).collect()
    }

    /// Returns true if a step cannot be taken in the play, since it needs the controller's work while it is taken, or before.
    pub(crate) fn is_impossible(&self) -> bool {
        let may_block = self.play.is_some_and(|play| play.kind.may_block_steps());
        may_block && self.problem.as_ref().is_some_and(|(_, problem)| problem.kind == FindingKind::StepFailed)
    }

    /// The steps and writes of a run with a problem.
    pub(crate) fn length(&self) -> (usize, usize) {
        (self.problem.as_ref().map_or(0, |(step, _)| *step), self.record.writes.len())
    }
}
