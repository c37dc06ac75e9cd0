//! [`Finding`], a play after which the controller has not done its work.

use std::fmt;

use crate::problem::FindingKind;
use crate::replay::{PLAY, with_steps_left_out};
use crate::run::Run;

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
        let play = run.play.map(|play| with_steps_left_out(play, &story.left_out));
        let mut text = String::new();
        let name = step.checked_sub(1).and_then(|index| story.steps.get(index));
        let after = name.map_or("after the start".to_owned(), |name| format!("after step {step}, {name}"));
        text += &format!("{}, {after}\n", problem.kind.headline());
        problem.details.iter().for_each(|detail| text += &format!("  {detail}\n"));
        let what = play.as_deref().unwrap_or("the reference run");
        let render =
            |run: &Run| run.record.timeline.render(&story.steps, &run.record.writes, *step, story.is_trace);
        text += &format!("\n  {what}\n{}", render(run));
        if let Some(reference) = reference {
            text += &format!("\n  the reference run\n{}", render(reference));
        }
        if let Some(play) = &play {
            text += &format!("\n  {PLAY}='{play}' {}\n", story.command);
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
