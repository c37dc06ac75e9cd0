//! Adaptation of a set to a schema that has changed since the set was written.

use crate::schema::{Fields, Kind, Relation, TypeRef};
use crate::{FieldSet, PathElement};

/// The set adapted to the schema as it is now; `None` if nothing changes.
///
/// An owner of fields of a value that is atomic now owns the whole value. The other way round nothing changes: the
/// fields of a value that was atomic have no owner until they are set.
pub(crate) fn reconcile(set: &FieldSet, root: TypeRef<'_>) -> Option<FieldSet> {
    match walk(Some(set), root, false) {
        Outcome::Same | Outcome::Whole => None,
        Outcome::Changed(set) => Some(set),
    }
}

enum Outcome {
    Same,
    /// The value is atomic: the field covers all below it.
    Whole,
    Changed(FieldSet),
}

/// `is_whole` is true if the value is owned as a whole already.
fn walk(set: Option<&FieldSet>, ty: TypeRef<'_>, is_whole: bool) -> Outcome {
    let is_owned = set.is_some_and(|set| !set.is_empty());
    match ty.atom().kind() {
        None | Some(Kind::Scalar(_)) => Outcome::Same,
        Some(Kind::List(list)) => match list.relation {
            Relation::Atomic if !is_whole => Outcome::Whole,
            _ => below(set, |_| Some(list.item)),
        },
        // A type without restrictions cannot have changed.
        Some(Kind::Map(map))
            if matches!(map.fields, Fields::None) && map.element.is_some_and(TypeRef::is_deduced) =>
        {
            Outcome::Same
        }
        Some(Kind::Map(map)) if map.atomic && !is_whole => {
            if is_owned {
                Outcome::Whole
            } else {
                Outcome::Same
            }
        }
        Some(Kind::Map(map)) => below(set, |element| match element {
            PathElement::Field(name) => map.type_of(name),
            _ => map.element,
        }),
    }
}

fn below<'a>(set: Option<&FieldSet>, type_of: impl Fn(&PathElement) -> Option<TypeRef<'a>>) -> Outcome {
    let Some(set) = set else { return Outcome::Same };
    let mut changed = false;
    let mut out = FieldSet::EMPTY;
    for (element, member, below) in set.entries() {
        // Fields unknown to the schema stay.
        let outcome = type_of(element).map_or(Outcome::Same, |ty| walk(below, ty, member && below.is_none()));
        changed |= !matches!(outcome, Outcome::Same);
        match outcome {
            Outcome::Same => out.push(element.clone(), member, below.cloned().unwrap_or_default()),
            Outcome::Whole => out.push(element.clone(), true, FieldSet::EMPTY),
            Outcome::Changed(below) => out.push(element.clone(), member, below),
        }
    }
    if changed { Outcome::Changed(out) } else { Outcome::Same }
}
