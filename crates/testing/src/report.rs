//! [`Report`], the outcome of a crash test without a finding.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::play::PlayKind;

/// The outcome of a crash test without a finding.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of plays of each kind that came to their point.
    pub plays: BTreeMap<PlayKind, usize>,
    /// The plays that did not come to their point, such as two steps of which the second needs what the controller does
    /// after the first.
    pub not_applicable: Vec<String>,
    /// The plays that [`Options::max_plays`](crate::Options::max_plays) left out.
    pub left_out: Vec<String>,
    /// The number of writes of the controller in the reference run.
    pub writes: usize,
    /// True if the reference run, repeated, made the same writes in the same order. In another order the number of a write
    /// may stand for another write in a play.
    pub is_ordered: bool,
    /// The time that has passed for the controllers of all plays.
    pub virtual_time: Duration,
    /// The time that the test took.
    pub wall_time: Duration,
}

/// The number of plays that are named.
const SHOWN: usize = 5;

impl Report {
    /// The number of all plays that came to their point.
    pub fn total(&self) -> usize {
        self.plays.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<String> = self.plays.iter().map(|(kind, plays)| format!("{plays} {kind}")).collect();
        write!(
            f,
            "{} plays of {} writes without a finding: {}",
            self.total(),
            self.writes,
            kinds.join(", ")
        )?;
        if let missed @ 1.. = self.not_applicable.len() {
            let more = if missed > SHOWN { ", …" } else { "" };
            let shown = self.not_applicable[..missed.min(SHOWN)].join(", ");
            write!(f, "; {missed} more did not come to their point: {shown}{more}")?;
        }
        if !self.left_out.is_empty() {
            write!(f, "; {} were left out", self.left_out.len())?;
        }
        if !self.is_ordered {
            f.write_str("; the writes of the reference run come in another order when it is repeated")?;
        }
        let (hours, wall) = (self.virtual_time.as_secs() / 3600, self.wall_time);
        write!(f, "; {hours} hours of virtual time in {wall:.1?}")
    }
}
