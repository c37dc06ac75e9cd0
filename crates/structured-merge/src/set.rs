//! [`FieldSet`], a set of fields of an object.
//!
//! - a *trie*: fields stand below the fields that hold them, so that what two sets share is found together;
//! - *exact*: that a field is in a set says nothing of those that hold it or stand below it;
//! - *cheap to copy*: sets share what they have in common.

mod json;
mod paths;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

pub use paths::Paths;

use crate::{Path, PathElement};

/// A set of fields of an object, as `managedFields` holds one for each manager.
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
    /// Sorted, each once.
    entries: Vec<Entry>,
}

/// A field that is in the set, or that something below is; both may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    element: PathElement,
    member: bool,
    /// Never an empty set.
    below: Option<Arc<FieldSet>>,
}

impl Entry {
    /// Nothing if there is nothing in it.
    fn new(element: &PathElement, member: bool, below: Option<Arc<FieldSet>>) -> Option<Self> {
        (member || below.is_some()).then(|| Entry { element: element.clone(), member, below })
    }
}

impl FieldSet {
    /// A set of nothing.
    pub const EMPTY: FieldSet = FieldSet { entries: Vec::new() };

    /// Adds a field. Those that hold it are not added, and nothing is for a path without elements: nobody owns a
    /// whole object.
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

    /// Whether a field is in the set.
    pub fn has(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [element] => self.entry(element).is_some_and(|entry| entry.member),
            [element, rest @ ..] => self.below(element).is_some_and(|below| below.has(rest)),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        let count =
            |entry: &Entry| usize::from(entry.member) + entry.below.as_ref().map_or(0, |below| below.len());
        self.entries.iter().map(count).sum()
    }

    /// The fields below one, by their paths from there.
    pub fn below(&self, element: &PathElement) -> Option<&FieldSet> {
        self.entry(element)?.below.as_deref()
    }

    /// The fields. Those at one level come before those below.
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

    /// The fields that are not in the other set. A field stays if only one that holds it is there.
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

    /// The fields that are not in the other set, and of which none that holds them is.
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

    /// The fields below which there are no others.
    pub fn leaves(&self) -> FieldSet {
        let leaf = |entry: &Entry| Entry {
            element: entry.element.clone(),
            member: entry.member && entry.below.is_none(),
            below: entry.below.as_ref().map(|below| Arc::new(below.leaves())),
        };
        FieldSet { entries: self.entries.iter().map(leaf).collect() }
    }

    /// The elements at the first level, whether they are in the set, and what is below.
    pub(crate) fn entries(
        &self,
    ) -> impl ExactSizeIterator<Item = (&PathElement, bool, Option<&FieldSet>)> + Clone {
        self.entries.iter().map(|entry| (&entry.element, entry.member, entry.below.as_deref()))
    }

    /// Whether an element is in the set, and what is below.
    pub(crate) fn at(&self, element: &PathElement) -> (bool, Option<&FieldSet>) {
        self.entry(element).map_or((false, None), |entry| (entry.member, entry.below.as_deref()))
    }

    /// Adds an element that is greater than all there are, unless there is nothing to it.
    pub(crate) fn push(&mut self, element: PathElement, member: bool, below: FieldSet) {
        debug_assert!(self.entries.last().is_none_or(|last| last.element < element), "sorted");
        if member || !below.is_empty() {
            self.entries.push(Entry { element, member, below: shared(below) });
        }
    }

    /// From elements in any order. Of two that are equal the later one has its say of what is below.
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

    /// Goes through two sets at once.
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

/// Where an element was found.
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
