//! [`Runs`], what cases print that are run again and again, and medians of it.

use serde_json::Value;

use super::peer::Peer;

/// The number of runs of each case, alternating with those it is compared to.
pub(super) const RUNS: usize = 5;

/// The outputs of a case.
#[derive(Default)]
pub(super) struct Runs(Vec<Value>);

impl Runs {
    /// Adds the line that a run has printed.
    pub(super) fn push(&mut self, line: &str) -> Result<(), String> {
        self.0.push(serde_json::from_str(line.trim()).map_err(|error| format!("{error}: {line}"))?);
        Ok(())
    }

    /// The first string of that name.
    pub(super) fn string(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|line| line[name].as_str())
    }

    /// The median of a figure.
    pub(super) fn median(&self, name: &str) -> Result<f64, String> {
        let figures =
            self.0.iter().map(|line| line[name].as_f64().ok_or_else(|| format!("no {name} in {line}")));
        let mut figures = figures.collect::<Result<Vec<_>, _>>()?;
        figures.sort_by(f64::total_cmp);
        Ok(figures[figures.len() / 2])
    }
}

/// Runs cases, each a peer and its words, one after the other, and all again.
pub(super) fn in_turn<const N: usize>(cases: [(&Peer, &str); N]) -> Result<[Runs; N], String> {
    let mut all = cases.map(|_| Runs::default());
    for _ in 0..RUNS {
        for (runs, (peer, words)) in all.iter_mut().zip(cases) {
            runs.push(&peer.run(words)?)?;
        }
    }
    Ok(all)
}

/// A figure of one side: who, with which words, and which of what it prints.
type Side<'a> = (&'a Peer, &'a str, &'a str);

/// The medians of two sides.
pub(super) fn pair(ours: Side<'_>, theirs: Side<'_>) -> Result<(f64, f64), String> {
    let [our_runs, their_runs] = in_turn([(ours.0, ours.1), (theirs.0, theirs.1)])?;
    Ok((our_runs.median(ours.2)?, their_runs.median(theirs.2)?))
}

/// The median of one side.
pub(super) fn median(peer: &Peer, words: &str, name: &str) -> Result<f64, String> {
    let [runs] = in_turn([(peer, words)])?;
    runs.median(name)
}
