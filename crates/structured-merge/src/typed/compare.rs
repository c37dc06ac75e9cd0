//! Comparison of two objects.

use std::cmp::Ordering;

use serde_json::Value;

use crate::schema::{Atom, Kind, List, Relation, Struct, TypeRef};
use crate::value::{self, Node};
use crate::{FieldSet, Filter, Map, PathElement};

/// The differences between two objects. No field is in two of the sets, except for duplicate items that became one
/// item, or the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Fields that only the new object has.
    pub added: FieldSet,
    /// Fields that both have, with different values.
    pub modified: FieldSet,
    /// Fields that only the old object has.
    pub removed: FieldSet,
}

impl Comparison {
    /// Returns true if there is no difference.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// The comparison without the fields that a filter excludes.
    pub fn filter(self, filter: &Filter) -> Self {
        if *filter == Filter::All {
            return self;
        }
        Comparison {
            added: filter.apply(&self.added),
            modified: filter.apply(&self.modified),
            removed: filter.apply(&self.removed),
        }
    }
}

pub(super) fn compare(old: &Map, new: &Map, root: TypeRef<'_>) -> Comparison {
    let (_, below) = values(Some(old.into()), Some(new.into()), root);
    below
}

/// The change of a value itself.
#[derive(Clone, Copy, Default)]
struct Own {
    added: bool,
    modified: bool,
    removed: bool,
}

/// The changes of a value and of the fields below it.
fn values(old: Option<Node<'_>>, new: Option<Node<'_>>, ty: TypeRef<'_>) -> (Own, Comparison) {
    let (old_atom, new_atom) = (ty.atom_of(old), ty.atom_of(new));
    let atom = if new.is_some() { &new_atom } else { &old_atom };
    let (mut own, below) = as_atom(old, new, atom);
    if old.is_none() || new.is_none() || old_atom.is_same(&new_atom) {
        return (own, below);
    }
    // A value whose type has changed is compared as both types.
    let (other_own, other) = as_atom(old, new, &old_atom);
    own.modified |= other_own.modified;
    let both = Comparison {
        added: below.added.union(&other.added),
        modified: below.modified.union(&other.modified),
        removed: below.removed.union(&other.removed),
    };
    (own, both)
}

fn as_atom(old: Option<Node<'_>>, new: Option<Node<'_>>, atom: &Atom<'_>) -> (Own, Comparison) {
    let mut walk = Walk { old, new, own: Own::default(), below: Comparison::default() };
    let is_leaf = walk.as_atom(atom);
    if !is_leaf {
        walk.own.added |= old.is_none();
        walk.own.removed |= new.is_none();
    }
    (walk.own, walk.below)
}

struct Walk<'v> {
    old: Option<Node<'v>>,
    new: Option<Node<'v>>,
    own: Own,
    below: Comparison,
}

impl<'v> Walk<'v> {
    /// Returns true if the values have no fields below them to compare.
    fn as_atom(&mut self, atom: &Atom<'_>) -> bool {
        match atom.kind() {
            None => return false,
            Some(Kind::Scalar(_)) => {}
            Some(Kind::List(list)) => {
                let (old, new) = (items(self.old), items(self.new));
                let is_leaf = matches!(list.relation, Relation::Atomic) || (old.is_empty() && new.is_empty());
                if !is_leaf {
                    self.list(old, new, &list);
                    return false;
                }
            }
            Some(Kind::Map(map)) => {
                let (old, new) = (entries(self.old), entries(self.new));
                let is_empty = |entries: Option<&Map>| entries.is_none_or(Map::is_empty);
                if !(map.atomic || (is_empty(old) && is_empty(new))) {
                    self.map(old, new, &map);
                    return false;
                }
            }
        }
        match (self.old, self.new) {
            (None, _) => self.own.added = true,
            (_, None) => self.own.removed = true,
            (Some(old), Some(new)) => self.own.modified |= !value::equal_nodes(old, new),
        }
        true
    }

    fn map(&mut self, old: Option<&'v Map>, new: Option<&'v Map>, map: &Struct<'_>) {
        let old = old.map(value::sorted).unwrap_or_default();
        let new = new.map(value::sorted).unwrap_or_default();
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some((old, _)), Some((new, _))) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let old = if order.is_le() { old.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            let Some((name, _)) = old.or(new) else { return };
            let Some(ty) = map.type_of(name) else { continue };
            let node = |entry: Option<(&str, &'v Value)>| entry.map(|(_, value)| Node::from(value));
            let (own, below) = values(node(old), node(new), ty);
            self.put(|| PathElement::field(name), own, below);
        }
    }

    fn list(&mut self, old: &[Value], new: &[Value], list: &List<'_>) {
        let (old_elements, new_elements) = (list.elements(old), list.elements(new));
        let mut old_groups = old_elements.chunk_by(|(left, _), (right, _)| left == right).peekable();
        let mut new_groups = new_elements.chunk_by(|(left, _), (right, _)| left == right).peekable();
        loop {
            let order = match (old_groups.peek(), new_groups.peek()) {
                (Some(old), Some(new)) => old[0].0.cmp(&new[0].0),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let of_old = if order.is_le() { old_groups.next().unwrap_or_default() } else { &[] };
            let of_new = if order.is_ge() { new_groups.next().unwrap_or_default() } else { &[] };
            let Some((element, _)) = of_old.first().or(of_new.first()) else { return };
            let (own, below) = same_items(of_old, of_new, old, new, list.item);
            self.put(|| element.clone(), own, below);
        }
    }

    fn put(&mut self, element: impl Fn() -> PathElement, own: Own, below: Comparison) {
        for (set, own, below) in [
            (&mut self.below.added, own.added, below.added),
            (&mut self.below.modified, own.modified, below.modified),
            (&mut self.below.removed, own.removed, below.removed),
        ] {
            if own || !below.is_empty() {
                set.push(element(), own, below);
            }
        }
    }
}

/// The changes of the items with the same key, mostly one at most. Several are compared as one value.
fn same_items(
    of_old: &[(PathElement, usize)],
    of_new: &[(PathElement, usize)],
    old: &[Value],
    new: &[Value],
    ty: TypeRef<'_>,
) -> (Own, Comparison) {
    let in_old = || of_old.iter().map(|(_, place)| &old[*place]);
    let in_new = || of_new.iter().map(|(_, place)| &new[*place]);
    match (of_old.len(), of_new.len()) {
        (0 | 1, 0 | 1) => values(in_old().next().map(Node::from), in_new().next().map(Node::from), ty),
        (old @ 2.., new @ 2..) => {
            let modified = old != new || !in_old().zip(in_new()).all(|(old, new)| value::equal(old, new));
            (Own { modified, ..Own::default() }, Comparison::default())
        }
        (2.., _) => {
            let (own, below) = of_one(None, in_new().next(), ty);
            (Own { removed: true, ..own }, below)
        }
        (_, 2..) => {
            let (own, below) = of_one(in_old().next(), None, ty);
            (Own { added: true, ..own }, below)
        }
    }
}

fn of_one(old: Option<&Value>, new: Option<&Value>, ty: TypeRef<'_>) -> (Own, Comparison) {
    if old.is_none() && new.is_none() {
        return (Own::default(), Comparison::default());
    }
    values(old.map(Node::from), new.map(Node::from), ty)
}

fn items<'v>(node: Option<Node<'v>>) -> &'v [Value] {
    match node {
        Some(Node::List(items)) => items,
        _ => &[],
    }
}

fn entries<'v>(node: Option<Node<'v>>) -> Option<&'v Map> {
    match node {
        Some(Node::Map(entries)) => Some(entries),
        _ => None,
    }
}
