//! [`reference()`], the run that plays are compared with.

use crate::finding::{Finding, Story};
use crate::parallel::in_parallel;
use crate::player::Scenario;
use crate::problem::{FindingKind, Problem};
use crate::run::Run;

/// Runs the scenario unhurt, twice, and returns the first run, and true if both have made the same writes in the same order.
pub(crate) fn reference(scenario: &Scenario<'_>, story: &Story<'_>) -> Result<(Run, bool), Finding> {
    reference_of(scenario).map_err(|run| Finding::new(&run, None, story))
}

/// As [`reference()`], with the run that has a problem as the error.
pub(crate) fn reference_of(scenario: &Scenario<'_>) -> Result<(Run, bool), Box<Run>> {
    let reference = in_parallel(&[()], |()| scenario.run(None, None)).remove(0);
    if reference.problem.is_some() {
        return Err(Box::new(reference));
    }
    let mut again = in_parallel(&[()], |()| scenario.run(None, Some(&reference))).remove(0);
    let step = again.problem.as_ref().map_or(scenario.steps.len(), |(step, _)| *step);
    let details = match again.problem.take() {
        Some((_, Problem { details, .. })) => details,
        None => other_effects(&reference, &again),
    };
    if details.is_empty() {
        let is_ordered = reference.requests() == again.requests();
        return Ok((reference, is_ordered));
    }
    again.problem = Some((step, Problem { kind: FindingKind::NotRepeatable, details }));
    Err(Box::new(again))
}

/// The effects of writes that one of two runs has only. The order and the number of writes may differ: a controller may be
/// told of two changes at once, or one after the other.
fn other_effects(reference: &Run, again: &Run) -> Vec<String> {
    let both = [&reference.record.effects, &again.record.effects];
    let differing = both[0].symmetric_difference(both[1]);
    let lines = differing.map(|effect| {
        let (step, identity, change) = effect;
        let run = if both[0].contains(effect) { "first" } else { "second" };
        format!("{identity}: {} in step {step} of the {run} run only", change.name())
    });
    lines.collect()
}
