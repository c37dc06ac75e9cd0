//! [`Replay`], the one play that the environment variable asks for.

use std::collections::BTreeMap;

use klient_apimachinery::go::quoted;

use crate::play::{Play, PlayKind};

/// The environment variable with the one play to run.
pub(crate) const PLAY: &str = "KLIENT_PLAY";

/// The separator between a play and the numbers of the steps that it does without.
const WITHOUT: &str = ":without-";

/// The one play that the environment variable asks for, as a finding prints it.
pub(crate) struct Replay {
    pub(crate) play: Play,
    /// The numbers of the steps that it does without, from 1.
    pub(crate) left_out: Vec<usize>,
}

/// The text of a play that does without steps.
pub(crate) fn with_steps_left_out(play: Play, left_out: &[usize]) -> String {
    match left_out {
        [] => play.to_string(),
        steps => {
            let steps: Vec<String> = steps.iter().map(usize::to_string).collect();
            format!("{play}{WITHOUT}{}", steps.join("-"))
        }
    }
}

impl Replay {
    /// Parses the value of the environment variable, for a scenario of a number of steps.
    pub(crate) fn parse(text: &str, steps: usize) -> Result<Replay, String> {
        let (play, left_out) = match text.split_once(WITHOUT) {
            Some((play, left_out)) => (play, Some(left_out)),
            None => (text, None),
        };
        let no_play = |reason: &str| format!("{PLAY} is {}, {reason}", quoted(text));
        let left_out = left_out.map(|list| {
            let parsed: Option<Vec<usize>> = list.split('-').map(|step| step.parse().ok()).collect();
            parsed.filter(|list| list.is_sorted_by(|one, next| one < next)).ok_or_else(|| {
                no_play("whose end is not the numbers of steps in their order, such as :without-1-3")
            })
        });
        let left_out = left_out.transpose()?.unwrap_or_default();
        if let Some(step) = left_out.iter().find(|step| !(1..=steps).contains(*step)) {
            return Err(no_play(&format!("but there is no step {step}: the test has {steps}")));
        }
        let play = play.parse().map_err(|()| {
            no_play("which is no play: take the line of a finding, or a play such as kill-after:write1")
        })?;
        Ok(Replay { play, left_out })
    }

    /// Checks that a scenario has the play, of all that there are.
    pub(crate) fn check(&self, plays: &[Play]) -> Result<(), String> {
        if plays.contains(&self.play) {
            return Ok(());
        }
        let text = with_steps_left_out(self.play, &self.left_out);
        Err(format!(
            "{PLAY} is {}, which the test does not have. Its plays are:\n{}",
            quoted(&text),
            list(plays)
        ))
    }
}

/// The plays, a line for each kind.
fn list(plays: &[Play]) -> String {
    let mut kinds: BTreeMap<PlayKind, Vec<String>> = BTreeMap::new();
    for play in plays {
        let text = play.to_string();
        let moments = text.split_once(':').map_or("", |(_, moments)| moments);
        kinds.entry(play.kind).or_default().push(moments.to_owned());
    }
    let lines = kinds.iter().map(|(kind, moments)| format!("  {kind}: {}", moments.join(" ")));
    lines.collect::<Vec<_>>().join("\n")
}
