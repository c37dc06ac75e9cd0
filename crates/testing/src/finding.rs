//! [`Finding`], a play after which the controller has not done its work, and [`FindingKind`].

use std::fmt;

use crate::player::Run;
use crate::snapshot::Difference;

/// The kind of a [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Objects are others than those that the reference run has left.
    Differs,
    /// The controller has changed an object that it never changes in the reference run.
    Touched,
    /// The controller has deleted an object more often than in the reference run, and made it again.
    DeletedAgain,
    /// The controller goes on to change objects.
    NotAtRest,
    /// The controller has ended by itself.
    Ended,
    /// The controller has panicked.
    Panicked,
    /// A step, or the setup, has failed.
    StepFailed,
    /// The reference run, played twice, differs from itself: what it leaves is random, or depends on the clock.
    NotRepeatable,
}

impl FindingKind {
    fn headline(self) -> &'static str {
        match self {
            FindingKind::Differs => "the controller leaves other objects than the reference run",
            FindingKind::Touched => "the controller changes an object that it has to leave alone",
            FindingKind::DeletedAgain => "the controller deletes an object once more than needed",
            FindingKind::NotAtRest => "the controller does not come to rest",
            FindingKind::Ended => "the controller ends by itself",
            FindingKind::Panicked => "the controller panics",
            FindingKind::StepFailed => "a step fails",
            FindingKind::NotRepeatable => {
                "the reference run differs from itself: exclude the resource, or ignore the field"
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

/// A play after which the controller has not done its work. Its text has the play, the difference, both runs, and a line
/// that plays it again.
pub struct Finding {
    pub(crate) kind: FindingKind,
    pub(crate) play: Option<String>,
    pub(crate) text: String,
}

impl Finding {
    /// The finding of a problem.
    pub(crate) fn new(run: &Run, reference: Option<&Run>, story: &Story<'_>) -> Finding {
        let (step, problem) = run.problem.as_ref().expect("only runs with a problem are findings");
        let play = run.play.map(|play| match &story.left_out[..] {
            [] => play.to_string(),
            steps => {
                let steps: Vec<String> = steps.iter().map(usize::to_string).collect();
                format!("{play}:without-{}", steps.join("-"))
            }
        });
        let mut text = String::new();
        let name = step.checked_sub(1).and_then(|index| story.steps.get(index));
        let after = name.map_or("after the start".to_owned(), |name| format!("after step {step}, {name}"));
        text += &format!("{}, {after}\n", problem.kind.headline());
        problem.details.iter().for_each(|detail| text += &format!("  {detail}\n"));
        let what = play.as_deref().unwrap_or("the reference run");
        text +=
            &format!("\n  {what}\n{}", run.timeline.render(&story.steps, &run.writes, *step, story.is_trace));
        if let Some(reference) = reference {
            let lines = reference.timeline.render(&story.steps, &reference.writes, *step, story.is_trace);
            text += &format!("\n  the reference run\n{lines}");
        }
        if let Some(play) = &play {
            text += &format!("\n  KLIENT_PLAY='{play}' {}\n", story.command);
        }
        Finding { kind: problem.kind, play, text }
    }

    /// The kind of the problem.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }

    /// The play, as the environment variable `KLIENT_PLAY` takes it; none if the reference run has the problem.
    pub fn play(&self) -> Option<&str> {
        self.play.as_deref()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

/// The same as its text, for a test that unwraps.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Finding {}

/// The circumstances of a finding.
pub(crate) struct Story<'a> {
    pub(crate) steps: Vec<String>,
    /// The numbers of the steps that the finding does not need.
    pub(crate) left_out: Vec<usize>,
    /// The command that runs the test.
    pub(crate) command: &'a str,
    pub(crate) is_trace: bool,
}
