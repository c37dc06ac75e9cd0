//! [`Problem`], the mistake that a run has shown, and [`FindingKind`].

use std::fmt;

use crate::snapshot::Difference;

/// The kind of a [`Finding`](crate::Finding).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Objects are others than those that the reference run has left.
    Differs,
    /// The controller has changed an object that it never changes in the reference run.
    Touched,
    /// The controller has deleted an object more often than in the reference run, and made it again.
    DeletedAgain,
    /// The controller has written a value that no object of its name has had there in the reference run, and has written
    /// the right one later.
    Transient,
    /// The controller goes on to change objects, or to send requests.
    NotAtRest,
    /// The controller has ended by itself.
    Ended,
    /// The controller has panicked.
    Panicked,
    /// A step, or the setup, has failed.
    StepFailed,
    /// The reference run, played twice, differs from itself: what it leaves or writes is random, or depends on the clock.
    NotRepeatable,
}

impl FindingKind {
    pub(crate) fn headline(self) -> &'static str {
        match self {
            FindingKind::Differs => "the controller leaves other objects than the reference run",
            FindingKind::Touched => "the controller changes an object that it has to leave alone",
            FindingKind::DeletedAgain => "the controller deletes an object once more than needed",
            FindingKind::Transient => "the controller writes a wrong value, and mends it later",
            FindingKind::NotAtRest => "the controller does not come to rest",
            FindingKind::Ended => "the controller ends by itself",
            FindingKind::Panicked => "the controller panics",
            FindingKind::StepFailed => "a step fails",
            FindingKind::NotRepeatable => {
                "the reference run differs from itself when it is repeated: exclude the resource, or ignore the field"
            }
        }
    }
}

/// A problem that a run has shown.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) kind: FindingKind,
    pub(crate) details: Vec<String>,
}

/// Longer lists and values are cut.
const SHOWN: usize = 20;
const SHOWN_LETTERS: usize = 200;

impl Problem {
    pub(crate) fn new(kind: FindingKind, details: impl IntoIterator<Item = String>) -> Problem {
        Problem { kind, details: details.into_iter().collect() }
    }

    pub(crate) fn differs(differences: &[Difference]) -> Problem {
        let mut details: Vec<String> = differences.iter().take(SHOWN).map(Difference::to_string).collect();
        if let Some(more @ 1..) = differences.len().checked_sub(SHOWN) {
            details.push(format!("and {more} more"));
        }
        Problem::new(FindingKind::Differs, details)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { object, path, values } = self;
        match values {
            [Some(_), None] if path.is_empty() => {
                write!(f, "{object}: exists; the reference run leaves none")
            }
            [None, Some(_)] if path.is_empty() => {
                write!(f, "{object}: is missing; the reference run leaves it")
            }
            [play, reference] => {
                let shown = |value: &Option<serde_json::Value>| match value {
                    Some(value) => {
                        let text = value.to_string();
                        match text.char_indices().nth(SHOWN_LETTERS) {
                            Some((end, _)) => format!("{}…", &text[..end]),
                            None => text,
                        }
                    }
                    None => "absent".to_owned(),
                };
                write!(f, "{object}: {path} is {}; in the reference run {}", shown(play), shown(reference))
            }
        }
    }
}
