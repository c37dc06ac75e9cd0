//! [`Warnings`], for the client, collected while its object is written.

use std::sync::{Mutex, PoisonError};

/// The characters of one warning that an answer has at most, if it has not room for all.
pub(crate) const LONGEST: usize = 256;

/// The characters of warnings for which an answer has room.
pub(crate) const LONGEST_OF_ALL: usize = 4096;

/// Warnings for a client, collected while its object is written: each once, and no more than an answer has room for.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    pub(crate) fn add(&self, warnings: Vec<String>) {
        if warnings.is_empty() {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for mut warning in warnings.into_iter().filter(|warning| !warning.is_empty()) {
            if is_full(&known) {
                return;
            }
            // One character more than there is room for tells that it is truncated.
            if let Some((end, _)) = warning.char_indices().nth(LONGEST_OF_ALL + 1) {
                warning.truncate(end);
            }
            if !known.contains(&warning) {
                known.push(warning);
            }
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns true if no further warning changes an answer.
fn is_full(warnings: &[String]) -> bool {
    let (mut whole, mut truncated) = (0, 0);
    for length in warnings.iter().map(|warning| warning.chars().count()) {
        whole += length;
        truncated += length.min(LONGEST);
    }
    whole > LONGEST_OF_ALL && truncated >= LONGEST_OF_ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_kept_once() {
        let warnings = Warnings::default();
        for _ in 0..3 {
            warnings.add(vec!["a".to_owned(), "b".to_owned()]);
        }
        assert_eq!(warnings.take(), ["a", "b"]);
    }

    #[test]
    fn no_more_warnings_are_kept_than_an_answer_has_room_for() {
        let warnings = Warnings::default();
        warnings.add((0..1000).map(|number| format!("{number:0300}")).collect());
        warnings.add(vec!["late".to_owned()]);
        assert_eq!(warnings.take().len(), LONGEST_OF_ALL / LONGEST);
        warnings.add(vec!["ä".repeat(1_000_000)]);
        assert_eq!(warnings.take()[0].chars().count(), LONGEST_OF_ALL + 1);
    }
}
