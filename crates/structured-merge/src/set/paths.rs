//! [`Paths`], an iterator over the fields of a set.

use crate::{FieldSet, Path, PathElement};

/// The fields of a [`FieldSet`]: those of one level, then those below each of them.
#[derive(Clone, Debug)]
pub struct Paths<'a> {
    prefix: Vec<PathElement>,
    open: Vec<Level<'a>>,
}

#[derive(Clone, Debug)]
struct Level<'a> {
    set: &'a FieldSet,
    /// The index of the next entry.
    at: usize,
    /// True if the fields of the level itself have been returned.
    descending: bool,
}

impl<'a> Paths<'a> {
    pub(super) fn new(set: &'a FieldSet) -> Self {
        Paths { prefix: Vec::new(), open: vec![Level { set, at: 0, descending: false }] }
    }
}

impl Iterator for Paths<'_> {
    type Item = Path;

    fn next(&mut self) -> Option<Path> {
        while let Some(level) = self.open.last_mut() {
            let Some(entry) = level.set.entries.get(level.at) else {
                if level.descending {
                    self.open.pop();
                    self.prefix.pop();
                } else {
                    (level.at, level.descending) = (0, true);
                }
                continue;
            };
            level.at += 1;
            if !level.descending {
                if entry.member {
                    return Some(self.prefix.iter().chain([&entry.element]).cloned().collect());
                }
            } else if let Some(below) = &entry.below {
                self.prefix.push(entry.element.clone());
                self.open.push(Level { set: below, at: 0, descending: false });
            }
        }
        None
    }
}
