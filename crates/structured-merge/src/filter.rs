//! [`Filter`], the fields of an object that a manager can own.

use crate::{FieldSet, PathElement};

/// The fields of an object that a manager can own. The server sets the others itself: it keeps `status` in a write of
/// the object, and `spec` in a write of its status.
///
/// ```
/// use klient_structured_merge::{Filter, FieldSet, PathElement};
/// let set = FieldSet::from_json(r#"{"f:spec":{"f:replicas":{}},"f:status":{"f:replicas":{}}}"#)?;
/// let without_status = Filter::Except(FieldSet::from_json(r#"{"f:status":{}}"#)?);
/// assert_eq!(without_status.apply(&set).to_string(), ".spec.replicas");
/// let only_status = Filter::Only(vec![vec![Some(PathElement::field("status"))]]);
/// assert_eq!(only_status.apply(&set).to_string(), ".status.replicas");
/// # Ok::<(), klient_structured_merge::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All fields.
    #[default]
    All,
    /// All fields except these and those below them.
    Except(FieldSet),
    /// The fields below one of these paths, and those on the way to it. `None` matches any element.
    Only(Vec<Vec<Option<PathElement>>>),
}

impl Filter {
    /// The fields of a set that pass the filter.
    pub fn apply(&self, set: &FieldSet) -> FieldSet {
        match self {
            Filter::All => set.clone(),
            Filter::Except(fields) => set.recursive_difference(fields),
            Filter::Only(paths) => only(set, &paths.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        }
    }
}

fn only(set: &FieldSet, paths: &[&[Option<PathElement>]]) -> FieldSet {
    if paths.iter().any(|path| path.is_empty()) {
        return set.clone();
    }
    let mut out = FieldSet::EMPTY;
    for (element, member, below) in set.entries() {
        let matches = |first: &Option<PathElement>| first.as_ref().is_none_or(|first| first == element);
        let rest: Vec<_> = paths
            .iter()
            .filter_map(|path| path.split_first().filter(|(first, _)| matches(first)).map(|(_, rest)| rest))
            .collect();
        if !rest.is_empty() {
            out.push(element.clone(), member, below.map(|below| only(below, &rest)).unwrap_or_default());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_may_go_through_any_element() {
        let set = FieldSet::from_json(
            r#"{"f:spec":{".":{},"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:image":{},"f:resources":{"f:limits":{}}}},"f:x":{}}}"#,
        )
        .unwrap();
        let field = |name| Some(PathElement::field(name));
        let resize = Filter::Only(vec![vec![field("spec"), field("containers"), None, field("resources")]]);
        assert_eq!(
            resize.apply(&set).to_json(),
            r#"{"f:spec":{".":{},"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:resources":{"f:limits":{}}}}}}"#
        );
        assert!(Filter::Only(vec![vec![field("status")]]).apply(&set).is_empty());
    }
}
