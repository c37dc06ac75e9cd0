//! [`FieldSet`], a set of fields of an object.
//!
//! - a *trie*: fields are stored below the fields that contain them, so that common prefixes are shared;
//! - *exact*: membership of a field says nothing of those that contain it or are contained in it;
//! - *cheap to copy*: sets share their common parts.

mod json;
mod paths;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

pub use paths::Paths;

use crate::{Path, PathElement};

/// A set of fields of an object, such as those of one manager in `managedFields`.
///
/// ```
/// use klient_structured_merge::{FieldSet, Path};
/// let mine = FieldSet::from_json(r#"{"f:spec":{"f:paused":{},"f:replicas":{}}}"#)?;
/// let theirs: FieldSet = [Path::fields(["spec", "replicas"])].into_iter().collect();
/// assert_eq!(mine.intersection(&theirs), theirs);
/// assert_eq!(mine.difference(&theirs).to_string(), ".spec.paused");
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Sorted, without duplicates.
    entries: Vec<Entry>,
}

/// An element of a level: a member of the set, or with members below it, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    element: PathElement,
    member: bool,
    /// Never `Some` of an empty set.
    below: Option<Arc<FieldSet>>,
}

impl Entry {
    /// `None` if the set is empty.
    fn new(element: &PathElement, member: bool, below: Option<Arc<FieldSet>>) -> Option<Self> {
        (member || below.is_some()).then(|| Entry { element: element.clone(), member, below })
    }
}

impl FieldSet {
    /// The empty set.
    pub const EMPTY: FieldSet = FieldSet { entries: Vec::new() };

    /// Adds a field, without those that contain it. An empty path adds nothing: the object as a whole has no owner.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((element, rest)) = path.split_first() else { return };
        let at = match self.position(element) {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, Entry { element: element.clone(), member: false, below: None });
                at
            }
        };
        let entry = &mut self.entries[at];
        if rest.is_empty() {
            entry.member = true;
        } else {
            Arc::make_mut(entry.below.get_or_insert_default()).insert(rest);
        }
    }

    /// Returns true if the field is in the set.
    pub fn has(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [element] => self.entry(element).is_some_and(|entry| entry.member),
            [element, rest @ ..] => self.below(element).is_some_and(|below| below.has(rest)),
        }
    }

    /// Returns true if the set has no field.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        let count =
            |entry: &Entry| usize::from(entry.member) + entry.below.as_ref().map_or(0, |below| below.len());
        self.entries.iter().map(count).sum()
    }

    /// The fields below an element, by their paths from there.
    pub fn below(&self, element: &PathElement) -> Option<&FieldSet> {
        self.entry(element)?.below.as_deref()
    }

    /// Iterates over the fields. Those of one level come before those below.
    pub fn iter(&self) -> Paths<'_> {
        Paths::new(self)
    }

    /// The fields that are in either set.
    pub fn union(&self, other: &FieldSet) -> FieldSet {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other.clone() } else { self.clone() };
        }
        self.zip(other, |side| match side {
            Side::Left(entry) | Side::Right(entry) => Some(entry.clone()),
            Side::Both(left, right) => {
                let below = match (&left.below, &right.below) {
                    (Some(left), Some(right)) if Arc::ptr_eq(left, right) => Some(left.clone()),
                    (Some(left), Some(right)) => Some(Arc::new(left.union(right))),
                    (left, right) => left.as_ref().or(right.as_ref()).cloned(),
                };
                Entry::new(&left.element, left.member || right.member, below)
            }
        })
    }

    /// The fields that are in both sets.
    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        if self.is_empty() || other.is_empty() {
            return FieldSet::EMPTY;
        }
        self.zip(other, |side| {
            let Side::Both(left, right) = side else { return None };
            let below = match (&left.below, &right.below) {
                (Some(left), Some(right)) => shared(left.intersection(right)),
                _ => None,
            };
            Entry::new(&left.element, left.member && right.member, below)
        })
    }

    /// The fields that are not in the other set. A field stays if the other set has only a field that contains it.
    pub fn difference(&self, other: &FieldSet) -> FieldSet {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        self.zip(other, |side| match side {
            Side::Left(entry) => Some(entry.clone()),
            Side::Right(_) => None,
            Side::Both(left, right) => {
                let below = match (&left.below, &right.below) {
                    (Some(left), Some(right)) => shared(left.difference(right)),
                    (left, _) => left.clone(),
                };
                Entry::new(&left.element, left.member && !right.member, below)
            }
        })
    }

    /// The fields that are not in the other set and are not below one of its fields.
    ///
    /// ```
    /// use klient_structured_merge::FieldSet;
    /// let set = FieldSet::from_json(r#"{"f:spec":{},"f:status":{"f:phase":{}}}"#)?;
    /// let status = FieldSet::from_json(r#"{"f:status":{}}"#)?;
    /// assert_eq!(set.difference(&status), set);
    /// assert_eq!(set.recursive_difference(&status).to_string(), ".spec");
    /// # Ok::<(), klient_structured_merge::Error>(())
    /// ```
    pub fn recursive_difference(&self, other: &FieldSet) -> FieldSet {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        self.zip(other, |side| match side {
            Side::Left(entry) => Some(entry.clone()),
            Side::Both(left, right) if !right.member => {
                let below = match (&left.below, &right.below) {
                    (Some(left), Some(right)) => shared(left.recursive_difference(right)),
                    (left, _) => left.clone(),
                };
                Entry::new(&left.element, left.member, below)
            }
            _ => None,
        })
    }

    /// The fields without members below them.
    pub fn leaves(&self) -> FieldSet {
        let leaf = |entry: &Entry| Entry {
            element: entry.element.clone(),
            member: entry.member && entry.below.is_none(),
            below: entry.below.as_ref().map(|below| Arc::new(below.leaves())),
        };
        FieldSet { entries: self.entries.iter().map(leaf).collect() }
    }

    /// The elements of the first level, with their membership and the fields below.
    pub(crate) fn entries(
        &self,
    ) -> impl ExactSizeIterator<Item = (&PathElement, bool, Option<&FieldSet>)> + Clone {
        self.entries.iter().map(|entry| (&entry.element, entry.member, entry.below.as_deref()))
    }

    /// Returns true if an element is in the set, with the fields below it.
    pub(crate) fn at(&self, element: &PathElement) -> (bool, Option<&FieldSet>) {
        self.entry(element).map_or((false, None), |entry| (entry.member, entry.below.as_deref()))
    }

    /// Appends an element greater than all present, unless it is no member and has nothing below.
    pub(crate) fn push(&mut self, element: PathElement, member: bool, below: FieldSet) {
        debug_assert!(self.entries.last().is_none_or(|last| last.element < element), "sorted");
        if member || !below.is_empty() {
            self.entries.push(Entry { element, member, below: shared(below) });
        }
    }

    /// Builds a set from elements in any order. Of two equal elements the later one defines the fields below.
    fn from_unsorted(mut entries: Vec<Entry>) -> Self {
        let sorted = entries.windows(2).all(|pair| pair[0].element < pair[1].element);
        if !sorted {
            entries.sort_by(|left, right| left.element.cmp(&right.element));
            entries.dedup_by(|later, earlier| {
                let same = later.element == earlier.element;
                if same {
                    earlier.member |= later.member;
                    earlier.below = later.below.take().or(earlier.below.take());
                }
                same
            });
        }
        FieldSet { entries }
    }

    fn position(&self, element: &PathElement) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.element.cmp(element))
    }

    fn entry(&self, element: &PathElement) -> Option<&Entry> {
        self.position(element).ok().map(|at| &self.entries[at])
    }

    /// Walks two sets in parallel.
    fn zip(&self, other: &FieldSet, mut take: impl FnMut(Side<'_>) -> Option<Entry>) -> FieldSet {
        let (mut left, mut right) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        let mut entries = Vec::new();
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(left), Some(right)) => left.element.cmp(&right.element),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return FieldSet { entries },
            };
            let side = match order {
                Ordering::Less => left.next().map(Side::Left),
                Ordering::Greater => right.next().map(Side::Right),
                Ordering::Equal => left.next().zip(right.next()).map(|(left, right)| Side::Both(left, right)),
            };
            entries.extend(side.and_then(&mut take));
        }
    }
}

/// The sets that have an element.
enum Side<'a> {
    Left(&'a Entry),
    Right(&'a Entry),
    Both(&'a Entry, &'a Entry),
}

fn shared(set: FieldSet) -> Option<Arc<FieldSet>> {
    (!set.is_empty()).then(|| Arc::new(set))
}

impl FromIterator<Path> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        let mut set = FieldSet::EMPTY;
        paths.into_iter().for_each(|path| set.insert(&path));
        set
    }
}

impl<'a> IntoIterator for &'a FieldSet {
    type Item = Path;
    type IntoIter = Paths<'a>;

    fn into_iter(self) -> Paths<'a> {
        self.iter()
    }
}

/// One path on each line.
impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.iter().enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{path}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|path| path.to_string())).finish()
    }
}
