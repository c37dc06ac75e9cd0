//! [`Question`], what is asked of a value.

use fastrand::Rng;

use crate::judge::Answer;

/// A question about a value, and klient's answer.
pub(crate) struct Question {
    /// Its name in the program that answers as Kubernetes does.
    pub(crate) name: &'static str,
    /// Values that are asked every time, and that random ones are made of.
    pub(crate) table: &'static [&'static str],
    /// Makes a value that is mostly understood.
    pub(crate) make: fn(&mut Rng) -> String,
    /// klient's answer.
    pub(crate) ours: fn(&str) -> Answer,
    /// True if the messages of errors must be equal too.
    pub(crate) compares_words: bool,
    /// Differences that are meant.
    pub(crate) kept: &'static [Kept],
}

/// A difference that is meant.
pub(crate) struct Kept {
    pub(crate) reason: &'static str,
    /// Returns true for this difference, by the value and the answers of klient and of Kubernetes.
    pub(crate) is: fn(&str, &Answer, &Answer) -> bool,
}

impl Question {
    /// Returns true if two answers are equal, as far as required.
    pub(crate) fn agree(&self, ours: &Answer, theirs: &Answer) -> bool {
        match (ours, theirs) {
            (Err(ours), Err(theirs)) => !self.compares_words || ours == theirs,
            _ => ours == theirs,
        }
    }

    /// The reason why a difference is meant, if it is.
    pub(crate) fn kept(&self, input: &str, ours: &Answer, theirs: &Answer) -> Option<&'static str> {
        self.kept.iter().find(|kept| (kept.is)(input, ours, theirs)).map(|kept| kept.reason)
    }
}
