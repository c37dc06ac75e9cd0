//! [`Row`], a figure and what it should reach, and [`Rows`].

use std::fmt;

/// A figure and what it should reach.
pub(super) struct Row {
    name: String,
    ours: f64,
    peer: Option<f64>,
    reach: Reach,
}

/// The target for the ratio to the peer's figure, or without one for the figure itself.
#[derive(Clone, Copy)]
enum Reach {
    AtMost(f64),
    AtLeast(f64),
    /// It is told for comparison.
    Any,
}

impl Row {
    /// Ours by the peer's, the less the better.
    pub(super) fn ratio(name: impl Into<String>, ours: f64, peer: f64, reach: f64) -> Self {
        Row { name: name.into(), ours, peer: Some(peer), reach: Reach::AtMost(reach) }
    }

    /// Ours by the peer's, the more the better.
    pub(super) fn rate(name: impl Into<String>, ours: f64, peer: f64, reach: f64) -> Self {
        Row { name: name.into(), ours, peer: Some(peer), reach: Reach::AtLeast(reach) }
    }

    /// Ours alone.
    pub(super) fn limit(name: impl Into<String>, ours: f64, reach: f64) -> Self {
        Row { name: name.into(), ours, peer: None, reach: Reach::AtMost(reach) }
    }

    /// Ours alone, for the record.
    pub(super) fn alone(name: impl Into<String>, ours: f64) -> Self {
        Row { name: name.into(), ours, peer: None, reach: Reach::Any }
    }

    /// Ours by the peer's, for comparison.
    pub(super) fn told(name: impl Into<String>, ours: f64, peer: f64) -> Self {
        Row { name: name.into(), ours, peer: Some(peer), reach: Reach::Any }
    }
}

/// Name, ours, peer, ratio, reach, and whether it is reached, with tabs between.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = self.peer.map_or(self.ours, |peer| self.ours / peer);
        let none = || "-".to_owned();
        let (peer, ratio) = match self.peer {
            // A figure that is printed as zero has no ratio.
            Some(peer) if peer < 0.05 => (format!("{peer:.1}"), none()),
            Some(peer) => (format!("{peer:.1}"), format!("{compared:.2}")),
            None => (none(), none()),
        };
        let word = |is_reached| if is_reached { "ok" } else { "short" };
        let (reach, word) = match self.reach {
            Reach::AtMost(reach) => (reach.to_string(), word(compared <= reach)),
            Reach::AtLeast(reach) => (format!("≥{reach}"), word(compared >= reach)),
            Reach::Any => ("-".to_owned(), "-"),
        };
        write!(f, "{}\t{:.1}\t{peer}\t{ratio}\t{reach}\t{word}", self.name, self.ours)
    }
}

/// The figures of a run. Each is printed when it is known, so that a run that fails later leaves the others.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    #[allow(clippy::print_stdout, reason = "the figures are what the task is for")]
    pub(super) fn push(&mut self, row: Row) {
        println!("{row}");
        self.0.push(row);
    }

    /// Prints why a figure is missing.
    #[allow(clippy::print_stdout, reason = "it stands where the figure would")]
    pub(super) fn skip(&self, name: &str, problem: &str) {
        println!("{name}\tskipped: {problem}");
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

#[test]
fn rows_say_whether_the_figure_is_reached() {
    assert_eq!(Row::ratio("a", 30.0, 100.0, 0.35).to_string(), "a\t30.0\t100.0\t0.30\t0.35\tok");
    assert_eq!(Row::ratio("a", 40.0, 100.0, 0.35).to_string(), "a\t40.0\t100.0\t0.40\t0.35\tshort");
    assert_eq!(Row::rate("a", 500.0, 100.0, 5.0).to_string(), "a\t500.0\t100.0\t5.00\t≥5\tok");
    assert_eq!(Row::rate("a", 140.0, 100.0, 1.5).to_string(), "a\t140.0\t100.0\t1.40\t≥1.5\tshort");
    assert_eq!(Row::limit("b", 12.0, 13.0).to_string(), "b\t12.0\t-\t-\t13\tok");
    assert_eq!(Row::alone("b", 12.0).to_string(), "b\t12.0\t-\t-\t-\t-");
    assert_eq!(Row::told("c", 50.0, 100.0).to_string(), "c\t50.0\t100.0\t0.50\t-\t-");
    assert_eq!(Row::told("c", 4.0, 0.00001).to_string(), "c\t4.0\t0.0\t-\t-\t-");
}
