//! The set of fields of an object.

use serde_json::Value;

use crate::schema::{Kind, List, Relation, Struct, TypeRef};
use crate::value::{self, Node};
use crate::{FieldSet, Map, PathElement};

/// The fields of an object that follows its schema.
pub(super) fn field_set(object: &Map, root: TypeRef<'_>) -> FieldSet {
    fields(object.into(), root).1
}

/// Returns true if a value is a field itself, with the fields below it.
fn fields(value: Node<'_>, ty: TypeRef<'_>) -> (bool, FieldSet) {
    match ty.atom_of(Some(value)).kind() {
        None => (false, FieldSet::EMPTY),
        Some(Kind::Scalar(_)) => (true, FieldSet::EMPTY),
        Some(Kind::List(list)) => match (list.relation, value) {
            (Relation::Atomic, _) => (true, FieldSet::EMPTY),
            (_, Node::List(items)) => (false, items_of(items, &list)),
            _ => (false, FieldSet::EMPTY),
        },
        Some(Kind::Map(map)) => match value {
            _ if map.atomic => (true, FieldSet::EMPTY),
            Node::Map(entries) => (false, entries_of(entries, &map)),
            _ => (false, FieldSet::EMPTY),
        },
    }
}

fn entries_of(entries: &Map, map: &Struct<'_>) -> FieldSet {
    let mut set = FieldSet::EMPTY;
    for (name, value) in value::sorted(entries) {
        let declared = map.field(name);
        let (member, below) =
            declared.or(map.element).map_or((false, FieldSet::EMPTY), |ty| fields(value.into(), ty));
        let is_empty = match value {
            Value::Null => true,
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        };
        set.push(PathElement::field(name), member || is_empty || declared.is_none(), below);
    }
    set
}

fn items_of(items: &[Value], list: &List<'_>) -> FieldSet {
    let mut set = FieldSet::EMPTY;
    let elements = list.elements(items);
    for same in elements.chunk_by(|(left, _), (right, _)| left == right) {
        let (element, place) = &same[0];
        // Of duplicate items only their presence is owned, not the fields below.
        let below =
            if same.len() == 1 { fields(Node::from(&items[*place]), list.item).1 } else { FieldSet::EMPTY };
        set.push(element.clone(), true, below);
    }
    set
}

/// The set with all declared fields of structs below which it has fields. Entries of maps and items of lists are not
/// added: they have their own elements.
pub(crate) fn with_named_fields(set: &FieldSet, ty: Option<TypeRef<'_>>) -> FieldSet {
    let atom = ty.map(TypeRef::atom).unwrap_or_default();
    let mut out = FieldSet::EMPTY;
    for (element, member, below) in set.entries() {
        let mut is_named = false;
        let ty = match (element, &atom.map, &atom.list) {
            (PathElement::Field(name), Some(map), _) => {
                let declared = map.field(name);
                is_named = declared.is_some();
                declared.or(map.element)
            }
            (PathElement::Key(_), _, Some(list)) => Some(list.item),
            _ => None,
        };
        let member = member || (is_named && below.is_some());
        out.push(
            element.clone(),
            member,
            below.map(|below| with_named_fields(below, ty)).unwrap_or_default(),
        );
    }
    out
}
