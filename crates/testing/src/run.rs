//! [`Run`], all that a run of a scenario has shown.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::identity::Identity;
use crate::play::{Moments, Play};
use crate::problem::Problem;
use crate::snapshot::Snapshot;
use crate::timeline::Timeline;
use crate::write::Write;

/// All that a run of a scenario has shown.
pub(crate) struct Run {
    pub(crate) play: Option<Play>,
    pub(crate) writes: Vec<Write>,
    pub(crate) moments: Moments,
    pub(crate) timeline: Timeline,
    /// False if the run did not come to the point of the play.
    pub(crate) is_hurt: bool,
    /// The objects of an empty cluster, of a reference run.
    pub(crate) empty: Snapshot,
    /// The objects after each step.
    pub(crate) snapshots: BTreeMap<usize, Snapshot>,
    /// The objects that the controller has changed, with the first write that did.
    pub(crate) written: BTreeMap<Identity, usize>,
    /// The number of objects that the controller has deleted under a name, until each step.
    pub(crate) deleted: BTreeMap<usize, BTreeMap<Identity, usize>>,
    /// The first problem, and the step that it was seen after.
    pub(crate) problem: Option<(usize, Problem)>,
    pub(crate) virtual_time: Duration,
}
