//! [`Row`], a figure and what it should reach.

use std::fmt;

/// A figure and what it should reach.
pub(super) struct Row {
    name: &'static str,
    ours: f64,
    peer: Option<f64>,
    reach: f64,
}

impl Row {
    /// Ours by the peer's.
    pub(super) fn ratio(name: &'static str, ours: f64, peer: f64, reach: f64) -> Self {
        Row { name, ours, peer: Some(peer), reach }
    }

    /// Ours alone.
    pub(super) fn limit(name: &'static str, ours: f64, reach: f64) -> Self {
        Row { name, ours, peer: None, reach }
    }
}

/// Name, ours, peer, ratio, reach, and whether it is reached, with tabs between.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = self.peer.map_or(self.ours, |peer| self.ours / peer);
        let word = if compared <= self.reach { "ok" } else { "short" };
        let (peer, ratio) = match self.peer {
            Some(peer) => (format!("{peer:.1}"), format!("{compared:.2}")),
            None => ("-".to_owned(), "-".to_owned()),
        };
        write!(f, "{}\t{:.1}\t{peer}\t{ratio}\t{}\t{word}", self.name, self.ours, self.reach)
    }
}

#[test]
fn rows_say_whether_the_figure_is_reached() {
    assert_eq!(Row::ratio("a", 30.0, 100.0, 0.35).to_string(), "a\t30.0\t100.0\t0.30\t0.35\tok");
    assert_eq!(Row::ratio("a", 40.0, 100.0, 0.35).to_string(), "a\t40.0\t100.0\t0.40\t0.35\tshort");
    assert_eq!(Row::limit("b", 12.0, 13.0).to_string(), "b\t12.0\t-\t-\t13\tok");
}
