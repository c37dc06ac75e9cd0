//! [`compare`], the comparison of a play with the reference run.

use std::fmt::Write as _;

use crate::identity::Identity;
use crate::play::Play;
use crate::problem::{FindingKind, Problem};
use crate::run::{Deletions, Record, Run};
use crate::snapshot::Snapshot;

/// Compares a play after a step with the reference run: its objects, and the writes of its controller until then.
pub(crate) fn compare(
    snapshot: &Snapshot,
    record: &Record,
    play: Option<Play>,
    reference: &Run,
    step: usize,
) -> Result<(), Problem> {
    let Some(expected) = reference.snapshots.get(&step) else { return Ok(()) };
    let differences = snapshot.differences(expected, &reference.empty);
    if !differences.is_empty() {
        return Err(Problem::differs(&differences));
    }
    let none = Deletions::new();
    let needed = reference.deleted.get(&step).unwrap_or(&none);
    let problem =
        touched(record, reference).or_else(|| deleted_again(record, needed, expected)).or_else(|| {
            play.filter(|play| play.kind.is_prompt()).and_then(|_| transient(record, reference, expected))
        });
    problem.map_or(Ok(()), Err)
}

/// An object that the controller never changes in the reference run.
fn touched(record: &Record, reference: &Run) -> Option<Problem> {
    let is_known = |identity: &Identity| reference.record.written.contains_key(identity);
    let (identity, number) = record.written.iter().find(|(identity, _)| !is_known(identity))?;
    let write = &record.writes[number - 1];
    let detail =
        format!("{identity}: write {number} changes it, which the reference run never does: {write}");
    Some(Problem::new(FindingKind::Touched, [detail]))
}

/// An object that was deleted more often than in the reference run, and made again. Of several with a generated name, one
/// too many may be deleted.
fn deleted_again(record: &Record, needed: &Deletions, expected: &Snapshot) -> Option<Problem> {
    record.deleted.iter().find_map(|(identity, left)| {
        // One that is not needed in the end may be made by mistake, and deleted.
        let in_the_end = expected.count(identity);
        let missing = |left: &[usize]| left.iter().filter(|left| **left < in_the_end).count();
        let (times, needed) = (missing(left), missing(needed.get(identity).map_or(&[], Vec::as_slice)));
        let detail = || format!("{identity}: deleted {times} times; the reference run needs {needed}");
        (times > needed).then(|| Problem::new(FindingKind::DeletedAgain, [detail()]))
    })
}

/// A value that the controller has given to a field, which that never has in the reference run. A status is what the
/// controller has seen, and not what it wants.
fn transient(record: &Record, reference: &Run, expected: &Snapshot) -> Option<Problem> {
    let found = record.introduced.iter().find(|introduced| {
        let (path, _) = &introduced.leaf;
        let values = reference.record.values.get(&introduced.identity);
        expected.count(&introduced.identity) > 0
            && !path.starts_with("/status")
            && values.is_some_and(|values| !values.contains(&introduced.leaf))
    })?;
    let (path, value) = &found.leaf;
    let mut detail = format!("{}: write {} sets {path} to {value}", found.identity, found.write);
    write!(detail, ", which it never is in the reference run: {}", record.writes[found.write - 1])
        .expect("a string takes it");
    Some(Problem::new(FindingKind::Transient, [detail]))
}
